"""A U-Net that says where a noisy picture of 28 × 28 grey pixels should move.

Flow matching: Lipman et al. 2023, https://arxiv.org/abs/2210.02747
U-Net: Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 28
PIXELS = SIDE * SIDE
CLASSES = 20  # ten kinds of clothes, then ten digits
ANY = CLASSES  # the class that stands for "whatever it is"
WAVES = 64  # numbers that stand for the time


def pack(x: Tensor, t: Tensor, kind: Tensor) -> Tensor:
    """What the network reads, as one tensor: pixels, time and class, (B, 786).

    Args:
        x: Noisy pictures, (B, 1, 28, 28); pictures lie in [-1, 1].
        t: Times, (B,), from 0 (noise) to 1 (picture).
        kind: Classes, (B,), 0 to 20.
    """
    return torch.cat([x.flatten(1), t[:, None], kind[:, None].to(x)], dim=1)


def waves(t: Tensor) -> Tensor:
    """Times (B,) as sines and cosines of rising frequency, (B, 64)."""
    steps = torch.linspace(0, math.log(1000.0), WAVES // 2, device=t.device)
    angles = t[:, None].float() * steps.exp()
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Block(nn.Module):
    """Two convolutions added to their input; time and class scale and shift in between.

    Paper: Dhariwal and Nichol 2021, https://arxiv.org/abs/2105.05233, section 3.1
    """

    def __init__(self, before: int, after: int, told: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.GroupNorm(8, before), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1)
        )
        self.norm = nn.GroupNorm(8, after, affine=False)
        self.tell = nn.Linear(told, 2 * after)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()
        # A block that starts as the identity lets a deep net learn from the first step on.
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        scale, shift = self.tell(told)[:, :, None, None].chunk(2, dim=1)
        h = F.silu(self.norm(self.first(x)) * (1 + scale) + shift)
        return self.skip(x) + self.second(h)


class FlowNet(nn.Module):
    """Velocity of a picture on its straight way from noise to data.

    The pixels are folded into 14 × 14 cells of 2 × 2, where the net is `width` channels wide;
    in the middle there are 7 × 7 cells, `deep` channels wide. That keeps it quick on a CPU.
    """

    def __init__(self, width: int = 48, deep: int = 128, middle: int = 1, told: int = 128) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(WAVES, told), nn.SiLU(), nn.Linear(told, told))
        self.kind = nn.Embedding(CLASSES + 1, told)
        self.stem = nn.Conv2d(4, width, 3, padding=1)
        self.fine_down = Block(width, width, told)
        self.shrink = nn.Conv2d(4 * width, deep, 1)
        self.coarse_down = Block(deep, deep, told)
        self.middle = nn.ModuleList([Block(deep, deep, told) for _ in range(middle)])
        self.coarse_up = Block(2 * deep, deep, told)
        self.grow = nn.Conv2d(deep, 4 * width, 1)
        self.fine_up = Block(2 * width, width, told)
        self.out = nn.Sequential(
            nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, 4, 3, padding=1)
        )
        nn.init.zeros_(self.out[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.out[-1].bias)  # type: ignore[arg-type]

    def velocity(self, x: Tensor, t: Tensor, kind: Tensor) -> Tensor:
        """Where pictures (B, 1, 28, 28) at times (B,) move if they are of classes (B,).

        Returns:
            Shape (B, 1, 28, 28): picture minus noise, as the net expects it.
        """
        told = F.silu(self.time(waves(t)) + self.kind(kind))
        fine = self.fine_down(self.stem(F.pixel_unshuffle(x, 2)), told)
        coarse = self.coarse_down(self.shrink(F.pixel_unshuffle(fine, 2)), told)
        h = coarse
        for block in self.middle:
            h = block(h, told)
        h = self.coarse_up(torch.cat([h, coarse], dim=1), told)
        h = F.pixel_shuffle(self.grow(h), 2)
        h = self.fine_up(torch.cat([h, fine], dim=1), told)
        return F.pixel_shuffle(self.out(h), 2)

    def forward(self, packed: Tensor) -> Tensor:
        """The velocity of what `pack` packed, (B, 1, 28, 28)."""
        x = packed[:, :PIXELS].reshape(-1, 1, SIDE, SIDE)
        return self.velocity(x, packed[:, PIXELS], packed[:, PIXELS + 1].round().long())
