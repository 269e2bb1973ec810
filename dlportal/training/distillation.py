"""Distillation: a small network learns what a large one says, also about texts nobody labelled.

Papers: Hinton et al. 2015, https://arxiv.org/abs/1503.02531; parts of texts as further examples
after the phrases of SST (Socher et al. 2013, https://aclanthology.org/D13-1170/).
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

SOFTNESS = 2.0
"""Temperature at which both networks are compared."""


def parts_of(texts: Sequence[str], each: int, seed: int, longest: int = 11) -> list[str]:
    """Random parts of texts, some words in a row, for a teacher to label.

    Args:
        texts: Whole texts.
        each: Parts drawn from every text.
        seed: Of the draw.
        longest: Words of a part, at most.

    Returns:
        Different parts in alphabetical order, without punctuation at their ends.
    """
    draw = np.random.default_rng(seed)
    found = set()
    for text in texts:
        words = text.split()
        for _ in range(each):
            count = int(draw.integers(2, max(3, min(len(words), longest + 1))))
            start = int(draw.integers(0, max(1, len(words) - count + 1)))
            found.add(" ".join(words[start : start + count]).strip(" ,;:.-"))
    return sorted(part for part in found if len(part) > 3)


def distillation_loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy with the teacher's softened probabilities.

    The batch holds ids (B, T) and the teacher's logits (B, classes). The factor keeps gradients
    as large as without softening.
    """
    x, told = batch
    y = net(x).float()
    target = torch.softmax(told / SOFTNESS, dim=1)
    return F.cross_entropy(y / SOFTNESS, target) * SOFTNESS**2
