"""Which training questions stand behind an answer: those whose meaning is nearest."""

import threading
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dlportal.cases.intents import ASSISTANTS, DATA, LABELS, Intent, split
from dlportal.data import is_available
from dlportal.results import Label

FOUND = 5


@dataclass(frozen=True)
class Neighbour:
    """A training question, its intent, and the cosine of its meaning with the visitor's."""

    text: str
    label: Label
    likeness: float


class Neighbours:
    """The training questions of the intents that come into question.

    Meanings are computed when they are needed, an intent at a time, and kept.
    """

    def __init__(self, case: Any) -> None:
        self.case = case
        self._meanings: dict[tuple[str, int], tuple[list[str], Tensor]] = {}
        self._lock = threading.Lock()

    def nearest(self, raw: str, answer: Intent) -> list[Neighbour]:
        """The nearest training questions among those of the five likeliest intents.

        Raises:
            AssetError: The training questions are not on this machine.
        """
        assistant, text = split(raw)
        labels = LABELS[assistant]
        with self._lock:
            meaning = self.meanings([text])[0]
            found = [
                Neighbour(question, score.label, float(likeness))
                for score in answer.scores
                for question, likeness in self.of_intent(
                    assistant, labels.index(score.label), meaning
                )
            ]
        return sorted(found, key=lambda neighbour: -neighbour.likeness)[:FOUND]

    def of_intent(self, assistant: str, intent: int, meaning: Tensor) -> list[tuple[str, Tensor]]:
        """The questions of one intent with their cosines."""
        key = assistant, intent
        if key not in self._meanings:
            texts = questions(assistant)[intent]
            self._meanings[key] = texts, self.meanings(texts)
        texts, z = self._meanings[key]
        return list(zip(texts, z @ meaning, strict=True))

    @torch.inference_mode()
    def meanings(self, texts: list[str]) -> Tensor:
        """Meanings (N, 384) of questions."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        ids = [self.case.tokenizer.encode(texts[i]).ids for i in order]
        out = torch.zeros(len(texts), self.case.net.directions.shape[1])
        for start in range(0, len(order), 64):
            part = [torch.tensor([row]) for row in ids[start : start + 64]]
            z = self.case.net.meaning(self.case.collate(part).to(self.case.device))
            out[order[start : start + 64]] = F.normalize(z.float().cpu(), dim=1)
        return out


def have_questions(assistant: str) -> bool:
    """Whether the training questions lie on this machine."""
    return is_available(DATA[assistant])


def questions(assistant: str) -> list[list[str]]:
    """Training questions by intent.

    Raises:
        AssetError: They are not on this machine.
    """
    from dlportal.data import banking77, clinc150

    ids = tuple(label.id for label in LABELS[assistant])
    bank = assistant == ASSISTANTS[0]
    train = banking77.load(ids).train if bank else clinc150.load(ids).inside.train
    out: list[list[str]] = [[] for _ in ids]
    for text, label in zip(train.texts, train.labels.tolist(), strict=True):
        out[label].append(text)
    return out
