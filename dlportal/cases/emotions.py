"""Which of 28 emotions speak from a comment? MiniLM-L6 with low-rank adapters on GoEmotions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.cards import Card
from dlportal.case import Evaluation, Example, Progress, Settings
from dlportal.data.goemotions import CLASSES
from dlportal.kinds.english import check_english, looks_english
from dlportal.kinds.text import TextCase, written
from dlportal.nets.minilm import MASK, PAD, SentenceClassifier, load_tokenizer
from dlportal.results import Label, Result
from dlportal.training.events import Run
from dlportal.training.store import load_weights

RANK = 16
NAMES_ZH = (
    "钦佩 逗乐 愤怒 恼火 赞同 关心 困惑 好奇 渴望 失望 反对 厌恶 尴尬 兴奋 恐惧 感激 悲恸 "
    "喜悦 爱 紧张 乐观 自豪 领悟 宽慰 懊悔 悲伤 惊讶 中性"
)
LABELS = tuple(Label(name, name, zh) for name, zh in zip(CLASSES, NAMES_ZH.split(), strict=True))
# id, text, name in both languages, the emotion that people would name ("" where they would not agree)
EXAMPLES = (
    (
        "thanks",
        "Thank you so much, you saved my weekend!",
        "Thanks",
        "道谢",
        "gratitude",
    ),
    (
        "several",
        "I can't believe we won! I'm so proud of this team, what a night!",
        "Several at once",
        "百感交集",
        "",
    ),
    (
        "sorry",
        "I'm so sorry, I should never have said that to you.",
        "An apology",
        "道歉",
        "remorse",
    ),
    (
        "question",
        "Wait, how does that even work? Where did you learn it?",
        "A question",
        "提问",
        "curiosity",
    ),
    (
        "irony",
        "Oh great, another meeting that could have been an email.",
        "Irony",
        "反讽",
        "annoyance",
    ),
    (
        "mixed",
        "I'm happy for her, but I will miss her terribly.",
        "Glad and sad",
        "悲喜交加",
        "",
    ),
    (
        "rare",
        "My grandfather passed away last night and I don't know what to do.",
        "A rare one: grief",
        "少见的：悲恸",
        "grief",
    ),
    (
        "plain",
        "The shop opens at nine and closes at six.",
        "No emotion",
        "不带情绪",
        "neutral",
    ),
)


@dataclass(frozen=True)
class Felt:
    """One emotion: its probability, and the threshold from which it counts, both in [0, 1]."""

    label: Label
    probability: float
    threshold: float
    index: int

    @property
    def present(self) -> bool:
        return self.probability >= self.threshold


@dataclass(frozen=True)
class Emotions(Result):
    """All emotions; those that are present first, each group by falling probability.

    `inside` is False where the text does not look English, None where it is too short to tell.
    """

    scores: tuple[Felt, ...]
    inside: bool | None = None

    @property
    def present(self) -> tuple[Felt, ...]:
        return tuple(score for score in self.scores if score.present)


class EmotionsCase(TextCase):
    """28 yes/no answers, each with a line of its own."""

    labels = LABELS
    longest = 128

    def __init__(self, card: Card) -> None:
        self.tokenizer = load_tokenizer()
        self.pad_id, self.mask_id = PAD, MASK
        super().__init__(card)
        given = card.measured.constants.get("thresholds", [0.5] * len(LABELS))
        self.thresholds = np.array(given)

    def load(self) -> nn.Module:
        return load_weights(SentenceClassifier(len(LABELS), RANK), self.card.weights, strict=False)

    def check(self, raw: str) -> None:
        super().check(raw)
        check_english(raw)

    def probabilities(self, y: Tensor) -> Tensor:
        """Of each emotion by itself, shape (B, 28): they do not sum to 1."""
        return torch.sigmoid(y.float() / self.temperature)

    def decode(self, y: Tensor, raw: str) -> Result:
        p = self.probabilities(y).tolist()
        scores = [Felt(label, p[i], float(self.thresholds[i]), i) for i, label in enumerate(LABELS)]
        scores.sort(key=lambda score: (not score.present, -score.probability))
        return Emotions(tuple(scores), looks_english(raw))

    def targets(self, raw: str) -> list[int]:
        """The emotions that are present, and the likeliest others up to five."""
        found = self.predict(raw)
        assert isinstance(found, Emotions)
        return [score.index for score in found.scores[: max(5, len(found.present))]]

    def examples(self) -> list[Example[str]]:
        return written(EXAMPLES)

    def golden(self) -> str:
        return EXAMPLES[1][1]

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        from dlportal.training.emotions_training import train_on_goemotions

        return train_on_goemotions(settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        from dlportal.training.emotions_evaluation import evaluate_emotions

        return evaluate_emotions(self, split, data, limit, progress)


def encode_all(texts: Sequence[str], longest: int = EmotionsCase.longest) -> list[list[int]]:
    """Token ids of texts, cut off at `longest`."""
    tokenizer = load_tokenizer()
    tokenizer.enable_truncation(longest)
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]


CASE = EmotionsCase
