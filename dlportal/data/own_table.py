"""A visitor's own table, yes or no in one column: what its columns are, and what could go wrong.

Columns are guessed and confirmed by the visitor. Everything that is measured on rows (medians,
categories, how often a value was a yes) is measured on training rows only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dlportal.cards import Limits
from dlportal.data.csv_cells import decode, read_cells, read_numbers, read_times, refuse
from dlportal.data.fraud_csv import DATES, REQUIRED, read_payments
from dlportal.data.fraud_features import NAMES as FEATURES
from dlportal.data.fraud_features import compute_features
from dlportal.data.splits import hold_out
from dlportal.messages import N_, InputError

if TYPE_CHECKING:
    import pandas as pd

Role = Literal["number", "category", "time"]
FEWEST, FEWEST_YES = 500, 30
LOOKED_AT = 3_000
"""Rows from which a column is guessed."""
LABEL_NAMES = (
    "TX_FRAUD",
    "FRAUD",
    "IS_FRAUD",
    "ISFRAUD",
    "CLASS",
    "LABEL",
    "TARGET",
    "Y",
    "DEFAULT",
)
YES = ("1", "1.0", "true", "yes", "y", "fraud", "bad")
FEW_VALUES = 12
"""Up to so many values a category gets a column for each; above it, how often each occurs."""
FOLDS = 5
PRIOR = 20.0
"""Rows of the mean that every category's share of yes starts with."""
TEST = VALIDATION = 0.2


@dataclass(frozen=True)
class OwnTable:
    """Cells as text under upper-case names, with guesses.

    Attributes:
        cells: One row a case.
        semicolons: Whether semicolons split the cells.
        roles: What each column seems to be.
        label: The column that seems to say yes or no.
        time: The column that seems to say when, or None.
        data: The file, for the Handbook's reader.
    """

    cells: pd.DataFrame
    semicolons: bool
    roles: dict[str, Role]
    label: str
    time: str | None
    data: bytes


@dataclass(frozen=True)
class Choice:
    """What the visitor confirmed."""

    label: str
    time: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Ready:
    """A table as numbers; rows of the three parts.

    Attributes:
        x: Shape (N, F), float32, finite.
        y: 0 or 1, shape (N,), int64.
        names: What each of the F columns is.
        train, validation, test: Indices.
        by_time: Whether the parts follow each other in time.
        yes: The value that counts as yes.
    """

    x: np.ndarray
    y: np.ndarray
    names: tuple[str, ...]
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    by_time: bool
    yes: str


def read_table(data: bytes, limits: Limits) -> OwnTable:
    """Read a CSV and guess its columns.

    Raises:
        InputError: The file cannot be used; the sentence names row and column.
    """
    if not data.strip():
        raise InputError(N_("The file is empty. Choose a CSV with one case a row."))
    cells, mark = read_cells(decode(data, limits), limits)
    if len(cells) < FEWEST:
        raise InputError(
            N_("The file has {n} rows; learning needs at least {fewest}. Add more."),
            n=f"{len(cells):,}",
            fewest=FEWEST,
        )
    roles = {name: guess_role(name, cells[name]) for name in cells}
    label = guess_label(cells)
    times = [name for name, role in roles.items() if role == "time" and name != label]
    return OwnTable(cells, mark == ";", roles, label, times[0] if times else None, data)


def guess_role(name: str, column: pd.Series) -> Role:
    """Number, time or category, from the first rows."""
    seen = column.iloc[:LOOKED_AT]
    seen = seen[seen != ""]
    text = seen.str.replace(",", ".", regex=False)
    numbers = text.str.fullmatch(r"[-+]?\d*\.?\d+([eE][-+]?\d+)?").mean() if len(seen) else 0.0
    # A year or a counter of seconds is a number.
    if len(seen) and numbers < 0.5 and read_times(seen, DATES).notna().mean() > 0.9:
        return "time"
    if name.endswith("_ID") or name == "ID":
        return "category"
    return "number" if numbers > 0.9 else "category"


def binary_columns(cells: pd.DataFrame) -> list[str]:
    """Columns with two values, and no blanks, that could be the answer."""
    return [name for name in cells if cells[name].nunique() == 2 and not (cells[name] == "").any()]


def guess_label(cells: pd.DataFrame) -> str:
    """The column that says yes or no: by its name, else the one whose rarer value is rarest.

    Raises:
        InputError: No column has two values.
    """
    found = binary_columns(cells)
    named = [name for name in LABEL_NAMES if name in cells]
    for name in named:
        if name in found:
            return name
        if cells[name].nunique() == 1:
            raise InputError(
                N_("Column {column} has one value only ({value}). Learning needs both kinds."),
                column=name,
                value=str(cells[name].iloc[0])[:40] or "''",
            )
    if not found:
        raise InputError(
            N_("No column has exactly two values. One must say yes or no, 1 or 0, in every row.")
        )
    return min(found, key=lambda name: cells[name].value_counts().iloc[-1])


def make_ready(table: OwnTable, choice: Choice, seed: int = 0) -> Ready:
    """Turn the confirmed columns into numbers.

    A table in the Fraud Detection Handbook's columns gets that case's columns of the past.

    Raises:
        InputError: A cell is not what its column should be, too few yes, or no column.
    """
    y, yes = read_label(table.cells, choice.label)
    handbook = set(REQUIRED) <= set(table.cells) and choice.label == "TX_FRAUD"
    if handbook and set(REQUIRED) <= {*choice.columns, choice.time}:
        payments = read_payments(table.data, Limits(bytes=10**9, rows=10**7)).table
        y = payments["TX_FRAUD"].to_numpy(np.int64)
        parts = in_order(np.arange(len(y)))
        check_parts(y, parts)
        return Ready(compute_features(payments), y, FEATURES, *parts, by_time=True, yes=yes)
    if not choice.columns:
        raise InputError(N_("Choose at least one column to learn from."))
    if choice.time is not None:
        times = read_times(table.cells[choice.time], DATES)
        if times.isna().any():
            place = int(np.flatnonzero(times.isna())[0])
            refuse(
                N_(
                    "Row {row}, column {column}: {value} is not a time. Write it as 2018-04-01 12:30:00."
                ),
                choice.time,
                place,
                table.cells[choice.time].iloc[place],
            )
        parts = in_order(np.argsort(times.to_numpy(), kind="stable"))
    else:
        rest, test = hold_out(y, TEST, seed)
        kept, held = hold_out(y[rest], VALIDATION / (1 - TEST), seed)
        parts = rest[kept], rest[held], test
    check_parts(y, parts)
    names: list[str] = []
    columns: list[np.ndarray] = []
    for name in choice.columns:
        for part, values in encode_column(table, name, y, parts[0]):
            names.append(part)
            columns.append(values)
    x = np.stack(columns, axis=1).astype(np.float32)
    return Ready(x, y, tuple(names), *parts, by_time=choice.time is not None, yes=yes)


def read_label(cells: pd.DataFrame, label: str) -> tuple[np.ndarray, str]:
    """0 or 1 a row, and which value is 1: the usual words, else the rarer one."""
    values = cells[label].str.lower().value_counts()
    if len(values) != 2:
        raise InputError(
            N_("Column {column} has {n} values; the answer must have two."),
            column=label,
            n=len(values),
        )
    yes = next((value for value in YES if value in values.index), str(values.index[-1]))
    return (cells[label].str.lower() == yes).to_numpy(np.int64), yes


def in_order(order: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split rows in order of time: learn from the first, choose on the next, measure on the last."""
    first, second = round((1 - TEST - VALIDATION) * len(order)), round((1 - TEST) * len(order))
    return order[:first], order[first:second], order[second:]


def check_parts(y: np.ndarray, parts: tuple[np.ndarray, ...]) -> None:
    """Raise `InputError` where a part has too few of a kind."""
    few = min(min(int(y[p].sum()), int((1 - y[p]).sum())) for p in parts)
    if y.sum() < FEWEST_YES or few < 5:
        raise InputError(
            N_("There are {n} yes in {rows} rows; each part needs some of both. Add more rows."),
            n=f"{int(y.sum()):,}",
            rows=f"{len(y):,}",
        )


def encode_column(
    table: OwnTable, name: str, y: np.ndarray, train: np.ndarray
) -> list[tuple[str, np.ndarray]]:
    """One column as one or more columns of numbers (N,)."""
    import pandas as pd

    column, role = table.cells[name], table.roles[name]
    if role == "time":
        when = read_times(column, DATES)
        hour = (when.dt.hour + when.dt.minute / 60).fillna(0).to_numpy()
        return [
            (f"{name}: hour", hour),
            (f"{name}: weekday", when.dt.weekday.fillna(0).to_numpy(np.float64)),
        ]
    if role == "number":
        blank = (column == "").to_numpy()
        values = read_numbers(column.where(~blank, "0"), name, table.semicolons)
        known = values[train][~blank[train]]
        values = np.where(blank, np.median(known) if len(known) else 0.0, values)
        found = [(name, stretch(values, train))]
        return found + ([(f"{name}: blank", blank.astype(np.float64))] if blank.any() else [])
    counts = column.iloc[train].value_counts()
    if len(counts) <= FEW_VALUES:
        return [(f"{name} = {v}", (column == v).to_numpy(np.float64)) for v in counts.index]
    codes, _values = pd.factorize(column)
    often = np.bincount(codes[train], minlength=codes.max() + 1)
    return [
        (f"{name}: how often", np.log1p(often[codes])),
        (f"{name}: share of yes", share_of_yes(codes, y, train)),
    ]


def stretch(values: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Take a signed logarithm where a few values lie far beyond the rest."""
    low, middle, high = np.quantile(values[train], [0.01, 0.5, 0.99])
    reach = np.abs(values[train] - middle).max()
    if reach <= 4 * max(high - low, 1e-12):
        return values
    unit = max(np.quantile(np.abs(values[train] - middle), 0.5), 1e-9)
    return np.sign(values - middle) * np.log1p(np.abs(values - middle) / unit)


def share_of_yes(codes: np.ndarray, y: np.ndarray, train: np.ndarray) -> np.ndarray:
    """How often each value was a yes, (N,); a training row is judged by the other folds.

    Paper: Micci-Barreca 2001, https://doi.org/10.1145/507533.507538
    """
    size, mean = int(codes.max()) + 1, float(y[train].mean())

    def shares(rows: np.ndarray) -> np.ndarray:
        n = np.bincount(codes[rows], minlength=size)
        hits = np.bincount(codes[rows], weights=y[rows], minlength=size)
        return (hits + PRIOR * mean) / (n + PRIOR)

    found = shares(train)[codes]
    fold = np.random.default_rng(0).integers(0, FOLDS, len(train))
    for k in range(FOLDS):
        found[train[fold == k]] = shares(train[fold != k])[codes[train[fold == k]]]
    return found
