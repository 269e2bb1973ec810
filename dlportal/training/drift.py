"""Has a column's distribution moved? PSI and the Kolmogorov–Smirnov test, column by column."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

MOVED, DRIFTED = 0.1, 0.25
"""The usual limits of the population stability index (Siddiqi 2006, Credit Risk Scorecards)."""
LEVEL = 0.01
"""Chance of calling any of all columns moved when none is."""
Verdict = Literal["same", "moved", "drifted"]


@dataclass(frozen=True)
class Drift:
    """One column beside its reference.

    Attributes:
        psi: Population stability index, at least 0.
        ks: Largest distance between the two distribution functions, in [0, 1].
        p: How likely such a distance is where nothing moved, times the number of columns.
    """

    psi: float
    ks: float
    p: float

    @property
    def verdict(self) -> Verdict:
        """By the size of the move, where it is no accident of few rows."""
        if self.p >= LEVEL or self.psi < MOVED:
            return "same"
        return "drifted" if self.psi >= DRIFTED else "moved"


def stability(reference: np.ndarray, now: np.ndarray, bins: int = 10) -> float:
    """Population stability index of samples (N,) and (M,).

    Bins hold equal shares of the reference; ties make fewer of them. Half a row is added to each
    bin, so that an empty one does not make it infinite.
    """
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1]))
    shares = []
    for sample in (reference, now):
        counts = np.bincount(np.searchsorted(edges, sample, side="left"), minlength=len(edges) + 1)
        shares.append((counts + 0.5) / (len(sample) + 0.5 * len(counts)))
    before, after = shares
    return float(((after - before) * np.log(after / before)).sum())


def measure_drift(reference: np.ndarray, now: np.ndarray) -> list[Drift]:
    """Compare columns of two tables, shapes (N, F) and (M, F)."""
    from scipy.stats import ks_2samp

    found = []
    for before, after in zip(reference.T, now.T, strict=True):
        test = ks_2samp(before, after, method="asymp")
        p = min(1.0, float(test.pvalue) * reference.shape[1])
        found.append(Drift(stability(before, after), float(test.statistic), p))
    return found
