"""Compare what was said with what was heard, word by word.

Word error rate: substitutions, deletions and insertions over the words said, after Whisper's own
English normaliser (lower case, no punctuation, numbers as digits, contractions written out;
appendix C of https://arxiv.org/abs/2212.04356), here without its British-American spellings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import jiwer
import numpy as np

Kind = Literal["equal", "substitute", "delete", "insert"]
KINDS: dict[str, Kind] = {k: k for k in get_args(Kind)}  # jiwer's names


@dataclass(frozen=True)
class Pair:
    """One word of the best alignment: said, heard, or both (then equal or different)."""

    kind: Kind
    said: str
    heard: str


@dataclass(frozen=True)
class Comparison:
    """The alignment of two texts with the fewest word errors."""

    pairs: tuple[Pair, ...]

    @property
    def errors(self) -> int:
        return sum(pair.kind != "equal" for pair in self.pairs)

    @property
    def said(self) -> int:
        """Words that were said."""
        return sum(pair.kind != "insert" for pair in self.pairs)

    @property
    def rate(self) -> float:
        """Word error rate: at least 0, above 1 where more was heard than said."""
        return self.errors / max(1, self.said)


def compare(said: str, heard: str) -> Comparison:
    """Align two texts, both normalised."""
    a, b = normalise(said).split(), normalise(heard).split()
    if not a or not b:  # jiwer refuses an empty reference
        pairs = [Pair("delete", word, "") for word in a] + [Pair("insert", "", word) for word in b]
        return Comparison(tuple(pairs))
    aligned = jiwer.process_words(" ".join(a), " ".join(b)).alignments[0]
    pairs = []
    for chunk in aligned:
        said_words = a[chunk.ref_start_idx : chunk.ref_end_idx]
        heard_words = b[chunk.hyp_start_idx : chunk.hyp_end_idx]
        blanks = [""] * max(len(said_words), len(heard_words))
        for x, y in zip(said_words or blanks, heard_words or blanks, strict=True):
            pairs.append(Pair(KINDS[chunk.type], x, y))
    return Comparison(tuple(pairs))


def normalise(text: str) -> str:
    """Whisper's English normalisation."""
    return _normaliser()(text)


@cache
def _normaliser() -> Any:
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    return EnglishTextNormalizer({})  # the spelling table is not part of the package


def blind_answer(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """A baseline that does not listen: it takes every text for the one of median length.

    Returns:
        Errors and words of all texts but that one, both shape (texts - 1,).
    """
    middle = sorted(texts, key=lambda text: len(text.split()))[len(texts) // 2]
    others = [text for text in texts if text != middle] or [middle]
    compared = [compare(text, middle) for text in others]
    return np.array([c.errors for c in compared]), np.array([c.said for c in compared])
