"""Daily prices of one thing: the S&P 500 from the package `arch`, or a visitor's CSV.

A CSV needs the columns Date, Open, High, Low and Close. A byte-order mark, semicolons or tabs,
decimal commas and rows that are not in order are understood. Everything else is one sentence that
names the row (the header is row 1) and the column.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from dlportal.cards import Limits
from dlportal.data.csv_cells import (
    decode,
    first_place,
    read_cells,
    read_numbers,
    read_times,
    refuse,
)
from dlportal.data.files import dataset_file
from dlportal.messages import N_, InputError

if TYPE_CHECKING:
    import pandas as pd

NAME = "sp500"
FILE = "sp500.csv.gz"
COLUMNS = ("DATE", "OPEN", "HIGH", "LOW", "CLOSE")
SHOWN = "Date, Open, High, Low, Close"
DATES = ("%Y-%m-%d", "ISO8601", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d/%m/%Y", "%Y%m%d")
FEWEST = 600
"""Days a forecast needs: one year to know what is usual, and more than one to measure on."""
HIGHEST = 1e9
LARGEST_MOVE = 1.0
"""Largest logarithm of a day's change that is believed: above it a split or a slip is likelier."""


@dataclass(frozen=True)
class Prices:
    """Daily prices in order of time.

    Attributes:
        name: Data name for cards and pages.
        dates: Shape (T,), datetime64[D], rising.
        open: Shape (T,), float64, above 0; so are `high`, `low` and `close`.
        sorted_here: Whether the rows had to be put in order.
    """

    name: str
    dates: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    sorted_here: bool = False

    def __len__(self) -> int:
        return len(self.dates)

    def take(self, rows: slice) -> Prices:
        """A part of the days."""
        names = ("dates", "open", "high", "low", "close")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


@cache
def load_sp500() -> Prices:
    """Daily prices of the S&P 500, 1999 to 2018, without dividends.

    Raises:
        AssetError: The file is neither here nor to be had, or is another.
    """
    data = gzip.decompress(dataset_file(NAME, FILE).read_bytes())
    return read_prices(data, Limits(), NAME)


def read_prices(data: bytes, limits: Limits, name: str = "csv") -> Prices:
    """Read a CSV of daily prices.

    Args:
        data: The file.
        limits: How large it may be.
        name: Data name of the result.

    Raises:
        InputError: The file cannot be used; the sentence names row and column.
    """
    if not data.strip():
        raise InputError(N_("The file is empty. Choose a CSV with one day a row."))
    cells, mark = read_cells(decode(data, limits), limits)
    for column in COLUMNS:
        if column not in cells:
            raise InputError(
                N_("Column {column} is missing. The first row must name: {names}."),
                column=column.title(),
                names=SHOWN,
            )
    if len(cells) < FEWEST:
        raise InputError(
            N_("The file has {n} days; a forecast needs at least {fewest}. Add earlier days."),
            n=f"{len(cells):,}",
            fewest=FEWEST,
        )
    dates = _dates(cells["DATE"])
    open_, high, low, close = (
        _prices(cells[column], column.title(), mark == ";") for column in COLUMNS[1:]
    )
    order = np.argsort(dates, kind="stable")
    _no_day_twice(dates, order)
    _in_range(open_, high, low, close)
    prices = Prices(
        name,
        dates[order],
        open_[order],
        high[order],
        low[order],
        close[order],
        sorted_here=bool((np.diff(order) != 1).any()),
    )
    _believable(prices, order)
    return prices


def write_prices(prices: Prices) -> bytes:
    """Write the CSV that `read_prices` reads."""
    rows = zip(
        prices.dates.astype(str), prices.open, prices.high, prices.low, prices.close, strict=True
    )
    lines = (f"{d},{o:.10g},{h:.10g},{lo:.10g},{c:.10g}" for d, o, h, lo, c in rows)
    return ("\n".join(["Date,Open,High,Low,Close", *lines]) + "\n").encode()


def _dates(column: pd.Series) -> np.ndarray:
    times = read_times(column, DATES)
    place = first_place(times.isna().to_numpy())
    if place is not None:
        refuse(
            N_("Row {row}, column {column}: {value} is not a date. Write it as 2018-12-31."),
            "Date",
            place,
            column.iloc[place],
        )
    return times.dt.tz_localize(None).to_numpy().astype("datetime64[D]")


def _prices(column: pd.Series, name: str, semicolons: bool) -> np.ndarray:
    numbers = read_numbers(column, name, semicolons)
    place = first_place((numbers <= 0) | (numbers > HIGHEST))
    if place is not None:
        refuse(
            N_("Row {row}, column {column}: {value} is no price. Give a number above 0."),
            name,
            place,
            column.iloc[place],
        )
    return numbers


def _no_day_twice(dates: np.ndarray, order: np.ndarray) -> None:
    place = first_place(np.diff(dates[order]).astype(np.int64) == 0)
    if place is not None:
        first, again = sorted((int(order[place]), int(order[place + 1])))
        raise InputError(
            N_("Rows {first} and {again}, column {column}: {value} stands twice. Keep one."),
            first=f"{first + 2:,}",
            again=f"{again + 2:,}",
            column="Date",
            value=str(dates[again]),
        )


def _in_range(open_: np.ndarray, high: np.ndarray, low: np.ndarray, close: np.ndarray) -> None:
    """Raise `InputError` where a day's high is not its highest price, or its low not its lowest."""
    slack = 1e-6  # prices are rounded in files
    wrong = {
        "High": high < np.maximum(np.maximum(open_, close), low) * (1 - slack),
        "Low": low > np.minimum(open_, close) * (1 + slack),
    }
    for column, rows in wrong.items():
        place = first_place(rows)
        if place is not None:
            refuse(
                N_("Row {row}, column {column}: {value} does not fit the day's other prices."),
                column,
                place,
                f"{(high if column == 'High' else low)[place]:.10g}",
            )


def _believable(prices: Prices, order: np.ndarray) -> None:
    """Refuse prices that never move, or that jump as only a split or a slip does."""
    moves = np.abs(np.diff(np.log(prices.close)))
    place = first_place(moves > LARGEST_MOVE)
    if place is not None:
        refuse(
            N_(
                "Row {row}, column {column}: {value} jumps as only a split or a slip does. Correct it."
            ),
            "Close",
            int(order[place + 1]),
            f"{prices.close[place + 1]:.10g}",
        )
    if (np.log(prices.high / prices.low) == 0).mean() > 0.5 or (moves == 0).mean() > 0.5:
        raise InputError(
            N_("On most days the price in column {column} does not move. Choose another series."),
            column="Close",
        )
