"""Tang poems and Song lyrics (ci) as chinese-poetry collected them.

https://github.com/chinese-poetry/chinese-poetry
The Tang files are in traditional characters, the Song file in simplified ones: all are read in
simplified characters, so that both are one language.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlportal.data.files import dataset_file
from dlportal.data.splits import Splits
from dlportal.kinds.poem_form import MARKS, lines_of
from dlportal.kinds.simplified import simplified
from dlportal.messages import N_, InputError

# The selected three hundred first: of poems that occur twice, their wording stays.
FILES = (
    "tangshi300.json",
    "poet.tang.0.json",
    "poet.tang.1000.json",
    "poet.tang.2000.json",
    "poet.tang.3000.json",
    "ci.song.0.json",
)
FORMS = ("five", "seven", "ci", "mixed")
READABLE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff，。、？！；]+")
SENTENCE = re.compile(r"[^。？！；]+[。？！；]?")
SHORTEST = 10  # characters of a sentence that two poems must not share
SHARES = (0.85, 0.05)  # of the poems: for training, for choosing; the rest is the test
SEED = 0


@dataclass(frozen=True)
class Poem:
    """A poem in simplified characters, its lines joined; `form` is one of `FORMS`."""

    text: str
    form: str
    title: str = ""
    author: str = ""


def load() -> Splits[tuple[Poem, ...]]:
    """Read, tidy and split the poems: no two of them share a sentence.

    Raises:
        AssetError: The files are neither here nor to be had.
    """
    poems = [poem for name in FILES for poem in read(dataset_file("chinese_poetry", name))]
    return split(distinct(poems))


def split(poems: Sequence[Poem]) -> Splits[tuple[Poem, ...]]:
    """A seeded split."""
    order = np.random.default_rng(SEED).permutation(len(poems))
    shuffled = [poems[i] for i in order]
    first, second = (round(len(poems) * share) for share in np.cumsum(SHARES))
    return Splits(tuple(shuffled[:first]), tuple(shuffled[first:second]), tuple(shuffled[second:]))


def read(path: Path) -> list[Poem]:
    """Poems of a JSON list of objects with `paragraphs` (a list of strings).

    Poems with anything but Chinese characters and plain punctuation are left out: placeholders
    for lost characters, editors' notes.

    Raises:
        InputError: Not such a file.
    """
    try:
        rows = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(
            N_("{file} cannot be read as a JSON list of poems; check the path and the file."),
            file=path.name,
        ) from error
    if not isinstance(rows, list) or not all(well_formed(row) for row in rows):
        raise InputError(
            N_("{file} is not a JSON list of objects with a list of strings `paragraphs`."),
            file=path.name,
        )
    return list(tidy(rows))


def well_formed(row: Any) -> bool:
    lines = row.get("paragraphs") if isinstance(row, dict) else None
    return isinstance(lines, list) and all(isinstance(line, str) for line in lines)


def tidy(rows: Sequence[dict[str, Any]]) -> Iterator[Poem]:
    for row in rows:
        text = simplified("".join("".join(row["paragraphs"]).split()))
        if READABLE.fullmatch(text):
            tune = row.get("rhythmic")
            form = "ci" if tune else form_of(text)
            title = simplified(str(tune or row.get("title", "")))
            yield Poem(text, form, title, simplified(str(row.get("author", ""))))


def form_of(text: str) -> str:
    """`five` or `seven` where all lines have so many characters, else `mixed`."""
    lengths = {len(line) for line in lines_of(text)}
    return {5: "five", 7: "seven"}[lengths.pop()] if lengths in ({5}, {7}) else "mixed"


def distinct(poems: Sequence[Poem]) -> list[Poem]:
    """Poems that share no sentence of ten characters or more with one before them."""
    seen: set[str] = set()
    kept = []
    for poem in poems:
        long = {s for s in sentences(poem.text) if len(s) >= SHORTEST} or {poem.text}
        if not long & seen:
            kept.append(poem)
        seen |= long
    return kept


def sentences(text: str) -> list[str]:
    """Sentences without their punctuation."""
    return [MARKS.sub("", sentence) for sentence in SENTENCE.findall(text)]
