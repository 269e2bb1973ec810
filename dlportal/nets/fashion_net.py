"""A small residual network for pictures of 28 × 28 grey pixels."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.nets.appearance import Appearance
from dlportal.nets.familiar import Familiar

SIDE = 28


def conv(before: int, after: int, pool: bool = False) -> nn.Sequential:
    """3×3 convolution, batch norm and ReLU; `pool` halves the picture first (which costs the
    norm a quarter of the work and gives the same maxima)."""
    shrink: list[nn.Module] = [nn.MaxPool2d(2)] if pool else []
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False),
        *shrink,
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two convolutions whose result is added to their input.

    Paper: He et al. 2015, https://arxiv.org/abs/1512.03385
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.change = nn.Sequential(conv(width, width), conv(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.change(x)


class FashionNet(nn.Module):
    """Three stages of 14 × 14, 14 × 14 and 7 × 7 cells; 0.46 M parameters."""

    def __init__(self, classes: int = 10, width: int = 32, dropout: float = 0.1) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            [
                conv(1, width, pool=True),
                nn.Sequential(conv(width, 2 * width), Residual(2 * width)),
                nn.Sequential(conv(2 * width, 4 * width, pool=True), Residual(4 * width)),
            ]
        )
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(4 * width, classes)
        # What clothes look like, as pixels and as features: to mark what is something else.
        self.appearance = Appearance(SIDE * SIDE)
        self.familiar = Familiar(4 * width, classes)

    def maps(self, x: Tensor) -> list[Tensor]:
        """What each stage makes of pictures (B, 1, 28, 28)."""
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def features(self, x: Tensor) -> Tensor:
        """Last feature maps, (B, 4 width, 7, 7).

        After training they are averaged with those of the mirror image, turned back: a garment in
        a mirror is the same garment. As the head is linear, so are the logits.
        """
        f = self.maps(x)[-1]
        if self.training:
            return f
        return (f + self.maps(x.flip(-1))[-1].flip(-1)) / 2

    def pooled(self, x: Tensor) -> Tensor:
        """The means of the last feature maps, (B, 4 width)."""
        return self.features(x).mean(dim=(2, 3))

    def embed(self, x: Tensor) -> Tensor:
        """A picture as a point on a sphere: `pooled` at length 1, (B, 4 width)."""
        return F.normalize(self.pooled(x), dim=1)

    def strangeness(self, x: Tensor) -> Tensor:
        """How unlike the training pictures (B, 1, 28, 28) are: by pixels and by features, (B, 2)."""
        return self.look(x)[1]

    def look(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, classes) and strangeness (B, 2) of pictures, with one pass of the stages."""
        f = self.features(x)
        unlike = torch.stack([self.appearance(x), self.familiar(f.mean(dim=(2, 3)))], dim=1)
        return self.head(f), unlike

    def head(self, f: Tensor) -> Tensor:
        """Logits (B, classes) of the last feature maps."""
        return self.classify(self.dropout(f.mean(dim=(2, 3))))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
