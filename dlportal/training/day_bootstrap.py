"""Intervals for figures measured over days: whole days are drawn, not single rows.

Payments of one day (or returns of one month) hang together; drawing them one by one would make
every interval too narrow.
"""

from dataclasses import dataclass

import numpy as np

from dlportal.training.metrics import RankMetric

CHUNK = 4_000_000  # weights held at once


@dataclass(frozen=True)
class Drawn:
    """A figure and its resampled values, shape (draws,); the same draws for every figure, so
    that differences between models are paired."""

    value: float
    draws: np.ndarray

    @property
    def low(self) -> float:
        return float(min(self.value, np.nanpercentile(self.draws, 2.5)))

    @property
    def high(self) -> float:
        return float(max(self.value, np.nanpercentile(self.draws, 97.5)))

    def __sub__(self, other: "Drawn") -> "Drawn":
        return Drawn(self.value - other.value, self.draws - other.draws)

    @classmethod
    def mean(cls, parts: "list[Drawn]") -> "Drawn":
        """The mean of figures from several periods, each resampled on its own."""
        return cls(
            float(np.mean([part.value for part in parts])),
            np.mean([part.draws for part in parts], axis=0),
        )


class DayBootstrap:
    """Draws days with replacement.

    Paper: Efron 1979, https://doi.org/10.1214/aos/1176344552

    Args:
        day: Day of each row, shape (rows,).
        draws: Number of resamples.
        seed: Seed of the draws.
    """

    def __init__(self, day: np.ndarray, draws: int = 500, seed: int = 0) -> None:
        days, self.place = np.unique(day, return_inverse=True)
        self.days = len(days)
        rng = np.random.default_rng(seed)
        # How often each day was drawn, shape (draws, days).
        self.counts = rng.multinomial(self.days, np.full(self.days, 1 / self.days), size=draws)

    def rank(self, metric: RankMetric, truth: np.ndarray, score: np.ndarray) -> Drawn:
        """A metric of the order of scores, such as average precision."""
        positive, last = metric.sort(truth, score)
        place = self.place[np.argsort(-np.asarray(score, np.float64), kind="stable")]
        size = max(1, CHUNK // len(place))
        parts = [
            metric.formula(positive, self.counts[i : i + size, place].astype(np.float64), last)
            for i in range(0, len(self.counts), size)
        ]
        return Drawn(metric(truth, score), np.concatenate(parts))

    def daily(self, values: np.ndarray) -> np.ndarray:
        """Sums of row values over each day, shape (days,)."""
        return np.bincount(self.place, weights=values, minlength=self.days)

    def ratio(self, above: np.ndarray, below: np.ndarray) -> Drawn:
        """A ratio of sums; `above` and `below` are sums a day, shape (days,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn = (self.counts @ above) / (self.counts @ below)
        return Drawn(float(above.sum() / below.sum()), drawn)

    def ece(self, truth: np.ndarray, p: np.ndarray, bins: int = 15) -> Drawn:
        """Expected calibration error of binary probabilities, as `metrics.ece` defines it."""
        confidence, right = np.maximum(p, 1 - p), (p >= 0.5) == (truth == 1)
        bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
        gaps = np.bincount(
            self.place * bins + bin_of, weights=right - confidence, minlength=self.days * bins
        ).reshape(self.days, bins)
        rows = self.daily(np.ones(len(p)))
        value = np.abs(gaps.sum(axis=0)).sum() / rows.sum()
        drawn = np.abs(self.counts @ gaps).sum(axis=1) / (self.counts @ rows)
        return Drawn(float(value), drawn)
