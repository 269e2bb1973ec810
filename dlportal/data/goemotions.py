"""GoEmotions: comments from Reddit with the emotions they show.

Demszky et al. 2020, https://arxiv.org/abs/2005.00547
"""

from pathlib import Path

import numpy as np

from dlportal.data.files import dataset_file
from dlportal.data.splits import Texts
from dlportal.messages import N_, InputError

POSITIVE = frozenset(
    (
        "admiration",
        "amusement",
        "approval",
        "caring",
        "excitement",
        "gratitude",
        "joy",
        "love",
        "optimism",
        "pride",
        "relief",
    )
)
NEGATIVE = frozenset(
    (
        "anger",
        "annoyance",
        "disappointment",
        "disapproval",
        "disgust",
        "embarrassment",
        "fear",
        "grief",
        "nervousness",
        "remorse",
        "sadness",
    )
)


def load_polarity(part: str = "train", folder: Path | None = None) -> Texts:
    """Comments whose emotions all point one way: 0 negative, 1 positive.

    Neutral, surprised, curious or mixed comments are left out. The grouping is the one that the
    authors give for sentiment.

    Args:
        part: `train`, `dev` or `test`.
        folder: A folder with the files to read instead.

    Raises:
        AssetError: The files are neither here nor to be had.
        InputError: A file in `folder` has another layout.
    """
    names = ("labels.txt", f"{part}.tsv")
    paths = [folder / name if folder else dataset_file("goemotions", name) for name in names]
    try:
        emotions = paths[0].read_text("utf-8").split()
        rows = [line.split("\t") for line in paths[1].read_text("utf-8").splitlines()]
        shown = [(row[0], {emotions[int(i)] for i in row[1].split(",")}) for row in rows]
    except (OSError, ValueError, IndexError) as error:
        raise InputError(
            N_("{file} is missing or not laid out like GoEmotions; put it right and try again."),
            file=str(paths[1]),
        ) from error
    good = [(text, bool(found & POSITIVE), bool(found & NEGATIVE)) for text, found in shown]
    kept = [(text, int(up)) for text, up, down in good if up != down]
    return Texts(tuple(text for text, _ in kept), np.array([label for _, label in kept]))
