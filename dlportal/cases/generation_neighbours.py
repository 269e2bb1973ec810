"""Which training picture is nearest to a generated one: has the network learned by heart?"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from dlportal.cases.generation_training import KINDS
from dlportal.data import fashion_mnist, is_available, mnist_10k
from dlportal.data.splits import Images

BLOCK = 500  # pictures that are compared at once
DATA = ("fashion_mnist", "mnist_10k")  # classes 0 to 9, and 10 to 19
LOADERS = dict(zip(DATA, (fashion_mnist.load, mnist_10k.load), strict=True))


@dataclass(frozen=True)
class Nearest:
    """For each picture the training picture that differs least from it.

    Attributes:
        pictures: Shape (N, 28, 28), uint8.
        distance: Root mean square difference of the pixels, 0-1, shape (N,).
    """

    pictures: np.ndarray
    distance: np.ndarray


def data_of(kind: int) -> tuple[str, ...]:
    """The data sets that a class, 0 to 20, was learned from; "anything" from both."""
    return DATA[kind // KINDS : kind // KINDS + 1] or DATA


def here(kind: int) -> bool:
    """Whether the pictures that this class was learned from are on this machine."""
    return all(map(is_available, data_of(kind)))


@lru_cache(maxsize=3)
def learned_from(data: tuple[str, ...]) -> Images:
    """The training part of one or both data sets.

    Raises:
        AssetError: It is not here.
    """
    parts = [LOADERS[name]().train for name in data]
    images = np.concatenate([part.images for part in parts])
    return Images(images, np.concatenate([part.labels for part in parts]))


def nearest(pictures: np.ndarray, part: Images) -> Nearest:
    """Look through all training pictures, of whatever kind.

    Args:
        pictures: Shape (N, 28, 28), uint8.
        part: Training pictures.
    """
    rows, distance = nearest_rows(scaled(pictures), scaled(part.images))
    return Nearest(part.images[rows.numpy()], distance.numpy())


def scaled(pictures: np.ndarray) -> Tensor:
    """Pixels (N, 784) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).float().div(255).flatten(1)


def nearest_rows(x: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """For each row of `x` (N, 784) the nearest row of `others`, and the root mean square difference."""
    own = others.square().sum(dim=1)
    rows, distances = [], []
    for part in x.split(BLOCK):
        squares = own - 2 * part @ others.T + part.square().sum(dim=1, keepdim=True)
        found = squares.min(dim=1)
        rows.append(found.indices)
        distances.append(found.values.clamp(min=0).div(x.shape[1]).sqrt())
    return torch.cat(rows), torch.cat(distances)
