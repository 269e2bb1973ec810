"""One small network in every framework that is installed: same start, same batches, same numbers.

64 inputs, 32 ReLU units, 10 classes, trained by plain SGD on scikit-learn's digits in float64,
from the same first weights and on the same batches: by PyTorch, by scikit-learn's MLPClassifier,
and by NumPy alone, with the chain rule written out. ONNX Runtime, which only answers, gets
PyTorch's weights in a file.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from dlportal.nets.onnx_graph import field
from dlportal.training.metrics import exact_interval

INPUTS, UNITS, CLASSES = 64, 32, 10
BATCH, RATE, EPOCHS = 64, 0.1, 20
TEST = 360
REPEATS = 20  # of the timed answers
TOLERANCE = 1e-6  # between the weights of two frameworks after training
NAMES = {
    "torch": "PyTorch",
    "sklearn": "scikit-learn",
    "numpy": "NumPy",
    "onnxruntime": "ONNX Runtime",
}
PACKAGES = {
    "torch": "torch",
    "sklearn": "scikit-learn",
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
}
ELSEWHERE = ("tensorflow", "keras", "jax")  # known, and run only where somebody installed them

Weights = list[np.ndarray]  # (64, 32), (32,), (32, 10), (10,)
Answers = Callable[[np.ndarray], np.ndarray]  # pictures (N, 64) to probabilities (N, 10)
Batches = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Trained:
    """What one framework came to.

    Attributes:
        name: A key of `NAMES`.
        version: Of its package.
        training: Seconds of training; None for one that only answers.
        answering: Seconds for all test pictures, the median of `REPEATS`.
        accuracy, low, high: On the test pictures, with the exact 95 % interval.
        apart: The largest difference of a weight from PyTorch's; for one that only answers, of a
            probability.
        lines: Of code in this file that are its own.
    """

    name: str
    version: str
    training: float | None
    answering: float
    accuracy: float
    low: float
    high: float
    apart: float
    lines: int


def pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Digits in [0, 1]: training (1437, 64) and test (360, 64) with their classes."""
    from sklearn.datasets import load_digits

    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    x, y = found.data[order] / 16, found.target[order].astype(np.int64)
    return x[TEST:], y[TEST:], x[:TEST], y[:TEST]


def first_weights(seed: int) -> Weights:
    """He's start: He et al. 2015, https://arxiv.org/abs/1502.01852"""
    rng = np.random.default_rng(seed)
    sizes = ((INPUTS, UNITS), (UNITS, CLASSES))
    found = []
    for rows, columns in sizes:
        found += [rng.normal(0, (2 / rows) ** 0.5, (rows, columns)), np.zeros(columns)]
    return found


def all_batches(x: np.ndarray, y: np.ndarray, seed: int) -> Batches:
    """The batches of all epochs, in one order for all frameworks."""
    rng = np.random.default_rng(seed)
    found = []
    for _epoch in range(EPOCHS):
        order = rng.permutation(len(y))[: len(y) // BATCH * BATCH]
        found += [(x[rows], y[rows]) for rows in order.reshape(-1, BATCH)]
    return found


def by_numpy(start: Weights, batches: Batches) -> tuple[Weights, Answers]:
    """Forward, backward by the chain rule, update: nothing else."""
    w1, b1, w2, b2 = (w.copy() for w in start)
    for x, y in batches:
        h = np.maximum(0, x @ w1 + b1)
        dz = softmax(h @ w2 + b2)
        dz[np.arange(len(y)), y] -= 1
        dz /= len(y)
        dh = dz @ w2.T * (h > 0)
        w2 -= RATE * h.T @ dz
        b2 -= RATE * dz.sum(axis=0)
        w1 -= RATE * x.T @ dh
        b1 -= RATE * dh.sum(axis=0)
    found = [w1, b1, w2, b2]
    return found, numpy_answers(found)


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def numpy_answers(weights: Weights) -> Answers:
    w1, b1, w2, b2 = weights
    return lambda x: softmax(np.maximum(0, x @ w1 + b1) @ w2 + b2)


def torch_net(weights: Weights) -> Any:
    """The network in PyTorch, holding these weights."""
    import torch
    from torch import nn

    net = nn.Sequential(nn.Linear(INPUTS, UNITS), nn.ReLU(), nn.Linear(UNITS, CLASSES)).double()
    with torch.no_grad():
        for parameter, w in zip(net.parameters(), weights):
            parameter.copy_(torch.from_numpy(w.T if w.ndim == 2 else w))
    return net


def by_torch(start: Weights, batches: Batches) -> tuple[Weights, Answers]:
    import torch

    net = torch_net(start)
    optimizer = torch.optim.SGD(net.parameters(), RATE)
    with torch.enable_grad():
        for x, y in batches:
            loss = torch.nn.functional.cross_entropy(net(torch.from_numpy(x)), torch.from_numpy(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    own = [parameter.detach().numpy() for parameter in net.parameters()]
    found = [w.T.copy() if w.ndim == 2 else w for w in own]
    return found, torch_answers(found)


def torch_answers(weights: Weights) -> Answers:
    import torch

    net = torch_net(weights).eval()

    @torch.inference_mode()
    def answer(x: np.ndarray) -> np.ndarray:
        return net(torch.from_numpy(x)).softmax(1).numpy()

    return answer


def sklearn_net(start: Weights, x: np.ndarray, y: np.ndarray) -> Any:
    """The network in scikit-learn, holding these weights; its own are made by a first call."""
    from sklearn.neural_network import MLPClassifier

    net = MLPClassifier(
        (UNITS,), solver="sgd", alpha=0.0, momentum=0.0, learning_rate_init=RATE, batch_size=BATCH
    )
    net.partial_fit(x, y, classes=np.arange(CLASSES))
    for own, w in zip((*net.coefs_, *net.intercepts_), (start[0], start[2], start[1], start[3])):
        own[...] = w
    return net


def by_sklearn(start: Weights, batches: Batches) -> tuple[Weights, Answers]:
    net = sklearn_net(start, *batches[0])
    for x, y in batches:
        net.partial_fit(x, y)
    found = [net.coefs_[0], net.intercepts_[0], net.coefs_[1], net.intercepts_[1]]
    return found, net.predict_proba


def onnx_file(weights: Weights) -> bytes:
    """The network as an ONNX file: two products, a ReLU, a softmax.

    An ONNX file is one protobuf message (https://onnx.ai/onnx/repo-docs/IR.html); so small a one
    is written by hand, which spares the `onnx` package.
    """
    names = ("w1", "b1", "w2", "b2")
    nodes = (
        ("Gemm", ("x", "w1", "b1"), "z"),
        ("Relu", ("z",), "h"),
        ("Gemm", ("h", "w2", "b2"), "y"),
        ("Softmax", ("y",), "p"),
    )
    graph = b"".join(
        field(1, b"".join(field(1, i.encode()) for i in ins) + field(2, out.encode())
              + field(4, kind.encode()))
        for kind, ins, out in nodes
    )  # fmt: skip
    graph += field(2, b"digits")
    graph += b"".join(field(5, tensor(name, w)) for name, w in zip(names, weights))
    value = field(2, field(1, bytes([1 << 3, DOUBLE])))
    graph += field(11, field(1, b"x") + value) + field(12, field(1, b"p") + value)
    return bytes([1 << 3, 8]) + field(7, graph) + field(8, bytes([2 << 3, 17]))


DOUBLE = 11  # TensorProto.DataType


def tensor(name: str, w: np.ndarray) -> bytes:
    """A TensorProto of float64."""
    sizes = b"".join(bytes([1 << 3, size]) for size in w.shape)
    raw = np.ascontiguousarray(w, dtype="<f8").tobytes()
    return sizes + bytes([2 << 3, DOUBLE]) + field(8, name.encode()) + field(9, raw)


def onnx_answers(weights: Weights) -> Answers:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        onnx_file(weights), options, providers=["CPUExecutionProvider"]
    )
    return lambda x: session.run(None, {"x": x})[0]


def compare(seed: int = 0) -> list[Trained]:
    """Train and ask the network in every framework, on one thread each.

    PyTorch comes first, and the others are held to its numbers.
    """
    from threadpoolctl import threadpool_limits

    from dlportal.device import THREADS
    from dlportal.serving.lane import torch_threads

    with torch_threads(THREADS), threadpool_limits(1):
        return one_after_another(seed)


def one_after_another(seed: int) -> list[Trained]:
    x, y, test_x, test_y = pictures()
    start, batches = first_weights(seed), all_batches(x, y, seed)
    by_torch(start, batches[:2])  # the first call loads what later ones find
    found: list[Trained] = []
    reference: Weights = []
    for name, train in (("torch", by_torch), ("sklearn", by_sklearn), ("numpy", by_numpy)):
        started = time.perf_counter()
        weights, answers = train(start, batches)
        seconds = time.perf_counter() - started
        reference = reference or weights
        apart = max(float(np.abs(a - b).max()) for a, b in zip(weights, reference))
        found.append(summed_up(name, seconds, answers, apart, test_x, test_y))
    answers = onnx_answers(reference)
    apart = float(np.abs(answers(test_x) - torch_answers(reference)(test_x)).max())
    return [*found, summed_up("onnxruntime", None, answers, apart, test_x, test_y)]


def summed_up(
    name: str,
    training: float | None,
    answers: Answers,
    apart: float,
    x: np.ndarray,
    y: np.ndarray,
) -> Trained:
    times = []
    for _repeat in range(REPEATS):
        started = time.perf_counter()
        p = answers(x)
        times.append(time.perf_counter() - started)
    right = int((p.argmax(axis=1) == y).sum())
    low, high = exact_interval(right, len(y))
    return Trained(
        name,
        version(PACKAGES[name]),
        training,
        float(np.median(times)),
        right / len(y),
        low,
        high,
        apart,
        own_lines(name),
    )


def own_lines(name: str) -> int:
    """Lines that only this framework needs here, without blank lines and docstrings."""
    import inspect

    parts: dict[str, tuple[Callable[..., Any], ...]] = {
        "torch": (torch_net, by_torch, torch_answers),
        "sklearn": (sklearn_net, by_sklearn),
        "numpy": (by_numpy, softmax, numpy_answers),
        "onnxruntime": (onnx_file, tensor, onnx_answers),
    }
    text = "\n".join(inspect.getsource(part) for part in parts[name])
    return sum(bool(line.strip()) for line in text.splitlines())


def baseline() -> tuple[float, float, float]:
    """Accuracy of always saying the most frequent digit, with its exact interval."""
    _x, y, _test_x, test_y = pictures()
    right = int((test_y == np.bincount(y).argmax()).sum())
    low, high = exact_interval(right, len(test_y))
    return right / len(test_y), low, high


def elsewhere() -> dict[str, str | None]:
    """Other well-known frameworks: their version, or None where they are not installed."""
    found: dict[str, str | None] = {}
    for package in ELSEWHERE:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found
