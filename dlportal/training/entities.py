"""Names in tagged sentences, and how many were found: entity F1.

The scores are defined as seqeval's (https://github.com/chakki-works/seqeval, default mode), which
are those of conlleval (Tjong Kim Sang and Buchholz 2000, https://aclanthology.org/W00-0726/): a
name counts as found where its first word, its last word and its type are all right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dlportal.training.metrics import RowMetric


@dataclass(frozen=True)
class Name:
    """A name: its type, its first word and the first word after it."""

    type: str
    start: int
    end: int


def spans_of(tags: Sequence[str]) -> list[Name]:
    """The names in a sentence's tags; an I- without its B- begins a name, too."""
    found: list[Name] = []
    start, kind = 0, ""
    for place, tag in enumerate([*tags, "O"]):
        prefix, name = tag[:1], tag[2:]
        goes_on = prefix == "I" and name == kind and kind != ""
        if kind and not goes_on:
            found.append(Name(kind, start, place))
            kind = ""
        if prefix in ("B", "I") and not goes_on:
            start, kind = place, name
    return found


def iob2(names: Sequence[Name], count: int) -> list[str]:
    """Names as seqeval wants them: tags B-type and I-type of so many words or characters."""
    tags = ["O"] * count
    for name in names:
        tags[name.start] = f"B-{name.type}"
        tags[name.start + 1 : name.end] = [f"I-{name.type}"] * (name.end - name.start - 1)
    return tags


def count_rows(
    truth: Sequence[Sequence[str]], guesses: Sequence[Sequence[str]], only: str = ""
) -> np.ndarray:
    """Names found, guessed and there, for each sentence: (N, 3); `only` of one type."""
    rows = []
    for true, guessed in zip(truth, guesses, strict=True):
        there, found = (
            {span for span in spans_of(tags) if not only or span.type == only}
            for tags in (true, guessed)
        )
        rows.append((len(there & found), len(found), len(there)))
    return np.array(rows).reshape(-1, 3)


def f1_rows(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return 2.0 * counts[:, 0], counts[:, 1] + counts[:, 2]


# Of counts (N, 3) as `count_rows` gives them; drawn again by sentence.
entity_f1 = RowMetric("f1", f1_rows)
entity_precision = RowMetric("precision", lambda counts: (1.0 * counts[:, 0], counts[:, 1]))
entity_recall = RowMetric("recall", lambda counts: (1.0 * counts[:, 0], counts[:, 2]))
