"""Measuring the forecaster on years it has not seen, beside what has long been tried.

The test years are walked once, each with the network of its year. Intervals draw whole months.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from dlportal.cards import Bilingual, Curve, Measured, Metric, Slice
from dlportal.case import Evaluation, Example, Progress
from dlportal.cases.stock_forecast import StockForecast, sp500_days
from dlportal.data.prices import load_sp500, read_prices
from dlportal.data.volatility import annual, compute_days, measure_moves
from dlportal.explain import explainers_for
from dlportal.explain.report import faithful_shares, measure_methods
from dlportal.messages import N_, InputError
from dlportal.results import Label
from dlportal.training.day_bootstrap import DayBootstrap, Drawn
from dlportal.training.forecast_scores import diebold_mariano, oos_r2, qlike
from dlportal.training.receipts import versions
from dlportal.training.said import Said
from dlportal.training.stock_walk import (
    NETWORK,
    RETRAINED,
    Walk,
    check_for_leaks,
    managed,
    trade,
    walk_series,
    walk_years,
)

COMMAND = "python -m dlportal evaluate stock_forecast"
EXPLAINED_EVERY = 100
"""Of the test evenings, for the share of faithful maps."""
COST = 0.0005
"""Of what is bought or sold, for the curves of the card."""
GARCH, HAR, LOG_HAR = "GARCH(1,1)", "HAR", "HAR in logarithms"


class Scores:
    """Figures of one walk.

    Args:
        walk: Forecasts and outcomes.
        data: Data name of the metrics.
        split: Their split.
        command: Their command.
    """

    def __init__(self, walk: Walk, data: str, split: str, command: str) -> None:
        self.walk, self.data, self.split, self.command = walk, data, split, command
        self.boot = DayBootstrap(walk.months)
        self.days = self.boot.daily(np.ones(len(walk)))
        self.loss = {name: qlike(walk.variance, v) for name, v in walk.forecasts.items()}

    def metric(self, name: str, drawn: Drawn | float, model: str = "") -> Metric:
        return Metric(
            name=name,
            data=self.data,
            split=self.split,
            value=drawn.value if isinstance(drawn, Drawn) else drawn,
            low=drawn.low if isinstance(drawn, Drawn) else None,
            high=drawn.high if isinstance(drawn, Drawn) else None,
            n=len(self.walk),
            command=self.command,
            model=model,
        )

    def mean(self, values: np.ndarray) -> Drawn:
        return self.boot.ratio(self.boot.daily(values), self.days)

    def rmse(self, model: str) -> Drawn:
        """Of the yearly volatility in percentage points."""
        missed = annual(self.walk.forecasts[model]) - annual(self.walk.variance)
        drawn = self.mean(np.asarray(missed) ** 2)
        return Drawn(drawn.value**0.5, drawn.draws**0.5)

    def saved(self, own: np.ndarray, other: np.ndarray) -> Drawn:
        """Share of the other's loss that is saved."""
        drawn = self.boot.ratio(self.boot.daily(own), self.boot.daily(other))
        return Drawn(1 - drawn.value, 1 - drawn.draws)

    def r2(self, forecast: np.ndarray) -> Drawn:
        """Of return forecasts against the past mean."""
        walk = self.walk
        drawn = self.saved((walk.change - forecast) ** 2, (walk.change - walk.past_mean) ** 2)
        value = oos_r2(walk.change, forecast, walk.past_mean)
        return Drawn(value, drawn.draws)

    def of_variance(self, model: str = NETWORK, shown: str = "") -> list[Metric]:
        return [
            self.metric("qlike", self.mean(self.loss[model]), shown),
            self.metric("rmse", self.rmse(model), shown),
        ]

    def of_network(self) -> list[Metric]:
        """All figures of the network."""
        walk, own = self.walk, self.loss[NETWORK]
        low, high = walk.interval.T
        calm, wild = walk.range.T
        metrics = self.of_variance()
        for name, rival in (("garch", GARCH), ("har", HAR), ("log_har", LOG_HAR)):
            saved = self.saved(own, self.loss[rival])
            metrics.append(self.metric(f"qlike_below_{name}", saved))
        test = {"garch": GARCH, "har": HAR, "log_har": LOG_HAR}
        metrics += [
            self.metric("return_coverage", self.mean((walk.change >= low) & (walk.change <= high))),
            self.metric(
                "volatility_coverage", self.mean((walk.variance >= calm) & (walk.variance <= wild))
            ),
            self.metric("oos_r2", self.r2(walk.mean)),
            self.metric("direction_accuracy", self.mean((walk.mean > 0) == (walk.change > 0))),
        ]
        for name, rival in test.items():
            metrics.append(self.metric(f"dm_p_{name}", diebold_mariano(own, self.loss[rival]).p))
        squares = {n: _squared_return_loss(walk, n) for n in (NETWORK, GARCH)}
        p = diebold_mariano(squares[NETWORK], squares[GARCH]).p
        return [*metrics, self.metric("dm_p_garch_squared_returns", p)]

    def of_rivals(self) -> list[Metric]:
        """Baselines of volatility, return and direction."""
        metrics = []
        for model in self.loss:
            if model != NETWORK:
                metrics += self.of_variance(model, model)
        walk = self.walk
        return [
            *metrics,
            self.metric("oos_r2", self.r2(np.zeros(len(walk))), "random walk"),
            self.metric("direction_accuracy", self.mean(walk.change > 0), "always up"),
        ]


def _squared_return_loss(walk: Walk, model: str) -> np.ndarray:
    """QLIKE against squared returns, the quantity GARCH is made for, up to what only the truth
    decides. Each forecast is put on the scale of squared returns by one factor over all days, so
    that only its ups and downs are judged."""
    square = (walk.change - walk.past_mean) ** 2
    forecast = walk.forecasts[model] * np.mean(square / walk.forecasts[model])
    return square / forecast + np.log(forecast)


def evaluate_years(
    case: StockForecast, split: str, limit: int | None, progress: Progress | None
) -> Evaluation:
    """Walk the test years of the S&P 500.

    Raises:
        InputError: No such split.
    """
    started = time.monotonic()
    if split != "test":
        raise InputError(
            N_("There is no split {split}. Choose one of: {splits}."), split=split, splits="test"
        )
    walk = walk_years(case, sp500_days())
    if limit:
        walk = walk.take(slice(0, limit))
    scores = Scores(walk, "sp500", "test", COMMAND)
    if progress is not None:
        progress(1, 2)
    measured = Measured(
        case=case.card.id,
        parameters=sum(parameter.numel() for parameter in case.net.parameters()),
        metrics=scores.of_network(),
        baselines=scores.of_rivals(),
        versions=versions("arch"),  # GARCH is fitted by it
    )
    if not limit:
        leak = check_for_leaks(measure_moves(load_sp500()))
        more = [
            scores.metric("skill", leak.ordered),
            scores.metric("skill_shuffled", leak.shuffled),
        ]
        more = [m.model_copy(update={"n": leak.days, "split": "second half"}) for m in more]
        shares, random = believable(case)
        measured = measured.model_copy(
            update={
                "metrics": [*measured.metrics, *more, *shares],
                "baselines": [*measured.baselines, random],
                "slices": list(slices(scores)),
                "curves": list(curves(scores)),
            }
        )
    if progress is not None:
        progress(2, 2)
    return Evaluation(case.card.id, split, len(walk), time.monotonic() - started, measured)


def evaluate_file(case: StockForecast, path: Path, limit: int | None) -> Evaluation:
    """Learn from the first half of a CSV, measure on the second.

    Raises:
        InputError: The file cannot be read, or is too short.
    """
    started = time.monotonic()
    try:
        data = path.read_bytes()
    except OSError:
        raise InputError(N_("There is no readable file {path}."), path=path) from None
    walk = walk_series(case, compute_days(measure_moves(read_prices(data, case.card.limits))))
    if limit:
        walk = walk.take(slice(0, limit))
    scores = Scores(walk, path.name, "second half", f"{COMMAND} --data {path.name}")
    measured = Measured(
        case=case.card.id,
        metrics=[*scores.of_network(), *scores.of_variance(RETRAINED, RETRAINED)],
        baselines=[m for m in scores.of_rivals() if m.model != RETRAINED],
    )
    return Evaluation(case.card.id, path.name, len(walk), time.monotonic() - started, measured)


def believable(case: StockForecast) -> tuple[list[Metric], Metric]:
    """For each way to explain, and for random maps: on how many evenings, spread over the test
    years, its map clearly beats random maps on both curves."""
    days = sp500_days()
    places = np.flatnonzero((days.year >= case.years[0]) & days.known())[::EXPLAINED_EVERY]
    examples = [
        Example(str(place), Label(str(place), "", ""), partial(case.evening, days, int(place)))
        for place in places
    ]
    rows = measure_methods(case, examples, explainers_for(case))
    return faithful_shares(rows, Said("sp500", "test", COMMAND, ""))


def slices(scores: Scores) -> Iterator[Slice]:
    """Each year by itself: how far the network's loss lies below HAR's."""
    years = scores.walk.dates.astype("datetime64[Y]").astype(np.int64) + 1970
    for year in np.unique(years):
        rows = years == year
        boot = DayBootstrap(scores.walk.months[rows])
        own, other = (boot.daily(scores.loss[n][rows]) for n in (NETWORK, HAR))
        drawn = boot.ratio(own, other)
        saved = Drawn(1 - drawn.value, 1 - drawn.draws)
        metric = scores.metric("qlike_below_har", saved).model_copy(update={"n": int(rows.sum())})
        yield Slice(part=Bilingual(en=str(year), zh=f"{year} 年"), metric=metric)


def curves(scores: Scores) -> Iterator[Curve]:
    """Where the lead was won; what trading on the forecasts would have given after costs."""
    walk = scores.walk
    shown = np.append(np.arange(0, len(walk), 21), len(walk) - 1)
    start = np.datetime64("1970-01-01")
    x = [round(1970 + float((d - start).astype(int)) / 365.2425, 3) for d in walk.dates[shown]]

    def rounded(values: np.ndarray) -> list[float]:
        return [float(f"{v:.5g}") for v in values]

    own = scores.loss[NETWORK]
    yield Curve(
        name=N_("Where the lead was won"),
        x_label=Bilingual(en="year", zh="年份"),
        y_label=Bilingual(en="QLIKE saved, summed up", zh="累计节省的 QLIKE"),
        x=x,
        y={
            name: rounded(np.cumsum(scores.loss[rival] - own)[shown])
            for name, rival in ((N_("against GARCH"), GARCH), (N_("against HAR"), HAR))
        },
    )
    weights = {
        N_("in when a rise is expected"): (walk.mean > 0).astype(np.float64),
        N_("less when it is wild"): managed(walk),
        N_("buy and hold"): np.ones(len(walk)),
    }
    yield Curve(
        name=N_("What trading on it would have given, after costs"),
        x_label=Bilingual(en="year", zh="年份"),
        y_label=Bilingual(en="wealth, from 1", zh="财富，从 1 开始"),
        x=x,
        y={n: rounded(trade(walk.change, w, COST)[1:][shown]) for n, w in weights.items()},
    )
