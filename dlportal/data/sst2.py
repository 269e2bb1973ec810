"""SST-2: sentences of film reviews, negative or positive.

Socher et al. 2013, https://aclanthology.org/D13-1170/
"""

from pathlib import Path

import numpy as np

from dlportal.data.files import dataset_file
from dlportal.data.splits import Splits, Texts, hold_out, novel_rows
from dlportal.data.text_files import read_lines
from dlportal.messages import N_, InputError

CLASSES = ("negative", "positive")
VALIDATION = 0.1  # part of the training sentences


def load(seed: int = 0, folder: Path | None = None) -> Splits[Texts]:
    """Read SST-2, sentences only (no phrases).

    The official test labels are not among the files, so `test` is the official development
    part, as is usual, and `validation` is carved from the training part. Of sentences that
    differ in punctuation alone one is kept, and training sentences that also occur in `test`
    are dropped: of 6,920 remain 6,910.

    Args:
        seed: Seed of the validation part.
        folder: A folder with `train.tsv` and `dev.tsv` to read instead.

    Raises:
        AssetError: The files are neither here nor to be had.
        InputError: A file in `folder` has another layout.
    """
    paths = [folder / f if folder else dataset_file("sst2", f) for f in ("train.tsv", "dev.tsv")]
    rest, test = read(paths[0]), read(paths[1])
    rest = rest.take(novel_rows(rest.texts, test.texts))
    kept, held = hold_out(rest.labels, VALIDATION, seed)
    return Splits(rest.take(kept), rest.take(held), test)


def read(path: Path) -> Texts:
    """Read a file of `text<TAB>0 or 1` lines without a header.

    Raises:
        InputError: Not such a file.
    """
    rows = [line.rsplit("\t", 1) for line in read_lines(path)]
    for number, row in enumerate(rows, 1):
        if len(row) != 2 or row[1] not in ("0", "1"):
            raise InputError(
                N_("Line {line} of {file} is not a text, a tab and 0 or 1; put that line right."),
                line=number,
                file=path.name,
            )
    return Texts(tuple(row[0].strip() for row in rows), np.array([int(row[1]) for row in rows]))
