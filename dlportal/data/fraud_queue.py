"""The alert queue: payments in the order in which somebody should look at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dlportal.data.fraud_costs import Costs, measure_costs

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 300
"""Payments that the queue keeps; nobody reads further."""


@dataclass(frozen=True)
class Day:
    """Payments with their features.

    Attributes:
        table: One row a payment, in the Handbook's columns.
        rows: Features, shape (payments, columns).
        labelled: Whether the table says which were frauds.
        sorted_here: Whether they had to be put in order of time.
    """

    table: pd.DataFrame
    rows: np.ndarray
    labelled: bool
    sorted_here: bool = False


@dataclass(frozen=True)
class Queue:
    """The most suspicious payments, and what a threshold would do with all of them.

    Attributes:
        table: At most `SHOWN` rows, the most suspicious first.
        rows: Their features, shape (shown, columns), float64.
        p: Their probabilities of fraud, shape (shown,), falling.
        scores: Probabilities of all payments, ascending, shape (payments,).
        hits: For each place in `scores`: frauds from there on, shape (payments + 1,).
        costs: Money a day at each threshold.
        labelled: Whether it is known which were frauds; without, `hits` are zeros.
        sorted_here: Whether the file's rows had to be put in order.
    """

    table: pd.DataFrame
    rows: np.ndarray
    p: np.ndarray
    scores: np.ndarray
    hits: np.ndarray
    costs: Costs
    labelled: bool
    sorted_here: bool

    @property
    def payments(self) -> int:
        return len(self.scores)

    @property
    def frauds(self) -> int:
        return int(self.hits[0])

    def alerts(self, threshold: float) -> tuple[int, int]:
        """Payments at or above a threshold, and how many of them are frauds."""
        place = int(np.searchsorted(self.scores, threshold, side="left"))
        return self.payments - place, int(self.hits[place])


def make_queue(day: Day, p: np.ndarray) -> Queue:
    """Order payments by their probabilities of fraud `p`, shape (payments,)."""
    fraud = day.table["TX_FRAUD"].to_numpy()
    days = max(1, day.table["TX_DATETIME"].dt.normalize().nunique())
    order = np.argsort(p, kind="stable")
    top = order[::-1][:SHOWN]
    later = np.cumsum(fraud[order][::-1].astype(np.int64))[::-1]
    return Queue(
        table=day.table.iloc[top].reset_index(drop=True),
        rows=day.rows[top].astype(np.float64),
        p=p[top],
        scores=p[order],
        hits=np.append(later, 0),
        costs=measure_costs(fraud, day.table["TX_AMOUNT"].to_numpy(), p, days),
        labelled=day.labelled,
        sorted_here=day.sorted_here,
    )
