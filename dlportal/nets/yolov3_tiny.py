"""YOLOv3-tiny, the small detector of Darknet, read from its author's own file of numbers.

Paper: Redmon and Farhadi 2018, https://arxiv.org/abs/1804.02767
Layers and anchors are those of `yolov3-tiny.cfg` at https://github.com/pjreddie/darknet.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 416  # pixels of the published input
CLASSES = 80
# Width and height in pixels of the input: of the coarse grid, and of the fine one. The settings
# that are online today name the first three of the six anchors for the fine grid, but its weights
# were learned with the second to the fourth: with the others its boxes come out half as large as
# what they should surround (a test compares both).
COARSE = ((81.0, 82.0), (135.0, 169.0), (344.0, 319.0))
FINE = ((23.0, 27.0), (37.0, 58.0), (81.0, 82.0))
HEADER = 20  # bytes before the first number
SLOPE = 0.1  # of leaky ReLU below zero
TINY = 1e-6  # Darknet adds it to the standard deviation, torch another one to the variance


class Conv(nn.Conv2d):
    """A convolution with its batch normalisation multiplied in, then leaky ReLU unless `last`."""

    def __init__(self, before: int, after: int, kernel: int = 3, last: bool = False) -> None:
        super().__init__(before, after, kernel, padding=kernel // 2)
        self.last = last

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y if self.last else F.leaky_relu_(y, SLOPE)


class YoloV3Tiny(nn.Module):
    """Pictures in, 2,535 boxes out: three for each of 13 × 13 and of 26 × 26 cells."""

    def __init__(self) -> None:
        super().__init__()
        outputs = 3 * (5 + CLASSES)
        widths = (3, 16, 32, 64, 128, 256, 512, 1024)
        self.down = nn.ModuleList(Conv(a, b) for a, b in pairwise(widths))
        self.narrow = Conv(1024, 256, 1)
        self.coarse = nn.Sequential(Conv(256, 512), Conv(512, outputs, 1, last=True))
        self.up = Conv(256, 128, 1)
        self.fine = nn.Sequential(Conv(384, 256), Conv(256, outputs, 1, last=True))

    def convolutions(self) -> list[Conv]:
        """In the order in which the file holds them."""
        return [*self.down, self.narrow, *self.coarse, self.up, *self.fine]  # type: ignore[list-item]

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The bare forward pass: (B, 3, H, W) to (B, 255, H / 32, W / 32) and twice as fine."""
        kept = x
        for i, conv in enumerate(self.down):
            x = conv(x)
            if i == 4:
                kept = x
            if i < 5:
                x = F.max_pool2d(x, 2)
            elif i == 5:  # a stride of one: the last row and column have no neighbour
                x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 2, stride=1)
        x = self.narrow(x)
        up = F.interpolate(self.up(x), scale_factor=2.0, mode="nearest")
        return self.coarse(x), self.fine(torch.cat([up, kept], dim=1))

    def forward(self, x: Tensor) -> Tensor:
        """Boxes of pictures (B, 3, H, W), RGB in [0, 1], sides multiples of 32.

        Returns:
            Shape (B, N, 85): centre x, centre y, width and height as shares of the picture's
            sides; objectness; the probability of each class, if there is an object. All but width
            and height in [0, 1]. Coarse cells first, row by row, three boxes each.
        """
        coarse, fine = self.maps(x)
        return torch.cat([boxes(coarse, COARSE, x), boxes(fine, FINE, x)], dim=1)


def boxes(y: Tensor, anchors: tuple[tuple[float, float], ...], x: Tensor) -> Tensor:
    """Decode one map (B, 3 · 85, h, w) of pictures x: (B, h · w · 3, 85); see `forward`."""
    batch, _channels, high, wide = y.shape
    y = y.view(batch, len(anchors), 5 + CLASSES, high, wide).permute(0, 3, 4, 1, 2).float()
    column = torch.arange(wide, device=y.device).view(1, 1, wide, 1)
    row = torch.arange(high, device=y.device).view(1, high, 1, 1)
    size = torch.tensor(anchors, device=y.device) / torch.tensor(
        [x.shape[-1], x.shape[-2]], device=y.device
    )
    found = torch.cat(
        [
            ((y[..., 0].sigmoid() + column) / wide).unsqueeze(-1),
            ((y[..., 1].sigmoid() + row) / high).unsqueeze(-1),
            y[..., 2:4].exp() * size,
            y[..., 4:].sigmoid(),
        ],
        dim=-1,
    )
    return found.flatten(1, 3)


def read_darknet(path: Path) -> YoloV3Tiny:
    """Build the network from `yolov3-tiny.weights`.

    The file holds a header and then float32 alone, layer after layer: of batch normalisation the
    shifts, scales, means and variances, or where there is none the biases; then the kernels.

    Raises:
        ValueError: The file holds more or fewer numbers than the layers need.
    """
    numbers = np.fromfile(path, np.float32, offset=HEADER)
    net = YoloV3Tiny()
    place = 0

    def take(shape: tuple[int, ...]) -> Tensor:
        nonlocal place
        count = int(np.prod(shape))
        part = torch.from_numpy(numbers[place : place + count].copy())
        if len(part) != count:
            raise ValueError(f"{path.name} ends after {len(numbers):,} numbers")
        place += count
        return part.view(shape)

    for conv in net.convolutions():
        width = (conv.out_channels,)
        shift = take(width)
        if conv.last:
            kernel = take(tuple(conv.weight.shape))
        else:
            scale, mean, variance = take(width), take(width), take(width)
            scale = scale / (variance.sqrt() + TINY)
            kernel = take(tuple(conv.weight.shape)) * scale.view(-1, 1, 1, 1)
            shift = shift - mean * scale
        conv.weight.data, conv.bias.data = kernel, shift  # type: ignore[union-attr]
    if place != len(numbers):
        raise ValueError(f"{path.name} holds {len(numbers):,} numbers, the network {place:,}")
    return net
