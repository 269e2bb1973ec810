"""Credit-card customers of a Taiwanese bank in 2005, and who could not pay in October.

Yeh and Lien 2009, https://doi.org/10.1016/j.eswa.2007.12.020. Six months of repayment status,
statements and payments, April to September; default is what happened next.

A network sees `COLUMNS`. Sex, education, marriage and age are read apart, as `People`: only to
measure how groups fare.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from dlportal.data.files import dataset_file
from dlportal.data.splits import Splits, hold_out
from dlportal.messages import N_, InputError

NAME = "uci_credit_default"
FILE = "UCI_Credit_Card.csv"
TEST, VALIDATION = 0.2, 0.15  # parts of all rows, and of the rest
MONTHS = ("sep", "aug", "jul", "jun", "may", "apr")
"""Newest first, as in the file."""
COLUMNS = (
    "limit",
    *(f"status_{month}" for month in MONTHS),
    *(f"bill_{month}" for month in MONTHS),
    *(f"paid_{month}" for month in MONTHS),
)
"""Credit limit; repayment status (-2 no use, -1 paid in full, 0 paid in part, 1 and more: months
of delay); statement; payment. Money is in New Taiwan dollars of 2005."""
STATUS, BILL, PAID = slice(1, 7), slice(7, 13), slice(13, 19)
SEX, EDUCATION, MARRIAGE, AGE = range(4)


@dataclass(frozen=True)
class Customers:
    """Customers, one a row.

    Attributes:
        x: Shape (N, 19), float64, in the order of `COLUMNS`.
        people: Shape (N, 4), int64: sex (1 male, 2 female), education (1 graduate school,
            2 university, 3 high school, else other: 0, 5 and 6 are undocumented), marriage
            (1 married, 2 single, else other), age in years.
        default: 1 where the customer could not pay the next month, shape (N,), int64.
    """

    x: np.ndarray
    people: np.ndarray
    default: np.ndarray

    def __len__(self) -> int:
        return len(self.default)

    def take(self, rows: np.ndarray) -> "Customers":
        """The rows with these indices, in this order."""
        return Customers(self.x[rows], self.people[rows], self.default[rows])


@cache
def load() -> Splits[Customers]:
    """Training, validation and test customers, the same on every machine.

    Of rows that are equal in everything but their number one is kept (35 of 30,000 go).

    Raises:
        AssetError: The file is neither here nor to be had, or is another.
    """
    everybody = read(dataset_file(NAME, FILE))
    rest, test = hold_out(everybody.default, TEST, seed=0)
    kept, held = hold_out(everybody.default[rest], VALIDATION, seed=0)
    return Splits(everybody.take(rest[kept]), everybody.take(rest[held]), everybody.take(test))


def read(path: Path) -> Customers:
    """Read UCI's table: a header, then ID, X1 to X23, Y.

    Raises:
        InputError: Another layout.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = np.array([row[1:] for row in list(csv.reader(file))[1:]], np.float64)
    except (OSError, ValueError) as error:
        raise InputError(
            N_("{file} is not the UCI table of credit-card customers; get the original."),
            file=path.name,
        ) from error
    if rows.ndim != 2 or rows.shape[1] != 24:
        raise InputError(
            N_("{file} is not the UCI table of credit-card customers; get the original."),
            file=path.name,
        )
    _values, first = np.unique(rows, axis=0, return_index=True)
    rows = rows[np.sort(first)]
    x = np.concatenate([rows[:, :1], rows[:, 5:23]], axis=1)
    return Customers(x, rows[:, 1:5].astype(np.int64), rows[:, 23].astype(np.int64))


GROUPS: dict[str, tuple[str, ...]] = {
    "sex": ("women", "men"),
    "age": ("under_30", "thirties", "forties", "over_49"),
    "education": ("graduate", "university", "high_school", "other"),
}


def group_of(people: np.ndarray) -> dict[str, np.ndarray]:
    """Places in `GROUPS` of each person, by kind; arrays (N,)."""
    education = people[:, EDUCATION]
    return {
        "sex": np.where(people[:, SEX] == 2, 0, 1),
        "age": np.digitize(people[:, AGE], [30, 40, 50]),
        "education": np.where((education >= 1) & (education <= 3), education - 1, 3),
    }
