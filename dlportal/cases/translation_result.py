"""A translation as an answer: the text, its rivals, what the search tried, where it looked."""

from dataclasses import dataclass

import numpy as np

from dlportal.results import Result


@dataclass(frozen=True)
class Hypothesis:
    """A translation that the search found.

    `score` is its log-probability over its length to the power that was tuned on validation;
    `probability` the geometric mean of its parts' probabilities, in [0, 1].
    """

    text: str
    parts: tuple[str, ...]
    probabilities: tuple[float, ...]  # of each part and of the end
    score: float
    probability: float
    ended: bool


@dataclass(frozen=True)
class Branch:
    """A word part that the search tried; see `nets/beam_search.py`. `best` marks the translation."""

    parent: int
    text: str
    probability: float
    total: float
    kept: bool
    depth: int
    best: bool


@dataclass(frozen=True)
class Translation(Result):
    """A translation, the runners-up, and how it came to be.

    Attributes:
        direction: Of `DIRECTIONS`.
        source: The words that were read.
        words: The words that were written.
        alignment: Where the network looked while it wrote each word, (words, source), from 0 to 1.
        hypotheses: What was found, the best first.
        branches: What was tried.
        inside: False where the input looks unlike the training data.
        why: Why it does: `unknown`, `unusual` or `unsure`; "" where it does not.
    """

    direction: str
    text: str
    source: tuple[str, ...]
    words: tuple[str, ...]
    alignment: np.ndarray
    hypotheses: tuple[Hypothesis, ...]
    branches: tuple[Branch, ...]
    inside: bool
    why: str

    @property
    def best(self) -> Hypothesis:
        return self.hypotheses[0]
