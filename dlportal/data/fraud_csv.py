"""Reading a visitor's payments: a CSV in the Fraud Detection Handbook's columns.

Needed are TX_DATETIME, CUSTOMER_ID, TERMINAL_ID and TX_AMOUNT; TRANSACTION_ID, TX_FRAUD and
TX_FRAUD_SCENARIO are read where they are. A byte-order mark, semicolons or tabs, decimal commas
and unsorted rows are understood. Everything else is one sentence that names the row (the header
is row 1) and the column.
"""

from __future__ import annotations

from dataclasses import dataclass
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
from dlportal.messages import N_, InputError

if TYPE_CHECKING:
    import pandas as pd

REQUIRED = ("TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT")
DATES = ("ISO8601", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M")
FRAUD = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1, "": 0}
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

    if not data.strip():
        raise InputError(N_("The file is empty. Choose a CSV with one payment a row."))
    cells, mark = read_cells(decode(data, limits), limits)
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


def _dates(column: pd.Series) -> pd.Series:
    times = read_times(column, DATES)
    place = first_place((times.isna() | (times.dt.year < 1970)).to_numpy())
    if place is not None:
        refuse(
            N_(
                "Row {row}, column {column}: {value} is not a time. Write it as 2018-04-01 12:30:00."
            ),
            "TX_DATETIME",
            place,
            column.iloc[place],
        )
    return times.dt.tz_localize(None).astype("datetime64[s]")


def _amounts(column: pd.Series, semicolons: bool) -> np.ndarray:
    amount = read_numbers(column, "TX_AMOUNT", semicolons)
    place = first_place((amount < 0) | (amount > LARGEST))
    if place is not None:
        refuse(
            N_("Row {row}, column {column}: {value} is out of range. Give 0 to 1,000,000,000."),
            "TX_AMOUNT",
            place,
            column.iloc[place],
        )
    return amount


def _ids(cells: pd.DataFrame, name: str) -> pd.Series:
    place = first_place((cells[name] == "").to_numpy())
    if place is not None:
        refuse(
            N_("Row {row}, column {column} is blank. Fill it in or remove the row."),
            name,
            place,
            "",
        )
    return cells[name]


def _frauds(column: pd.Series) -> np.ndarray:
    value = column.str.lower().map(FRAUD)
    place = first_place(value.isna().to_numpy())
    if place is not None:
        refuse(
            N_("Row {row}, column {column}: {value} is neither 0 nor 1. Correct it."),
            "TX_FRAUD",
            place,
            column.iloc[place],
        )
    return value.to_numpy(np.int8)
