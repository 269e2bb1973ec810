"""Low-rank adapters: a frozen layer learns a small correction beside its own weight.

Paper: Hu et al. 2021, https://arxiv.org/abs/2106.09685
The correction is computed beside the layer, never merged into it, so several networks can share
one body in memory.
"""

import math
from collections.abc import Collection

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LoraLinear(nn.Module):
    """A linear layer with a correction of low rank: W x + b + scale * up (down x).

    `up` starts at zero: an untrained adapter changes nothing.
    """

    def __init__(self, base: nn.Linear, rank: int, scale: float) -> None:
        super().__init__()
        self.base = base
        self.scale = scale
        self.down = nn.Parameter(torch.empty(rank, base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + self.scale * F.linear(F.linear(x, self.down), self.up)


def add_lora(module: nn.Module, rank: int, scale: float, names: Collection[str]) -> None:
    """Freeze `module` and put adapters beside its linear layers.

    Args:
        module: Changed in place.
        rank: Rank of each correction.
        scale: Factor on each correction.
        names: Layers to adapt, by the last part of their name (`query`, `dense` ...).

    Raises:
        ValueError: No layer has one of the names.
    """
    module.requires_grad_(False)
    places = [
        (parent, name, child)
        for parent in module.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.Linear) and name in names
    ]
    if not places:
        raise ValueError(f"no linear layer is named {' or '.join(sorted(names))}")
    for parent, name, child in places:
        setattr(parent, name, LoraLinear(child, rank, scale))
