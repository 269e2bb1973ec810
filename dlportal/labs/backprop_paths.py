"""A weight's gradient in two other ways: as a sum over paths, and by trying it out.

Chain rule: Rumelhart, Hinton and Williams 1986, https://doi.org/10.1038/323533a0
"""

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from dlportal.labs.backprop_net import ACTIVATIONS, Pass, Training, loss_of

LIMIT = 1e-4  # a larger difference between the two gradients would mean that one is wrong
STEP = 1e-5  # ε of the check
STEPS = tuple(10.0**-k for k in range(1, 12))  # ε of the curve


@dataclass(frozen=True)
class Weight:
    """Names one weight: layer from 1, target unit from 1, source unit from 1 (0: the bias)."""

    layer: int
    to: int
    source: int


@dataclass(frozen=True)
class Path:
    """One way from a weight to an output.

    Attributes:
        units: The units it runs through, from the weight's target to the output, each from 1.
        factors: What is multiplied: h (1 for a bias), then slope and weight by turns, and last
            the output's ∂loss/∂z.
    """

    units: tuple[int, ...]
    factors: tuple[float, ...]

    @property
    def product(self) -> float:
        return float(np.prod(self.factors))


def value_of(step: Pass, weight: Weight) -> float:
    """The weight itself."""
    at = weight.layer - 1
    if weight.source == 0:
        return float(step.b[at][weight.to - 1])
    return float(step.w[at][weight.to - 1, weight.source - 1])


def gradient_of(step: Pass, weight: Weight) -> float:
    """The weight's gradient as autograd found it."""
    at = weight.layer - 1
    if weight.source == 0:
        return float(step.db[at][weight.to - 1])
    return float(step.dw[at][weight.to - 1, weight.source - 1])


def paths_of(step: Pass, weight: Weight, activation: str) -> list[Path]:
    """All paths from a weight to the outputs, the strongest first; their products add up to
    the gradient."""
    at = weight.layer - 1
    h = 1.0 if weight.source == 0 else float(step.h[at][weight.source - 1])
    slopes = [ACTIVATIONS[activation].slope(z) for z in step.z[:-1]]
    later = [range(1, len(z) + 1) for z in step.z[at + 1 :]]
    paths = []
    for rest in itertools.product(*later):
        units = (weight.to, *rest)
        factors = [h]
        for layer, (here, there) in enumerate(itertools.pairwise(units), at):
            factors += [
                float(slopes[layer][here - 1]),
                float(step.w[layer + 1][there - 1, here - 1]),
            ]
        paths.append(Path(units, (*factors, float(step.dz[-1][units[-1] - 1]))))
    return sorted(paths, key=lambda path: -abs(path.product))


@dataclass(frozen=True)
class Check:
    """The gradient of every parameter, by autograd and by trying it out.

    Attributes:
        names: The parameters, in the order of the arrays.
        exact: Autograd's, shape (parameters,).
        numeric: (loss(w + ε) - loss(w - ε)) / 2ε with ε = `STEP`, the same shape.
        kinked: Where a ReLU unit changes sides between the two: there no slope is right.
        curve: The largest difference for each ε of `STEPS`, kinked ones left out.

    Differences are divided by the largest gradient where that exceeds 1: a blown-up gradient
    cannot be tried out to the fourth decimal.
    """

    names: tuple[Weight, ...]
    exact: np.ndarray
    numeric: np.ndarray
    kinked: np.ndarray
    curve: np.ndarray

    @property
    def largest(self) -> float:
        """The largest difference, kinked parameters left out."""
        return float(self.curve[STEPS.index(STEP)])


def parameter_names(step: Pass) -> tuple[Weight, ...]:
    """Every parameter in torch's order: a layer's weights row by row, then its biases."""
    names = []
    for layer, w in enumerate(step.w, 1):
        to, source = w.shape
        names += [Weight(layer, j, i) for j in range(1, to + 1) for i in range(1, source + 1)]
        names += [Weight(layer, j, 0) for j in range(1, to + 1)]
    return tuple(names)


def check_gradients(training: Training, step: Pass) -> Check:
    """Compare autograd with central differences, all parameters at once, in float64."""
    exact = np.concatenate([g for w, b in zip(step.dw, step.db) for g in (w.ravel(), b)])
    flat = torch.tensor(np.concatenate([v for w, b in zip(step.w, step.b) for v in (w.ravel(), b)]))
    x, target = training.x[step.example], training.target[step.example]
    numeric, kinked = differences(training, flat, x, target)
    scale = max(1.0, np.abs(exact).max())
    wrong = np.where(kinked, 0.0, np.abs(numeric - exact)) / scale
    at = STEPS.index(STEP)
    return Check(parameter_names(step), exact, numeric[at], kinked[at], wrong.max(axis=1))


@torch.no_grad()
def differences(
    training: Training, flat: Tensor, x: Tensor, target: Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """Central differences and where they cross a kink, both (ε, parameters)."""
    net, n = training.net, len(flat)
    shift = torch.tensor(STEPS, dtype=flat.dtype)[:, None, None] * torch.eye(n, dtype=flat.dtype)
    shapes = {name: p.shape for name, p in net.named_parameters()}
    kinks = training.activation in ("relu", "leaky_relu")

    def losses(row: Tensor) -> tuple[Tensor, Tensor]:
        parts = row.split([shape.numel() for shape in shapes.values()])
        state = {name: p.view(shape) for (name, shape), p in zip(shapes.items(), parts)}
        z, sides = run(net, state, x, kinks)
        return loss_of(training.loss_name, z, target), sides

    high, sides_high = vmap(losses)((flat + shift).reshape(-1, n))
    low, sides_low = vmap(losses)((flat - shift).reshape(-1, n))
    width = 2 * torch.tensor(STEPS, dtype=flat.dtype)[:, None]
    numeric = (high - low).reshape(len(STEPS), n) / width
    kinked = (sides_high != sides_low).any(1).reshape(len(STEPS), n)
    return numeric.numpy(), kinked.numpy()


def run(net: nn.Module, state: dict[str, Tensor], x: Tensor, kinks: bool) -> tuple[Tensor, Tensor]:
    """The outputs, and on which side of its kink each hidden unit is (empty without kinks)."""
    if not kinks:
        return functional_call(net, state, (x,)), x.new_zeros(0)
    h, sides = x, []
    for name, layer in net.named_children():
        own = {key.split(".")[1]: p for key, p in state.items() if key.startswith(f"{name}.")}
        if not own:
            sides.append(h > 0)
        h = functional_call(layer, own, (h,))
    return h, torch.cat(sides)
