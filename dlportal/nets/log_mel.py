"""Sound as energy over time and pitch, the way ears divide pitch.

Davis and Mermelstein 1980, https://doi.org/10.1109/TASSP.1980.1163420 (mel bands)
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor

LOWEST = 60.0  # Hz; what hums below says nothing about words


@cache
def mel_filters(rate: int, window: int, bands: int) -> Tensor:
    """Triangles that gather the frequencies of a window into mel bands, (window / 2 + 1, bands)."""
    edges = band_edges(rate, bands)
    at = np.linspace(0, rate / 2, window // 2 + 1)[:, None]
    rising = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    return torch.from_numpy(np.clip(np.minimum(rising, falling), 0, None)).float()


def band_edges(rate: int, bands: int) -> np.ndarray:
    """Corners of the triangles in Hz, (bands + 2,): band i rises from i, peaks at i + 1."""

    def mel(hertz: float) -> float:
        return 2595 * float(np.log10(1 + hertz / 700))

    return 700 * (10 ** (np.linspace(mel(LOWEST), mel(rate / 2), bands + 2) / 2595) - 1)


def power_spectrum(x: Tensor, window: int, hop: int) -> Tensor:
    """Energy of a sound (time,) in overlapping Hann windows: (window / 2 + 1, windows)."""
    spectrum = torch.stft(
        x, window, hop, window=torch.hann_window(window), center=False, return_complex=True
    )
    return spectrum.abs().square()
