"""A simulator of card payments with three kinds of fraud, and nothing real in it.

The design is that of the Fraud Detection Handbook (Le Borgne, Siblini, Lebichot, Bontempi 2022,
"Reproducible Machine Learning for Credit Card Fraud Detection", chapter 3,
https://fraud-detection-handbook.github.io/fraud-detection-handbook/). The code is our own: every
step works on whole columns, so the Handbook's 1.75 million payments take seconds, not minutes.

Customers and terminals lie at random in a square. A customer pays only at terminals closer than
`radius`, at amounts around a mean of his own, a number of times a day of his own. Then:

1. every payment above 220 is a fraud (a detector should find these at once);
2. each day two terminals are compromised, and for 28 days all their payments are frauds;
3. each day three customers lose their card data, and for 14 days a third of their payments is
   multiplied by five and a fraud.

All amounts, places and people are simulated: a score on them says how a detector copes with these
three scenarios and this delay, not how it would do at a bank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "TRANSACTION_ID",
    "TX_DATETIME",
    "CUSTOMER_ID",
    "TERMINAL_ID",
    "TX_AMOUNT",
    "TX_TIME_SECONDS",
    "TX_TIME_DAYS",
    "TX_FRAUD",
    "TX_FRAUD_SCENARIO",
)

FIRST_DAY = "2018-04-01"
"""The Handbook's day 0, a Sunday."""

DAY = 86_400
"""Seconds in a day."""

ALWAYS_FRAUD_ABOVE = 220.0
TERMINAL_DAYS = 28
CUSTOMER_DAYS = 14
CUSTOMER_SHARE = 3
"""One payment in this many of a compromised customer is a fraud."""
CUSTOMER_FACTOR = 5.0


@dataclass(frozen=True)
class World:
    """How large a world to simulate; the defaults are the Handbook's.

    Attributes:
        customers: Number of people who pay.
        terminals: Number of places where they pay.
        days: Number of days, the first is `FIRST_DAY`.
        radius: How far a customer goes, in a square of 100 by 100.
        terminals_a_day: Terminals newly compromised each day; a fraction means not every day.
        customers_a_day: Customers newly compromised each day.
    """

    customers: int = 5_000
    terminals: int = 10_000
    days: int = 183
    radius: float = 5.0
    terminals_a_day: float = 2.0
    customers_a_day: float = 3.0

    def __post_init__(self) -> None:
        """Refuse sizes that make no world.

        Raises:
            ValueError: A size is not positive, or more are compromised than there are.
        """
        if min(self.customers, self.terminals, self.days) < 1 or self.radius <= 0:
            raise ValueError("customers, terminals, days and radius must be positive")
        for rate, many in (
            (self.terminals_a_day, self.terminals),
            (self.customers_a_day, self.customers),
        ):
            if not 0 <= rate <= many:
                raise ValueError(f"cannot compromise {rate} of {many} a day")

    def smaller(self, factor: float, days: int) -> World:
        """Shrink the world but keep its statistics: reach, payments a terminal, fraud rate."""
        return World(
            customers=max(1, round(self.customers / factor)),
            terminals=max(1, round(self.terminals / factor)),
            days=days,
            radius=self.radius * factor**0.5,
            terminals_a_day=self.terminals_a_day / factor,
            customers_a_day=self.customers_a_day / factor,
        )


def simulate(world: World, seed: int) -> pd.DataFrame:
    """Simulate all payments of a world.

    Args:
        world: Its size.
        seed: The same world and seed give the same table, to the last bit, with one version of
            NumPy.

    Returns:
        One row a payment, ordered by time, with the columns `COLUMNS`. Amounts have no currency;
        TX_TIME_SECONDS and TX_TIME_DAYS count from midnight of `FIRST_DAY`; TX_FRAUD is 0 or 1;
        TX_FRAUD_SCENARIO is 0 for honest payments, else 1, 2 or 3.
    """
    import pandas as pd

    people, payments, frauds = (np.random.default_rng(s) for s in _streams(seed))
    seconds, customer, terminal, amount = _payments(world, people, payments)
    order = np.argsort(seconds, kind="stable")
    seconds, customer, terminal = seconds[order], customer[order], terminal[order]
    amount, scenario = _add_frauds(world, frauds, seconds, customer, terminal, amount[order])
    return pd.DataFrame(
        {
            "TRANSACTION_ID": np.arange(len(seconds), dtype=np.int32),
            "TX_DATETIME": np.datetime64(FIRST_DAY, "s") + seconds.astype("timedelta64[s]"),
            "CUSTOMER_ID": customer,
            "TERMINAL_ID": terminal,
            "TX_AMOUNT": amount,
            "TX_TIME_SECONDS": seconds,
            "TX_TIME_DAYS": (seconds // DAY).astype(np.int32),
            "TX_FRAUD": (scenario > 0).astype(np.int8),
            "TX_FRAUD_SCENARIO": scenario,
        }
    )


def _streams(seed: int) -> list[np.random.SeedSequence]:
    """Independent random streams for the people, the payments and the frauds."""
    return np.random.SeedSequence(seed).spawn(3)


def _payments(
    world: World, people: np.random.Generator, payments: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw honest payments, customer by customer.

    Returns:
        Seconds since the start (int64), customer (int32), terminal (int32) and amount (float64),
        each of shape (payments,).
    """
    home = people.uniform(0, 100, (world.customers, 2))
    usual = people.uniform(5, 100, world.customers)
    rate = people.uniform(0, 4, world.customers)
    places = people.uniform(0, 100, (world.terminals, 2))
    near, first, reach = _terminals_near(home, places, world.radius)

    counts = payments.poisson(rate[:, None], (world.customers, world.days))
    customer = np.repeat(np.arange(world.customers, dtype=np.int32), counts.sum(axis=1))
    day = np.repeat(np.tile(np.arange(world.days), world.customers), counts.ravel())
    # Around noon; what falls outside its day, and who has no terminal in reach, does not pay.
    moment = payments.normal(DAY / 2, 20_000, len(day)).astype(np.int64)
    happens = (moment > 0) & (moment < DAY) & (reach[customer] > 0)
    customer, day, moment = customer[happens], day[happens], moment[happens]

    mean = usual[customer]
    amount = payments.normal(mean, mean / 2)
    amount = np.where(amount < 0, payments.uniform(0, 2 * mean), amount).round(2)
    pick = (payments.random(len(customer)) * reach[customer]).astype(np.int64)
    return day * DAY + moment, customer, near[first[customer] + pick], amount


def _terminals_near(
    home: np.ndarray, places: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find each customer's terminals.

    Args:
        home: Shape (customers, 2).
        places: Shape (terminals, 2).
        radius: Largest distance, exclusive.

    Returns:
        All neighbours in one array (int32), where each customer's begin in it, and how many
        there are, both of shape (customers,).
    """
    rows, columns = [], []
    for start in range(0, len(home), 500):  # 500 customers at a time bound the memory
        gap = home[start : start + 500, None, :] - places[None, :, :]
        row, column = np.nonzero((gap**2).sum(axis=2) < radius**2)
        rows.append(row + start)
        columns.append(column)
    reach = np.bincount(np.concatenate(rows), minlength=len(home))
    first = np.concatenate(([0], np.cumsum(reach)[:-1]))
    return np.concatenate(columns).astype(np.int32), first, reach


def _add_frauds(
    world: World,
    rng: np.random.Generator,
    seconds: np.ndarray,
    customer: np.ndarray,
    terminal: np.ndarray,
    amount: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Turn some honest payments into frauds; a later scenario overwrites an earlier one.

    Returns:
        The amounts after the frauds (float64) and the scenario of each payment (int8, 0 to 3).
    """
    day = seconds // DAY
    amount = amount.copy()
    scenario = np.zeros(len(amount), np.int8)
    scenario[amount > ALWAYS_FRAUD_ABOVE] = 1

    bad = np.zeros((world.terminals, world.days), bool)
    for start, chosen in _draws(rng, world.days, world.terminals_a_day, world.terminals):
        bad[chosen, start : start + TERMINAL_DAYS] = True
    scenario[bad[terminal, day]] = 2

    # Sorted by customer, the payments of a compromised fortnight are one slice each.
    by_customer = np.lexsort((seconds, customer))
    key = customer[by_customer].astype(np.int64) * (world.days + CUSTOMER_DAYS) + day[by_customer]
    for start, chosen in _draws(rng, world.days, world.customers_a_day, world.customers):
        base = chosen.astype(np.int64) * (world.days + CUSTOMER_DAYS) + start
        low, high = np.searchsorted(key, base), np.searchsorted(key, base + CUSTOMER_DAYS)
        pool = np.concatenate([by_customer[a:b] for a, b in zip(low, high, strict=True)])
        hit = rng.choice(pool, len(pool) // CUSTOMER_SHARE, replace=False)
        amount[hit] *= CUSTOMER_FACTOR
        scenario[hit] = 3
    return amount.round(2), scenario


def _draws(
    rng: np.random.Generator, days: int, rate: float, population: int
) -> list[tuple[int, np.ndarray]]:
    """Draw who is compromised on which day, `rate` a day on average, spread evenly."""
    if rate == 0:
        return []
    due = np.floor(np.arange(1, days + 1) * rate + 1e-9).astype(int)
    new = np.diff(due, prepend=0)
    return [
        (day, rng.choice(population, many, replace=False)) for day, many in enumerate(new) if many
    ]
