"""What the practice lab shows before anything is trained: pictures, numbers, first gradients."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.labs.practice_data import LABELS, Part, Pictures, load, scaling_of, subset
from dlportal.labs.practice_net import build
from dlportal.labs.practice_training import augmentation
from dlportal.training.schedules import get_schedule

SCALINGS = ("raw", "unit", "standard")
VARIANTS = 5  # random changes shown of each picture
FEW = 64  # pictures for the first gradient


@dataclass(frozen=True)
class Numbers:
    """Pixels after a scaling, and what a fresh network makes of them."""

    scaling: str
    low: float
    high: float
    mean: float
    deviation: float
    loss: float
    gradient: float


def first_of_each(part: Part) -> Tensor:
    """The first picture of every class, (10, side, side), uint8."""
    rows = [int((part.labels == c).nonzero()[0, 0]) for c in range(10)]
    return part.images[rows, 0]


def numbers_of(s: dict[str, Any]) -> list[Numbers]:
    """For each way to scale: the pixels' spread, the loss of the chosen network before its first
    step, and the norm of that loss's gradient in the first layer."""
    pictures = load(s["data"])
    few = subset(pictures.train, FEW, s["seed"])
    out = []
    for kind in SCALINGS:
        x = scaling_of(kind, pictures.train.images)(few.images.float())
        net = build(pictures.side, s["depth"], s["width"], s["batch_norm"], 0.0, s["seed"])
        loss = nn.functional.cross_entropy(net(x), few.labels)
        loss.backward()
        first = next(net.parameters()).grad
        assert first is not None
        spread = [v.item() for v in (x.min(), x.max(), x.mean(), x.std(correction=0))]
        low, high, mean, deviation = spread
        out.append(Numbers(kind, low, high, mean, deviation, loss.item(), first.norm().item()))
    return out


def pixel_histogram(s: dict[str, Any], bins: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Middles of the bins and shares of the scaled pixels of a thousand training pictures."""
    pictures = load(s["data"])
    x = pictures.train.images[:1000].float()
    x = scaling_of(s["scaling"], pictures.train.images)(x)
    counts, edges = np.histogram(x.numpy(), bins)
    return (edges[1:] + edges[:-1]) / 2, counts / counts.sum()


def variants(s: dict[str, Any], count: int = 8) -> np.ndarray:
    """Pictures as they are and, below them, as an epoch each would show them.

    Returns:
        uint8, (1 + VARIANTS, count, side, side).
    """
    pictures = load(s["data"])
    x = first_of_each(pictures.train)[:count, None].float()
    move = augmentation(s, pictures.side)
    g = torch.Generator().manual_seed(s["seed"])
    rows = [x] + [x if move is None else move(x, g) for _row in range(VARIANTS)]
    return torch.stack(rows)[:, :, 0].round().clamp(0, 255).to(torch.uint8).numpy()


def sheet(pictures: np.ndarray, times: int, gap: int = 2) -> np.ndarray:
    """Rows of pictures (rows, columns, side, side), or with a last axis of three colours, as one,
    enlarged without smoothing.

    Returns:
        RGBA, uint8; the gaps are transparent, so that it fits any ground.
    """
    rows, columns, side = pictures.shape[:3]
    step = side + gap
    out = np.zeros((rows * step - gap, columns * step - gap, 4), np.uint8)
    for row in range(rows):
        for column in range(columns):
            place = out[row * step : row * step + side, column * step : column * step + side]
            cell = pictures[row, column]
            place[..., :3] = cell if cell.ndim == 3 else cell[..., None]
            place[..., 3] = 255
    return out.repeat(times, axis=0).repeat(times, axis=1)


def rates(s: dict[str, Any]) -> np.ndarray:
    """The learning rate of every step to come, shape (steps,)."""
    count = min(int(s["pictures"]), len(load(s["data"]).train))
    steps = s["epochs"] * max(1, count // min(int(s["batch"]), count))
    schedule, warmup = get_schedule(s["schedule"]), round(s["warmup"] * steps)
    return s["rate"] * np.array([schedule(step, steps, warmup) for step in range(steps)])


def class_names(pictures: Pictures, language: str) -> list[str]:
    return [label(language) for label in LABELS[pictures.name]]
