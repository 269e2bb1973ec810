"""Reading a visitor's payments: a CSV in the Fraud Detection Handbook's columns.

Needed are TX_DATETIME, CUSTOMER_ID, TERMINAL_ID and TX_AMOUNT; TRANSACTION_ID, TX_FRAUD and
TX_FRAUD_SCENARIO are read where they are. A byte-order mark, semicolons or tabs, decimal commas
and unsorted rows are understood. Everything else is one sentence that names the row (the header
is row 1) and the column.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dlportal.cards import Limits
from dlportal.messages import N_, InputError

if TYPE_CHECKING:
    import pandas as pd

REQUIRED = ("TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT")
DATES = ("ISO8601", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M")
FRAUD = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1, "": 0}
POINT = r"[-+]?(\d{1,3}(,\d{3})+|\d*)(\.\d*)?([eE][-+]?\d+)?"
COMMA = r"[-+]?(\d{1,3}(\.\d{3})+|\d*)(,\d*)?([eE][-+]?\d+)?"
LARGEST = 1e9
"""No amount is above this; keeps sums exact."""


@dataclass(frozen=True)
class Payments:
    """Payments read from a file.

    Attributes:
        table: Ordered by time, with the Handbook's columns; TX_FRAUD is 0 where it is blank.
        labelled: Whether the file says which payments were frauds.
        sorted_here: Whether the rows had to be put in order.
    """

    table: pd.DataFrame
    labelled: bool
    sorted_here: bool


def read_payments(data: bytes, limits: Limits) -> Payments:
    """Read a CSV.

    Args:
        data: The file.
        limits: How large it may be.

    Raises:
        InputError: The file cannot be used; the sentence names row and column.
    """
    import pandas as pd

    cells, mark = _read_cells(_decode(data, limits), limits)
    missing = [name for name in REQUIRED if name not in cells]
    if missing:
        raise InputError(
            N_("Column {column} is missing. The first row must name: {names}."),
            column=missing[0],
            names=", ".join(REQUIRED),
        )
    if cells.empty:
        raise InputError(N_("The file has a header but no payments. Add one row a payment."))
    labelled = "TX_FRAUD" in cells and bool((cells["TX_FRAUD"] != "").any())
    count = len(cells)
    table = pd.DataFrame(
        {
            "TRANSACTION_ID": cells.get("TRANSACTION_ID", pd.Series(range(count))).astype(str),
            "TX_DATETIME": _dates(cells["TX_DATETIME"]),
            "CUSTOMER_ID": _ids(cells, "CUSTOMER_ID"),
            "TERMINAL_ID": _ids(cells, "TERMINAL_ID"),
            "TX_AMOUNT": _amounts(cells["TX_AMOUNT"], mark == ";"),
            "TX_FRAUD": _frauds(cells["TX_FRAUD"]) if labelled else np.zeros(count, np.int8),
        }
    )
    if "TX_FRAUD_SCENARIO" in cells:
        table["TX_FRAUD_SCENARIO"] = cells["TX_FRAUD_SCENARIO"]
    ordered = table["TX_DATETIME"].is_monotonic_increasing
    if not ordered:
        table = table.sort_values("TX_DATETIME", kind="stable", ignore_index=True)
    return Payments(table, labelled, not ordered)


def write_payments(table: pd.DataFrame) -> bytes:
    """Write payments as the CSV that `read_payments` reads."""
    return table.to_csv(index=False, date_format="%Y-%m-%d %H:%M:%S").encode()


def _decode(data: bytes, limits: Limits) -> str:
    if not data.strip():
        raise InputError(N_("The file is empty. Choose a CSV with one payment a row."))
    if len(data) > limits.bytes:
        raise InputError(
            N_("The file has {n:.1f} MB; the limit is {limit:.0f} MB. Cut it into parts."),
            n=len(data) / 1e6,
            limit=limits.bytes / 1e6,
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        text = data.decode("utf-8-sig", errors="replace")
    if "\x00" in text:
        raise InputError(N_("This is not a text file. Save the table as CSV and try again."))
    return text


def _read_cells(text: str, limits: Limits) -> tuple[pd.DataFrame, str]:
    """Split the text into cells under upper-case column names; also returns what split them."""
    import pandas as pd

    first = text.lstrip("\r\n").split("\n", 1)[0]
    mark = max((";", "\t", "|", ","), key=first.count)
    columns = first.count(mark) + 1
    if columns > limits.columns:
        raise InputError(
            N_("Row 1 names {n} columns; the limit is {limit}. Keep those you need."),
            n=f"{columns:,}",
            limit=limits.columns,
        )
    if text.count("\n") > limits.rows + 2:
        raise InputError(
            N_("The file has {n} rows; the limit is {limit}. Cut it into parts."),
            n=f"{text.count(chr(10)):,}",
            limit=f"{limits.rows:,}",
        )
    _check_widths(text, mark)
    try:
        cells = pd.read_csv(io.StringIO(text), sep=mark, dtype=str, na_filter=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError):
        raise InputError(
            N_("This is not a CSV we can read. Save the table as CSV and try again.")
        ) from None
    cells.columns = [str(name).strip().upper() for name in cells.columns]
    cells = cells.loc[:, ~cells.columns.duplicated()]
    return cells.apply(lambda column: column.str.strip()), mark


def _check_widths(text: str, mark: str) -> None:
    """Raise `InputError` for the first row with more or fewer cells than the header."""
    width = 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=mark), start=1):
            width = width or len(row)
            if row and len(row) != width:
                raise InputError(
                    N_("Row {row} has {n} cells; the header has {width}. Correct that row."),
                    row=f"{number:,}",
                    n=len(row),
                    width=width,
                )
    except csv.Error:
        raise InputError(
            N_("This is not a CSV we can read. Save the table as CSV and try again.")
        ) from None


def _first(wrong: np.ndarray) -> int | None:
    """Place of the first wrong cell, or None."""
    places = np.flatnonzero(wrong)
    return int(places[0]) if len(places) else None


def _refuse(message: str, column: str, place: int, value: str) -> None:
    """Raise `InputError` about one cell; row 1 is the header."""
    raise InputError(message, row=f"{place + 2:,}", column=column, value=value[:40])


def _dates(column: pd.Series) -> pd.Series:
    import pandas as pd

    best, fewest = None, len(column) + 1
    for form in DATES:
        parsed = pd.to_datetime(column, format=form, errors="coerce", utc=True)
        missing = int(parsed.isna().sum())
        if missing < fewest:
            best, fewest = parsed, missing
        if not missing:
            break
    assert best is not None
    year = best.dt.year
    place = _first((best.isna() | (year < 1970) | (year > 2200)).to_numpy())
    if place is not None:
        _refuse(
            N_(
                "Row {row}, column {column}: {value} is not a time. Write it as 2018-04-01 12:30:00."
            ),
            "TX_DATETIME",
            place,
            column.iloc[place],
        )
    return best.dt.tz_localize(None).astype("datetime64[s]")


def _amounts(column: pd.Series, semicolons: bool) -> np.ndarray:
    """Numbers with points or with commas as decimal mark, whichever fits more cells.

    A file with semicolons between its cells has them because its numbers have commas.
    """
    import pandas as pd

    text = column.str.replace(r"[\s\u00a0']", "", regex=True)
    points, commas = text.str.fullmatch(POINT), text.str.fullmatch(COMMA)
    if (semicolons and commas.sum() >= points.sum()) or commas.sum() > points.sum():
        text = text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
        readable = commas
    else:
        text = text.str.replace(",", "", regex=False)
        readable = points
    amount = pd.to_numeric(text.where(readable, ""), errors="coerce").to_numpy(np.float64)
    place = _first(~np.isfinite(amount))
    if place is not None:
        _refuse(
            N_("Row {row}, column {column}: {value} is not a number. Correct it."),
            "TX_AMOUNT",
            place,
            column.iloc[place] or "''",
        )
    place = _first((amount < 0) | (amount > LARGEST))
    if place is not None:
        _refuse(
            N_("Row {row}, column {column}: {value} is out of range. Give 0 to 1,000,000,000."),
            "TX_AMOUNT",
            place,
            column.iloc[place],
        )
    return amount


def _ids(cells: pd.DataFrame, name: str) -> pd.Series:
    place = _first((cells[name] == "").to_numpy())
    if place is not None:
        _refuse(
            N_("Row {row}, column {column} is blank. Fill it in or remove the row."),
            name,
            place,
            "",
        )
    return cells[name]


def _frauds(column: pd.Series) -> np.ndarray:
    value = column.str.lower().map(FRAUD)
    place = _first(value.isna().to_numpy())
    if place is not None:
        _refuse(
            N_("Row {row}, column {column}: {value} is neither 0 nor 1. Correct it."),
            "TX_FRAUD",
            place,
            column.iloc[place],
        )
    return value.to_numpy(np.int8)
