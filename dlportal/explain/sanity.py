"""Sanity check: does a map depend on the network at all?

The weights are scrambled and the method runs again. A map that stays alike shows the input's own
edges or word lengths, not what the network learned.

Paper: Adebayo et al. 2018, https://arxiv.org/abs/1810.03292
"""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from dlportal.case import Case, Progress
from dlportal.explain.base import Explainer, Explanation


@dataclass(frozen=True)
class Sanity:
    """The map of a network with scrambled weights, and its likeness to the real one.

    `similarity` is Spearman's rank correlation of absolute values, in [-1, 1]: 1 the same order,
    0 unrelated.
    """

    explanation: Explanation
    similarity: float


def randomised(case: Case, seed: int = 0) -> Case:
    """The same case with the numbers of every weight tensor shuffled.

    Shuffling keeps each layer's scale, so that activations neither vanish nor explode and
    gradient methods still have something to show; biases and normalisation stay as they are.

    Raises:
        ValueError: The network keeps no weights in torch.
    """
    if not any(True for _parameter in case.net.parameters()):
        raise ValueError(f"{case.card.id} has no weights in torch that could be scrambled")
    net = copy.deepcopy(case.net)
    generator = torch.Generator().manual_seed(seed)
    for parameter in net.parameters():
        if parameter.dim() > 1 and parameter.is_floating_point():
            order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
            parameter.data = parameter.data.flatten()[order].view(parameter.shape)
    return case.with_net(net)


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of absolute values; 0 where one of the maps is constant."""
    from scipy.stats import rankdata

    ranks = [rankdata(np.abs(values).ravel()) for values in (a, b)]
    ranks = [r - r.mean() for r in ranks]
    scale = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    return float(ranks[0] @ ranks[1]) / scale if scale > 0 else 0.0


def weight_randomisation(
    case: Case,
    raw: Any,
    explainer: Explainer,
    target: int,
    seed: int = 0,
    progress: Progress | None = None,
    real: Explanation | None = None,
    **knobs: Any,
) -> Sanity:
    """Explain with the real and with scrambled weights, and compare.

    Args:
        case: The case.
        raw: Its input.
        explainer: A method that supports it.
        target: Output index.
        seed: Of the shuffling.
        progress: Of the explanation with scrambled weights.
        real: The explanation with the real weights, where it is there already.
        **knobs: Of the method.
    """
    if real is None:
        real = explainer.explain(case, raw, target, **knobs)
    other = explainer.explain(randomised(case, seed), raw, target, progress=progress, **knobs)
    return Sanity(other, similarity(real.values, other.values))
