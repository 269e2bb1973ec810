"""A day as it streams in: alerts wait in a queue, and somebody checks the most suspicious first."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Replay:
    """What became of a day's alerts; arrays (alerts,), in the order in which they came.

    Attributes:
        came: Hour of the day, 0 to 24.
        p: Probability of fraud.
        fraud: 0 or 1.
        checked: Hour in which somebody looked, inf where nobody did that day.
    """

    came: np.ndarray
    p: np.ndarray
    fraud: np.ndarray
    checked: np.ndarray

    def waiting(self, hour: float) -> int:
        """Alerts in the queue at an hour."""
        return int(((self.came <= hour) & (self.checked > hour)).sum())

    def found(self, hour: float) -> tuple[int, int]:
        """Checks done by an hour, and frauds among them."""
        done = self.checked <= hour
        return int(done.sum()), int(self.fraud[done].sum())


def replay_day(
    hour: np.ndarray, p: np.ndarray, fraud: np.ndarray, threshold: float, budget: int
) -> Replay:
    """Check alerts of one day as they come.

    Args:
        hour: Hour of each payment, shape (payments,), in [0, 24].
        p: Probabilities of fraud, same shape.
        fraud: 0 or 1, same shape.
        threshold: A payment from here on is an alert.
        budget: Checks a day, spread evenly; each takes the most suspicious alert that waits, and
            a turn at which none waits is lost.
    """
    rows = np.flatnonzero(p >= threshold)
    rows = rows[np.argsort(hour[rows], kind="stable")]
    came, checked = hour[rows], np.full(len(rows), np.inf)
    queue: list[tuple[float, int]] = []
    arrived = 0
    for turn in (np.arange(budget) + 1) * 24 / max(budget, 1):
        while arrived < len(rows) and came[arrived] <= turn:
            heapq.heappush(queue, (-float(p[rows[arrived]]), arrived))
            arrived += 1
        if queue:
            checked[heapq.heappop(queue)[1]] = turn
    return Replay(came, p[rows], fraud[rows], checked)
