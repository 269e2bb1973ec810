"""Temperature of the spans' probabilities, and from which probability on "no answer" is said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlportal.kinds.judged_spans import relative
from dlportal.kinds.passages import Passage, windows_of
from dlportal.training.reading_data import Row, States, read_rows

TEMPERATURES = np.round(np.geomspace(0.5, 4.0, 22), 3)
SEED = 11  # of the strangers


def with_strangers(rows: Sequence[Row], tokenizer: Any, language: str) -> list[Row]:
    """The same questions, each with another paragraph in which no accepted answer stands.

    The paragraph is of the same article where that has several.
    """
    rng = np.random.default_rng(SEED)
    paragraphs = {row.asked.place: row.asked for row in rows}
    out = []
    for row in rows:
        others = [
            asked
            for place, asked in paragraphs.items()
            if place != row.asked.place
            and not any(answer in asked.paragraph for answer in row.asked.accepted)
        ]
        near = [asked for asked in others if asked.article == row.asked.article] or others
        if not near:
            continue
        other = near[int(rng.integers(len(near)))]
        asked = replace(row.asked, paragraph=other.paragraph, place=other.place, answers=())
        passage = Passage(asked.question, asked.paragraph, language)
        out.append(Row(asked, windows_of(passage, tokenizer), []))
    return out


@dataclass(frozen=True)
class Asking:
    """Scores of questions with their paragraph and with a stranger's.

    Attributes:
        logits: For each question the scores of all spans of all windows, and 0 for "no answer".
        right: Which of them are right; empty where the reader cannot give the answer.
        strangers: Like `logits`, of paragraphs without an answer.
    """

    logits: list[Tensor]
    right: list[Tensor]
    strangers: list[Tensor]

    @classmethod
    def of(
        cls, net: Any, rows: Sequence[Row], strangers: Sequence[Row], states: States | None
    ) -> "Asking":
        scores = read_rows(net, rows, states)
        others = read_rows(net, strangers, states)
        return cls(
            [flat(y) for y in scores],
            [right_places(y, row) for y, row in zip(scores, rows, strict=True)],
            [flat(y) for y in others],
        )


def flat(scores: Sequence[Tensor]) -> Tensor:
    """All spans of all windows, "no answer" first."""
    return torch.cat([torch.zeros(1), *(relative(y).flatten() for y in scores)])


def right_places(scores: Sequence[Tensor], row: Row) -> Tensor:
    """Where in `flat` the right spans stand."""
    offsets = np.cumsum([1, *(y.numel() for y in scores)])
    places = {
        int(offsets[window]) + first * scores[window].shape[1] + more
        for window, first, more in row.targets
    }
    return torch.tensor(sorted(places), dtype=torch.long)


def scales(askings: Sequence[Asking]) -> dict[str, float]:
    """Temperature and threshold.

    The temperature makes the right spans likeliest. Strangers have no say in it: they are so easily
    told that they would make everything too sure. The threshold on the probability of "no answer"
    has the best mean of kept questions and refused strangers.
    """
    rows = [
        (y, right)
        for asking in askings
        for y, right in zip(asking.logits, asking.right, strict=True)
        if len(right)
    ]
    strangers = [y for asking in askings for y in asking.strangers]
    losses = [
        np.mean([float(torch.logsumexp(y / t, 0) - torch.logsumexp(y[r] / t, 0)) for y, r in rows])
        for t in TEMPERATURES
    ]
    temperature = float(TEMPERATURES[int(np.argmin(losses))])
    inside = [nothing_probability(y, temperature) for asking in askings for y in asking.logits]
    outside = [nothing_probability(y, temperature) for y in strangers]
    return {"temperature": temperature, "threshold": best_threshold(inside, outside)}


def nothing_probability(logits: Tensor, temperature: float) -> float:
    return float(torch.exp(-torch.logsumexp(logits / temperature, 0)))


def best_threshold(inside: Sequence[float], outside: Sequence[float]) -> float:
    """The probability of "no answer" that parts questions with an answer from those without."""
    tried = np.unique(np.round(np.r_[inside, outside], 3))
    balanced = [np.mean(np.array(inside) < t) + np.mean(np.array(outside) >= t) for t in tried]
    return float(tried[int(np.argmax(balanced))])
