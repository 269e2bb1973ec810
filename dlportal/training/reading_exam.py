"""What readers were asked in an evaluation, and what they answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlportal.cards import Metric
from dlportal.kinds.judged_spans import Judged
from dlportal.training.metrics import mean, measured
from dlportal.training.reading_data import Row
from dlportal.training.reading_scores import f1


@dataclass(frozen=True)
class Exam:
    """Questions of one data set and what was answered.

    Attributes:
        language: `en` or `zh`.
        data: The data set's name.
        split: Its part.
        command: What measured it.
        rows: The questions.
        judged: For each what the reader made of it.
        plain: The same without temperature.
        nothing: For each the probability of "no answer".
        strangers: The same for questions with a paragraph that does not answer them.
        thresholds: From where on "no answer" is said, for each question and stranger.
    """

    language: str
    data: str
    split: str
    command: str
    rows: list[Row]
    judged: list[Judged]
    plain: list[Judged]
    strangers: list[tuple[float, float]]
    thresholds: list[float]

    @property
    def answers(self) -> list[str]:
        return [
            row.asked.paragraph[j.spans[0].start : j.spans[0].end]
            for row, j in zip(self.rows, self.judged, strict=True)
        ]

    @property
    def nothing(self) -> np.ndarray:
        return np.array([j.nothing for j in self.judged])

    def scores(self, answers: Sequence[str], formula: Any = f1) -> np.ndarray:
        return np.array(
            [
                formula(self.language, said, row.asked.accepted)
                for said, row in zip(answers, self.rows, strict=True)
            ]
        )

    def mean(self, name: str, values: np.ndarray, model: str = "") -> Metric:
        return measured(
            name, self.data, self.split, mean, values.astype(np.float64),
            command=self.command, model=model,
        )  # fmt: skip


@dataclass(frozen=True)
class Group:
    """Questions that one network answers, with its scales."""

    net: Any
    rows: list[Row]
    scales: dict[str, float]
