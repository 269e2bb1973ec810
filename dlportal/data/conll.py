"""Files with one word and its tag a line, a blank line between sentences (CoNLL).

Tags are `O`, `B-type` (a name begins) and `I-type` (it goes on): Ramshaw and Marcus 1995,
https://aclanthology.org/W95-0107/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlportal.data.text_files import read_lines
from dlportal.messages import N_, InputError

OUTSIDE = "O"


@dataclass(frozen=True)
class Tagged:
    """Sentences as words, and a tag for each word."""

    words: tuple[tuple[str, ...], ...]
    tags: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.words)

    def take(self, rows: np.ndarray) -> "Tagged":
        """The sentences with these indices, in this order."""
        return Tagged(tuple(self.words[row] for row in rows), tuple(self.tags[row] for row in rows))

    def renamed(self, names: Mapping[str, str]) -> "Tagged":
        """The same with other names of types; a type that is mapped to "" or `O` is no name.

        Types that are not mentioned stay.
        """

        def rename(tag: str) -> str:
            if tag == OUTSIDE:
                return tag
            name = names.get(tag[2:], tag[2:])
            return OUTSIDE if name in ("", OUTSIDE) else tag[:2] + name

        return Tagged(self.words, tuple(tuple(map(rename, row)) for row in self.tags))

    @property
    def types(self) -> list[str]:
        """Names of the types that occur, sorted."""
        return sorted({tag[2:] for row in self.tags for tag in row if tag != OUTSIDE})


def read_conll(path: Path, word: int = 0, tag: int = -1) -> Tagged:
    """Read a file; columns are parted by tabs, or by blanks where there is no tab.

    Args:
        path: UTF-8; lines that begin with `#` and a blank, and `-DOCSTART-` are left out.
        word: The words' column.
        tag: The tags' column.

    Raises:
        InputError: Not readable, a line with a single column, or a tag of another form.
    """
    sentences: list[list[tuple[str, str]]] = [[]]
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip() or line.startswith(("# ", "-DOCSTART-")):
            sentences.append([])
            continue
        row = line.split("\t") if "\t" in line else line.split()
        found = row[tag].strip() if len(row) > 1 else ""
        if not (found == OUTSIDE or (found[:2] in ("B-", "I-") and len(found) > 2)):
            raise InputError(
                N_(
                    "Line {line} of {file} is not a word and a tag (O, B-type or I-type); put that"
                    " line right."
                ),
                line=number,
                file=path.name,
            )
        sentences[-1].append((row[word].strip(), found))
    kept = [rows for rows in sentences if rows]
    if not kept:
        raise InputError(N_("{file} holds no sentence."), file=path.name)
    return Tagged(
        tuple(tuple(w for w, _t in rows) for rows in kept),
        tuple(tuple(t for _w, t in rows) for rows in kept),
    )
