"""Measure a single-label text classifier: score, calibration, slices, and plain baselines."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from dlportal.cards import Bilingual, Calibration, Confusion, Curve, Measured, Metric, Slice
from dlportal.case import Case
from dlportal.messages import N_
from dlportal.training.calibration import calibration_at, softmax
from dlportal.training.metrics import accuracy, auc, confusion_counts, ece, macro_f1
from dlportal.training.said import Said

NEGATION = re.compile(r"\b(not|no|never|nothing|nobody|hardly|without|\w*n't)\b", re.I)
CONTRAST = re.compile(r"\b(but|yet|although|though|however|despite)\b", re.I)
SLICES: tuple[tuple[Bilingual, Callable[[str], bool]], ...] = (
    (Bilingual(en="up to 10 words", zh="不超过 10 个词"), lambda t: len(t.split()) <= 10),
    (Bilingual(en="more than 25 words", zh="超过 25 个词"), lambda t: len(t.split()) > 25),
    (Bilingual(en="with a negation", zh="含否定词"), lambda t: bool(NEGATION.search(t))),
    (
        Bilingual(en="with but, yet, although", zh="含 but、yet、although"),
        lambda t: bool(CONTRAST.search(t)),
    ),
)


@dataclass(frozen=True)
class Asked(Said):
    """What was measured: texts (N) and classes (N,) of one split of one dataset."""

    texts: Sequence[str]
    truth: np.ndarray


def measure_classifier(
    case: Case, asked: Asked, logits: Tensor, train: tuple[Sequence[str], np.ndarray] | None
) -> Measured:
    """Everything for the card.

    Args:
        case: The classifier; its temperature scales the logits.
        asked: Texts and the right answers.
        logits: Shape (N, classes).
        train: Training texts and classes for the baselines; None leaves the baselines out.
            In the spelling of `asked.texts`.
    """
    y = logits.numpy()
    truth, guesses, p = asked.truth, y.argmax(axis=1), softmax(y, case.temperature)
    metrics = [
        asked.metric("accuracy", accuracy, truth, guesses),
        asked.metric("macro_f1", macro_f1, truth, guesses),
        ece_metric(asked, p),
    ]
    if y.shape[1] == 2 and 0 < truth.sum() < len(truth):
        metrics.append(asked.metric("auc", auc, truth, p[:, 1]))
    calibration: Calibration = calibration_at(case.temperature, y, truth)
    return Measured(
        case=case.card.id,
        parameters=sum(parameter.numel() for parameter in case.net.parameters()),
        metrics=metrics,
        baselines=[] if train is None else baselines(asked, *train),
        calibration=calibration,
        confusion=Confusion(
            labels=[label.id for label in case.labels],
            counts=confusion_counts(truth, guesses, len(case.labels)).tolist(),
        ),
        slices=slices(asked, guesses),
        curves=[selective(truth, guesses, p.max(axis=1))],
    )


def ece_metric(asked: Asked, p: np.ndarray, model: str = "") -> Metric:
    """ECE with its interval. Resampling alone raises ECE; that bias is taken off the bounds."""
    rng = np.random.default_rng(0)
    value, rows = ece(asked.truth, p), len(p)
    drawn = np.array(
        [ece(asked.truth[i], p[i]) for i in (rng.integers(0, rows, rows) for _ in range(1000))]
    )
    low, high = np.percentile(drawn - (drawn.mean() - value), [2.5, 97.5])
    return Metric(
        name="ece",
        data=asked.data,
        split=asked.split,
        value=value,
        low=float(max(0.0, min(low, value))),
        high=float(max(high, value)),
        n=rows,
        command=asked.command,
        model=model,
    )


def baselines(asked: Asked, texts: Sequence[str], labels: np.ndarray) -> list[Metric]:
    """The most frequent class, and TF-IDF with logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    most = np.full(len(asked.truth), np.bincount(labels).argmax())
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+"),
        LogisticRegression(C=10.0, max_iter=1000),
    ).fit(list(texts), labels)
    p = model.predict_proba(list(asked.texts))
    name = "TF-IDF + logistic regression"
    return [
        asked.metric("accuracy", accuracy, asked.truth, most, model="majority class"),
        asked.metric("accuracy", accuracy, asked.truth, p.argmax(axis=1), model=name),
        asked.metric("macro_f1", macro_f1, asked.truth, p.argmax(axis=1), model=name),
        ece_metric(asked, p, model=name),
    ]


def slices(asked: Asked, guesses: np.ndarray) -> list[Slice]:
    """Accuracy on parts of the texts that are told apart by simple rules."""
    found = []
    for part, belongs in SLICES:
        rows = np.flatnonzero([belongs(text) for text in asked.texts])
        if len(rows) >= 20:
            metric = asked.metric("accuracy", accuracy, asked.truth[rows], guesses[rows])
            found.append(Slice(part=part, metric=metric))
    return found


def selective(truth: np.ndarray, guesses: np.ndarray, confidence: np.ndarray) -> Curve:
    """Accuracy when only the most confident texts are answered."""
    order = np.argsort(-confidence, kind="stable")
    right = np.cumsum(truth[order] == guesses[order]) / np.arange(1, len(order) + 1)
    shares = np.linspace(0.1, 1.0, 19)
    places = np.maximum(1, (shares * len(order)).round().astype(int)) - 1
    return Curve(
        name=N_("How good if it may pass?"),
        x_label=Bilingual(
            en="share of texts answered, surest first", zh="作答比例（先答最有把握的）"
        ),
        y_label=Bilingual(en="accuracy", zh="准确率"),
        x=shares.round(3).tolist(),
        y={"accuracy": right[places].tolist()},
    )
