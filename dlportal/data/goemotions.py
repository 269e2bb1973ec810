"""GoEmotions: comments from Reddit, each with one or several of 28 emotions.

Demszky et al. 2020, https://aclanthology.org/2020.acl-main.372/
"""

from pathlib import Path

import numpy as np

from dlportal.data.splits import Splits, Texts
from dlportal.data.text_files import load_parts, read_lines
from dlportal.messages import N_, InputError

NAMES = (
    "admiration amusement anger annoyance approval caring confusion curiosity desire "
    "disappointment disapproval disgust embarrassment excitement fear gratitude grief joy love "
    "nervousness optimism pride realization relief remorse sadness surprise neutral"
)
CLASSES = tuple(NAMES.split())


def load(folder: Path | None = None) -> Splits[Texts]:
    """Read GoEmotions in its official split; labels have shape (N, 28), 0 or 1.

    Training comments that occur twice, or in another part too, are dropped.

    Args:
        folder: A folder with `train.tsv`, `dev.tsv` and `test.tsv` to read instead.

    Raises:
        AssetError: The files are neither here nor to be had.
        InputError: A file in `folder` has another layout.
    """
    return load_parts("goemotions", read, folder)


def read(path: Path) -> Texts:
    """Read a file of `text<TAB>label numbers` lines without a header; further columns are left out.

    Raises:
        InputError: Not such a file.
    """
    texts, labels = [], []
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        try:
            text, given = line.split("\t")[:2]
            row = np.zeros(len(CLASSES), dtype=np.int64)
            chosen = [int(label) for label in given.split(",")]
            if min(chosen) < 0:
                raise ValueError(given)
            row[chosen] = 1
        except (ValueError, IndexError) as error:
            raise InputError(
                N_("Line {line} of {file} is not a text, a tab and label numbers from 0 to 27."),
                line=number,
                file=path.name,
            ) from error
        texts.append(text.strip())
        labels.append(row)
    return Texts(tuple(texts), np.array(labels))
