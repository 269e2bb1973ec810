"""Where and when the class pulls at a picture, and whether that is what makes the class.

The pull is the velocity towards a class minus the velocity towards any class (Ho and Salimans
2022, https://arxiv.org/abs/2207.12598). Attribution asks why a class was named; a generator names
none, so its pull is looked at instead, and checked: is it enough where it is strongest?
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.device import autocast, pick_device
from dlportal.nets.flow_sampling import Field, both_fields, walk

SHARE = 0.2  # of the pixels, in the check
Keep = Callable[[Tensor], Tensor]  # strength of the pull (B, 1, 28, 28) to a mask like it


@dataclass(frozen=True)
class Pull:
    """One picture on its way.

    Attributes:
        times: From 0 (noise) to below 1, shape (steps,).
        frames: The picture at these times, (steps, 28, 28), about [-1, 1].
        ends: What it would become if it went straight on, (steps, 28, 28).
        pulls: Towards the class minus towards any class, (steps, 28, 28): above 0 is brighter.
    """

    times: np.ndarray
    frames: np.ndarray
    ends: np.ndarray
    pulls: np.ndarray

    @property
    def strength(self) -> np.ndarray:
        """Root mean square of the pull at each time, (steps,)."""
        return np.sqrt(np.square(self.pulls).mean(axis=(1, 2)))


@torch.inference_mode()
def pull_of(net: nn.Module, path: list[Tensor], kind: int, guidance: float, index: int) -> Pull:
    """Look at one picture of a path that `walk` gave, before each of its steps."""
    steps = len(path) - 1
    times = [step / steps for step in range(steps)]
    rows = []
    for t, x in zip(times, path, strict=False):
        x = x[index : index + 1]
        towards, anywhere = both_fields(net, x, t, torch.full((1,), kind, device=x.device))
        pull = towards - anywhere
        end = x + (1 - t) * (anywhere + guidance * pull)
        rows.append(torch.cat([x, end, pull])[:, 0])
    seen = torch.stack(rows).float().cpu().numpy()
    return Pull(np.array(times), seen[:, 0], seen[:, 1], seen[:, 2])


def strongest(share: float = SHARE) -> Keep:
    """Keep the pixels where the (slightly smoothed) pull is strongest."""

    def keep(strength: Tensor) -> Tensor:
        smooth = F.avg_pool2d(strength, 3, 1, 1, count_include_pad=False)
        count = max(1, round(share * smooth[0].numel()))
        least = smooth.flatten(1).topk(count, dim=1).values[:, -1]
        return (smooth >= least[:, None, None, None]).to(strength)

    return keep


def elsewhere(count: int, share: float = SHARE, seed: int = 0) -> Keep:
    """The same patches at another place: moved, over the edges, by a chance of each picture's own."""
    moves = torch.randint(28, (count, 2), generator=torch.Generator().manual_seed(seed)).tolist()
    inner = strongest(share)

    def keep(strength: Tensor) -> Tensor:
        masks = inner(strength)
        moved = [mask.roll(move, dims=(1, 2)) for mask, move in zip(masks, moves, strict=True)]
        return torch.stack(moved)

    return keep


def everywhere(strength: Tensor) -> Tensor:
    return torch.ones_like(strength)


def nowhere(strength: Tensor) -> Tensor:
    return torch.zeros_like(strength)


def masked_field(net: nn.Module, kind: Tensor, guidance: float, keep: Keep) -> Field:
    """The guided velocity where a mask is 1, elsewhere the velocity towards any class."""

    def field(x: Tensor, t: float) -> Tensor:
        towards, anywhere = both_fields(net, x, t, kind)
        pull = towards - anywhere
        return anywhere + guidance * keep(pull.abs()) * pull

    return field


def switched_field(
    net: nn.Module, first: Tensor, then: Tensor, at: float, guidance: float
) -> Field:
    """Towards one class before time `at`, towards another from then on."""

    def field(x: Tensor, t: float) -> Tensor:
        towards, anywhere = both_fields(net, x, t, first if t < at else then)
        return anywhere + guidance * (towards - anywhere)

    return field


@torch.inference_mode()
def end_of(field: Field, noise: Tensor, steps: int) -> Tensor:
    """Where a field leads, (N, 1, 28, 28) in [0, 1], on the CPU."""
    with autocast():
        x = walk(field, noise.to(pick_device()), steps)[-1]
    return x.float().add(1).div(2).clamp(0, 1).cpu()


def pull_check(
    net: nn.Module, kind: Tensor, noise: Tensor, guidance: float, steps: int
) -> dict[str, Tensor]:
    """Draw the same noises with the pull everywhere, where it is strongest, elsewhere, nowhere.

    Args:
        net: Reads what `pack` gives.
        kind: Class of each picture, (N,).
        noise: Shape (N, 1, 28, 28).
        guidance: Of the pull.
        steps: See `walk`.

    Returns:
        Pictures (N, 1, 28, 28) in [0, 1] by what was kept.
    """
    keeps = {
        "everywhere": everywhere,
        "strongest": strongest(),
        "elsewhere": elsewhere(len(kind)),
        "nowhere": nowhere,
    }
    kind = kind.to(pick_device())
    return {
        name: end_of(masked_field(net, kind, guidance, keep), noise, steps)
        for name, keep in keeps.items()
    }
