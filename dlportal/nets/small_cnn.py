"""A small convolutional network for small pictures, and several of them averaged."""

import torch
from torch import Tensor, nn


class SmallCNN(nn.Module):
    """Three stages of two 3×3 convolutions each, halving the picture between them.

    Batch norm: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
    """

    def __init__(self, classes: int, channels: int = 1, width: int = 32, dropout: float = 0.3):
        super().__init__()
        layers: list[nn.Module] = []
        before = channels
        for stage in range(3):
            wide = width * 2**stage
            if stage:
                layers.append(nn.MaxPool2d(2))
            for _ in range(2):
                layers += [
                    nn.Conv2d(before, wide, 3, padding=1, bias=False),
                    nn.BatchNorm2d(wide),
                    nn.ReLU(),
                ]
                before = wide
        self.layers = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(before, classes)

    def features(self, x: Tensor) -> Tensor:
        """Last feature maps: (B, C, H, W) to (B, 4 width, H / 4, W / 4)."""
        return self.layers(x)

    def head(self, f: Tensor) -> Tensor:
        """Logits (B, classes) of the last feature maps."""
        return self.classify(self.dropout(f.mean(dim=(2, 3))))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


class Ensemble(nn.Module):
    """Networks that were started differently; their logits are averaged.

    Paper: Lakshminarayanan et al. 2017, https://arxiv.org/abs/1612.01474
    All are trained in one loop, each on its own view of the same batch, and stored in one file.
    """

    def __init__(self, members: list[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def views(self, x: Tensor) -> list[Tensor]:
        """What each member sees: the same picture, or one of M in the channels (B, M, H, W)."""
        if x.shape[1] == 1:
            return [x] * len(self.members)
        return list(x.split(1, dim=1))

    def each(self, x: Tensor) -> Tensor:
        """Logits of every member, (M, B, classes)."""
        pairs = zip(self.members, self.views(x), strict=True)
        return torch.stack([member(view) for member, view in pairs])

    def features(self, x: Tensor) -> Tensor:
        """Feature maps of all members side by side, (B, M · C, H, W)."""
        pairs = zip(self.members, self.views(x), strict=True)
        return torch.cat([member.features(view) for member, view in pairs], dim=1)  # type: ignore[operator]

    def head(self, f: Tensor) -> Tensor:
        """Averaged logits (B, classes)."""
        parts = f.chunk(len(self.members), dim=1)
        pairs = zip(self.members, parts, strict=True)
        return torch.stack([member.head(part) for member, part in pairs]).mean(dim=0)  # type: ignore[operator]

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
