"""Losses of two parameters: three surfaces from a formula, and a regression."""

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlportal.labs.race_optimizers import build
from dlportal.labs.race_rules import OwnOptimizer

Loss = Callable[[Tensor, Tensor], Tensor]
STEEPEST = 5.0  # largest curvature of the regression; the smallest is this by κ


@dataclass(frozen=True)
class Surface:
    """A loss of two parameters, at least 0, with where it starts, its box and its minima."""

    formula: str
    loss: Loss
    start: tuple[float, float]
    box: tuple[float, float, float, float]  # x low, x high, y low, y high
    minima: tuple[tuple[float, float], ...]


SURFACES = {
    "ravine": Surface(
        "0.1 * (1 - x) ** 2 + 2 * (y - x**2) ** 2",
        lambda x, y: 0.1 * (1 - x) ** 2 + 2 * (y - x**2) ** 2,
        (-1.3, 1.0),
        (-1.9, 1.9, -0.7, 2.3),
        ((1.0, 1.0),),
    ),
    "saddle": Surface(
        "0.5 * x**2 + 0.25 * (y**2 - 1) ** 2",
        lambda x, y: 0.5 * x**2 + 0.25 * (y**2 - 1) ** 2,
        (-2.2, 0.01),
        (-2.6, 1.4, -1.6, 1.6),
        ((0.0, 1.0), (0.0, -1.0)),
    ),
    "bumps": Surface(
        "0.1 * (x**2 + y**2) + 0.3 * (2 - torch.cos(3 * x) - torch.cos(3 * y))",
        lambda x, y: 0.1 * (x**2 + y**2) + 0.3 * (2 - torch.cos(3 * x) - torch.cos(3 * y)),
        (-2.7, 1.9),
        (-3.2, 3.2, -2.4, 2.4),
        ((0.0, 0.0),),
    ),
}


def regression_data(kappa, seed, steepest=5.0, points=64):
    """Inputs X (points, 2) and targets y (points,), float64.

    XᵀX/points has the eigenvalues `steepest` and `steepest` / kappa, its axes turned by 30°.
    """
    random = torch.Generator().manual_seed(seed)
    numbers = torch.randn(points, 2, generator=random, dtype=torch.float64)
    noise = torch.randn(points, generator=random, dtype=torch.float64)
    axes = torch.tensor([[math.cos(math.pi / 6), -0.5], [0.5, math.cos(math.pi / 6)]]).double()
    sizes = torch.tensor([points * steepest / kappa, points * steepest]).double().sqrt()
    x = torch.linalg.qr(numbers).Q * sizes @ axes.T
    return x, x @ torch.tensor([1.0, -0.5]).double() + 0.1 * noise


@dataclass(frozen=True)
class Optimum:
    """What is known of a regression without any search.

    Attributes:
        w: The optimum (XᵀX)⁻¹Xᵀy, shape (2,).
        curvatures: Eigenvalues of XᵀX/n, the larger first.
        loss: At the optimum: half the mean squared error.
    """

    w: np.ndarray
    curvatures: tuple[float, float]
    loss: float

    @property
    def kappa(self) -> float:
        return self.curvatures[0] / self.curvatures[1]

    @property
    def limit(self) -> float:
        """The learning rate above which SGD diverges: 2/λ_max."""
        return 2 / self.curvatures[0]

    @property
    def best_rate(self) -> float:
        """The learning rate at which SGD is fastest: 2/(λ_max + λ_min)."""
        return 2 / sum(self.curvatures)

    @property
    def best_factor(self) -> float:
        """By which the distance then shrinks in every step: (κ - 1)/(κ + 1)."""
        return (self.kappa - 1) / (self.kappa + 1)


def optimum(kappa: float, seed: int) -> Optimum:
    """Solve the normal equations."""
    x, y = regression_data(kappa, seed, STEEPEST)
    w = torch.linalg.solve(x.T @ x, x.T @ y)
    low, high = torch.linalg.eigvalsh(x.T @ x / len(y)).tolist()
    return Optimum(w.numpy(), (high, low), ((x @ w - y) ** 2).mean().item() / 2)


def regression(kappa: float, seed: int) -> Surface:
    """The loss of a linear regression above its minimum."""
    x, y = regression_data(kappa, seed, STEEPEST)
    best = optimum(kappa, seed)
    # ½ mean (Xw - y)² = ½ wᵀHw - bᵀw + const: the same loss without its 64 points.
    h, b, offset = x.T @ x / len(y), x.T @ y / len(y), (y @ y).item() / 2 / len(y) - best.loss

    def loss(u: Tensor, v: Tensor) -> Tensor:
        curved = 0.5 * (h[0, 0] * u * u + 2 * h[0, 1] * u * v + h[1, 1] * v * v)
        return curved - b[0] * u - b[1] * v + offset

    left, right = min(-1.6, best.w[0] - 0.6), max(2.4, best.w[0] + 0.6)
    low, high = min(-2.4, best.w[1] - 0.6), max(1.8, best.w[1] + 0.6)
    box = (float(left), float(right), float(low), float(high))
    return Surface("", loss, (-1.2, 1.2), box, ((float(best.w[0]), float(best.w[1])),))


def surface_of(s: dict[str, Any]) -> Surface:
    """The surface of the settings' track."""
    if s["track"] == "regression":
        return regression(s["kappa"], s["seed"])
    return SURFACES[s["track"]]


def noise_of(s: dict[str, Any]) -> Tensor:
    """What is added to the gradients, shape (steps, 2), float64."""
    random = torch.Generator().manual_seed(s["seed"])
    return s["noise"] * torch.randn(s["steps"], 2, generator=random, dtype=torch.float64)


def walk(
    surface: Surface, name: str, s: dict[str, Any], own: bool = False
) -> Iterator[tuple[float, list[float]]]:
    """Go down a surface with one optimizer.

    Args:
        surface: Where.
        name: Of the optimizer.
        s: The settings.
        own: Take the rule of `race_rules` instead of `torch.optim`.

    Yields:
        Loss and place before each step, and after the last.
    """
    noise = noise_of(s)
    point = torch.tensor(surface.start, dtype=torch.float64, requires_grad=True)
    optimizer = OwnOptimizer(name, point, s) if own else build(name, [point], s)
    for step in range(s["steps"]):
        loss = surface.loss(point[0], point[1])
        yield loss.item(), point.tolist()
        optimizer.zero_grad()
        loss.backward()
        assert point.grad is not None
        point.grad += noise[step]
        optimizer.step()
    yield surface.loss(point[0], point[1]).item(), point.tolist()


def race_surface(
    surface: Surface, name: str, s: dict[str, Any], own: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The whole walk: losses (steps + 1,) and path (steps + 1, 2)."""
    losses, path = zip(*walk(surface, name, s, own))
    return np.array(losses), np.array(path)


def height_map(surface: Surface, points: int = 90) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A surface on a grid for drawing: x (n,), y (n,), loss (n, n)."""
    x = torch.linspace(surface.box[0], surface.box[1], points)
    y = torch.linspace(surface.box[2], surface.box[3], points)
    grid_y, grid_x = torch.meshgrid(y, x, indexing="ij")
    return x.numpy(), y.numpy(), surface.loss(grid_x, grid_y).numpy()


def loss_source(s: dict[str, Any]) -> str:
    """Code that defines `loss_of(x, y)`, above the minimum, with torch alone."""
    if s["track"] != "regression":
        return f"def loss_of(x, y):\n    return {SURFACES[s['track']].formula}\n"
    return f"""{inspect.getsource(regression_data)}

data, target = regression_data({s["kappa"]}, {s["seed"]})
best = torch.linalg.solve(data.T @ data, data.T @ target)  # the closed form
least = ((data @ best - target) ** 2).mean() / 2


def loss_of(x, y):
    return ((data @ torch.stack([x, y]) - target) ** 2).mean() / 2 - least
"""
