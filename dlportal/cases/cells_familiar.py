"""Whether a picture looks like a blood smear at all."""

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.device import pick_device
from dlportal.nets.fcos import CellFinder, described
from dlportal.training.box_augment import Views

STAINS = 4  # recoloured copies of each picture from which "familiar" is learned
STAINED = Views(stain=0.15)
AT_ONCE = 32  # pictures looked at together


@torch.inference_mode()
def looks(net: CellFinder, x: Tensor) -> Tensor:
    """What pictures (N, 3, H, W) uint8 look like as a whole, (N, features)."""
    device = pick_device()
    parts = [described(net.maps(part.to(device).float().div(255))) for part in x.split(AT_ONCE)]
    return torch.cat(parts).cpu()


def strangeness(net: CellFinder, x: Tensor) -> np.ndarray:
    """How unlike smears pictures are, (N,)."""
    return net.familiar.cpu()(looks(net, x)).numpy()


def learn_usual(net: CellFinder, x: Tensor, seed: int) -> None:
    """Learn what smears (N, 3, H, W) look like, in several lights and stains, and from further away."""
    generator = torch.Generator().manual_seed(seed)
    seen = [looks(net, x)]
    for copy in range(STAINS):
        parts = []
        for part in x.split(AT_ONCE):
            stained = STAINED.recoloured(part.float().div(255), generator)
            parts.append(((tiled(stained) if copy % 2 else stained) * 255).byte())
        seen.append(looks(net, torch.cat(parts)))
    features = torch.cat(seen)
    net.familiar.fit(features, torch.zeros(len(features), dtype=torch.long))


def tiled(x: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) at half their size, four mirrored ones to a canvas."""
    small = nn.functional.avg_pool2d(x, 2)
    row = torch.cat([small, small.flip(3)], dim=3)
    return torch.cat([row, row.flip(2)], dim=2)
