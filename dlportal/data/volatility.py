"""What is known at the end of a day, and what the next day then brought.

The day's variance is not observed. Its proxy here is the squared overnight move plus the
Garman-Klass estimate from the day's open, high, low and close, which is many times less noisy
than a squared return. For an index whose files give yesterday's close as today's open it lies
below the variance of close-to-close returns; `training/stock_rivals.py` says how every model is
put on the same scale.

Papers: Garman and Klass 1980, https://doi.org/10.1086/296072;
Corsi 2009, https://doi.org/10.1093/jjfinec/nbp001 (day, week and month).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlportal.data.prices import Prices
from dlportal.messages import N_

YEAR = 252
"""Trading days of a year."""
FLOOR = 1e-8
"""Smallest variance of a day: a move of a hundredth of a percent."""
LAGS = {"week": 5, "month": 22, "quarter": 66}


@dataclass(frozen=True)
class Column:
    """One number the network sees; `name` is marked with `N_`."""

    id: str
    name: str


COLUMNS = (
    Column("day", N_("volatility today")),
    Column("day_2", N_("volatility yesterday")),
    Column("day_3", N_("volatility two days ago")),
    Column("week", N_("volatility this week")),
    Column("month", N_("volatility this month")),
    Column("quarter", N_("volatility this quarter")),
    Column("moves_week", N_("squared returns this week")),
    Column("moves_month", N_("squared returns this month")),
    Column("return_day", N_("return today")),
    Column("return_week", N_("return this week")),
    Column("return_month", N_("return this month")),
    Column("fall_day", N_("fall today")),
    Column("drawdown", N_("below the year's high")),
    Column("close_place", N_("close within the day's range")),
    Column("gap", N_("overnight move")),
    Column("unrest", N_("unrest of volatility")),
)
NAMES = tuple(column.id for column in COLUMNS)


@dataclass(frozen=True)
class Days:
    """One row a day t, from the first day for which a whole year is known.

    Attributes:
        dates: Day t, shape (N,), datetime64[D].
        x: What is known at its close, shape (N, columns), float64; free of the price's scale.
        usual: Mean daily variance (proxy) of the past year, shape (N,).
        spread: Mean squared daily return of the past year, shape (N,).
        variance: The proxy on day t itself, shape (N,).
        change: Logarithm of the close over the close before, day t, shape (N,).
        next_variance: The proxy on day t + 1, shape (N,); NaN on the last day.
        next_return: The return of day t + 1, shape (N,); NaN on the last day.
    """

    dates: np.ndarray
    x: np.ndarray
    usual: np.ndarray
    spread: np.ndarray
    variance: np.ndarray
    change: np.ndarray
    next_variance: np.ndarray
    next_return: np.ndarray

    def __len__(self) -> int:
        return len(self.dates)

    @property
    def year(self) -> np.ndarray:
        """Calendar year of the forecast day t + 1 (of t itself on the last day), shape (N,)."""
        years = self.dates.astype("datetime64[Y]").astype(np.int64) + 1970
        return np.append(years[1:], years[-1:])

    def known(self) -> np.ndarray:
        """Rows whose next day is known, shape (N,), bool."""
        return np.isfinite(self.next_variance)


@dataclass(frozen=True)
class Moves:
    """What each day did, from the second day of a price series on; arrays have shape (T - 1,)."""

    dates: np.ndarray
    change: np.ndarray
    variance: np.ndarray
    gap: np.ndarray
    place: np.ndarray  # of the close within the day's range, -0.5 to 0.5

    def shuffled(self, seed: int) -> Moves:
        """The same days in random order under the same dates: nothing is left to foresee."""
        order = np.random.default_rng(seed).permutation(len(self.dates))
        parts = (getattr(self, n)[order] for n in ("change", "variance", "gap", "place"))
        return Moves(self.dates, *parts)


def measure_moves(prices: Prices) -> Moves:
    """Returns and the variance proxy of each day."""
    o, h, lo, c = (np.log(getattr(prices, n)) for n in ("open", "high", "low", "close"))
    gap = o[1:] - c[:-1]
    inside = 0.5 * (h - lo)[1:] ** 2 - (2 * np.log(2) - 1) * (c - o)[1:] ** 2
    span = (h - lo)[1:]
    return Moves(
        dates=prices.dates[1:],
        change=np.diff(c),
        variance=np.maximum(gap**2 + np.maximum(inside, 0), FLOOR),
        gap=gap,
        place=np.where(span > 0, (c - lo)[1:] / np.maximum(span, 1e-12), 0.5) - 0.5,
    )


def trailing_mean(values: np.ndarray, days: int) -> np.ndarray:
    """Mean of the last `days` values up to each place, shape kept; NaN before there are enough."""
    sums = np.cumsum(np.concatenate([[0.0], values]))
    out = np.full(len(values), np.nan)
    out[days - 1 :] = (sums[days:] - sums[:-days]) / days
    return out


def trailing_max(values: np.ndarray, days: int) -> np.ndarray:
    """Largest of the last `days` values up to each place; fewer at the start."""
    padded = np.concatenate([np.full(days - 1, -np.inf), values])
    return np.lib.stride_tricks.sliding_window_view(padded, days).max(axis=1)


def compute_days(moves: Moves) -> Days:
    """Everything known at each close, beside what came next.

    Volatilities are logarithms over the past year's mean, returns are in units of their own
    past size, so that one network fits calm and wild times and other series.
    """
    v, r = moves.variance, moves.change
    usual, spread = trailing_mean(v, YEAR), trailing_mean(r**2, YEAR)
    mean = {name: trailing_mean(v, n) for name, n in LAGS.items()}
    moved = {name: np.maximum(trailing_mean(r**2, n), FLOOR) for name, n in LAGS.items()}
    log_v = np.log(v)
    path = np.cumsum(r)
    earlier = [np.concatenate([np.full(k, np.nan), log_v[:-k]]) for k in (1, 2)]
    month_size = np.sqrt(moved["month"])
    squares = trailing_mean(log_v**2, 22) - trailing_mean(log_v, 22) ** 2
    known = {
        "day": log_v - np.log(usual),
        "day_2": earlier[0] - np.log(usual),
        "day_3": earlier[1] - np.log(usual),
        **{name: np.log(mean[name] / usual) for name in LAGS},
        "moves_week": np.log(moved["week"] / spread),
        "moves_month": np.log(moved["month"] / spread),
        "return_day": r / month_size,
        "return_week": np.sqrt(5) * trailing_mean(r, 5) / month_size,
        "return_month": np.sqrt(22) * trailing_mean(r, 22) / np.sqrt(spread),
        "fall_day": np.minimum(r, 0) / month_size,
        "drawdown": (path - trailing_max(path, YEAR)) / np.sqrt(YEAR * spread),
        "close_place": moves.place,
        "gap": np.abs(moves.gap) / np.sqrt(mean["month"]),
        "unrest": np.sqrt(np.maximum(squares, 0)),
    }
    rows = slice(YEAR - 1, None)
    return Days(
        dates=moves.dates[rows],
        x=np.stack([known[name] for name in NAMES], axis=1)[rows],
        usual=usual[rows],
        spread=spread[rows],
        variance=v[rows],
        change=r[rows],
        next_variance=np.append(v[1:], np.nan)[rows],
        next_return=np.append(r[1:], np.nan)[rows],
    )


def annual(variance: np.ndarray | float) -> np.ndarray | float:
    """A daily variance as a yearly volatility, in percent."""
    return 100 * np.sqrt(YEAR * np.asarray(variance))
