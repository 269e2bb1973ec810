"""Has a column's distribution moved? PSI and the Kolmogorov–Smirnov test, column by column.

The reference is what is kept of a table, not its rows, so that both can be measured where the
rows must not or cannot be.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dlportal.data.margins import Margin, Margins

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
        ks: Largest distance between the two distribution functions at the values that the
            reference keeps, in [0, 1]; between them it may be a little larger.
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


def stability(reference: Margin, rows: int, now: np.ndarray, bins: int = 10) -> float:
    """Population stability index of a sample (M,) beside a reference of so many rows.

    Bins hold equal shares of the reference; ties make fewer of them. Half a row is added to each
    bin, so that an empty one does not make it infinite.
    """
    levels = np.linspace(0, 1, bins + 1)[1:-1]
    places = np.unique(np.searchsorted(reference.upto, levels - 1e-12))
    before = np.diff(reference.upto[places], prepend=0.0, append=1.0) * rows
    bin_of = np.searchsorted(reference.values[places], now, side="left")
    after = np.bincount(bin_of, minlength=len(before))
    before, after = ((c + 0.5) / (c.sum() + 0.5 * len(c)) for c in (before, after))
    return float(((after - before) * np.log(after / before)).sum())


def distance(reference: Margin, now: np.ndarray) -> float:
    """Largest distance between two distribution functions, at the reference's values."""
    ordered = np.sort(now)
    below, upto = (
        np.searchsorted(ordered, reference.values, side=s) / len(now) for s in ("left", "right")
    )
    return float(max(np.abs(below - reference.below).max(), np.abs(upto - reference.upto).max()))


def measure_drift(reference: Margins, now: np.ndarray) -> list[Drift]:
    """Compare a table (M, F) with what is kept of another."""
    from scipy.stats import kstwo

    effective = round(reference.rows * len(now) / (reference.rows + len(now)))
    found = []
    for margin, column in zip(reference.columns, now.T, strict=True):
        ks = distance(margin, column)
        p = min(1.0, float(kstwo.sf(ks, effective)) * len(reference.columns))
        found.append(Drift(stability(margin, reference.rows, column), ks, p))
    return found
