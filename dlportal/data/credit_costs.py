"""Where to refuse: counts of good and bad payers at each threshold, and what they cost."""

from dataclasses import dataclass
from typing import Any

import numpy as np

THRESHOLDS = np.linspace(0, 1, 101)
LOSS = 5
"""What one default costs, in refusals of somebody who would have paid, unless somebody says more."""


@dataclass(frozen=True)
class Counts:
    """Customers at or above each of `THRESHOLDS`.

    Attributes:
        good: Those who then paid, shape (101,), falling; the first is all of them.
        bad: Those who then defaulted, same shape.
    """

    good: np.ndarray
    bad: np.ndarray

    @classmethod
    def of(cls, default: np.ndarray, p: np.ndarray) -> "Counts":
        """Count outcomes (N,) by stated probabilities (N,)."""
        good, bad = (
            len(part) - np.searchsorted(np.sort(part), THRESHOLDS, side="left")
            for part in (p[default == 0], p[default == 1])
        )
        return cls(good, bad)

    @classmethod
    def from_json(cls, stored: dict[str, list[int]]) -> "Counts":
        return cls(np.asarray(stored["good"]), np.asarray(stored["bad"]))

    def to_json(self) -> dict[str, Any]:
        return {"good": self.good.tolist(), "bad": self.bad.tolist()}

    def at(self, threshold: float) -> tuple[int, int]:
        """Good and bad payers refused at a threshold, to the nearest hundredth."""
        place = round(100 * threshold)
        return int(self.good[place]), int(self.bad[place])

    @property
    def people(self) -> int:
        return int(self.good[0] + self.bad[0])

    def cost(self, loss: float) -> np.ndarray:
        """Cost of 100 customers at each threshold, in refused good payers, shape (101,)."""
        missed = self.bad[0] - self.bad
        return 100 * (loss * missed + self.good) / self.people

    def best(self, loss: float) -> float:
        """The cheapest threshold."""
        return float(THRESHOLDS[int(np.argmin(self.cost(loss)))])
