"""What the parts of the generator's evaluation share: pictures, sizes, who judges."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.cards import Metric
from dlportal.cases.generation_rivals import Gaussians, fit_gaussians
from dlportal.cases.generation_training import KINDS, Judge, generate
from dlportal.data.splits import Images, Splits
from dlportal.nets.flow_sampling import draw_noise

GUIDANCE, STEPS = 2.0, 8  # as the page has them at first


@dataclass(frozen=True)
class Sizes:
    """How many pictures are drawn: to learn from (clothes, digits), to judge, to look through,
    for a point of a curve, for the check of the pull, for a moment of the switch."""

    learned: int = 8000
    digits: int = 2000
    judged: int = 1000
    point: int = 60
    checked: int = 150
    switched: int = 40

    def at_most(self, limit: int | None) -> "Sizes":
        """Fewer, where fewer real pictures are looked at too."""
        if limit is None:
            return self
        each = (max(20, min(n, limit)) for n in vars(self).values())
        return Sizes(*each)


@dataclass(frozen=True)
class Asked:
    """Who measures what: everything the parts of the evaluation share."""

    net: nn.Module
    judge: Judge
    parts: Splits[Images]
    part: Images
    sizes: Sizes
    metric: Callable[..., Metric]

    @cached_property
    def learned(self) -> tuple[Tensor, Tensor]:
        """The generator's training pictures of clothes, (N, 1, 28, 28) in [0, 1], and their kinds."""
        return pixels(self.parts.train)

    @cached_property
    def spread(self) -> Tensor:
        """Their variety, (kinds,): what that of generated pictures is compared with."""
        return variety(*self.learned)

    @cached_property
    def gaussians(self) -> Gaussians:
        return fit_gaussians(*self.learned)


def pixels(part: Images) -> tuple[Tensor, Tensor]:
    """Pictures (N, 1, 28, 28) in [0, 1] and labels (N,)."""
    return torch.from_numpy(part.images.copy()).float().div(255).unsqueeze(1), torch.from_numpy(
        part.labels
    )


def some(part: Images, count: int) -> tuple[Tensor, Tensor]:
    """`count` pictures of a part, drawn at random."""
    rows = np.random.default_rng(0).permutation(len(part))[:count]
    return pixels(part.take(rows))


def drawn(
    net: nn.Module, count: int, first: int, guidance: float, steps: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Generated pictures (N, 1, 28, 28) of ten kinds in turn, and which, 0 to 9.

    `first` is the first of the ten classes: 0 for clothes, 10 for digits.
    """
    kind = torch.arange(count) % KINDS
    return generate(net, draw_noise(count, seed), kind + first, guidance, steps), kind


def decided(net: nn.Module, x: Tensor) -> np.ndarray:
    """What a classifier says of pictures, class indices (N,)."""
    return Judge(net)(x).argmax(dim=1).numpy()


def variety(x: Tensor, kind: Tensor) -> Tensor:
    """Mean distance of the pictures of each kind from their kind's mean picture, (kinds,)."""
    out = []
    for k in range(KINDS):
        own = x[kind == k].flatten(1)
        gaps = (own - own.mean(dim=0)).square().sum(dim=1)
        # Few pictures lie nearer to their own mean than to that of all.
        out.append((gaps.sum() / max(1, len(own) - 1)).sqrt())
    return torch.stack(out)
