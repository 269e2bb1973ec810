"""Forecasts over years, beside those of the rivals: the walk-forward, and a visitor's series."""

from __future__ import annotations

import tempfile
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlportal.data.volatility import Days, Moves, compute_days
from dlportal.messages import N_, InputError
from dlportal.training.events import Run
from dlportal.training.forecast_scores import qlike
from dlportal.training.stock_rivals import RIVALS, past_year, scale_to
from dlportal.training.stock_training import GAP, QUICK, Intervals, ask, past_rows, train_on

if TYPE_CHECKING:
    from dlportal.cases.stock_forecast import StockForecast

NETWORK = N_("network")
RETRAINED = N_("network trained on this series")


@dataclass(frozen=True)
class Walk:
    """Forecasts for a stretch of days and what then happened; arrays have one row a day.

    Attributes:
        dates: The day foreseen, datetime64[D].
        variance: Its realised variance (range proxy).
        change: Its return, a logarithm.
        forecasts: Variance forecasts by model, each scaled on its own past.
        mean: The network's return forecast.
        past_mean: Mean return of the years before.
        interval: Low and high end of the 90 % interval of the return, shape (N, 2).
        range: The same for the variance.
    """

    dates: np.ndarray
    variance: np.ndarray
    change: np.ndarray
    forecasts: dict[str, np.ndarray]
    mean: np.ndarray
    past_mean: np.ndarray
    interval: np.ndarray
    range: np.ndarray

    @property
    def months(self) -> np.ndarray:
        """Month of each day, for intervals that draw whole months."""
        return self.dates.astype("datetime64[M]").astype(np.int64)

    def __len__(self) -> int:
        return len(self.dates)

    def take(self, rows: slice) -> Walk:
        """A part of the days."""
        names = ("dates", "variance", "change", "mean", "past_mean", "interval", "range")
        forecasts = {model: forecast[rows] for model, forecast in self.forecasts.items()}
        return Walk(forecasts=forecasts, **{name: getattr(self, name)[rows] for name in names})

    @classmethod
    def join(cls, parts: list[Walk]) -> Walk:
        """Put stretches one after the other."""

        def joined(name: str) -> np.ndarray:
            return np.concatenate([getattr(part, name) for part in parts])

        names = ("dates", "variance", "change", "mean", "past_mean", "interval", "range")
        forecasts = {
            model: np.concatenate([part.forecasts[model] for part in parts])
            for model in parts[0].forecasts
        }
        arrays = {name: joined(name) for name in names}
        return cls(forecasts=forecasts, **arrays)


def make_walk(
    days: Days,
    past: np.ndarray,
    test: np.ndarray,
    y: dict[str, np.ndarray],
    ends: np.ndarray | None,
    rivals: bool = True,
) -> Walk:
    """Forecasts for the rows `test`, with rivals fitted on the rows `past`.

    Args:
        days: All days.
        past: Places of the rows that may be learned from.
        test: Places of the rows to foresee, all later.
        y: What networks say of all days, each of shape (N, 3). They were put on their scale when
            they were trained.
        ends: Ends of the first network's intervals for all days in the order of `Intervals`,
            shape (N, 4); measured on `past` if None.
        rivals: Whether to fit the rivals too.
    """
    forecasts = {
        name: days.usual * np.exp(answer[:, 1] - answer[:, 0]) for name, answer in y.items()
    }
    first = next(iter(y))
    v, mean = forecasts[first], y[first][:, 2] * np.sqrt(days.spread)
    if ends is None:
        found = Intervals.measure(
            days.next_return[past] - mean[past], days.next_variance[past], v[past]
        )
        ends = np.tile(astuple(found), (len(days), 1))
    if rivals:
        train = np.zeros(len(days), bool)
        train[past] = True
        for name, rival in RIVALS.items():
            raw = rival(days, train)
            forecasts[name] = scale_to(days.next_variance[past], raw[past]) * raw
    v, mean, ends = v[test], mean[test], ends[test]
    return Walk(
        dates=np.append(days.dates[1:], days.dates[-1:])[test],
        variance=days.next_variance[test],
        change=days.next_return[test],
        forecasts={name: forecast[test] for name, forecast in forecasts.items()},
        mean=mean,
        past_mean=np.full(len(test), days.next_return[past].mean()),
        interval=mean[:, None] + np.sqrt(v)[:, None] * ends[:, :2],
        range=v[:, None] * ends[:, 2:],
    )


def walk_years(case: StockForecast, days: Days, rivals: bool = True) -> Walk:
    """The walk-forward over the test years, each with the network of its year."""
    parts = []
    for index, year in enumerate(case.years):
        test = np.flatnonzero((days.year == year) & days.known())
        if len(test):
            past = past_rows(days, year)
            y = {NETWORK: case.ask_year(index, days.x)}
            ends = np.tile(astuple(case.intervals[index]), (len(days), 1))
            parts.append(make_walk(days, past, test, y, ends, rivals))
    return Walk.join(parts)


def walk_series(case: StockForecast, days: Days, retrain: bool = True) -> Walk:
    """A visitor's series: its second half foreseen after its first half was learned from.

    Beside the shipped networks, which know only the S&P 500 of the years before, a small one is
    trained on the first half. Before their first year the shipped ones have seen what the S&P 500
    did on the same days.

    Raises:
        InputError: Too few days.
    """
    past, test = halves(days)
    y = {NETWORK: case.ask_each_year(days)}
    ends = np.array([astuple(case.intervals[place]) for place in case.places(days)])
    if retrain:
        y[RETRAINED] = quick_answer(days, past, seed=0)
    return make_walk(days, past, test, y, ends)


def halves(days: Days) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the first and of the second half, with a gap between.

    Raises:
        InputError: Fewer than a hundred days would be left to learn from.
    """
    known = np.flatnonzero(days.known())
    middle = len(known) // 2
    if middle - GAP < 100:
        raise InputError(
            N_("Only {n} days are left after the first year. Add earlier days."), n=len(known)
        )
    return known[: middle - GAP], known[middle:]


def quick_answer(days: Days, past: np.ndarray, seed: int) -> np.ndarray:
    """What a small network trained on the rows `past` says of all days, shape (N, 3)."""
    with tempfile.TemporaryDirectory(prefix="dlportal-") as folder:
        net = train_on(days, past, seed, QUICK, Run(Path(folder)), "series")
    return ask(net, days.x)


@dataclass(frozen=True)
class Leak:
    """Share of the loss that a network saves against the past year's mean, on days in their order
    and on the same days shuffled; whoever sees nothing of the future gets about 0 on the latter."""

    ordered: float
    shuffled: float
    days: int


def check_for_leaks(moves: Moves, seed: int = 0) -> Leak:
    """Train and measure twice, the second time with shuffled dates."""
    found = []
    for series in (moves, moves.shuffled(seed + 1)):
        days = compute_days(series)
        past, test = halves(days)
        y = quick_answer(days, past, seed)
        walk = make_walk(days, past, test, {NETWORK: y}, None, rivals=False)
        usual = past_year(days, past)
        usual = usual * scale_to(days.next_variance[past], usual[past])
        own = qlike(walk.variance, walk.forecasts[NETWORK]).mean()
        found.append(1 - own / qlike(walk.variance, usual[test]).mean())
    return Leak(float(found[0]), float(found[1]), len(test))


def managed(walk: Walk) -> np.ndarray:
    """Shares to hold: less before wild days, at most everything.

    The volatility aimed at is the mean of all realised ones up to the evening before.

    Paper: Moreira and Muir 2017, https://doi.org/10.1111/jofi.12513
    """
    size = np.sqrt(walk.variance)
    so_far = np.cumsum(size) / np.arange(1, len(size) + 1)
    forecast = np.sqrt(walk.forecasts[NETWORK])
    aim = np.concatenate([forecast[:1], so_far[:-1]])
    return np.minimum(1.0, aim / forecast)


def trade(change: np.ndarray, weights: np.ndarray, cost: float) -> np.ndarray:
    """Wealth over time of holding `weights` of it, shape (N + 1,), beginning at 1.

    Args:
        change: Logarithmic returns, shape (N,).
        weights: Share held over each day, decided the evening before, shape (N,).
        cost: Share of what is bought or sold that is lost, e.g. 0.0005.
    """
    turnover = np.abs(np.diff(np.concatenate([[0.0], weights])))
    growth = (1 + weights * np.expm1(change)) * (1 - cost * turnover)
    return np.concatenate([[1.0], np.cumprod(growth)])
