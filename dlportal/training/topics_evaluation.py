"""Measure the subjects of titles: score, calibration, texts that are no titles, plain baselines."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dlportal.cards import Bilingual, Confusion, Curve, Measured, Metric, Slice
from dlportal.case import Evaluation, Example, Progress
from dlportal.cases.chinese_topics import familiarity
from dlportal.data import csl, dataset_file, is_available
from dlportal.data.splits import Texts
from dlportal.explain import explainers_for
from dlportal.explain.faithfulness import FEW
from dlportal.explain.report import faithful_shares, measure_methods
from dlportal.kinds.chinese import plain
from dlportal.messages import N_, InputError
from dlportal.results import Label
from dlportal.training.calibration import calibration_at, softmax
from dlportal.training.metrics import (
    accuracy,
    auc,
    confusion_counts,
    f1,
    macro_f1,
    mean,
)
from dlportal.training.said import evaluate_command
from dlportal.training.text_evaluation import Asked, baselines, ece_metric, selective
from dlportal.training.texts import all_logits
from dlportal.training.topics_training import points, word_list

LENGTHS = (
    (1, 12, Bilingual(en="up to 12 characters", zh="不超过 12 个字")),
    (13, 17, Bilingual(en="13 to 17 characters", zh="13 到 17 个字")),
    (18, 24, Bilingual(en="18 to 24 characters", zh="18 到 24 个字")),
    (25, 10**6, Bilingual(en="more than 24 characters", zh="超过 24 个字")),
)
LEAST = 20  # titles below which a slice says nothing
READ = (2, 4, 6, 8, 10, 12, 15, 20, 30)  # characters that are read from the front
STRANGERS = 1000  # texts of each kind that are no titles
SHORTEST = 8  # characters of such a text
SENTENCES = "tatoeba_cmn_eng"
EXPLAINED = 40  # titles whose explanations are measured


def evaluate_topics(
    case: Any, split: str, data: Path | None, limit: int | None, progress: Progress | None
) -> Evaluation:
    """Measure on a split of CSL, or on a file or folder laid out like it.

    Raises:
        InputError: No such split, or another layout.
    """
    started = time.monotonic()
    part = choose_part(split, data)
    part = part if limit is None else part.take(np.arange(min(limit, len(part))))

    command = evaluate_command(case.card.id, split)
    name = "csl" if data is None else data.stem
    asked = Asked(name, split, command, "", part.texts, part.labels)
    y = all_logits(case.net, points(part.texts), progress=progress).numpy()
    source = data if data is not None and (data / "train.tsv").exists() else None
    here = source is not None or is_available("csl_category_zh")
    known = csl.load(source).train if here else None
    measured = measure(case, asked, y, known, whole=limit is None)
    return Evaluation(case.card.id, split, len(part), time.monotonic() - started, measured)


def measure(case: Any, asked: Asked, y: np.ndarray, known: Texts | None, whole: bool) -> Measured:
    """Everything for the card.

    Args:
        case: The case; its temperature scales the logits, its threshold tells what is no title.
        asked: Titles and the right answers.
        y: Logits (N, 13).
        known: Training titles for the baselines; None leaves the baselines out.
        whole: Whether the costlier curves and the texts that are no titles are measured too.
    """
    truth, guesses, p = asked.truth, y.argmax(axis=1), softmax(y, case.temperature)
    shares, random = believable(case, asked) if whole else ([], None)
    return Measured(
        case=case.card.id,
        parameters=sum(parameter.numel() for parameter in case.net.parameters()),
        metrics=[
            asked.metric("accuracy", accuracy, truth, guesses),
            asked.metric("macro_f1", macro_f1, truth, guesses),
            ece_metric(asked, p),
            *(outsiders(case, asked) if whole else ()),
            *shares,
        ],
        baselines=[*([] if known is None else rivals(asked, known)), *([random] if random else [])],
        calibration=calibration_at(case.temperature, y, truth),
        confusion=Confusion(
            labels=[label.id for label in case.labels],
            counts=confusion_counts(truth, guesses, len(case.labels)).tolist(),
        ),
        slices=[*length_slices(asked, guesses), *subject_slices(case, asked, guesses)],
        curves=[
            selective(truth, guesses, p.max(axis=1)),
            *([first_characters(case, asked)] if whole else ()),
        ],
    )


def rivals(asked: Asked, known: Texts) -> list[Metric]:
    """The commonest subject, and linear models on single characters and pairs.

    The last one is given the list of words too, so that list and network can be told apart.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    titles = [plain(text) for text in known.texts]
    put = [plain(text) for text in asked.texts]
    found = baselines(
        replace(asked, texts=[" ".join(text) for text in put]),
        [" ".join(text) for text in titles],
        known.labels,
    )
    words = [word for row in word_list() for word in row]
    subject = np.repeat(np.arange(len(word_list())), [len(row) for row in word_list()])
    for name, texts, labels in (
        (N_("TF-IDF + linear SVM"), titles, known.labels),
        (
            N_("TF-IDF + linear SVM, with the word list"),
            [*titles, *words],
            np.append(known.labels, subject),
        ),
    ):
        counts = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True)
        model = LinearSVC(class_weight="balanced", random_state=0)
        guesses = model.fit(counts.fit_transform(texts), labels).predict(counts.transform(put))
        found += [
            asked.metric("accuracy", accuracy, asked.truth, guesses, model=name),
            asked.metric("macro_f1", macro_f1, asked.truth, guesses, model=name),
        ]
    return found


def outsiders(case: Any, asked: Asked) -> list[Metric]:
    """How well familiarity tells the titles from texts that are none: AUC, and the share caught."""
    inside = np.array([familiarity(case.net, text) for text in asked.texts])
    found = []
    for name, texts in strangers(asked.texts).items():
        outside = np.array([familiarity(case.net, text) for text in texts])
        other = replace(asked, data=name)
        truth = np.repeat([1, 0], [len(inside), len(outside)])
        found += [
            other.metric("outside_auc", auc, truth, np.append(inside, outside)),
            other.metric("marked_outside", mean, (outside < case.familiar).astype(np.float64)),
        ]
    return found


def strangers(titles: Sequence[str]) -> dict[str, list[str]]:
    """Texts that are no titles: titles with their characters in disorder, and everyday sentences.

    The sentences are Tatoeba's and are left out where that data set is not here. Neither kind was
    used in training, nor to draw the line.
    """
    rng = np.random.default_rng(0)
    found = {"shuffled_titles": ["".join(rng.permutation(list(plain(text)))) for text in titles]}
    if is_available(SENTENCES):
        lines = dataset_file(SENTENCES, "cmn.txt").read_text("utf-8").splitlines()
        said = sorted({line.split("\t")[1] for line in lines if line.count("\t") >= 1})
        said = [text for text in said if len(plain(text)) >= SHORTEST]
        found["tatoeba"] = [said[i] for i in rng.permutation(len(said))[:STRANGERS]]
    return found


def believable(case: Any, asked: Asked) -> tuple[list[Metric], Metric]:
    """How often a map of the prediction clearly beats random ones, on titles drawn at random."""
    drawn = np.random.default_rng(0).permutation(len(asked.texts))[:EXPLAINED]
    titles = [
        Example(str(row), Label(str(row), "", ""), lambda row=row: asked.texts[row])  # type: ignore[misc]
        for row in drawn.tolist()
        if len(case.words(asked.texts[row])[0]) > FEW
    ]
    rows = measure_methods(case, titles, explainers_for(case))
    return faithful_shares(rows, asked)


def length_slices(asked: Asked, guesses: np.ndarray) -> list[Slice]:
    """Accuracy by the length of the title."""
    lengths = np.array([len(plain(text)) for text in asked.texts])
    latin = np.array([any(c.isascii() and c.isalnum() for c in text) for text in asked.texts])
    parts = [(part, (lengths >= low) & (lengths <= high)) for low, high, part in LENGTHS]
    parts.append((Bilingual(en="with Latin letters or digits", zh="含拉丁字母或数字"), latin))
    return [
        Slice(
            part=part, metric=asked.metric("accuracy", accuracy, asked.truth[rows], guesses[rows])
        )
        for part, rows in parts
        if rows.sum() >= LEAST
    ]


def subject_slices(case: Any, asked: Asked, guesses: np.ndarray) -> list[Slice]:
    """F1 of every subject, the best first; `n` is how many titles have it."""
    found = []
    for k, label in enumerate(case.labels):
        truth = (asked.truth == k).astype(np.int64)
        if truth.any():
            metric = asked.metric("f1", f1, truth, (guesses == k).astype(np.int64))
            metric = metric.model_copy(update={"n": int(truth.sum())})
            found.append(Slice(part=Bilingual(en=label.en, zh=label.zh), metric=metric))
    return sorted(found, key=lambda part: -part.metric.value)


def first_characters(case: Any, asked: Asked) -> Curve:
    """Accuracy when only the beginning of a title is read."""
    right = []
    for count in READ:
        y = all_logits(case.net, [row[:count] for row in points(asked.texts)]).numpy()
        right.append(accuracy(asked.truth, y.argmax(axis=1)))
    return Curve(
        name=N_("How much of a title does it need?"),
        x_label=Bilingual(en="characters read from the front", zh="从头读的字数"),
        y_label=Bilingual(en="accuracy", zh="准确率"),
        x=[float(count) for count in READ],
        y={"accuracy": right},
    )


def choose_part(split: str, data: Path | None) -> Texts:
    """A part of CSL, of a folder laid out like it, or one file of its form.

    Raises:
        InputError: No such split, or another layout.
    """
    if data is not None and not data.is_dir():
        return csl.read(data)
    if split not in ("train", "validation", "test"):
        raise InputError(
            N_("There is no split {split}; the splits are train, validation and test."), split=split
        )
    part: Texts = getattr(csl.load(data), split)
    return part
