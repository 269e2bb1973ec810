"""FCOS on EfficientNet-Lite0: every place of the feature maps says what it is in, and how large.

Papers: Tian et al. 2019, https://arxiv.org/abs/1904.01355 (FCOS, no anchors); Lin et al. 2017,
https://arxiv.org/abs/1612.03144 (feature pyramid); Tan and Le 2019,
https://arxiv.org/abs/1905.11946 (EfficientNet). Matching, losses, head and pyramid are torchvision's.
"""

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOS, FCOSHead
from torchvision.ops import FeaturePyramidNetwork

from dlportal.nets.efficientnet_lite import MEAN, STD, EfficientNetLite
from dlportal.nets.familiar import Familiar

LEVELS = {2: 40, 4: 112}  # stages of the backbone whose maps are used, and their channels
STRIDES = (8, 16)  # of these maps, pixels
STILL = 2  # first stages that stay as ImageNet left them: edges and colours
LARGE = (
    5  # side of the depth-wise kernels that stay, too: their gradient would cost more than all else
)
WIDTH = 96  # channels of the pyramid and the head
CONVOLUTIONS = 2  # of each branch of the head
LEAST = 1e-6
Corners = tuple[float, float, float, float]
WHOLE: Corners = (0.0, 0.0, 1.0, 1.0)


class Pyramid(nn.Module):
    """Feature maps of two scales; the coarse one tells the fine one what it sees."""

    out_channels = WIDTH

    stem: nn.Module
    norm: nn.Module
    blocks: nn.Sequential

    def __init__(self, body: Any) -> None:
        """Take timm's EfficientNet-Lite0 without the stages after the last map.

        They hold three quarters of its weights and tell a thousand things apart; here are three.
        """
        super().__init__()
        self.stem, self.norm = body.conv_stem, body.bn1
        self.blocks = body.blocks[: max(LEVELS) + 1]
        self.merge = FeaturePyramidNetwork(list(LEVELS.values()), WIDTH)

    @property
    def still(self) -> list[nn.Module]:
        """The parts that are not trained."""
        return [self.stem, self.norm, *self.blocks[:STILL]]

    def freeze(self) -> None:
        """Leave the first stages and the large depth-wise kernels as they are."""
        for part in self.still:
            part.requires_grad_(False)
        for part in self.blocks.modules():
            if isinstance(part, nn.Conv2d) and part.groups > 1 and part.kernel_size[0] == LARGE:
                part.weight.requires_grad_(False)

    def train(self, mode: bool = True) -> "Pyramid":
        """Set the mode; batch statistics of the parts that are not trained stay."""
        super().train(mode)
        for part in self.still:
            part.eval()
        return self

    def maps(self, x: Tensor) -> list[Tensor]:
        """Normalised pictures (B, 3, H, W) to the backbone's maps at strides 8 and 16."""
        x = self.norm(self.stem(x))
        found = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in LEVELS:
                found.append(x)
        return found

    def forward(self, x: Tensor) -> OrderedDict[str, Tensor]:
        return self.merged(self.maps(x))

    def merged(self, maps: list[Tensor]) -> OrderedDict[str, Tensor]:
        return self.merge(OrderedDict((str(n), f) for n, f in enumerate(maps)))


class CellFinder(FCOS):
    """Boxes of `classes` kinds in pictures of one size.

    Its answer is one row for each place of the two maps: centre x and y, width and height as
    shares of the picture, how sure it is of the likeliest kind, and how likely each kind is
    relative to the likeliest. The product of the last two is the score of a kind: the geometric mean
    of its probability and of the centredness, as in FCOS, and then calibrated.
    """

    backbone: Pyramid
    slopes: Tensor
    shifts: Tensor
    places: Tensor

    def __init__(self, classes: int, size: tuple[int, int], body: nn.Module | None = None) -> None:
        """Build it for pictures of `size` (width, height); both multiples of 16.

        `body` is an EfficientNet-Lite0 with ImageNet's weights; without one they are to be loaded.
        """
        pyramid = Pyramid(EfficientNetLite().body if body is None else body)
        super().__init__(
            pyramid,
            classes,
            # FCOS wants one square a place, as large as the stride. Its generator puts the first
            # one at the picture's corner; ours are in the middle of their cells, see `places`.
            anchor_generator=AnchorGenerator(
                tuple((s,) for s in STRIDES), ((1.0,),) * len(STRIDES)
            ),
            head=FCOSHead(WIDTH, 1, classes, CONVOLUTIONS),
        )
        self.size, self.classes = size, classes
        self.register_buffer("places", places(size), persistent=False)
        self.register_buffer("slopes", torch.ones(classes))
        self.register_buffer("shifts", torch.zeros(classes))
        self.familiar = Familiar(sum(LEVELS.values()), 1)

    def maps(self, x: Tensor) -> list[Tensor]:
        """Pictures (B, 3, H, W) in [0, 1] to the backbone's two maps."""
        return self.backbone.maps((x - MEAN) / STD)

    def strangeness(self, maps: list[Tensor], inner: Corners = WHOLE) -> Tensor:
        """How unlike the training pictures a picture looks as a whole, (B,)."""
        return self.familiar(described(maps, inner))

    def answers(self, maps: list[Tensor]) -> dict[str, Tensor]:
        """What the head says of each place."""
        return self.head(list(self.backbone.merged(maps).values()))

    def losses(self, x: Tensor, targets: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """FCOS's three losses of pictures (B, 3, H, W).

        Args:
            x: In [0, 1].
            targets: For each picture `boxes` (N, 4), corners in pixels, and `labels` (N,).
        """
        said = {name: y.float() for name, y in self.answers(self.maps(x)).items()}
        counts = [(self.size[0] // s) * (self.size[1] // s) for s in STRIDES]
        return self.compute_loss(targets, said, [self.places] * len(x), counts)

    def rows(self, said: dict[str, Tensor]) -> Tensor:
        """The head's answers as boxes, (B, N, 5 + classes)."""
        corners = self.head.box_coder.decode(said["bbox_regression"].float(), self.places)
        scale = corners.new_tensor([*self.size, *self.size])
        corners = (corners / scale).clamp(0, 1)
        middle = (corners[..., :2] + corners[..., 2:]) / 2
        sizes = corners[..., 2:] - corners[..., :2]
        kinds, centred = (
            said["cls_logits"].float().sigmoid(),
            said["bbox_ctrness"].float().sigmoid(),
        )
        scores = self.calibrated((kinds * centred).sqrt())
        best = scores.amax(dim=-1, keepdim=True)
        return torch.cat([middle, sizes, best, scores / best.clamp(min=LEAST)], dim=-1)

    def calibrated(self, scores: Tensor) -> Tensor:
        """Scores (..., classes) in [0, 1] as the shares of boxes with such a score that are right."""
        odds = torch.logit(scores, eps=LEAST)
        return torch.sigmoid(self.slopes * odds + self.shifts)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return self.rows(self.answers(self.maps(x)))


def described(maps: list[Tensor], inner: Corners = WHOLE) -> Tensor:
    """What pictures look like as a whole: each feature's mean within `inner`.

    Args:
        maps: Of pictures of one shape, (B, C, H, W) each.
        inner: Left, top, right, bottom of the pictures in their canvas, as shares.

    Returns:
        Shape (B, features).
    """
    means = []
    for f in maps:
        sides = f.shape[3], f.shape[2], f.shape[3], f.shape[2]
        left, top, right, bottom = (round(s * n) for s, n in zip(inner, sides, strict=True))
        cut = f[:, :, top : max(bottom, top + 1), left : max(right, left + 1)]
        means.append(cut.float().mean(dim=(2, 3)))
    return torch.cat(means, dim=1)


def places(size: tuple[int, int]) -> Tensor:
    """A square as large as the stride around the middle of each cell of the maps, (N, 4)."""
    found = []
    for stride in STRIDES:
        y, x = torch.meshgrid(
            torch.arange(size[1] // stride), torch.arange(size[0] // stride), indexing="ij"
        )
        corner = torch.stack([x.flatten(), y.flatten()], dim=1).float() * stride
        found.append(torch.cat([corner, corner + stride], dim=1))
    return torch.cat(found)


def total(losses: dict[str, Tensor]) -> Any:
    """The three losses count alike."""
    return torch.stack(list(losses.values())).sum()
