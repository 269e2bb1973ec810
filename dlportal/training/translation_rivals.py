"""Plain ways to translate: a dictionary that was counted from the pairs, and the nearest pair."""

from collections.abc import Sequence
from typing import Any

import numpy as np

NOTHING = 0  # a target word that no source word explains is put down to this one


class Dictionary:
    """Which word stands for which: IBM model 1 (Brown et al. 1993,
    https://aclanthology.org/J93-2003/), counted from pairs of sentences.

    Args:
        sources: Word ids (or any integers from 0) of N sentences.
        targets: Of their translations.
        rounds: Of expectation and maximisation.
    """

    def __init__(
        self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], rounds: int = 4
    ) -> None:
        told, said, place = [], [], []  # source word, target word, number of the target place
        count = 0
        for read, written in zip(sources, targets, strict=True):
            words = np.array([NOTHING, *(word + 1 for word in read)])
            for word in written:
                told.append(words)
                said.append(np.full(len(words), word))
                place.append(np.full(len(words), count))
                count += 1
        source, target, where = (np.concatenate(rows) for rows in (told, said, place))
        self.width = int(target.max()) + 1
        keys, pair = np.unique(source * self.width + target, return_inverse=True)
        share: Any = np.ones(len(keys))
        owner = keys // self.width
        for _ in range(rounds):
            weights = share[pair]
            weights = weights / np.bincount(where, weights)[where]
            share = np.bincount(pair, weights)
            share /= np.bincount(owner, share)[owner]
        self.keys, self.share = keys, share
        order = np.lexsort((-share, owner))
        first = np.unique(owner[order], return_index=True)[1]
        self.best = {int(owner[order[i]]) - 1: int(keys[order[i]] % self.width) for i in first}

    def likelihood(self, source: int, target: int) -> float:
        """How likely a source word is to become a target word, from 0 to 1."""
        key = (source + 1) * self.width + target
        place = int(np.searchsorted(self.keys, key))
        found = place < len(self.keys) and self.keys[place] == key
        return float(self.share[place]) if found else 0.0

    def translate(self, words: Sequence[int]) -> list[int]:
        """The likeliest word for each word, in the source's order."""
        return [self.best[word] for word in words if word in self.best]


def nearest(known: Sequence[str], asked: Sequence[str], chinese: bool) -> np.ndarray:
    """The known sentence most like each one that is asked (cosine of TF-IDF), (N,)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    words: dict[str, Any] = {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"}
    characters: dict[str, Any] = {"analyzer": "char", "ngram_range": (1, 3)}
    counted = TfidfVectorizer(sublinear_tf=True, **(characters if chinese else words))
    base = counted.fit_transform(known)
    likeness = counted.transform(asked) @ base.T
    return np.asarray(likeness.argmax(axis=1)).ravel()
