"""Tatoeba: short everyday sentences in English and Chinese, written by volunteers.

https://www.manythings.org/anki/ (cmn-eng, 2021-07-14) of https://tatoeba.org
The Chinese comes in traditional and in simplified characters; here all of it is simplified.
"""

import re
from pathlib import Path

import numpy as np

from dlportal.data.files import dataset_file
from dlportal.data.pairs import Parallel
from dlportal.data.splits import Splits
from dlportal.kinds.simplified import simplified
from dlportal.messages import N_, InputError

HELD = 1000  # English sentences of the validation and of the test part, each
SEED = 7


def load() -> Splits[Parallel]:
    """Read the pairs and split them by their English sentence.

    An English sentence (case and punctuation do not count) and all its translations lie in one
    part; in validation and test only its first translation is kept.

    Raises:
        AssetError: The file is neither here nor to be had.
    """
    pairs = read(dataset_file("tatoeba_cmn_eng", "cmn.txt"))
    rows: dict[str, list[int]] = {}
    for row, english in enumerate(pairs.texts["en"]):
        rows.setdefault(key(english), []).append(row)
    groups = list(rows.values())
    order = np.random.default_rng(SEED).permutation(len(groups)).tolist()
    test, held, train = order[:HELD], order[HELD : 2 * HELD], order[2 * HELD :]
    return Splits(
        pairs.take(sorted(row for group in train for row in groups[group])),
        pairs.take(sorted(groups[group][0] for group in held)),
        pairs.take(sorted(groups[group][0] for group in test)),
    )


def key(english: str) -> str:
    """What makes two English sentences the same."""
    return re.sub(r"[^\w]+", " ", english.lower()).strip() or english


def read(path: Path) -> Parallel:
    """Read `English<TAB>Chinese[<TAB>attribution]` lines.

    Raises:
        InputError: Not such a file.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            N_("{file} cannot be read as a UTF-8 text file; check the path and the encoding."),
            file=str(path),
        ) from error
    english, chinese = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) < 2 or not cells[0] or not cells[1]:
            raise InputError(
                N_(
                    "Line {line} of {file} is not an English sentence, a tab and a Chinese one; "
                    "put that line right."
                ),
                line=number,
                file=path.name,
            )
        english.append(cells[0])
        chinese.append(simplified(cells[1]).replace("\u200b", ""))
    if not english:
        raise InputError(N_("{file} holds no sentence."), file=path.name)
    return Parallel({"en": tuple(english), "zh": tuple(chinese)})
