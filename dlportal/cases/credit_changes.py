"""What would have changed the decision: the nearest row that a customer could have brought about.

Standing at the end of September, before October shows who pays: April to August are past, and
sex, age, education and marriage are nobody's to change (nor does the network see them); the limit
is the bank's. Left are the delay now running, the payment of this month and what is still spent.
Paying more lowers the statement by as much; settling a delay means paying something, at least.

Paper: Wachter, Mittelstadt, Russell 2018, https://arxiv.org/abs/1711.00399
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dlportal.data.uci_credit import COLUMNS

STATUS, BILL, PAID = (COLUMNS.index(f"{kind}_sep") for kind in ("status", "bill", "paid"))
LAST_BILL = COLUMNS.index("bill_aug")
CHANGEABLE = (STATUS, BILL, PAID)
MINIMUM = 0.1
"""Share of what is owed that settling one month of delay takes, at least. The data do not say what
was overdue; a tenth is the usual size of a card's minimum payment."""
STEPS = 40
"""Steps between paying or saving nothing and the most there is to pay or save."""


@dataclass(frozen=True)
class Change:
    """A way to a lower risk.

    Attributes:
        row: The changed row, shape (19,).
        months: Months of delay that are settled.
        pay: Paid in addition this month.
        save: Spent less this month.
        effort: What is minimised: money over the limit, plus a tenth for each settled month.
        before: Probability of default as it was.
        after: Probability with the change.
    """

    row: np.ndarray
    months: int
    pay: float
    save: float
    effort: float
    before: float
    after: float


def possible_rows(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All rows that the customer could have brought about, on a grid.

    Args:
        raw: Shape (19,).

    Returns:
        Rows (N, 19), the first as it was, and for each months settled, paid and saved, (N, 3).
    """
    late = int(max(raw[STATUS], 0))
    owed = max(raw[LAST_BILL] - raw[PAID], 0.0)  # of August's statement, still unpaid
    bought = max(raw[BILL] - owed, 0.0)  # in September
    steps = np.linspace(0, 1, STEPS + 1)
    moves = np.stack(
        np.meshgrid(np.arange(late + 1), owed * steps, bought * steps, indexing="ij"), axis=-1
    ).reshape(-1, 3)
    moves = moves[moves[:, 1] >= MINIMUM * owed * moves[:, 0] - 1e-9]
    moves = np.unique(moves, axis=0)
    rows = np.repeat(raw[None], len(moves), axis=0)
    rows[:, STATUS] -= moves[:, 0]
    rows[:, PAID] += moves[:, 1]
    rows[:, BILL] -= moves[:, 1] + moves[:, 2]
    return rows, moves


def nearest_change(
    raw: np.ndarray, threshold: float, score: Callable[[np.ndarray], np.ndarray]
) -> Change | None:
    """The least effort that brings the probability below a threshold.

    Args:
        raw: Shape (19,).
        threshold: Probability from which credit is refused.
        score: Maps rows (N, 19) to probabilities of default (N,).

    Returns:
        None where nothing the customer can still do would be enough. A customer who is below
        already gets a change of nothing.
    """
    rows, moves = possible_rows(raw)
    p = score(rows)
    effort = moves[:, 1:].sum(axis=1) / max(raw[0], 1.0) + 0.1 * moves[:, 0]
    enough = np.flatnonzero(p < threshold)
    if len(enough) == 0:
        return None
    best = int(enough[np.argmin(effort[enough])])
    months, pay, save = moves[best].tolist()
    return Change(
        rows[best], int(months), pay, save, float(effort[best]), float(p[0]), float(p[best])
    )


def lowest_reach(raw: np.ndarray, score: Callable[[np.ndarray], np.ndarray]) -> float:
    """The lowest probability that anything the customer can still do would give."""
    return float(score(possible_rows(raw)[0]).min())
