"""Stock forecast: how much, and which way, the S&P 500 moves tomorrow; not investment advice.

One small network a year, trained on the years before (`training/stock_training.py`), sees what
is known at a day's close (`data/volatility.py`) and foresees the next day.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.case import Evaluation, Example, Progress, Settings
from dlportal.data.prices import load_sp500, read_prices
from dlportal.data.volatility import NAMES, Days, annual, compute_days, measure_moves
from dlportal.explain.base import Differentiable
from dlportal.kinds.table import TableCase
from dlportal.messages import N_, InputError
from dlportal.nets.forecaster import YearlyForecasters
from dlportal.results import Label, Result
from dlportal.training.stock_training import TEST_YEARS, Intervals, ask
from dlportal.training.store import load_weights

if TYPE_CHECKING:
    from dlportal.cards import Card
    from dlportal.training.events import Run

LABELS = (
    Label("calmer", "Calmer than the past year", "比过去一年平静"),
    Label("wilder", "Wilder than the past year", "比过去一年动荡"),
)
UNITS = ("year", "usual", "move")
"""Columns before the network's own: whose network, and the units its answer is in."""

GOLDEN = {
    # A self-made evening: a fall of two and a half days' size after a calm month.
    "year": 2012.0,
    "usual": 12.0,
    "move": 1.0,
    "day": 1.1,
    "day_2": -0.2,
    "day_3": -0.4,
    "week": 0.3,
    "month": -0.1,
    "quarter": -0.2,
    "moves_week": 0.4,
    "moves_month": -0.1,
    "return_day": -2.5,
    "return_week": -1.4,
    "return_month": -0.6,
    "fall_day": -2.5,
    "drawdown": -0.3,
    "close_place": -0.4,
    "gap": 0.1,
    "unrest": 0.8,
}


@dataclass(frozen=True)
class Forecast(Result):
    """What the next day may bring.

    Attributes:
        expected: Expected return, a share (0.001 is 0.1 %).
        low: With `high`, the 90 % interval of the return.
        high: See `low`.
        volatility: Expected volatility, yearly, in percent, on the scale of daily ranges.
        calm: With `wild`, the 90 % interval of what will be measured.
        wild: See `calm`.
        usual: The past year's volatility on the same scale.
        year: Of the network that was asked; it was trained on the years before.
        inside: False where the evening is unlike all that it was trained on.
    """

    expected: float
    low: float
    high: float
    volatility: float
    calm: float
    wild: float
    usual: float
    year: int
    inside: bool


@dataclass(frozen=True)
class YearMasker:
    """Hides columns of one evening behind typical ones; the year's network stays."""

    place: Tensor
    x: Tensor
    typical: Tensor
    parts: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.x.shape[-1],)

    def render(self, keep: Tensor) -> Tensor:
        x = self.typical + keep.to(self.x) * (self.x - self.typical)
        return torch.cat([self.place.expand(len(x), 1), x], dim=1)


class StockForecast(TableCase):
    """How far does it move tomorrow? A raw input is one evening: `UNITS`, then `NAMES`."""

    labels = LABELS
    columns = UNITS + NAMES

    def load(self) -> nn.Module:
        return load_weights(YearlyForecasters(len(NAMES), TEST_YEARS), self.card.weights)

    @property
    def nets(self) -> YearlyForecasters:
        assert isinstance(self.net, YearlyForecasters)
        return self.net

    @property
    def years(self) -> tuple[int, ...]:
        """Years that have a network."""
        return self.nets.years

    @cached_property
    def intervals(self) -> tuple[Intervals, ...]:
        """Of each year in `years`, measured on the years before."""
        found = self.card.measured.constants["intervals"]
        return tuple(Intervals(**found[str(year)]) for year in self.years)

    def check(self, raw: np.ndarray) -> None:
        if not isinstance(raw, np.ndarray) or raw.shape != (len(self.columns),):
            raise InputError(
                N_("An evening has {n} numbers. Give a CSV file of daily prices, or all numbers."),
                n=len(self.columns),
            )
        super().check(raw)
        if int(raw[0]) not in self.years:
            raise InputError(
                N_("There is no network of the year {year}. Choose {first} to {last}."),
                year=f"{raw[0]:.0f}",
                first=self.years[0],
                last=self.years[-1],
            )
        if not (0 < raw[1] < 1e4 and 0 < raw[2] < 1e3):
            raise InputError(N_("The past year's volatility must be above 0. Correct it."))

    def read(self, given: str) -> np.ndarray:
        """The last evening of a CSV file of daily prices; or the numbers of an evening."""
        if "," in given and len(given) < 4_000:
            try:
                return np.array([float(part) for part in given.split(",")])
            except ValueError:
                pass
        try:
            with Path(given).open("rb") as file:
                data = file.read(self.card.limits.bytes + 1)
        except (OSError, ValueError):  # ValueError: a NUL in the name
            raise InputError(
                N_("There is no CSV file {path}. Name a file with one day a row."),
                path=given[:80],
            ) from None
        days = compute_days(measure_moves(read_prices(data, self.card.limits)))
        return self.evening(days, len(days) - 1)

    def evening(self, days: Days, place: int) -> np.ndarray:
        """The raw input of one row of `days`, to be asked of its own year's network; of the first
        or the last one where its year has none."""
        year = np.clip(days.year[place], self.years[0], self.years[-1])
        units = [
            float(year),
            float(annual(days.usual[place])),
            100 * float(days.spread[place]) ** 0.5,
        ]
        return np.concatenate([units, days.x[place]])

    def encode(self, raw: np.ndarray) -> Tensor:
        row = np.concatenate([[self.years.index(int(raw[0]))], raw[len(UNITS) :]])
        return torch.from_numpy(row.astype(np.float32))[None]

    def decode(self, y: Tensor, raw: np.ndarray) -> Forecast:
        ends = self.intervals[self.years.index(int(raw[0]))]
        over_usual = float(np.exp(np.clip(float(y[1] - y[0]), -12, 12)))
        usual, move = float(raw[1]), float(raw[2]) / 100
        volatility = usual * over_usual**0.5
        expected = float(y[2]) * move
        a_day = volatility / float(annual(1.0))
        return Forecast(
            expected=expected,
            low=expected + ends.low * a_day,
            high=expected + ends.high * a_day,
            volatility=volatility,
            calm=volatility * ends.calm**0.5,
            wild=volatility * ends.wild**0.5,
            usual=usual,
            year=int(raw[0]),
            inside=self.inside(raw),
        )

    def inside(self, raw: np.ndarray) -> bool:
        """Whether every column lies within the training range and a quarter of it around."""
        low, high = (np.array(self.card.measured.constants[n]) for n in ("lowest", "highest"))
        room, x = (high - low) / 4, raw[len(UNITS) :]
        return bool(((x >= low - room) & (x <= high + room)).all())

    def probabilities(self, y: Tensor) -> Tensor:
        """Usual over the sum of usual and expected variance, and the rest; shape (B, 2)."""
        return torch.softmax(y[..., :2].float(), dim=-1)

    def targets(self, raw: np.ndarray) -> list[int]:
        with torch.inference_mode():
            p = self.probabilities(self.net(self.encode(raw).to(self.device)))[0]
        return p.argsort(descending=True).tolist()

    def ask_year(self, place: int, x: np.ndarray) -> np.ndarray:
        """What one year's network says of many evenings (N, F): shape (N, 3)."""
        return ask(self.nets.of(place), x)

    def places(self, days: Days) -> np.ndarray:
        """Which network is asked of each evening (see `evening`), shape (N,)."""
        return np.clip(days.year - self.years[0], 0, len(self.years) - 1)

    def ask_each_year(self, days: Days) -> np.ndarray:
        """What each evening's network (see `evening`) says of it: shape (N, 3)."""
        place, y = self.places(days), np.empty((len(days), 3))
        for index in np.unique(place):
            y[place == index] = self.ask_year(int(index), days.x[place == index])
        return y

    def parts(self, raw: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Place of the network (1, 1), the evening and a typical one, each (1, F)."""
        encoded = self.encode(raw).to(self.device)
        typical = self.nets.of(int(encoded[0, 0])).center[None]
        return encoded[:, :1], encoded[:, 1:], typical

    def masker(self, raw: np.ndarray) -> YearMasker:  # type: ignore[override]
        from dlportal.data.volatility import COLUMNS

        return YearMasker(*self.parts(raw), tuple(column.name for column in COLUMNS))

    def differentiable(self, raw: np.ndarray) -> Differentiable:
        place, x, typical = self.parts(raw)

        def forward(z: Tensor) -> Tensor:
            return self.net(torch.cat([place.expand(len(z), 1), z], dim=1))

        def reduce(attribution: Tensor) -> np.ndarray:
            return attribution[0].float().cpu().numpy()

        return Differentiable(x, typical, forward, reduce)

    def examples(self) -> list[Example[np.ndarray]]:
        return [
            Example(date, label, partial(self.at, date), SOURCE) for date, label in EXAMPLES.items()
        ]

    def at(self, date: str) -> np.ndarray:
        """The evening of the last trading day up to a date of the test years.

        Raises:
            InputError: Before or after them.
        """
        days = sp500_days()
        place = int(np.searchsorted(days.dates, np.datetime64(date), side="right")) - 1
        if place < 0 or not self.years[0] <= days.year[place] <= self.years[-1]:
            raise InputError(
                N_("There is no network of the year {year}. Choose {first} to {last}."),
                year=date[:4],
                first=self.years[0],
                last=self.years[-1],
            )
        return self.evening(days, place)

    def golden(self) -> np.ndarray:
        return np.array([GOLDEN[name] for name in self.columns])

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        from dlportal.training.stock_training import train_walk

        return train_walk(settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        from dlportal.training import stock_evaluation

        if data is not None:
            return stock_evaluation.evaluate_file(self, data, limit)
        return stock_evaluation.evaluate_years(self, split, limit, progress)


@cache
def sp500_days() -> Days:
    """All evenings of the S&P 500."""
    return compute_days(measure_moves(load_sp500()))


SOURCE = N_("S&P 500, from the package arch.")
EXAMPLES: dict[str, Label] = {
    # The evening before; what then came is history.
    "2018-02-02": Label("2018-02-02", "Before 5 Feb 2018", "2018-02-05 前夕"),
    "2018-02-05": Label("2018-02-05", "After 5 Feb 2018", "2018-02-05 当晚"),
    "2011-08-08": Label("2011-08-08", "US downgrade, 2011", "2011 年美国评级下调"),
    "2015-08-21": Label("2015-08-21", "Black Monday eve, 2015", "2015 年黑色星期一前夕"),
    "2017-07-14": Label("2017-07-14", "A calm summer, 2017", "2017 年平静的夏天"),
}

CASE = StockForecast
