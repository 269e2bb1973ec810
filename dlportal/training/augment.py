"""Random changes of pictures, a whole batch at a time, from a given generator."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Affine:
    """How far pictures are moved.

    Attributes:
        degrees: Largest rotation either way.
        scale: Largest change of size, as a share.
        shift: Largest shift, as a share of the side.
        shear: Largest shear.
        flip: Probability of a mirror image, 0-1.
    """

    degrees: float = 10.0
    scale: float = 0.1
    shift: float = 0.08
    shear: float = 0.05
    flip: float = 0.5

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Rotate, resize, shift, shear and mirror pictures (B, C, H, W), each differently."""
        n = len(x)

        def draw(most: float) -> Tensor:
            return (2 * torch.rand(n, generator=generator) - 1) * most

        angle = draw(math.radians(self.degrees))
        size = 1 + draw(self.scale)
        mirror = torch.where(torch.rand(n, generator=generator) < self.flip, -1.0, 1.0)
        cos, sin = angle.cos() * size, angle.sin() * size
        top = torch.stack([cos * mirror, -sin + draw(self.shear), 2 * draw(self.shift)], dim=1)
        bottom = torch.stack([sin * mirror + draw(self.shear), cos, 2 * draw(self.shift)], dim=1)
        grid = F.affine_grid(torch.stack([top, bottom], dim=1), list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


@dataclass(frozen=True)
class Exposure:
    """How far brightness, contrast and gamma of pictures in [0, 1] change.

    Attributes:
        brightness: Largest shift.
        contrast: Largest change of the contrast, as a share.
        gamma: Largest change of the gamma's logarithm.
        noise: Largest standard deviation of added noise.
    """

    brightness: float = 0.1
    contrast: float = 0.2
    gamma: float = 0.3
    noise: float = 0.02

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Change pictures (B, C, H, W), each differently; they stay in [0, 1]."""
        n = len(x)

        def draw() -> Tensor:
            return 2 * torch.rand(n, 1, 1, 1, generator=generator) - 1

        x = x.clamp(0, 1) ** torch.exp(self.gamma * draw())
        mean = x.mean(dim=(1, 2, 3), keepdim=True)
        x = mean + (x - mean) * (1 + self.contrast * draw()) + self.brightness * draw()
        strength = self.noise * torch.rand(n, 1, 1, 1, generator=generator)
        return (x + strength * torch.randn(x.shape, generator=generator)).clamp(0, 1)


def cut_out(x: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Paint a square of `side` pixels black in half of the pictures (B, C, H, W).

    Paper: DeVries and Taylor 2017, https://arxiv.org/abs/1708.04552
    """
    batch, _channels, height, width = x.shape
    top = torch.randint(height, (batch, 1), generator=generator) - side // 2
    left = torch.randint(width, (batch, 1), generator=generator) - side // 2
    rows, columns = torch.arange(height), torch.arange(width)
    tall = (rows >= top) & (rows < top + side)
    wide = (columns >= left) & (columns < left + side)
    chosen = torch.rand(batch, 1, 1, generator=generator) < 0.5
    hole = tall.unsqueeze(2) & wide.unsqueeze(1) & chosen
    return x.masked_fill(hole.unsqueeze(1), 0.0)


def shifted(x: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Move pictures (B, C, H, W) by up to `most` pixels each way, and mirror half of them."""
    batch, _channels, height, width = x.shape
    down = torch.randint(2 * most + 1, (batch, 1), generator=generator)
    right = torch.randint(2 * most + 1, (batch, 1), generator=generator)
    mirrored = torch.rand(batch, 1, generator=generator) < 0.5
    rows = down + torch.arange(height)
    columns = right + torch.arange(width)
    columns = torch.where(mirrored, columns.flip(1), columns)
    padded = F.pad(x, (most,) * 4)
    which = torch.arange(batch).view(-1, 1, 1)
    return padded[:, 0][which, rows.unsqueeze(2), columns.unsqueeze(1)].unsqueeze(1)


@dataclass(frozen=True)
class ResizedCrop:
    """Parts of pictures, brought to one size.

    Szegedy et al. 2014, https://arxiv.org/abs/1409.4842; turned and mirrored as well.

    Attributes:
        side: Pixels of what comes out.
        least: Smallest share of the picture's area.
        ratio: Largest change of the aspect ratio, as a factor.
        degrees: Largest rotation either way.
    """

    side: int
    least: float = 0.4
    ratio: float = 1.25
    degrees: float = 12.0

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Cut pictures (B, C, H, W), each differently; what lies outside them is 0."""
        n = len(x)

        def draw() -> Tensor:
            return 2 * torch.rand(n, generator=generator) - 1

        area = 1 - (1 - self.least) * torch.rand(n, generator=generator)
        stretch = torch.exp(math.log(self.ratio) / 2 * draw())
        wide, tall = (area.sqrt() * stretch).clamp(max=1), (area.sqrt() / stretch).clamp(max=1)
        mirror = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
        angle = math.radians(self.degrees) * draw()
        cos, sin = angle.cos(), angle.sin()
        top = torch.stack([cos * wide * mirror, -sin * tall, (1 - wide) * draw()], dim=1)
        bottom = torch.stack([sin * wide * mirror, cos * tall, (1 - tall) * draw()], dim=1)
        size = [n, x.shape[1], self.side, self.side]
        grid = F.affine_grid(torch.stack([top, bottom], dim=1), size, align_corners=False)
        return F.grid_sample(x, grid, padding_mode="zeros", align_corners=False)


def tinted(x: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Change saturation and the light's colour of pictures (B, 3, H, W) in [0, 1], by at most a
    share `most`; they stay in [0, 1]."""
    n = len(x)
    saturation = 1 + most * (2 * torch.rand(n, 1, 1, 1, generator=generator) - 1)
    light = 1 + most / 3 * (2 * torch.rand(n, 3, 1, 1, generator=generator) - 1)
    grey = x.mean(dim=1, keepdim=True)
    return ((grey + (x - grey) * saturation) * light).clamp(0, 1)
