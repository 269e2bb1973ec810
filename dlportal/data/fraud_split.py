"""Which days a fraud detector learns from, is tuned on, and is measured on.

Time only runs forward, and a fraud is known a week later: between any two parts lie seven days
that neither uses. All numbers are days of the simulated half year, counted from 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dlportal.data.fraud_features import compute_features
from dlportal.data.fraud_simulator import World, simulate

DELAY_DAYS = 7

WORLD_SEED = 20
"""Seed of the simulated half year that the card's numbers come from."""

# The first 37 days only fill the windows (30 days) and the delay (7 days).
DAYS = {"train": range(37, 115), "validation": range(122, 143), "test": range(150, 183)}
QUICK_DAYS = range(94, 115)
"""The last three weeks of the training days, for a training of about a minute."""

HANDBOOK_SEED = 21
"""Seed of a second half year, for the comparison with the Handbook's figures."""
HANDBOOK_WEEKS = (108, 115, 122, 129)
"""First days of four training weeks. Day 115 is 25 July 2018, the Handbook's example."""


def rows_of(day: np.ndarray, days: range) -> np.ndarray:
    """Indices of the payments on some days."""
    return np.flatnonzero((day >= days.start) & (day < days.stop))


@dataclass(frozen=True)
class Fold:
    """Rows of a training week and of the test week a fortnight later."""

    train: np.ndarray
    test: np.ndarray


def handbook_folds(
    day: np.ndarray, customer: np.ndarray, fraud: np.ndarray, weeks: tuple[int, ...]
) -> Iterator[Fold]:
    """Split by the Handbook's protocol: 7 days to train, 7 of delay, 7 to test.

    Cards already known as compromised on a test day are left out of it, since a bank would have
    blocked them. That removes the easiest frauds.

    Args:
        day: Day of each payment, shape (payments,).
        customer: Who paid, same shape.
        fraud: Whether it was a fraud, same shape.
        weeks: First days of the training weeks.
    """
    for start in weeks:
        train = rows_of(day, range(start, start + 7))
        tests = []
        for today in range(start + 14, start + 21):
            reported = rows_of(day, range(start, today - DELAY_DAYS))
            blocked = np.unique(customer[reported[fraud[reported] == 1]])
            rows = rows_of(day, range(today, today + 1))
            tests.append(rows[~np.isin(customer[rows], blocked)])
        yield Fold(train, np.concatenate(tests))


@dataclass(frozen=True)
class HalfYear:
    """A simulated half year with its features; all arrays have one row a payment.

    Attributes:
        x: Shape (payments, columns), float32, in the units of `fraud_features.COLUMNS`.
        fraud: 0 or 1.
        scenario: 0 honest, 1 to 3 the kind of fraud.
        day: From 0.
        customer: Ids.
        amount: Simulated money.
    """

    x: np.ndarray
    fraud: np.ndarray
    scenario: np.ndarray
    day: np.ndarray
    customer: np.ndarray
    amount: np.ndarray


def half_year(seed: int) -> HalfYear:
    """Simulate the Handbook's 183 days and compute all features; takes some ten seconds."""
    table = simulate(World(), seed)
    return HalfYear(
        x=compute_features(table),
        fraud=table["TX_FRAUD"].to_numpy().astype(np.int64),
        scenario=table["TX_FRAUD_SCENARIO"].to_numpy(),
        day=table["TX_TIME_DAYS"].to_numpy(),
        customer=table["CUSTOMER_ID"].to_numpy(),
        amount=table["TX_AMOUNT"].to_numpy(),
    )
