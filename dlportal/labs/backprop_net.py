"""The small network of the backpropagation lab, trained one example a step, in float64.

Every number comes from torch: modules, initialisers, autograd and `torch.optim.SGD`. What the
page writes as formulas is checked against these numbers by tests.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from dlportal.labs.backprop_data import DATA, INPUTS, OUTPUTS, POINTS, one_hot
from dlportal.results import Result

MOST_STEPS = 2000
KEEP = 25  # every so many steps the weights are kept, to go back without starting over
REMEMBER = 8  # passes, since a visitor looks at each several times
RECORD = 10  # every so many steps the loss of all examples is recorded


@dataclass(frozen=True)
class Activation:
    """A bend σ: as torch module, its slope σ'(z), and both as formulas."""

    module: Callable[[], nn.Module]
    slope: Callable[[np.ndarray], np.ndarray]
    formula: str
    slope_formula: str


def logistic(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


ACTIVATIONS = {
    "tanh": Activation(
        nn.Tanh, lambda z: 1 - np.tanh(z) ** 2, r"\frac{e^z-e^{-z}}{e^z+e^{-z}}", r"1-h^2"
    ),
    "sigmoid": Activation(
        nn.Sigmoid,
        lambda z: logistic(z) * (1 - logistic(z)),
        r"\frac{1}{1+e^{-z}}",
        r"h\,(1-h)",
    ),
    "relu": Activation(
        nn.ReLU,
        lambda z: (z > 0).astype(float),
        r"\max(0, z)",
        r"1 \text{ if } z>0 \text{ else } 0",
    ),
    "leaky_relu": Activation(
        lambda: nn.LeakyReLU(0.1),
        lambda z: np.where(z > 0, 1.0, 0.1),
        r"\max(0.1\,z, z)",
        r"1 \text{ if } z>0 \text{ else } 0.1",
    ),
    "linear": Activation(nn.Identity, np.ones_like, "z", "1"),
}
INITS = ("xavier", "he", "small", "large", "zeros")


def start(net: nn.Module, init: str, seed: int) -> None:
    """Fill a net's weights with `torch.nn.init` from a seed.

    Biases get a standard deviation of 0.1, not 0: else a layer of dead ReLU units would put
    the next one exactly on its kink, where no slope is right.
    """
    g = torch.Generator().manual_seed(seed)
    for layer in net.modules():
        if not isinstance(layer, nn.Linear):
            continue
        if init == "zeros":
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
            continue
        if init == "xavier":
            nn.init.xavier_normal_(layer.weight, generator=g)
        elif init == "he":
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=g)
        else:
            nn.init.normal_(layer.weight, std={"small": 0.1, "large": 2.0}[init], generator=g)
        nn.init.normal_(layer.bias, std=0.1, generator=g)


def mlp(sizes: list[int], activation: str) -> nn.Sequential:
    """Linear layers with a bend between them, none after the last; float64.

    `sizes` are the units of every layer, inputs and outputs included.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), ACTIVATIONS[activation].module()]
    return nn.Sequential(*layers[:-1]).double()


def loss_of(name: str, z: Tensor, target: Tensor) -> Tensor:
    """The mean loss of outputs before their squashing.

    Args:
        name: "cross_entropy", or "mse" (half the squared error after a sigmoid).
        z: Shape (outputs,) or (n, outputs).
        target: The same shape, in [0, 1].
    """
    if name == "mse":
        return 0.5 * (z.sigmoid() - target).square().sum(-1).mean()
    if z.shape[-1] == 1:
        return nn.functional.binary_cross_entropy_with_logits(z, target)
    return nn.functional.cross_entropy(z, target)


def answer(name: str, z: Tensor) -> Tensor:
    """The network's answer p: a softmax for cross-entropy over classes, else a sigmoid."""
    return z.softmax(-1) if name == "cross_entropy" and z.shape[-1] > 1 else z.sigmoid()


@dataclass(frozen=True)
class Pass(Result):
    """Everything that one training step computes. Layer l of n is at index l - 1.

    Attributes:
        step: How many steps went before.
        example: The example's index in the data.
        target: Shape (outputs,).
        h: n + 1 arrays: the inputs, each layer's h, and last the answer p.
        z: n arrays, before the bend.
        w, b: n arrays each, weights (to, from) and biases (to,), before the update.
        dz: ∂loss/∂z, n arrays.
        dh: ∂loss/∂h, n arrays: of the inputs and of the hidden layers.
        dw, db: ∂loss/∂w and ∂loss/∂b, n arrays each.
        new_w, new_b: After the update.
        loss, loss_after: Of this example, before and after the update.
        mean_loss: Of all examples, before the update.
        accuracy: Share of all examples that are right before the update, in [0, 1].
    """

    step: int
    example: int
    target: np.ndarray
    h: tuple[np.ndarray, ...]
    z: tuple[np.ndarray, ...]
    w: tuple[np.ndarray, ...]
    b: tuple[np.ndarray, ...]
    dz: tuple[np.ndarray, ...]
    dh: tuple[np.ndarray, ...]
    dw: tuple[np.ndarray, ...]
    db: tuple[np.ndarray, ...]
    new_w: tuple[np.ndarray, ...]
    new_b: tuple[np.ndarray, ...]
    loss: float
    loss_after: float
    mean_loss: float
    accuracy: float

    @property
    def layers(self) -> int:
        """Layers with weights: the hidden ones and the output."""
        return len(self.z)

    @property
    def blown_up(self) -> bool:
        """Whether a number has left float64: nothing can be learnt from here."""
        arrays = (*self.z, *self.dw, *self.new_w)
        return not all(np.isfinite(a).all() for a in arrays)


class Training:
    """One training from its settings; can be looked at in any step, from several threads."""

    def __init__(self, s: dict[str, Any]) -> None:
        self.loss_name, self.activation = s["loss"], s["activation"]
        outputs = OUTPUTS[s["data"]]
        self.x, self.label = DATA[s["data"]](POINTS, s["noise"], s["seed"])
        self.target = one_hot(self.label, outputs)
        g = torch.Generator().manual_seed(s["seed"] + 1)
        self.order = torch.randint(POINTS, (MOST_STEPS + 1,), generator=g).tolist()
        sizes = [INPUTS[s["data"]], *[s["units"]] * s["layers"], outputs]
        self.net = mlp(sizes, s["activation"])
        start(self.net, s["init"], s["seed"])
        self.optimizer = torch.optim.SGD(self.net.parameters(), s["rate"])
        self.lock = Lock()
        self.at = 0
        self.kept = {0: self.parameters()}
        self.losses = {0: self.whole()[0]}
        self.seen: dict[int, Pass] = {}

    def parameters(self) -> Tensor:
        """All weights and biases in one vector (a copy)."""
        return parameters_to_vector(self.net.parameters()).detach().clone()

    @torch.no_grad()
    def whole(self) -> tuple[float, float]:
        """Mean loss and accuracy on all examples."""
        z = self.net(self.x)
        guess = z.argmax(1) if z.shape[1] > 1 else (z[:, 0] > 0).long()
        right = (guess == self.label).double().mean().item()
        return loss_of(self.loss_name, z, self.target).item(), right

    def go(self, step: int) -> None:
        """Bring the net to where it stands after that many steps; the caller holds the lock."""
        if not 0 <= step <= MOST_STEPS:
            raise ValueError(f"step {step} is not in 0 to {MOST_STEPS}")
        near = max(k for k in self.kept if k <= step)
        if not near <= self.at <= step:
            vector_to_parameters(self.kept[near].clone(), self.net.parameters())
            self.at = near
        while self.at < step:
            example = self.order[self.at]
            self.optimizer.zero_grad()
            loss_of(self.loss_name, self.net(self.x[example]), self.target[example]).backward()
            self.advance()

    def advance(self) -> None:
        """Update by the gradients that are there, and remember."""
        self.optimizer.step()
        self.at += 1
        if self.at % KEEP == 0 and self.at not in self.kept:
            self.kept[self.at] = self.parameters()
        if self.at % RECORD == 0 and self.at not in self.losses:
            self.losses[self.at] = self.whole()[0]

    def look(self, step: int) -> Pass:
        """Every number of one step.

        Raises:
            ValueError: A step before the first or after the last possible one.
        """
        with self.lock:
            if step not in self.seen:
                self.go(step)
                while len(self.seen) >= REMEMBER:
                    del self.seen[next(iter(self.seen))]
                self.seen[step] = self.one_step()
            return self.seen[step]

    def one_step(self) -> Pass:
        step, example = self.at, self.order[self.at]
        mean_loss, accuracy = self.whole()
        linears = [layer for layer in self.net if isinstance(layer, nn.Linear)]
        w, b = weights_of(linears)
        h = self.x[example].clone().requires_grad_()
        hs: list[Tensor] = [h]
        zs: list[Tensor] = []
        for layer in self.net:
            h = layer(h)
            h.retain_grad()
            (zs if isinstance(layer, nn.Linear) else hs).append(h)
        if self.activation == "linear":  # nn.Identity hands on the same tensor
            hs = [hs[0], *zs[:-1]]
        self.optimizer.zero_grad()
        target = self.target[example]
        loss = loss_of(self.loss_name, zs[-1], target)
        loss.backward()
        dw = tuple(array(layer.weight.grad) for layer in linears)
        db = tuple(array(layer.bias.grad) for layer in linears)
        self.advance()
        new_w, new_b = weights_of(linears)
        with torch.no_grad():
            loss_after = loss_of(self.loss_name, self.net(self.x[example]), target).item()
        return Pass(
            step=step,
            example=example,
            target=array(target),
            h=(*map(array, hs), array(answer(self.loss_name, zs[-1]))),
            z=tuple(map(array, zs)),
            w=w,
            b=b,
            dz=tuple(array(z.grad) for z in zs),
            dh=tuple(array(h.grad) for h in hs),
            dw=dw,
            db=db,
            new_w=new_w,
            new_b=new_b,
            loss=loss.item(),
            loss_after=loss_after,
            mean_loss=mean_loss,
            accuracy=accuracy,
        )

    @torch.no_grad()
    def answers(self, step: Pass, x: Tensor) -> np.ndarray:
        """The answers p of a step's weights for inputs (n, inputs), shape (n, outputs)."""
        arrays = [torch.from_numpy(a) for pair in zip(step.w, step.b) for a in pair]
        state = dict(zip([name for name, _p in self.net.named_parameters()], arrays))
        return answer(self.loss_name, functional_call(self.net, state, (x,))).numpy()

    def curve(self, step: int) -> tuple[list[int], list[float]]:
        """Mean loss of all examples every few steps, up to `step`."""
        with self.lock:
            if step // RECORD * RECORD not in self.losses:
                self.go(step)
            steps = [k for k in sorted(self.losses) if k <= step]
            return steps, [self.losses[k] for k in steps]


def array(tensor: Tensor | None) -> np.ndarray:
    """A copy that later steps do not change."""
    assert tensor is not None
    return tensor.detach().numpy().copy()


def weights_of(linears: list[nn.Linear]) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    return tuple(array(m.weight) for m in linears), tuple(array(m.bias) for m in linears)
