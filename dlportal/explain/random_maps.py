"""Random maps to compare an attribution map with.

A map should beat chance, and chance must be a fair opponent. On a picture, hiding scattered single
pixels and hiding patches are different things, so a random map must be as smooth as the map it
stands against: it is the map itself with its shape scrambled. Its spatial frequencies keep their
strengths and lose their positions (a phase-randomised surrogate). What is left to beat is *where*
the map points, nothing else.

Paper: Theiler et al. 1992, https://doi.org/10.1016/0167-2789(92)90102-S
"""

import itertools
import math
from collections.abc import Iterator

import numpy as np


def random_maps(values: np.ndarray, count: int, seed: int) -> Iterator[np.ndarray]:
    """Draw random maps like `values`.

    Args:
        values: An attribution map: (H, W) of a picture, (N,) of a list of parts.
        count: How many maps.
        seed: Of the random numbers.

    Yields:
        Maps of the same shape. Pictures: phase-randomised. Lists: random orders; where there are
        no more than `count` orders of so few parts, each order once.
    """
    if values.ndim == 1:
        yield from random_orders(len(values), count, seed)
        return
    strengths = np.abs(np.fft.rfft2(mirrored(values - values.mean())))
    rng = np.random.default_rng(seed)
    height, width = values.shape
    for _ in range(count):
        noise = np.fft.rfft2(rng.standard_normal((2 * height, 2 * width)))
        phases = noise / np.maximum(np.abs(noise), 1e-12)
        yield np.fft.irfft2(strengths * phases, s=(2 * height, 2 * width))[:height, :width]


def mirrored(values: np.ndarray) -> np.ndarray:
    """Continue a map by its mirror image, (2H, 2W): it then wraps around without a step, whose
    high frequencies would roughen the random maps."""
    tall = np.concatenate([values, values[::-1]], axis=0)
    return np.concatenate([tall, tall[:, ::-1]], axis=1)


def random_orders(parts: int, count: int, seed: int) -> Iterator[np.ndarray]:
    """Random orders of a list's parts, as maps."""
    if parts <= 6 and math.factorial(parts) <= count:
        for order in itertools.permutations(range(parts)):
            yield np.array(order, dtype=float)
        return
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield rng.permutation(parts).astype(float)
