"""Reading a visitor's CSV into cells, times and numbers: what all tables have in common.

A byte-order mark, semicolons or tabs, and decimal commas are understood. Everything else is one
sentence that names the row (the header is row 1) and the column.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from dlportal.cards import Limits
from dlportal.messages import N_, InputError

if TYPE_CHECKING:
    import pandas as pd

POINT = r"[-+]?(\d{1,3}(,\d{3})+|\d*)(\.\d*)?([eE][-+]?\d+)?"
COMMA = r"[-+]?(\d{1,3}(\.\d{3})+|\d*)(,\d*)?([eE][-+]?\d+)?"


def decode(data: bytes, limits: Limits) -> str:
    """The text of a file that is not blank.

    Raises:
        InputError: Too large, or not text.
    """
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


def read_cells(text: str, limits: Limits) -> tuple[pd.DataFrame, str]:
    """Split the text into cells under upper-case column names; also returns what split them.

    Raises:
        InputError: Too many rows or columns, or rows of different widths.
    """
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
    check_widths(text, mark)
    try:
        cells = pd.read_csv(io.StringIO(text), sep=mark, dtype=str, na_filter=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError):
        raise InputError(
            N_("This is not a CSV we can read. Save the table as CSV and try again.")
        ) from None
    cells.columns = [str(name).strip().upper() for name in cells.columns]
    return cells.apply(lambda column: column.str.strip()), mark


def check_widths(text: str, mark: str) -> None:
    """Raise `InputError` for the first row with more or fewer cells than the header, for a blank
    row (it would shift the numbers of those below), and for a name that stands twice."""
    width = blank = 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=mark), start=1):
            if not row:
                blank = blank or number
                continue
            if blank:
                raise InputError(N_("Row {row} is blank. Delete it."), row=f"{blank:,}")
            if not width:
                width = len(row)
                check_names(row)
            if len(row) != width:
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


def check_names(header: list[str]) -> None:
    """Raise `InputError` for a name that stands twice; what has no letter is no name."""
    seen: set[str] = set()
    for name in (cell.strip().upper() for cell in header):
        if name in seen and any(map(str.isalpha, name)):
            raise InputError(
                N_("Row 1 names the column {column} twice. Rename or delete one."),
                column=name[:40],
            )
        seen.add(name)


def first_place(wrong: np.ndarray) -> int | None:
    """Place of the first wrong cell, or None."""
    places = np.flatnonzero(wrong)
    return int(places[0]) if len(places) else None


def refuse(message: str, column: str, place: int, value: str) -> NoReturn:
    """Raise `InputError` about one cell; row 1 is the header."""
    shown = " ".join(value.split())[:40] or "''"
    raise InputError(message, row=f"{place + 2:,}", column=column, value=shown)


def read_times(column: pd.Series, forms: tuple[str, ...]) -> pd.Series:
    """Times in whichever of the forms fits most cells, in UTC; NaT where none fits or the year
    is not between 1900 and 2200."""
    import pandas as pd

    best, fewest = None, len(column) + 1
    for form in forms:
        parsed = pd.to_datetime(column, format=form, errors="coerce", utc=True)
        missing = int(parsed.isna().sum())
        if missing < fewest:
            best, fewest = parsed, missing
        if not missing:
            break
    assert best is not None
    year = best.dt.year
    return best.where((year >= 1900) & (year <= 2200))


def read_numbers(column: pd.Series, name: str, semicolons: bool) -> np.ndarray:
    """Numbers with points or with commas as decimal mark, whichever fits more cells.

    A file with semicolons between its cells has them because its numbers have commas.

    Raises:
        InputError: A cell is not a number; the sentence names it.
    """
    import pandas as pd

    text = column.str.replace(r"[ \t\u00a0\u2009\u202f']", "", regex=True)
    points, commas = text.str.fullmatch(POINT), text.str.fullmatch(COMMA)
    if (semicolons and commas.sum() >= points.sum()) or commas.sum() > points.sum():
        text = text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
        readable = commas
    else:
        text = text.str.replace(",", "", regex=False)
        readable = points
    numbers = pd.to_numeric(text.where(readable, ""), errors="coerce").to_numpy(np.float64)
    place = first_place(~np.isfinite(numbers))
    if place is not None:
        refuse(
            N_("Row {row}, column {column}: {value} is not a number. Correct it."),
            name,
            place,
            column.iloc[place],
        )
    return numbers
