"""EfficientNet-Lite, made for phones: 1000 ImageNet classes, two of its sizes.

Paper: Tan and Le 2019, https://arxiv.org/abs/1905.11946 (Lite: no squeeze-and-excitation, ReLU6).
The networks are timm's `tf_efficientnet_lite0` (4.7 million parameters) and `tf_efficientnet_lite2`
(6.1 million); the weights are TensorFlow's, converted.
"""

from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

# The preprocessing the weights were trained with, on pixels in [0, 1].
SIDE = 224  # of Lite0
MEAN = 0.498
STD = 0.502
CHANNELS = 1280  # of the feature maps
PUBLISHED_CLASSES = 1000


class EfficientNetLite(nn.Module):
    """Feature maps, then a head, so that Grad-CAM needs no hooks.

    Args:
        classes: Outputs of the head.
        dropout: Before the head, while training.
        size: 0 or 2; the larger has more and wider layers.
    """

    def __init__(self, classes: int = 1000, dropout: float = 0.0, size: int = 0) -> None:
        super().__init__()
        from timm.models import efficientnet  # seconds to import

        build = {0: efficientnet.tf_efficientnet_lite0, 2: efficientnet.tf_efficientnet_lite2}[size]
        self.body = build(num_classes=classes, drop_rate=dropout)

    def features(self, x: Tensor) -> Tensor:
        """Normalised pictures (B, 3, H, W) to feature maps (B, 1280, H/32, W/32)."""
        return self.body.forward_features(x)

    def head(self, f: Tensor) -> Tensor:
        """Feature maps to logits (B, classes)."""
        return self.body.forward_head(f)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def pretrained(
    path: Path, classes: int = 1000, dropout: float = 0.0, size: int = 0
) -> EfficientNetLite:
    """Build the network with the published weights.

    The file holds the same tensors as timm's network in the same order under other names. With
    another number of `classes` the head starts anew: that is how a case fine-tunes the network.

    Args:
        path: A `.pth` state dict; no code in it is run.
        classes: Outputs of the head.
        dropout: Before the head, while training.
        size: Of the network that the file holds.

    Raises:
        ValueError: The file does not hold the tensors of that network.
    """
    net = EfficientNetLite(classes, dropout, size)
    published = without_counters(torch.load(path, map_location="cpu", weights_only=True))
    names = without_counters(net.body.state_dict())
    if len(published) != len(names):
        raise ValueError(f"{path.name} has {len(published)} tensors; {len(names)} are needed")
    state = dict(zip(names, published.values()))
    if classes != PUBLISHED_CLASSES:
        state = {name: t for name, t in state.items() if not name.startswith("classifier.")}
    for name, tensor in state.items():
        if tensor.shape != names[name].shape:
            raise ValueError(f"{path.name}: {name} is {tuple(tensor.shape)} there")
    net.body.load_state_dict(state, strict=False)  # the counters stay as they are
    return net


Net = TypeVar("Net", bound=nn.Module)


def fold_batch_norms(net: Net) -> Net:
    """Multiply each batch normalisation into the convolution before it, for inference only.

    The same function up to rounding, in two thirds of the operations; between operations Python
    is held, and whoever else looks at a page waits for it. The network is this one or a part of it.
    """
    net.eval()
    for block in net.modules():
        last: tuple[str, nn.Conv2d] | None = None
        for name, child in list(block.named_children()):
            if isinstance(child, nn.Conv2d):
                last = name, child
            elif isinstance(child, nn.BatchNorm2d) and last is not None:
                setattr(block, last[0], fuse_conv_bn_eval(last[1], child))
                setattr(block, name, getattr(child, "act", nn.Identity()))
                last = None
    return net


def without_counters(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Leave out batch normalisation's counters, which inference does not use."""
    return {name: t for name, t in state.items() if not name.endswith("num_batches_tracked")}
