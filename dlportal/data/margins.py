"""What is kept of a table in place of its rows: how its columns are distributed and go together.

Enough to tell whether other rows come from elsewhere, and to draw invented rows with the same
columns (a Gaussian copula); too little to find anybody.

Paper: Sklar 1959; as used for tables, Patki, Wedge and Veeramachaneni 2016,
https://doi.org/10.1109/DSAA.2016.49
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

LEVELS = np.unique(
    np.concatenate([np.linspace(0, 1, 41), [0.001, 0.005, 0.01, 0.99, 0.995, 0.999]])
)
"""Shares of the rows at which a column's values are kept."""
FEW = 40
"""A column with at most so many values keeps them all."""
LEAST = 1e-6  # of an eigenvalue


@dataclass(frozen=True)
class Margin:
    """One column's distribution function, exact at the values that are kept.

    Attributes:
        values: Shape (K,), rising.
        below: Share of rows below each value, shape (K,), in [0, 1].
        upto: Share of rows at or below each value, shape (K,), in [0, 1].
    """

    values: np.ndarray
    below: np.ndarray
    upto: np.ndarray

    def quantiles(self, shares: np.ndarray) -> np.ndarray:
        """The values below which these shares lie; straight lines between kept values."""
        steps = np.stack([self.below, self.upto], axis=1).ravel()
        return np.interp(shares, steps, self.values.repeat(2))


@dataclass(frozen=True)
class Margins:
    """A table without its rows.

    Attributes:
        rows: How many there were.
        columns: Their distributions.
        together: Correlations of ranks, as of normal numbers, shape (F, F).
    """

    rows: int
    columns: tuple[Margin, ...]
    together: np.ndarray

    @classmethod
    def of(cls, table: np.ndarray) -> Margins:
        """Measure a table (N, F)."""
        from scipy.stats import spearmanr

        ranks = np.asarray(spearmanr(table).statistic)
        columns = tuple(margin_of(column) for column in table.T)
        # Pearson 1907: the correlation of normal numbers whose ranks correlate so.
        return cls(len(table), columns, 2 * np.sin(np.pi / 6 * ranks))

    def draw(self, n: int, seed: int = 0) -> np.ndarray:
        """Invented rows, shape (n, F)."""
        from scipy.special import ndtr

        # Ties and rounding can leave what is no covariance: the nearest that is one.
        sizes, axes = np.linalg.eigh(self.together)
        near = (axes * np.maximum(sizes, LEAST)) @ axes.T
        scale = np.sqrt(np.diag(near))
        mix = np.linalg.cholesky(near / np.outer(scale, scale))
        shares = ndtr(np.random.default_rng(seed).normal(size=(n, len(mix))) @ mix.T)
        return np.stack([m.quantiles(s) for m, s in zip(self.columns, shares.T)], axis=1)

    def to_json(self) -> dict[str, Any]:
        """Counts of rows in place of shares, and each pair's correlation once."""
        low = np.tril_indices(len(self.together), -1)
        return {
            "rows": self.rows,
            "columns": [
                {
                    "values": m.values.tolist(),
                    "below": np.rint(m.below * self.rows).astype(int).tolist(),
                    "upto": np.rint(m.upto * self.rows).astype(int).tolist(),
                }
                for m in self.columns
            ],
            "together": self.together[low].round(3).tolist(),
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Margins:
        rows, size = int(stored["rows"]), len(stored["columns"])
        together = np.zeros((size, size))
        together[np.tril_indices(size, -1)] = stored["together"]
        columns = tuple(
            Margin(
                np.array(m["values"], np.float64),
                np.array(m["below"]) / rows,
                np.array(m["upto"]) / rows,
            )
            for m in stored["columns"]
        )
        return cls(rows, columns, together + together.T + np.eye(size))


def margin_of(column: np.ndarray) -> Margin:
    """Measure one column (N,)."""
    values = np.unique(column)
    if len(values) > FEW:
        values = np.unique(np.quantile(column, LEVELS, method="inverted_cdf"))
    ordered = np.sort(column)
    below, upto = (np.searchsorted(ordered, values, side=s) for s in ("left", "right"))
    return Margin(values, below / len(column), upto / len(column))
