"""What a detector may know about a payment at the moment it happens.

Two rules keep the future out. A column about a customer looks only at payments up to this one.
A column about frauds looks only at payments at least `DELAY` old, because it takes a week until a
fraud is reported. A test changes everything later and checks that nothing moves.

The first fifteen columns are the Fraud Detection Handbook's (Le Borgne et al. 2022, chapter 3,
https://fraud-detection-handbook.github.io/fraud-detection-handbook/): windows of 1, 7 and 30 days
over the customer's payments and over the terminal's known frauds. Ours add what these windows
blur: how far an amount is from this customer's usual one, since when the card behaves oddly, and
since when the terminal's known payments have been frauds without a break.

Whoever wrote these columns knew what kinds of fraud there are; a bank has to find that out first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dlportal.messages import N_

if TYPE_CHECKING:
    import pandas as pd

DAY = 86_400
DELAY = 7 * DAY
"""Seconds until it is known whether a payment was a fraud (the Handbook's 7 days)."""
WINDOWS = (1, 7, 30)
"""Days of the Handbook's windows."""
UNUSUAL = 2.5
"""A payment above this many times the customer's usual amount stands out."""
ORDINARY = 2.0
"""A fraud below this many times the usual amount points at the terminal, not at the card."""
CARD_DAYS = 14
"""How far back odd payments of a card are counted."""
NEVER = 60.0
"""Days that stand for "never" or "longer ago"."""


@dataclass(frozen=True)
class Column:
    """One number a detector sees.

    Attributes:
        id: Its name in code and files.
        name: Its name for visitors, marked with `N_`.
        unit: "money", "times", "count", "days", "share" or "flag".
        log: Whether it is better read as a logarithm: small values differ more than large ones.
        handbook: Whether it is one of the Handbook's.
    """

    id: str
    name: str
    unit: str
    log: bool = False
    handbook: bool = False


COLUMNS: tuple[Column, ...] = (
    Column("amount", N_("Amount"), "money", True, True),
    Column("weekend", N_("On a weekend"), "flag", False, True),
    Column("night", N_("At night, before 7 h"), "flag", False, True),
    Column("customer_count_1d", N_("Customer: payments in 1 day"), "count", True, True),
    Column("customer_mean_1d", N_("Customer: mean amount in 1 day"), "money", True, True),
    Column("customer_count_7d", N_("Customer: payments in 7 days"), "count", True, True),
    Column("customer_mean_7d", N_("Customer: mean amount in 7 days"), "money", True, True),
    Column("customer_count_30d", N_("Customer: payments in 30 days"), "count", True, True),
    Column("customer_mean_30d", N_("Customer: mean amount in 30 days"), "money", True, True),
    Column("terminal_count_1d", N_("Terminal: known payments in 1 day"), "count", True, True),
    Column("terminal_risk_1d", N_("Terminal: share of frauds in 1 day"), "share", False, True),
    Column("terminal_count_7d", N_("Terminal: known payments in 7 days"), "count", True, True),
    Column("terminal_risk_7d", N_("Terminal: share of frauds in 7 days"), "share", False, True),
    Column("terminal_count_30d", N_("Terminal: known payments in 30 days"), "count", True, True),
    Column("terminal_risk_30d", N_("Terminal: share of frauds in 30 days"), "share", False, True),
    Column("amount_ratio", N_("Amount over the usual one"), "times", True),
    Column("customer_usual", N_("Customer: usual amount"), "money", True),
    Column("customer_history", N_("Customer: payments before"), "count", True),
    Column("card_odd_1d", N_("Card: odd amounts in 1 day"), "count", True),
    Column("card_odd_7d", N_("Card: odd amounts in 7 days"), "count", True),
    Column("card_odd_14d", N_("Card: odd amounts in 14 days"), "count", True),
    Column("card_odd_first", N_("Card: days since it got odd"), "days", True),
    Column("card_odd_last", N_("Card: days since the last odd one"), "days", True),
    Column("card_excess", N_("Card: excess over the usual"), "times", True),
    Column("card_known", N_("Card: known odd frauds"), "count", True),
    Column("card_known_first", N_("Card: days since the first of them"), "days", True),
    Column("terminal_run", N_("Terminal: known frauds in a row"), "count", True),
    Column("terminal_run_days", N_("Terminal: days since the row began"), "days", True),
    Column("terminal_run_gap", N_("Terminal: days from honest to fraud"), "days", True),
    Column("terminal_honest", N_("Terminal: days since known honest"), "days", True),
    Column("terminal_fraud", N_("Terminal: days since known fraud"), "days", True),
    Column("terminal_frauds", N_("Terminal: known frauds in 28 days"), "count", True),
)
NAMES: tuple[str, ...] = tuple(column.id for column in COLUMNS)
HANDBOOK: tuple[int, ...] = tuple(i for i, column in enumerate(COLUMNS) if column.handbook)


class Timeline:
    """Payments grouped by one kind of party and ordered by time within each.

    It answers "how many of this party's payments were there by then" for all payments at once:
    party and second make one sorted number, and a binary search finds the place. Places are
    positions in this order; `start` is where a payment's party begins.
    """

    def __init__(self, party: np.ndarray, seconds: np.ndarray, longest: int) -> None:
        """Sort the payments.

        Args:
            party: Who (customer or terminal), shape (payments,), any sortable type.
            seconds: When, int64, shape (payments,), ascending.
            longest: The longest look back, in seconds.
        """
        code = np.unique(party, return_inverse=True)[1].astype(np.int64)
        self.order = np.argsort(code, kind="stable")  # stable: time order within a party
        self.code = code[self.order]
        self.seconds = seconds[self.order]
        # Parties lie so far apart that no look back reaches the party before.
        span = int(seconds[-1] - seconds[0]) + longest + 1
        self.key = self.code * span + (self.seconds - seconds[0])
        self.here = np.arange(len(seconds))

    @cached_property
    def start(self) -> np.ndarray:
        """Where each payment's party begins, shape (payments,)."""
        return np.searchsorted(self.code, self.code, side="left")

    def by(self, ago: int) -> np.ndarray:
        """Place after the party's last payment at least `ago` seconds old, shape (payments,)."""
        return np.searchsorted(self.key, self.key - ago, side="right")

    def sort(self, values: np.ndarray) -> np.ndarray:
        """Bring values of the payments into this order."""
        return values[self.order]

    def restore(self, values: np.ndarray) -> np.ndarray:
        """Bring values of this order back into the payments' own, as float32."""
        back = np.empty(len(values), np.float32)
        back[self.order] = values
        return back


def sums(values: np.ndarray) -> np.ndarray:
    """Running sums with a leading 0: the sum over places a to b is `s[b] - s[a]`."""
    return np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))


def last(flags: np.ndarray) -> np.ndarray:
    """For each place from 0 to n: the last flagged place before it, or -1."""
    places = np.where(flags, np.arange(len(flags)), -1)
    return np.concatenate(([-1], np.maximum.accumulate(places)))


def following(flags: np.ndarray) -> np.ndarray:
    """For each place from 0 to n: the first flagged place at or after it, or n."""
    n = len(flags)
    places = np.where(flags, np.arange(n), n)
    return np.concatenate((np.minimum.accumulate(places[::-1])[::-1], [n]))


def compute_features(payments: pd.DataFrame) -> np.ndarray:
    """Compute all columns for all payments.

    Args:
        payments: Ordered by TX_DATETIME, with CUSTOMER_ID, TERMINAL_ID, TX_AMOUNT and TX_FRAUD
            (0 or 1; 0 where nobody has reported anything).

    Returns:
        Shape (payments, columns), float32, in the units of `COLUMNS`.

    Raises:
        ValueError: The payments are not ordered by time.
    """
    seconds = payments["TX_DATETIME"].to_numpy().astype("datetime64[s]").astype(np.int64)
    if len(seconds) == 0:
        return np.empty((0, len(COLUMNS)), np.float32)
    if np.any(np.diff(seconds) < 0):
        raise ValueError("payments must be ordered by TX_DATETIME")
    amount = payments["TX_AMOUNT"].to_numpy(np.float64)
    fraud = payments["TX_FRAUD"].to_numpy() == 1
    found = {
        "amount": amount,
        "weekend": (seconds // DAY + 3) % 7 >= 5,  # day 0 of the epoch was a Thursday
        "night": seconds % DAY // 3600 <= 6,
    }
    longest = DELAY + max(WINDOWS) * DAY
    customers = Timeline(payments["CUSTOMER_ID"].to_numpy(), seconds, longest)
    ratio = _customer_columns(found, customers, amount)
    _card_columns(found, customers, ratio, fraud)
    terminals = Timeline(payments["TERMINAL_ID"].to_numpy(), seconds, longest)
    _risk_columns(found, terminals, fraud)
    _run_columns(found, terminals, fraud, ratio)
    return np.stack([found[name] for name in NAMES], axis=1, dtype=np.float32, casting="unsafe")


def _customer_columns(
    found: dict[str, np.ndarray], line: Timeline, amount: np.ndarray
) -> np.ndarray:
    """The customer's windows (they include this payment) and usual amount (it does not).

    Returns:
        Amount over the usual amount, shape (payments,), in the payments' order.
    """
    spent, here = sums(line.sort(amount)), line.here
    for days in WINDOWS:
        since = line.by(days * DAY)
        count = here + 1 - since
        found[f"customer_count_{days}d"] = line.restore(count)
        found[f"customer_mean_{days}d"] = line.restore((spent[here + 1] - spent[since]) / count)
    usual = _usual_amount(line, amount)
    ratio = line.sort(amount) / np.maximum(usual, 0.5)
    found["customer_usual"] = line.restore(usual)
    found["customer_history"] = line.restore(here - line.start)
    found["amount_ratio"] = line.restore(ratio)
    return found["amount_ratio"]


def _usual_amount(line: Timeline, amount: np.ndarray) -> np.ndarray:
    """Mean of a customer's earlier payments, each cut at `UNUSUAL` times the mean before it.

    Cutting keeps frauds from becoming usual. One payment's weight is given to the mean of
    everybody's earlier payments, which is all there is to say about a new customer.

    Returns:
        Shape (payments,), in the timeline's order.
    """
    n = len(amount)
    everybody = line.sort(
        np.where(np.arange(n) > 0, sums(amount)[:-1] / np.maximum(np.arange(n), 1), amount)
    )
    count, own = line.here - line.start, line.sort(amount)
    cut = own
    for _ in range(3):
        total = sums(cut)
        usual = (total[line.here] - total[line.start] + everybody) / (count + 1)
        cut = np.minimum(own, UNUSUAL * usual)
    return usual


def _card_columns(
    found: dict[str, np.ndarray], line: Timeline, ratio: np.ndarray, fraud: np.ndarray
) -> None:
    """Since when and how much the card's earlier payments have been odd."""
    here, seconds = line.here, line.seconds
    times = line.sort(ratio)
    odd = times > UNUSUAL
    seen = sums(odd)
    for days in (1, 7, CARD_DAYS):
        found[f"card_odd_{days}d"] = line.restore(seen[here] - seen[line.by(days * DAY)])
    since = line.by(CARD_DAYS * DAY)

    def age(place: np.ndarray, valid: np.ndarray) -> np.ndarray:
        there = seconds[np.clip(place, 0, len(seconds) - 1)]
        return line.restore(np.where(valid, np.minimum((seconds - there) / DAY, NEVER), NEVER))

    first = following(odd)[since]
    found["card_odd_first"] = age(first, first < here)
    latest = last(odd)[here]
    found["card_odd_last"] = age(latest, latest >= line.start)
    excess = sums(np.clip(times - ORDINARY, 0, 5))
    found["card_excess"] = line.restore(excess[here] - excess[since])

    # Frauds of 7 to 14 days ago whose amounts point at the card.
    reported = line.sort(fraud) & (times > ORDINARY)
    known, total = line.by(DELAY), sums(reported)
    found["card_known"] = line.restore(total[known] - total[since])
    first = following(reported)[since]
    found["card_known_first"] = age(first, first < known)


def _risk_columns(found: dict[str, np.ndarray], line: Timeline, fraud: np.ndarray) -> None:
    """The Handbook's terminal windows, which end `DELAY` before the payment."""
    total, known = sums(line.sort(fraud)), line.by(DELAY)
    for days in WINDOWS:
        since = line.by(DELAY + days * DAY)
        count = known - since
        found[f"terminal_count_{days}d"] = line.restore(count)
        risk = (total[known] - total[since]) / np.maximum(count, 1)
        found[f"terminal_risk_{days}d"] = line.restore(risk)


def _run_columns(
    found: dict[str, np.ndarray], line: Timeline, fraud: np.ndarray, ratio: np.ndarray
) -> None:
    """The terminal's current row of known frauds: how many, since when, how sharp its start.

    Frauds with odd amounts are skipped: they speak about the card.
    """
    seconds, known, reported = line.seconds, line.by(DELAY), line.sort(fraud)
    telling = reported & (line.sort(ratio) < ORDINARY)
    honest, bad = last(~reported)[known], last(telling)[known]
    was_honest, was_bad = honest >= line.start, bad >= line.start
    begin = following(telling)[np.where(was_honest, honest + 1, line.start)]
    running = begin < known
    begin = np.minimum(begin, len(seconds) - 1)

    def days(gap: np.ndarray, valid: np.ndarray, otherwise: float) -> np.ndarray:
        return line.restore(np.where(valid, np.minimum(gap / DAY, NEVER), otherwise))

    total = sums(telling)
    found["terminal_run"] = line.restore(np.where(running, total[known] - total[begin], 0))
    found["terminal_run_days"] = days(seconds - seconds[begin], running, 0.0)
    gap = np.where(was_honest, seconds[begin] - seconds[honest], NEVER * DAY)
    found["terminal_run_gap"] = days(gap, running, 0.0)
    found["terminal_honest"] = days(seconds - seconds[honest], was_honest, NEVER)
    found["terminal_fraud"] = days(seconds - seconds[bad], was_bad, NEVER)
    found["terminal_frauds"] = line.restore(total[known] - total[line.by(28 * DAY)])
