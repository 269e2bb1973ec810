"""Which training pictures a network finds most like another one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlportal.cases.fashion_training import in_parts, tensors
from dlportal.data import fashion_mnist

COUNT = (
    10_000  # training pictures that are looked through; all of them would take five times as long
)


@dataclass(frozen=True)
class Neighbour:
    """A training picture (28, 28), uint8, its class, and its cosine likeness to the one asked for."""

    picture: np.ndarray
    label: int
    likeness: float


@dataclass(frozen=True)
class Gallery:
    """Training pictures as points on a sphere.

    Attributes:
        points: Shape (N, width), of length 1.
        pictures: Shape (N, 28, 28), uint8.
        labels: Shape (N,).
    """

    points: Tensor
    pictures: np.ndarray
    labels: np.ndarray

    def nearest(self, case: Any, raw: Any, count: int) -> list[Neighbour]:
        """The training pictures most like `raw`, the most alike first."""
        point = in_parts(case.net.embed, case.encode(raw))
        best = (self.points @ point[0]).topk(count)
        return [
            Neighbour(self.pictures[row], int(self.labels[row]), likeness)
            for row, likeness in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]


def gallery(case: Any) -> Gallery:
    """Lay the first training pictures out as the network sees them (takes seconds).

    Raises:
        AssetError: Fashion-MNIST is not here.
    """
    part = fashion_mnist.load().train
    part = part.take(np.arange(min(COUNT, len(part))))
    x, _labels = tensors(part)
    return Gallery(in_parts(case.net.embed, x), part.images, part.labels)


def strongest_maps(case: Any, raw: Any, count: int) -> list[np.ndarray]:
    """Of every stage the feature maps that answer most, the strongest first.

    Returns:
        For each stage uint8 (count, h, w); 255 is the largest value among them.
    """
    with torch.inference_mode():
        stages = case.net.maps(case.encode(raw).to(case.device))
    found = []
    for maps in stages:
        maps = maps[0].float().cpu().clamp(min=0)
        order = maps.mean(dim=(1, 2)).argsort(descending=True)[:count]
        shown = maps[order]
        found.append((shown / shown.max().clamp(min=1e-9) * 255).round().byte().numpy())
    return found
