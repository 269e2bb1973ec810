"""What detectors share: the letterbox, picking boxes, and asking a network about one box."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torchvision.ops import batched_nms

from dlportal.kinds.image import to_tensor

GREY = 0.5  # of the bars beside a picture that is not square
SHARP = 2  # a picture is first averaged down to about this many times the network's input
MOST = 100  # boxes of a picture, as COCO counts them


@dataclass(frozen=True)
class Letterbox:
    """How a picture of any shape lies in the network's input.

    Attributes:
        canvas: Width and height of the input, pixels.
        width: Of the picture in it.
        height: Of the picture in it.
        given: Width and height of the picture itself.
        averaged: Whether each pixel of a smaller copy averages what it stands for, as the training
            pictures of this project were made; Darknet takes points between pixels instead.
    """

    canvas: tuple[int, int]
    width: int
    height: int
    given: tuple[int, int]
    averaged: bool = False

    @classmethod
    def around(
        cls, size: tuple[int, int], canvas: int | tuple[int, int], averaged: bool = False
    ) -> "Letterbox":
        """The largest copy of a picture of that size that fits, rounded as Darknet does."""
        wide, high = (canvas, canvas) if isinstance(canvas, int) else canvas
        if wide * size[1] <= high * size[0]:  # the sides touch first
            width, height = wide, max(1, wide * size[1] // size[0])
        else:
            width, height = max(1, high * size[0] // size[1]), high
        return cls((wide, high), width, height, size, averaged)

    @property
    def left(self) -> int:
        return (self.canvas[0] - self.width) // 2

    @property
    def top(self) -> int:
        return (self.canvas[1] - self.height) // 2

    def place(self, picture: Image.Image) -> Tensor:
        """The picture in the middle of a grey canvas, (1, 3, H, W), in [0, 1]."""
        x = self.resized(picture.convert("RGB"))
        right = self.canvas[0] - self.width - self.left
        below = self.canvas[1] - self.height - self.top
        return F.pad(x, (self.left, right, self.top, below), value=GREY)

    def resized(self, picture: Image.Image) -> Tensor:
        """The picture as large as it will lie there.

        Between its pixels Darknet interpolates from corner to corner; photographs far larger than
        the input are averaged first, or single pixels would decide.
        """
        if self.averaged:
            return to_tensor(picture.resize((self.width, self.height), Image.Resampling.BILINEAR))
        if (shrink := max(picture.size) // (SHARP * max(self.canvas))) > 1:
            picture = picture.reduce(shrink)
        return F.interpolate(
            to_tensor(picture), (self.height, self.width), mode="bilinear", align_corners=True
        )

    @property
    def scale(self) -> Tensor:
        """Pixels of the picture for each pixel of the canvas, (4,)."""
        return torch.tensor([self.given[0] / self.width, self.given[1] / self.height] * 2)

    def to_picture(self, corners: Tensor) -> Tensor:
        """Corners (N, 4) as shares of the canvas, into the picture's pixels, cut at its border."""
        start = torch.tensor([self.left, self.top] * 2)
        found = (corners * torch.tensor([*self.canvas, *self.canvas]) - start) * self.scale
        return found.clamp(min=0).minimum(torch.tensor([*self.given, *self.given]))

    def to_canvas(self, corners: Tensor) -> Tensor:
        """The other way round: pixels of the picture into shares of the canvas."""
        start = torch.tensor([self.left, self.top] * 2)
        return (corners / self.scale + start) / torch.tensor([*self.canvas, *self.canvas])


def corners_of(y: Tensor) -> Tensor:
    """Left, top, right, bottom of boxes given as centre and size, (..., 4 or more) to (..., 4)."""
    middle, half = y[..., :2], y[..., 2:4] / 2
    return torch.cat([middle - half, middle + half], dim=-1)


def pick_boxes(y: Tensor, score: float, overlap: float) -> tuple[Tensor, Tensor, Tensor]:
    """The boxes worth showing.

    Args:
        y: Boxes of one picture, (N, 5 + classes): centre, size, objectness, class probabilities.
        score: Least objectness times class probability.
        overlap: Of two boxes of a class that overlap more, the surer one stays.

    Returns:
        Rows of `y`, classes and scores, each (K,), the surest first, at most 100.
    """
    likely = torch.nonzero(y[:, 4] > score)[:, 0]  # a product is below each of its factors
    p = y[likely, 4:5] * y[likely, 5:]
    which, classes = torch.nonzero(p > score, as_tuple=True)
    scores, rows = p[which, classes], likely[which]
    kept = batched_nms(corners_of(y[rows]), scores, classes, overlap)[:MOST]
    return rows[kept], classes[kept], scores[kept]


class BoxScorer(nn.Module):
    """How well a detector still finds certain boxes: what an explanation of a box is measured on.

    Paper: Petsiuk et al. 2021 (D-RISE), https://arxiv.org/abs/2006.03204
    A box that is found now is alike to one that was found before by their overlap, times the
    cosine between their class probabilities, times how sure it is that there is an object. What
    counts is the most alike of all boxes.
    """

    wanted: Tensor
    kinds: Tensor

    def __init__(self, net: nn.Module, wanted: Tensor) -> None:
        """Take the boxes (K, 5 + classes) as `net` gave them, which are to be found again."""
        super().__init__()
        self.net = net
        self.register_buffer("wanted", corners_of(wanted))
        self.register_buffer("kinds", F.normalize(wanted[:, 5:], dim=-1))

    def forward(self, x: Tensor) -> Tensor:
        """Likeness (B, K) in [0, 1] of pictures (B, 3, H, W)."""
        y = self.net(x)
        shared = overlaps(corners_of(y), self.wanted.to(y.device))
        alike = F.normalize(y[..., 5:], dim=-1) @ self.kinds.to(y.device).T
        return (shared * alike * y[..., 4:5]).amax(dim=1)


def overlaps(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes (B, N, 4) and (K, 4): (B, N, K), with a gradient."""
    a = a.unsqueeze(-2)
    low, high = torch.maximum(a[..., :2], b[:, :2]), torch.minimum(a[..., 2:], b[:, 2:])
    inner = (high - low).clamp(min=0).prod(dim=-1)
    areas = [(c[..., 2:] - c[..., :2]).prod(dim=-1) for c in (a, b)]
    return inner / (areas[0] + areas[1] - inner).clamp(min=1e-9)


def as_picture(x: Tensor) -> Image.Image:
    """An encoded picture (1, 3, H, W) in [0, 1] as PIL."""
    pixels = (x[0].permute(1, 2, 0).clamp(0, 1) * 255).round().byte().contiguous().numpy()
    return Image.fromarray(np.asarray(pixels))
