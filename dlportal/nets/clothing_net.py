"""EfficientNet-Lite2 for ten kinds of clothes, with what a photograph of clothes looks like."""

from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from dlportal.nets.efficientnet_lite import CHANNELS, EfficientNetLite, pretrained
from dlportal.nets.familiar import Familiar

SIZE = 2  # of the EfficientNet
EARLY, EARLY_CHANNELS = 3, 48  # stages whose maps tell textures
DIRECTIONS = 128  # of the pooled features that are looked at to tell strangers apart
SIDE = 176  # pixels a side of what it learns from and is asked about


class ClothingNet(EfficientNetLite):
    """One network, and beside its own head the one that the untouched body had.

    Args:
        classes: Outputs of the head.
        dropout: Before the head, while training.
    """

    directions: Tensor
    frozen_weight: Tensor
    frozen_bias: Tensor

    def __init__(self, classes: int = 10, dropout: float = 0.2) -> None:
        super().__init__(classes, dropout, SIZE)
        # Of the frozen features' logistic regression: the rival, and where fine-tuning starts.
        self.register_buffer("frozen_weight", torch.zeros(classes, CHANNELS))
        self.register_buffer("frozen_bias", torch.zeros(classes))
        self.register_buffer("directions", torch.zeros(DIRECTIONS, CHANNELS))
        self.familiar = Familiar(DIRECTIONS, classes)
        self.usual_texture = Familiar(2 * EARLY_CHANNELS, 1)

    def train(self, mode: bool = True) -> Self:
        """Batch norms go on to use what they saw of ImageNet, in training too.

        With the statistics of a small batch of cut pictures the features would be others at once,
        and the head that was fitted to them worth nothing.
        """
        super().train(mode)
        for module in self.body.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def early(self, x: Tensor) -> Tensor:
        """Normalised pictures (B, 3, H, W) to the maps of the first stages, (B, 48, H/8, W/8)."""
        return self.body.blocks[:EARLY](self.body.bn1(self.body.conv_stem(x)))

    def late(self, f: Tensor) -> Tensor:
        """Maps of the first stages to the last feature maps, (B, 1280, H/32, W/32)."""
        return self.body.bn2(self.body.conv_head(self.body.blocks[EARLY:](f)))

    def features(self, x: Tensor) -> Tensor:
        """Normalised pictures (B, 3, H, W) to feature maps (B, 1280, H/32, W/32).

        After training they are averaged with those of the mirror image, turned back: a garment in
        a mirror is the same garment. As the head is linear, so are the logits.
        """
        return self.both(x)[1]

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Early maps and last maps, with one pass."""
        early = self.early(x)
        f = self.late(early)
        if self.training:
            return early, f
        return early, (f + self.late(self.early(x.flip(-1))).flip(-1)) / 2

    def look(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, classes) and strangeness (B, 2) of pictures, with one pass of the body."""
        early, f = self.both(x)
        return self.head(f), self.strangeness(f.mean(dim=(2, 3)), texture(early))

    def strangeness(self, pooled: Tensor, textures: Tensor) -> Tensor:
        """How far pictures lie from the training pictures, (B, 2): what is seen, and its texture.

        Args:
            pooled: Means of the last maps, (B, 1280); far from all classes is strange.
            textures: Of the early maps, (B, 96); these tell a drawing or a page from a photograph.
        """
        seen = self.familiar(pooled.float() @ self.directions.T)
        return torch.stack([seen, self.usual_texture(textures)], dim=1)

    @torch.no_grad()
    def learn_usual(self, pooled: Tensor, textures: Tensor, labels: Tensor) -> None:
        """Learn what pictures of clothes look like: pooled features (N, 1280), textures (N, 96),
        classes (N,)."""
        centred = (pooled - pooled.mean(dim=0)).double()
        _, _, vectors = torch.linalg.svd(centred, full_matrices=False)
        self.directions.copy_(vectors[:DIRECTIONS])
        self.familiar.fit(pooled @ self.directions.T.to(pooled), labels)
        self.usual_texture.fit(textures, torch.zeros_like(labels))

    def frozen_logits(self, pooled: Tensor) -> Tensor:
        """What logistic regression says of the untouched body's pooled features (B, 1280)."""
        return pooled @ self.frozen_weight.T + self.frozen_bias


def texture(early: Tensor) -> Tensor:
    """Mean and spread of every early map (B, 48, h, w), (B, 96)."""
    flat = early.float().flatten(2)
    return torch.cat([flat.mean(dim=2), flat.std(dim=2)], dim=1)


def untouched(path: Path, classes: int = 10, dropout: float = 0.2) -> ClothingNet:
    """The network with the body as published and a head that knows nothing yet."""
    net = ClothingNet(classes, dropout)
    body = pretrained(path, classes, dropout, SIZE).body
    net.body.load_state_dict(body.state_dict())
    return net
