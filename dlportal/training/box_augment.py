"""Random views of pictures with boxes: a whole batch at a time, from a given generator."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Views:
    """How far pictures with boxes are changed; there is no up or down in what they show.

    Attributes:
        least: Smallest size a picture is shown at, as a share of its own.
        most: Largest.
        stretch: Largest change of width against height, as a share.
        shift: Largest shift, as a share of what sticks out (or of the free space).
        turned: Probability of a quarter turn.
        kept: Share of a box's area that must stay in the picture.
        light: Largest shift of the brightness.
        contrast: Largest change of the contrast, as a share.
        stain: Largest change of each colour channel, as a share.
        gamma: Largest change of the gamma's logarithm.
        ground: Grey beyond the picture's border, 0-1.
    """

    least: float = 0.6
    most: float = 1.4
    stretch: float = 0.12
    shift: float = 1.0
    turned: float = 0.3
    kept: float = 0.35
    light: float = 0.08
    contrast: float = 0.25
    stain: float = 0.1
    gamma: float = 0.25
    ground: float = 0.5

    def __call__(
        self, x: Tensor, boxes: Tensor, labels: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Mirror, turn, resize, shift and recolour pictures, each differently.

        Args:
            x: Pictures (B, 3, H, W) in [0, 1].
            boxes: Corners in pixels, (B, M, 4).
            labels: (B, M); -1 where there is no box.
            generator: Draws everything.

        Returns:
            The same shapes; boxes that left the picture have label -1.
        """
        size = x.new_tensor([x.shape[3], x.shape[2]])
        matrix, offset = self.draw(len(x), size, generator)
        moved = self.moved(x, matrix, offset, size)
        boxes, labels = self.follow(boxes, labels, matrix, offset, size)
        return self.recoloured(moved, generator), boxes, labels

    def draw(self, n: int, size: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Maps from old to new pixels around the middle: matrices (n, 2, 2), offsets (n, 2)."""

        def uniform(low: float, high: float) -> Tensor:
            return low + (high - low) * torch.rand(n, generator=generator)

        scale = torch.exp(uniform(math.log(self.least), math.log(self.most)))
        ratio = torch.exp(uniform(-self.stretch, self.stretch) / 2)
        signs = torch.sign(torch.rand(n, 2, generator=generator) - 0.5)
        matrix = torch.diag_embed(torch.stack([scale * ratio, scale / ratio], dim=1) * signs)
        turn = torch.rand(n, generator=generator) < self.turned
        matrix[turn] = matrix[turn].flip(1)
        # What sticks out, or what is free, on either side.
        extent = (matrix.abs() @ size.unsqueeze(1)).squeeze(2)
        room = (extent - size).abs() / 2
        offset = (2 * torch.rand(n, 2, generator=generator) - 1) * self.shift * room
        return matrix, offset

    def moved(self, x: Tensor, matrix: Tensor, offset: Tensor, size: Tensor) -> Tensor:
        """The pictures seen through these maps."""
        back = torch.linalg.inv(matrix)
        half = size / 2
        # From shares of the new picture (-1 to 1) to those of the old one.
        theta = back * half.view(1, 1, 2) / half.view(1, 2, 1)
        start = -(back @ offset.unsqueeze(2)) / half.view(1, 2, 1)
        grid = F.affine_grid(torch.cat([theta, start], dim=2), list(x.shape), align_corners=False)
        return (
            F.grid_sample(x - self.ground, grid, padding_mode="zeros", align_corners=False)
            + self.ground
        )

    def follow(
        self, boxes: Tensor, labels: Tensor, matrix: Tensor, offset: Tensor, size: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Where the boxes lie afterwards, cut at the border."""
        half = size / 2
        corners = boxes.unflatten(-1, (2, 2)) - half
        corners = torch.einsum("bij,bmkj->bmki", matrix, corners) + offset[:, None, None] + half
        low, high = corners.amin(dim=2), corners.amax(dim=2)
        area = (high - low).prod(dim=-1)
        low, high = low.clamp(min=0).minimum(size), high.clamp(min=0).minimum(size)
        visible = (high - low).prod(dim=-1) / area.clamp(min=1e-6)
        return torch.cat([low, high], dim=-1), labels.masked_fill(visible < self.kept, -1)

    def recoloured(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Another light and another stain; stays in [0, 1]."""
        n = len(x)

        def draw(most: float, channels: int = 1) -> Tensor:
            return (2 * torch.rand(n, channels, 1, 1, generator=generator) - 1) * most

        x = x.clamp(0, 1) ** torch.exp(draw(self.gamma))
        mean = x.mean(dim=(1, 2, 3), keepdim=True)
        x = mean + (x - mean) * (1 + draw(self.contrast))
        return (x * (1 + draw(self.stain, 3)) + draw(self.light)).clamp(0, 1)


class ShuffledScenes:
    """Batches of pictures with boxes, in an order and with views that depend on seed and epoch.

    Args:
        x: Pictures (N, 3, H, W), uint8.
        boxes: Corners in pixels, (N, M, 4).
        labels: (N, M); -1 where there is no box.
        size: Pictures of a batch.
        seed: Seed of order and views.
        views: How pictures are changed, for each epoch.
        passes: Over the pictures in one epoch.
    """

    def __init__(
        self,
        x: Tensor,
        boxes: Tensor,
        labels: Tensor,
        size: int,
        seed: int,
        views: Sequence[Views],
        passes: int = 1,
    ) -> None:
        self.x, self.boxes, self.labels = x, boxes, labels
        self.size, self.seed, self.views, self.passes = min(size, len(x)), seed, views, passes

    @property
    def steps_per_epoch(self) -> int:
        return self.passes * len(self.x) // self.size

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = torch.cat(
            [torch.randperm(len(self.x), generator=generator) for _ in range(self.passes)]
        )
        for start in range(0, self.steps_per_epoch * self.size, self.size):
            rows = order[start : start + self.size]
            x = self.x[rows].float().div(255)
            yield self.views[epoch](x, self.boxes[rows], self.labels[rows], generator)
