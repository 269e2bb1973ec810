"""Reading a visitor's customers: a CSV in the columns of the UCI table, under either of its names.

Understood are UCI's X1, X6 to X23, the names LIMIT_BAL, PAY_0, PAY_2 ..., BILL_AMT1 ...,
PAY_AMT1 ..., and our own. Who people are is not read.
"""

from __future__ import annotations

import numpy as np

from dlportal.cards import Limits
from dlportal.data.csv_cells import decode, first_place, read_cells, read_numbers, refuse
from dlportal.data.uci_credit import COLUMNS, STATUS
from dlportal.messages import N_, InputError

FEWEST = 100
"""Rows from which a distribution can be compared."""
KAGGLE = (
    "LIMIT_BAL",
    *("PAY_0", *(f"PAY_{i}" for i in range(2, 7))),
    *(f"BILL_AMT{i}" for i in range(1, 7)),
    *(f"PAY_AMT{i}" for i in range(1, 7)),
)
UCI = ("X1", *(f"X{i}" for i in range(6, 24)))


def read_customers(data: bytes, limits: Limits) -> np.ndarray:
    """Read a CSV.

    Args:
        data: The file.
        limits: How large it may be.

    Returns:
        Shape (N, 19), float64, in the order of `COLUMNS`.

    Raises:
        InputError: The file cannot be used; the sentence names row and column.
    """
    if not data.strip():
        raise InputError(N_("The file is empty. Choose a CSV with one customer a row."))
    cells, mark = read_cells(decode(data, limits), limits)
    names = []
    for own, kaggle, uci in zip(COLUMNS, KAGGLE, UCI, strict=True):
        known = (
            (own.upper(), kaggle, uci, "PAY_1") if kaggle == "PAY_0" else (own.upper(), kaggle, uci)
        )
        found = next((name for name in known if name in cells), None)
        if found is None:
            raise InputError(
                N_("Column {column} is missing. The first row must name: {names}."),
                column=kaggle,
                names=", ".join(KAGGLE),
            )
        names.append(found)
    if len(cells) < FEWEST:
        raise InputError(
            N_("The file has {n} customers; a comparison needs at least {fewest}. Add more."),
            n=len(cells),
            fewest=FEWEST,
        )
    x = np.stack([read_numbers(cells[name], name, mark == ";") for name in names], axis=1)
    for column in range(STATUS.start, STATUS.stop):
        place = first_place(~np.isin(x[:, column], range(-2, 9)))
        if place is not None:
            refuse(
                N_("Row {row}, column {column}: {value} is no repayment status. Give -2 to 8."),
                names[column],
                place,
                cells[names[column]].iloc[place],
            )
    place = first_place(x[:, 0] <= 0)
    if place is not None:
        refuse(
            N_("Row {row}, column {column}: {value} is no credit limit. Give a number above 0."),
            names[0],
            place,
            cells[names[0]].iloc[place],
        )
    return x


def write_customers(x: np.ndarray) -> bytes:
    """Write rows (N, 19) as the CSV that `read_customers` reads."""
    lines = (",".join(f"{value:.0f}" for value in row) for row in x)
    return ("\n".join([",".join(KAGGLE), *lines]) + "\n").encode()
