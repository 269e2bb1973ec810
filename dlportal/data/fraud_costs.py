"""What a detector is worth: money missed, alerts to check, and the best place for the threshold.

Every fraud that is let through costs its amount; every alert costs somebody's time. Both are
simulated money.
"""

from dataclasses import dataclass

import numpy as np

CHECK_COST = 5.0
"""What checking one alert costs, in the same money as the amounts, unless somebody says more."""

THRESHOLDS = 1 / (1 + np.exp(-np.linspace(-7, 6, 131)))
"""Probabilities at which costs are measured, dense near 0 and 1."""


@dataclass(frozen=True)
class Costs:
    """What happens a day at each threshold.

    Attributes:
        threshold: Probabilities from which a payment is an alert, ascending, shape (T,).
        missed: Money of frauds that are let through, a day, shape (T,).
        alerts: Alerts a day, shape (T,).
        stolen: Money of all frauds, a day.
    """

    threshold: np.ndarray
    missed: np.ndarray
    alerts: np.ndarray
    stolen: float

    def total(self, check: float) -> np.ndarray:
        """Cost a day at each threshold, where one check costs `check`, shape (T,)."""
        return self.missed + check * self.alerts

    def best(self, check: float) -> float:
        """The threshold with the lowest cost."""
        return float(self.threshold[int(np.argmin(self.total(check)))])

    def saved(self, threshold: float, check: float) -> float:
        """Share of the stolen money that is left after the checks are paid; below 0 if they
        cost more than they bring."""
        place = int(np.argmin(np.abs(self.threshold - threshold)))
        return float(1 - self.total(check)[place] / self.stolen)

    def to_json(self) -> dict[str, list[float] | float]:
        return {
            "threshold": self.threshold.tolist(),
            "missed": self.missed.tolist(),
            "alerts": self.alerts.tolist(),
            "stolen": self.stolen,
        }

    @classmethod
    def from_json(cls, stored: dict) -> "Costs":
        threshold, missed, alerts = (
            np.asarray(stored[name]) for name in ("threshold", "missed", "alerts")
        )
        return cls(threshold, missed, alerts, float(stored["stolen"]))


def measure_costs(
    fraud: np.ndarray, amount: np.ndarray, probability: np.ndarray, days: int
) -> Costs:
    """Measure costs at `THRESHOLDS`.

    Args:
        fraud: 0 or 1, shape (payments,).
        amount: Money, shape (payments,).
        probability: Of fraud, in [0, 1], shape (payments,).
        days: Days over which the payments spread.
    """
    stolen = np.where(fraud == 1, amount, 0.0)
    order = np.argsort(probability)
    below = np.searchsorted(probability[order], THRESHOLDS, side="left")
    missed = np.concatenate(([0.0], np.cumsum(stolen[order])))[below]
    return Costs(THRESHOLDS, missed / days, (len(order) - below) / days, float(stolen.sum()) / days)


def precision_at(k: int, fraud: np.ndarray, score: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Share of frauds among the k highest scores of each day, shape (days,)."""
    order = np.lexsort((-score, day))
    first = np.flatnonzero(np.diff(day[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    top = rank < k
    place = np.cumsum(np.diff(day[order], prepend=-1) != 0) - 1
    return np.bincount(place[top], fraud[order][top]) / np.bincount(place[top])
