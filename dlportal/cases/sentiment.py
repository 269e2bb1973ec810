"""Is a sentence favourable? MiniLM-L6 with low-rank adapters, taught by SmolLM2 on SST-2."""

import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from dlportal.cards import Bilingual, Card, Curve
from dlportal.case import Evaluation, Example, Progress, Settings
from dlportal.data import is_available, sst2
from dlportal.data.splits import Texts
from dlportal.kinds.english import check_english, looks_english
from dlportal.kinds.flips import Flips, find_flips
from dlportal.kinds.steadiness import TYPOS, accuracies_mistyped
from dlportal.kinds.text import TextCase, written
from dlportal.messages import N_, InputError
from dlportal.nets.minilm import MASK, PAD, SentenceClassifier, load_tokenizer
from dlportal.results import Classes, Label, Result, Score
from dlportal.training.events import Run
from dlportal.training.said import evaluate_command
from dlportal.training.store import load_weights
from dlportal.training.text_evaluation import Asked
from dlportal.training.texts import all_logits

LABELS = (Label("negative", "negative", "负面"), Label("positive", "positive", "正面"))
RANK = 16
# id, text, name in both languages, the right answer ("" where people would not agree)
EXAMPLES = (
    (
        "praise",
        "A warm, funny film that I would happily watch again.",
        "Plain praise",
        "直白的称赞",
        "positive",
    ),
    (
        "no_bad_word",
        "Two hours of my life that I will never get back.",
        "No bad word in it",
        "没有一个贬义词",
        "negative",
    ),
    ("negation", "This is not a bad film at all.", "A negation", "否定句", "positive"),
    (
        "mixed",
        "The actors are wonderful, but the story falls apart in the second half.",
        "Praise and blame",
        "有褒有贬",
        "",
    ),
    (
        "irony",
        "Great, another sequel that nobody asked for.",
        "Irony",
        "反讽",
        "negative",
    ),
    (
        "strange",
        "Slow, strange and beautiful: it stayed with me for days.",
        "Faint words, high praise",
        "用词平淡的盛赞",
        "positive",
    ),
    (
        "less",
        "I expected little and got even less.",
        "A turn at the end",
        "结尾处的转折",
        "negative",
    ),
    (
        "neutral",
        "The film runs for two hours and was shot in Norway.",
        "No opinion at all",
        "不带任何看法",
        "",
    ),
)


class Sentiment(TextCase):
    """Negative or positive, with calibrated confidence."""

    labels = LABELS
    longest = 128

    def __init__(self, card: Card) -> None:
        self.tokenizer = load_tokenizer()
        self.pad_id, self.mask_id = PAD, MASK
        super().__init__(card)
        # The share of the more frequent class in the training data.
        self.blind = float(card.measured.constants.get("blind", 0.5))

    def load(self) -> nn.Module:
        return load_weights(SentenceClassifier(len(LABELS), RANK), self.card.weights, strict=False)

    def check(self, raw: str) -> None:
        super().check(raw)
        check_english(raw)

    def decode(self, y: Tensor, raw: str) -> Result:
        p = self.probabilities(y.unsqueeze(0))[0]
        scores = [Score(LABELS[i], float(p[i]), i) for i in p.argsort(descending=True).tolist()]
        return Classes(tuple(scores), self.blind, looks_english(raw))

    def flips(self, raw: str) -> Flips:
        """Which removals and replacements of single words change the answer."""
        return find_flips(self, raw)

    def examples(self) -> list[Example[str]]:
        return written(EXAMPLES)

    def golden(self) -> str:
        return EXAMPLES[0][1]

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        from dlportal.training.sentiment_training import train_on_sst2

        return train_on_sst2(settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        from dlportal.training.text_evaluation import measure_classifier

        started = time.monotonic()
        part = choose_part(split, data)
        part = part if limit is None else part.take(np.arange(min(limit, len(part))))
        y = all_logits(self.net, encode_all(as_written(part)))
        if progress is not None:
            progress(len(part), len(part))
        # The baselines learn from the training part, wherever it is to be had.
        source = data if data is not None and (data / "train.tsv").exists() else None
        known = sst2.load(folder=source).train if source or is_available("sst2") else None
        asked = Asked(
            "sst2" if data is None else data.stem,
            split,
            evaluate_command(self.card.id, split),
            "",
            part.texts,  # as they lie: on validation the baselines do better so
            part.labels,
        )
        train = None if known is None else (known.texts, known.labels)
        found = measure_classifier(self, asked, y, train)
        if limit is None:
            found.curves.append(self.mistyped(asked))
        return Evaluation(self.card.id, split, len(part), time.monotonic() - started, found)

    def mistyped(self, asked: Asked) -> Curve:
        """Accuracy over the share of letters that are mistyped."""
        texts = [join_tokens(text) for text in asked.texts]
        return Curve(
            name=N_("What typing mistakes cost"),
            x_label=Bilingual(en="share of letters mistyped", zh="打错的字母比例"),
            y_label=Bilingual(en="accuracy", zh="准确率"),
            x=[0.0, *TYPOS],
            y={"accuracy": accuracies_mistyped(self, texts, asked.truth)},
        )


def encode_all(texts: Sequence[str], longest: int = Sentiment.longest) -> list[list[int]]:
    """Token ids of texts, cut off at `longest`."""
    tokenizer = load_tokenizer()
    tokenizer.enable_truncation(longest)
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]


def as_written(part: Texts) -> list[str]:
    """SST-2's sentences in the spelling that people use: `wo n't` is `won't` again."""
    return [join_tokens(text) for text in part.texts]


def join_tokens(text: str) -> str:
    text = text.replace("-lrb-", "(").replace("-rrb-", ")")
    text = re.sub(r" (n't|'s|'ve|'re|'ll|'d|'m)\b", r"\1", text)
    return re.sub(r" ([,.!?;:])", r"\1", text)


def choose_part(split: str, data: Path | None) -> Texts:
    """A part of SST-2, of a folder laid out like it, or one file of its form.

    Raises:
        InputError: No such split, or another layout.
    """
    if data is not None and not data.is_dir():
        return sst2.read(data)
    parts = sst2.load(folder=data)
    if split not in ("train", "validation", "test"):
        raise InputError(
            N_("There is no split {split}; the splits are train, validation and test."), split=split
        )
    return getattr(parts, split)


CASE = Sentiment
