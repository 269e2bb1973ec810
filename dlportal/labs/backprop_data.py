"""Small data sets for the backpropagation lab, drawn from a seed, in float64.

Each function is complete in itself: the lab's script carries its source along.
"""

from collections.abc import Callable

import torch
from torch import Tensor

POINTS = 200


def moons(n: int, noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """Two interleaved half circles: x (n, 2), labels (n,) 0 or 1."""
    g = torch.Generator().manual_seed(seed)
    label = torch.arange(n) % 2
    angle = torch.pi * torch.rand(n, generator=g, dtype=torch.float64)
    side = 1.0 - 2.0 * label
    x = torch.stack([side * angle.cos() + label - 0.5, side * angle.sin() + 0.5 * label - 0.25], 1)
    return x + noise * torch.randn(n, 2, generator=g, dtype=torch.float64), label


def circles(n: int, noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """A circle (label 1) inside a ring (label 0): x (n, 2), labels (n,)."""
    g = torch.Generator().manual_seed(seed)
    label = torch.arange(n) % 2
    angle = 2 * torch.pi * torch.rand(n, generator=g, dtype=torch.float64)
    radius = 1.4 - 0.9 * label
    x = torch.stack([radius * angle.cos(), radius * angle.sin()], 1)
    return x + noise * torch.randn(n, 2, generator=g, dtype=torch.float64), label


def spiral(n: int, noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """Two arms wound around each other: x (n, 2), labels (n,) 0 or 1."""
    g = torch.Generator().manual_seed(seed)
    label = torch.arange(n) % 2
    radius = 0.15 + 1.35 * torch.rand(n, generator=g, dtype=torch.float64)
    angle = 4.0 * radius + torch.pi * label
    x = torch.stack([radius * angle.cos(), radius * angle.sin()], 1)
    return x + 0.5 * noise * torch.randn(n, 2, generator=g, dtype=torch.float64), label


def xor(n: int, noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """Four squares; label 1 where the coordinates differ in sign: x (n, 2), labels (n,)."""
    g = torch.Generator().manual_seed(seed)
    x = 3 * torch.rand(n, 2, generator=g, dtype=torch.float64) - 1.5
    label = (x[:, 0] * x[:, 1] < 0).long()
    return x + noise * torch.randn(n, 2, generator=g, dtype=torch.float64), label


def digits(n: int, noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """Handwritten 0, 1 and 2 of scikit-learn, 8×8 averaged to 4×4: x (n, 16) in [0, 1] before
    a third of the noise, labels (n,)."""
    from sklearn.datasets import load_digits

    g = torch.Generator().manual_seed(seed)
    pixels, label = load_digits(n_class=3, return_X_y=True)
    picked = torch.randperm(len(label), generator=g)[:n]
    images = torch.tensor(pixels).double()[picked].reshape(n, 1, 8, 8) / 16
    x = torch.nn.functional.avg_pool2d(images, 2).reshape(n, 16)
    x = x + noise / 3 * torch.randn(n, 16, generator=g, dtype=torch.float64)
    return x, torch.tensor(label)[picked].long()


DATA: dict[str, Callable[[int, float, int], tuple[Tensor, Tensor]]] = {
    "moons": moons,
    "circles": circles,
    "spiral": spiral,
    "xor": xor,
    "digits": digits,
}
INPUTS = {"moons": 2, "circles": 2, "spiral": 2, "xor": 2, "digits": 16}
OUTPUTS = {"moons": 1, "circles": 1, "spiral": 1, "xor": 1, "digits": 3}


def one_hot(label: Tensor, outputs: int) -> Tensor:
    """Targets, shape (n, outputs): 0 or 1 for one output, else 1 at the label."""
    if outputs == 1:
        return label.double()[:, None]
    return torch.nn.functional.one_hot(label, outputs).double()
