"""The formulas of a training step worked out by hand, in NumPy, as the page writes them.

Tests compare every function here with what torch computed.
"""

from dataclasses import dataclass

import numpy as np

from dlportal.labs.backprop_net import ACTIVATIONS, Pass


@dataclass(frozen=True)
class Sum:
    """Products and what they add up to: factors (n, 2), an offset (a bias, else 0), a total."""

    factors: np.ndarray
    offset: float

    @property
    def products(self) -> np.ndarray:
        return self.factors.prod(axis=1)

    @property
    def total(self) -> float:
        return float(self.products.sum() + self.offset)


def forward_sum(step: Pass, layer: int, unit: int) -> Sum:
    """z of a unit (both from 1): its weights times the h before it, plus its bias."""
    at = layer - 1
    factors = np.stack([step.w[at][unit - 1], step.h[at]], axis=1)
    return Sum(factors, float(step.b[at][unit - 1]))


def loss_by_hand(step: Pass, loss: str) -> float:
    """The loss from the answer p and the target t."""
    p, t = step.h[-1], step.target
    if loss == "mse":
        return float(0.5 * ((p - t) ** 2).sum())
    if len(p) == 1:
        return float(-np.log(p[0] if t[0] else 1 - p[0]))
    return float(-np.log(p[t.argmax()]))


def output_gradient(step: Pass, loss: str) -> np.ndarray:
    """δ = ∂loss/∂z of the output: p - t, after a squared error times the sigmoid's slope."""
    p, t = step.h[-1], step.target
    return (p - t) * p * (1 - p) if loss == "mse" else p - t


def backward_sum(step: Pass, layer: int, unit: int) -> Sum:
    """∂loss/∂h of a hidden unit: the weights that leave it times the δ they lead to."""
    factors = np.stack([step.w[layer][:, unit - 1], step.dz[layer]], axis=1)
    return Sum(factors, 0.0)


def slope(step: Pass, layer: int, unit: int, activation: str) -> float:
    """σ'(z) of a hidden unit."""
    return float(ACTIVATIONS[activation].slope(step.z[layer - 1])[unit - 1])


def delta(step: Pass, layer: int, unit: int, activation: str) -> float:
    """δ = ∂loss/∂z of a hidden unit: σ'(z) times ∂loss/∂h."""
    return slope(step, layer, unit, activation) * backward_sum(step, layer, unit).total


def weight_gradients(step: Pass, layer: int) -> np.ndarray:
    """∂loss/∂w of a layer, (to, from): δ of the target times h of the source."""
    return np.outer(step.dz[layer - 1], step.h[layer - 1])


def updated(value: np.ndarray, gradient: np.ndarray, rate: float) -> np.ndarray:
    """The update: against the gradient, by the learning rate."""
    return value - rate * gradient
