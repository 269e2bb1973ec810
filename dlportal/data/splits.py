"""What the parsers of simple datasets return, and how a validation part is carved out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from dlportal.messages import N_, InputError

Part = TypeVar("Part")


@dataclass(frozen=True)
class Splits(Generic[Part]):
    """The three parts of a dataset. `test` is looked at once, at the end."""

    train: Part
    validation: Part
    test: Part


@dataclass(frozen=True)
class Texts:
    """Texts and their classes: `labels` has shape (N,), int64; (N, K) of 0 and 1 where a text
    can have several."""

    texts: tuple[str, ...]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: np.ndarray) -> "Texts":
        """The rows with these indices, in this order."""
        return Texts(tuple(self.texts[row] for row in rows), self.labels[rows])


@dataclass(frozen=True)
class Images:
    """Pictures, uint8 in 0-255, and classes (N,), int64.

    Grey ones have shape (N, height, width), coloured ones (N, height, width, 3).
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: np.ndarray) -> "Images":
        """The rows with these indices, in this order."""
        return Images(self.images[rows], self.labels[rows])


def hold_out(labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split rows in two with the same class shares, the same way for the same seed.

    Args:
        labels: Classes, shape (N,), integers.
        share: Part of each class that is held out, 0-1.
        seed: Seed of the draw.

    Returns:
        Indices kept and indices held out, each ascending.
    """
    rng = np.random.default_rng(seed)
    held = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        held[rows[: round(share * len(rows))]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def novel_rows(texts: Iterable[str], others: Iterable[str] = ()) -> np.ndarray:
    """Rows whose words occur in no earlier row and in none of the others.

    Case and punctuation do not count; a text without words counts as it stands.
    """
    seen = {_words(text) for text in others}
    rows = []
    for row, text in enumerate(texts):
        if (words := _words(text)) not in seen:
            seen.add(words)
            rows.append(row)
    return np.array(rows, dtype=np.int64)


def _words(text: str) -> str:
    return re.sub(r"[^\w]+", " ", text.lower()).strip() or text


def pick_split(parts: Splits[Images], split: str, limit: int | None) -> Images:
    """One part, or `limit` rows of it drawn at random (the file may be sorted).

    Raises:
        InputError: There is no such part.
    """
    known = ("train", "validation", "test")
    if split not in known:
        raise InputError(
            N_("No split {split}. Choose from: {known}."), split=split, known=", ".join(known)
        )
    part: Images = getattr(parts, split)
    if limit is None or limit >= len(part):
        return part
    return part.take(np.random.default_rng(0).permutation(len(part))[:limit])
