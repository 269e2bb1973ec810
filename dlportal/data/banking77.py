"""Banking77: what customers of a bank ask, 77 intents.

Casanueva et al. 2020, https://aclanthology.org/2020.nlp4convai-1.5/
"""

import csv
from pathlib import Path

import numpy as np

from dlportal.data.files import dataset_file
from dlportal.data.splits import Splits, Texts, hold_out, novel_rows
from dlportal.messages import N_, InputError

VALIDATION = 0.1  # part of the training questions


def load(classes: tuple[str, ...], seed: int = 0, folder: Path | None = None) -> Splits[Texts]:
    """Read Banking77; `validation` is carved from the training part.

    Questions that occur twice are kept once, and training questions that also occur in `test`
    are dropped: of 10,003 remain 9,947.

    Args:
        classes: Ids of the intents; a label is a place in this list.
        seed: Seed of the validation part.
        folder: A folder with `train.csv` and `test.csv` to read instead.

    Raises:
        AssetError: The files are neither here nor to be had.
        InputError: A file in `folder` has another layout.
    """
    paths = [
        folder / f if folder else dataset_file("banking77", f) for f in ("train.csv", "test.csv")
    ]
    rest, test = read(paths[0], classes), read(paths[1], classes)
    rest = rest.take(novel_rows(rest.texts, test.texts))
    kept, held = hold_out(rest.labels, VALIDATION, seed)
    return Splits(rest.take(kept), rest.take(held), test)


def read(path: Path, classes: tuple[str, ...]) -> Texts:
    """Read a CSV file with the columns `text` and `category`.

    Raises:
        InputError: Not such a file, or a category that is not in `classes`.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            N_("{file} cannot be read as a UTF-8 text file; check the path and the encoding."),
            file=str(path),
        ) from error
    place = {name: number for number, name in enumerate(classes)}
    for number, row in enumerate(rows, 2):
        if not row.get("text") or row.get("category") not in place:
            raise InputError(
                N_(
                    "Row {line} of {file} has no text or an unknown category; the columns must be "
                    "text and category, the categories those of the assistant."
                ),
                line=number,
                file=path.name,
            )
    texts = tuple(" ".join(row["text"].split()) for row in rows)
    return Texts(texts, np.array([place[row["category"]] for row in rows], dtype=np.int64))
