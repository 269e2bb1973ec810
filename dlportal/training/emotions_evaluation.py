"""Measure the emotions network: F1 over 28 labels, calibration of each yes and no, baselines."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlportal.cards import Bilingual, Calibration, Measured, Metric, Reliability, Slice
from dlportal.case import Evaluation, Progress
from dlportal.data import goemotions, is_available
from dlportal.data.splits import Texts
from dlportal.messages import N_, InputError
from dlportal.training.calibration import softmax
from dlportal.training.metrics import average_precision, f1, multilabel_macro_f1
from dlportal.training.said import Said, evaluate_command
from dlportal.training.texts import all_logits
from dlportal.training.thresholds import f1_thresholds

BINS = 15
LEAST = 5  # rows with a label below which its own F1 says nothing


def evaluate_emotions(
    case: Any, split: str, data: Path | None, limit: int | None, progress: Progress | None
) -> Evaluation:
    """Measure on a split of GoEmotions, or on files laid out like it.

    Raises:
        InputError: No such split, or another layout.
    """
    from dlportal.cases.emotions import encode_all

    started = time.monotonic()
    part = choose_part(split, data)
    part = part if limit is None else part.take(np.arange(min(limit, len(part))))

    y = all_logits(case.net, encode_all(part.texts), progress=progress).numpy()
    known = goemotions.load() if data is None and is_available("goemotions") else None
    name = "goemotions" if data is None else data.stem
    asked = Asked(name, split, evaluate_command(case.card.id, split), "", part)
    found = measure(case, asked, y, None if known is None else (known.train, known.validation))
    return Evaluation(case.card.id, split, len(part), time.monotonic() - started, found)


@dataclass(frozen=True)
class Asked(Said):
    """Which comments were asked about."""

    part: Texts

    def scores(self, p: np.ndarray, yes: np.ndarray, model: str = "") -> list[Metric]:
        """The three figures that are compared."""
        truth = self.part.labels
        return [
            self.metric("macro_f1", multilabel_macro_f1, truth, yes, model=model),
            self.metric("micro_f1", micro_f1, truth, yes, model=model),
            self.metric("average_precision", mean_precision, truth, p, model=model),
        ]


def measure(case: Any, asked: Asked, y: np.ndarray, known: tuple[Texts, Texts] | None) -> Measured:
    """Everything for the card.

    Args:
        case: The case; its temperature and thresholds turn logits into answers.
        asked: The comments and their labels.
        y: Logits (N, 28).
        known: Training and validation comments for the baselines; None leaves them out.
    """
    truth = asked.part.labels
    p = 1 / (1 + np.exp(-y / case.temperature))
    yes = p >= case.thresholds
    return Measured(
        case=case.card.id,
        parameters=sum(parameter.numel() for parameter in case.net.parameters()),
        metrics=[*asked.scores(p, yes), asked.metric("ece", decision_ece, truth, p)],
        baselines=[] if known is None else baselines(asked, *known),
        calibration=calibration(case.temperature, y, truth),
        slices=slices(case, asked, yes),
    )


def micro_f1(truth: np.ndarray, yes: np.ndarray) -> float:
    """F1 over all answers together; arrays (N, K) of 0 and 1."""
    hits = float((truth.astype(bool) & yes.astype(bool)).sum())
    return 2 * hits / max(1.0, float(truth.sum() + yes.sum()))


def mean_precision(truth: np.ndarray, p: np.ndarray) -> float:
    """Mean over the labels of the average precision; labels without rows are left out."""
    each = [
        average_precision(truth[:, k], p[:, k])
        for k in range(p.shape[1])
        if 0 < truth[:, k].sum() < len(truth)
    ]
    return float(np.mean(each))


def decision_ece(truth: np.ndarray, p: np.ndarray) -> float:
    """How far the stated probability of a label lies from how often it is right, over all labels."""
    place = np.minimum((p.ravel() * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(place, weights=(truth - p).ravel(), minlength=BINS)
    return float(np.abs(gaps).sum() / p.size)


def calibration(temperature: float, y: np.ndarray, truth: np.ndarray) -> Calibration:
    """Stated probability of a label beside how often it is there."""
    before, after = (softmax(y.ravel(), t).reshape(y.shape) for t in (1.0, temperature))
    return Calibration(
        temperature=temperature,
        ece_before=decision_ece(truth, before),
        ece_after=decision_ece(truth, after),
        before=frequencies(truth, before),
        after=frequencies(truth, after),
    )


def frequencies(truth: np.ndarray, p: np.ndarray, bins: int = 10) -> Reliability:
    place = np.minimum((p.ravel() * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = count > 0
    stated = np.bincount(place, weights=p.ravel(), minlength=bins)
    found = np.bincount(place, weights=truth.ravel(), minlength=bins)
    return Reliability(
        confidence=(stated[filled] / count[filled]).tolist(),
        accuracy=(found[filled] / count[filled]).tolist(),
        count=count[filled].tolist(),
    )


def slices(case: Any, asked: Asked, yes: np.ndarray) -> list[Slice]:
    """F1 of every label, the best first; `n` is how many comments have it."""
    found = []
    for k, label in enumerate(case.labels):
        truth = asked.part.labels[:, k]
        if truth.sum() >= LEAST:
            metric = asked.metric("f1", f1, truth, yes[:, k].astype(np.int64))
            metric = metric.model_copy(update={"n": int(truth.sum())})
            found.append(Slice(part=Bilingual(en=label.en, zh=label.zh), metric=metric))
    return sorted(found, key=lambda part: -part.metric.value)


def baselines(asked: Asked, train: Texts, validation: Texts) -> list[Metric]:
    """Always the commonest label; TF-IDF with logistic regression, lines drawn on validation."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    words = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=r"\w+|[^\w\s]"
    )
    x = words.fit_transform(train.texts)
    model = OneVsRestClassifier(LogisticRegression(C=5.0, solver="liblinear"))
    model.fit(x, train.labels)
    lines = f1_thresholds(validation.labels, model.predict_proba(words.transform(validation.texts)))
    p = model.predict_proba(words.transform(asked.part.texts))
    share = train.labels.mean(axis=0)
    most = np.tile(share == share.max(), (len(asked.part), 1))
    return [
        asked.metric(
            "macro_f1", multilabel_macro_f1, asked.part.labels, most, model="always neutral"
        ),
        *asked.scores(p, p >= lines, model="TF-IDF + logistic regression"),
    ]


def choose_part(split: str, data: Path | None) -> Texts:
    """A part of GoEmotions, of a folder laid out like it, or one file of its form.

    Raises:
        InputError: No such split, or another layout.
    """
    if data is not None and not data.is_dir():
        return goemotions.read(data)
    if split not in ("train", "validation", "test"):
        raise InputError(
            N_("There is no split {split}; the splits are train, validation and test."), split=split
        )
    part: Texts = getattr(goemotions.load(folder=data), split)
    return part
