"""Small noisy data for the regularization lab, and how examples are varied; all float64.

Each function is complete in itself: the lab's script carries its source along.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from dlportal.data.files import is_available
from dlportal.labs.backprop_data import circles, moons

VALIDATION, TEST = 200, 1000  # examples beside those for training


def digits(n: int, noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """Handwritten digits of scikit-learn, 8×8: x (n, 64) in [0, 1], labels (n,) 0 to 9."""
    from sklearn.datasets import load_digits

    g = torch.Generator().manual_seed(seed)
    pixels, label = load_digits(return_X_y=True)
    picked = torch.randperm(len(label), generator=g)[:n]
    return torch.tensor(pixels).double()[picked] / 16, torch.tensor(label)[picked].long()


@lru_cache(maxsize=1)
def wardrobe() -> list[tuple[Tensor, Tensor]]:
    """Some of Fashion-MNIST's training, validation and test pictures, 28×28 averaged to 14×14:
    x (n, 196) in [0, 1] and labels (n,) 0 to 9 of each part."""
    from dlportal.data.fashion_mnist import load

    splits, g = load(), torch.Generator().manual_seed(0)
    parts = []
    for part, n in ((splits.train, 3000), (splits.validation, 1000), (splits.test, 3000)):
        picked = torch.randperm(len(part.labels), generator=g)[:n].numpy()
        images = torch.tensor(part.images[picked]).double()[:, None] / 255
        x = torch.nn.functional.avg_pool2d(images, 2).reshape(n, 196)
        parts.append((x, torch.tensor(part.labels[picked])))
    return parts


def clothes(n: int, noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """Fashion-MNIST: x (n, 196), labels (n,); the last 1,000 come from its test pictures, the 200
    before them from its validation pictures.

    Raises:
        AssetError: The data set is neither here nor to be had.
    """
    g = torch.Generator().manual_seed(seed)
    taken = []
    for (x, label), count in zip(wardrobe(), (n - VALIDATION - TEST, VALIDATION, TEST)):
        picked = torch.randperm(len(label), generator=g)[:count]
        taken.append((x[picked], label[picked]))
    return torch.cat([x for x, _label in taken]), torch.cat([label for _x, label in taken])


def mislabel(label: Tensor, classes: int, share: float, seed: int) -> Tensor:
    """Labels (n,) of which about `share` (0 to 1) are replaced by another class."""
    g = torch.Generator().manual_seed(seed)
    wrong = torch.rand(len(label), generator=g) < share
    other = torch.randint(1, classes, label.shape, generator=g)
    return torch.where(wrong, (label + other) % classes, label)


def jitter(x: Tensor, size: float, g: torch.Generator) -> Tensor:
    """Points (n, 2), each moved a little: normal noise with standard deviation `size` / 2."""
    return x + size / 2 * torch.randn(x.shape, generator=g, dtype=x.dtype)


def shift(x: Tensor, size: float, g: torch.Generator) -> Tensor:
    """Square pictures (n, side²), a share `size` of them moved by a pixel along and across."""
    side = round(x.shape[1] ** 0.5)
    padded = torch.nn.functional.pad(x.reshape(-1, side, side), (1, 1, 1, 1))
    move = torch.randint(0, 3, (len(x), 2), generator=g)
    move[torch.rand(len(x), generator=g) >= size] = 1  # 1: where it was
    i = torch.arange(side)
    rows, columns = move[:, :1] + i, move[:, 1:] + i
    picture = torch.arange(len(x))[:, None, None]
    return padded[picture, rows[:, :, None], columns[:, None, :]].reshape(len(x), -1)


def shift_and_flip(x: Tensor, size: float, g: torch.Generator) -> Tensor:
    """Square pictures (n, side²), a share `size` of them moved by a pixel, half as many mirrored."""
    side = round(x.shape[1] ** 0.5)
    moved = shift(x, size, g).reshape(-1, side, side)
    mirror = torch.rand(len(x), generator=g) < size / 2
    return torch.where(mirror[:, None, None], moved.flip(2), moved).reshape(len(x), -1)


@dataclass(frozen=True)
class Task:
    """Where examples come from, how many numbers go in and come out, how examples are varied."""

    draw: Callable[[int, float, int], tuple[Tensor, Tensor]]
    inputs: int
    classes: int
    vary: Callable[[Tensor, float, torch.Generator], Tensor]

    @property
    def pictures(self) -> bool:
        return self.inputs > 2


TASKS = {
    "moons": Task(moons, 2, 2, jitter),
    "circles": Task(circles, 2, 2, jitter),
    "digits": Task(digits, 64, 10, shift),
    "clothes": Task(clothes, 196, 10, shift_and_flip),
}


def can_be_had(data: str) -> bool:
    """Whether a task's examples lie on this machine (they are generated or bundled, except one)."""
    return data != "clothes" or is_available("fashion_mnist")


@dataclass(frozen=True)
class Parts:
    """Examples: inputs (n, inputs) and labels (n,) of the three parts.

    Labels for training and validation are partly wrong; those of the test are right. `wrong`
    (n,) says which of the training labels are wrong: the networks never see it.
    """

    x: Tensor
    y: Tensor
    wrong: Tensor
    val_x: Tensor
    val_y: Tensor
    test_x: Tensor
    test_y: Tensor


@lru_cache(maxsize=32)
def parts(data: str, points: int, noise: float, label_noise: float, seed: int) -> Parts:
    """Draw a task's examples.

    Args:
        data: A key of `TASKS`.
        points: Examples for training.
        noise: Standard deviation of the points' places; pictures ignore it.
        label_noise: Share of wrong labels, 0 to 1.
        seed: Of everything that is drawn.
    """
    task = TASKS[data]
    x, truth = task.draw(points + VALIDATION + TEST, noise, seed)
    y = mislabel(truth, task.classes, label_noise, seed + 1)
    end = points + VALIDATION
    return Parts(
        x[:points],
        y[:points],
        (y != truth)[:points],
        x[points:end],
        y[points:end],
        x[end:],
        truth[end:],
    )
