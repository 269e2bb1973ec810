"""Measure the intents: right answers, honest confidence, and questions that are out of scope."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from dlportal.cards import Bilingual, Curve, Measured, Metric, Slice
from dlportal.case import Evaluation, Progress
from dlportal.cases.intents import ASSISTANTS, DATA, LABELS, SIZES, encode_all, place, subjects
from dlportal.data import banking77, clinc150, is_available
from dlportal.data.splits import Splits, Texts
from dlportal.messages import N_, InputError
from dlportal.training.calibration import calibration_at, softmax
from dlportal.training.intents_training import intent_ids, load_parts
from dlportal.training.metrics import accuracy, auc, mean
from dlportal.training.said import evaluate_command
from dlportal.training.text_evaluation import Asked, baselines, ece_metric, selective
from dlportal.training.texts import all_logits

SUBJECTS = {
    "banking": Bilingual(en="everyday: banking", zh="日常：银行"),
    "credit_cards": Bilingual(en="everyday: credit cards", zh="日常：信用卡"),
    "kitchen_and_dining": Bilingual(en="everyday: kitchen and dining", zh="日常：餐饮"),
    "home": Bilingual(en="everyday: home", zh="日常：家居"),
    "auto_and_commute": Bilingual(en="everyday: car and commute", zh="日常：汽车与通勤"),
    "travel": Bilingual(en="everyday: travel", zh="日常：旅行"),
    "utility": Bilingual(en="everyday: small tools", zh="日常：小工具"),
    "work": Bilingual(en="everyday: work", zh="日常：工作"),
    "small_talk": Bilingual(en="everyday: small talk", zh="日常：闲聊"),
    "meta": Bilingual(en="everyday: the assistant itself", zh="日常：助手本身"),
}
LENGTHS = (
    (1, 7, Bilingual(en="bank: up to 7 words", zh="银行：不超过 7 个词")),
    (8, 15, Bilingual(en="bank: 8 to 15 words", zh="银行：8 到 15 个词")),
    (16, 10**6, Bilingual(en="bank: more than 15 words", zh="银行：超过 15 个词")),
)
FIGURES = ("accuracy", "ece", "oos_auroc", "oos_recall", "accuracy_with_refusals")
PAIRS = 12  # confused pairs of each assistant that are kept for the card


@dataclass(frozen=True)
class Exam:
    """What one assistant was asked, and what the network said.

    Attributes:
        assistant: Its name.
        asked: The questions within its scope, and the right answers (N,).
        logits: Of its own intents, (N, classes).
        inside: Familiarity of the questions within its scope, (N,).
        outside: Familiarity of those that belong to no intent, (M,); empty if there are none.
    """

    assistant: str
    asked: Asked
    logits: np.ndarray
    inside: np.ndarray
    outside: np.ndarray


def evaluate_intents(
    case: Any, split: str, data: Path | None, limit: int | None, progress: Progress | None
) -> Evaluation:
    """Measure on a split of both data sets, or on files laid out like one of them.

    Raises:
        InputError: No such split, or another layout.
    """
    started = time.monotonic()
    parts, outside = choose_parts(split, data)
    if limit is not None:
        # The files are sorted by intent.
        parts = {name: some(part, limit) for name, part in parts.items()}
        outside = outside[:limit]
    command = evaluate_command(case.card.id, split)

    texts = [text for part in parts.values() for text in part.texts] + list(outside)
    y = all_logits(case.net, encode_all(texts), progress=progress)
    exams, row = [], 0
    for name, part in parts.items():
        asked = Asked(
            DATA[name] if data is None else data.stem, split, command, "", part.texts, part.labels
        )
        own, strange = y[row : row + len(part)], y[len(y) - len(outside) :]
        exams.append(mark(name, asked, own, strange))
        row += len(part)
    here = data is None and all(is_available(DATA[name]) for name in ASSISTANTS)
    known = {name: part.train for name, part in load_parts()[0].items()} if here else {}
    measured = measure(case, exams, known)
    n = sum(len(part) for part in parts.values())
    return Evaluation(case.card.id, split, n, time.monotonic() - started, measured)


def some(part: Texts, limit: int) -> Texts:
    """Questions drawn at random, `limit` at most."""
    return part.take(np.random.default_rng(0).permutation(len(part))[:limit])


def mark(assistant: str, asked: Asked, own: Tensor, strange: Tensor) -> Exam:
    start, stop = place(assistant)
    familiarity = sum(SIZES) + ASSISTANTS.index(assistant)
    return Exam(
        assistant,
        asked,
        own[:, start:stop].numpy(),
        own[:, familiarity].numpy(),
        strange[:, familiarity].numpy(),
    )


def measure(case: Any, exams: list[Exam], known: dict[str, Texts]) -> Measured:
    """Everything for the card; the first exam's calibration is the card's.

    Args:
        case: The case, with temperatures and thresholds.
        exams: Of one or both assistants.
        known: Training questions by assistant for the baselines; empty leaves them out.
    """
    first = exams[0]
    temperature = case.temperatures[first.assistant]
    plain: list[Metric] = []
    for exam in exams:
        if exam.assistant in known:
            train = known[exam.assistant]
            words = replace(exam.asked, texts=only_words(exam.asked.texts))
            plain += baselines(words, only_words(train.texts), train.labels)
            plain += frozen_baseline(exam, train)
    return Measured(
        case=case.card.id,
        parameters=sum(parameter.numel() for parameter in case.net.parameters()),
        metrics=sorted((m for exam in exams for m in scores(case, exam)), key=importance),
        baselines=plain,
        calibration=calibration_at(temperature, first.logits, first.asked.truth),
        slices=[part for exam in exams for part in subject_slices(exam)],
        curves=[
            *(refusals(exam) for exam in exams if len(exam.outside)),
            selective(
                first.asked.truth,
                first.logits.argmax(axis=1),
                softmax(first.logits, temperature).max(axis=1),
            ),
        ],
        constants={"confused": {exam.assistant: confused(exam) for exam in exams}},
    )


def scores(case: Any, exam: Exam) -> list[Metric]:
    """Accuracy, calibration, and what becomes of questions that are out of scope."""
    asked, guesses = exam.asked, exam.logits.argmax(axis=1)
    p = softmax(exam.logits, case.temperatures[exam.assistant])
    found = [
        asked.metric("accuracy", accuracy, asked.truth, guesses),
        ece_metric(asked, p),
    ]
    if len(exam.outside):
        threshold = case.thresholds[exam.assistant]
        answered = (exam.inside >= threshold) & (guesses == asked.truth)
        truth = np.repeat([1, 0], [len(exam.inside), len(exam.outside)])
        found += [
            asked.metric("oos_auroc", auc, truth, np.append(exam.inside, exam.outside)),
            asked.metric("oos_recall", mean, (exam.outside < threshold).astype(np.float64)),
            asked.metric("accuracy_with_refusals", mean, answered.astype(np.float64)),
        ]
    return found


def importance(metric: Metric) -> int:
    """The order of the card: each figure for both assistants, then the next."""
    return FIGURES.index(metric.name)


def subject_slices(exam: Exam) -> list[Slice]:
    """Accuracy by subject where the intents have one, else by length."""
    asked, guesses = exam.asked, exam.logits.argmax(axis=1)
    if exam.assistant == "everyday":
        of_intent = np.array(subjects())
        parts = [(part, of_intent[asked.truth] == name) for name, part in SUBJECTS.items()]
    else:
        words = np.array([len(text.split()) for text in asked.texts])
        parts = [(part, (words >= low) & (words <= high)) for low, high, part in LENGTHS]
    found = []
    for part, rows in parts:
        if rows.sum() >= 20:
            metric = asked.metric("accuracy", accuracy, asked.truth[rows], guesses[rows])
            found.append(Slice(part=part, metric=metric))
    return found


def refusals(exam: Exam) -> Curve:
    """How many out-of-scope questions are caught when some within the scope are refused too."""
    shares = np.array([0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3])
    lines = np.quantile(exam.inside, shares)
    guesses = exam.logits.argmax(axis=1)
    right = [
        float(((exam.inside >= line) & (guesses == exam.asked.truth)).mean()) for line in lines
    ]
    name = {
        "bank": N_("The bank's assistant: what does saying no cost?"),
        "everyday": N_("The everyday assistant: what does saying no cost?"),
    }[exam.assistant]
    return Curve(
        name=name,
        x_label=Bilingual(en="own questions refused", zh="被拒答的分内问题比例"),
        y_label=Bilingual(en="share of questions", zh="问题比例"),
        x=shares.tolist(),
        y={
            "oos_recall": [float((exam.outside < line).mean()) for line in lines],
            "accuracy_with_refusals": right,
        },
    )


def confused(exam: Exam) -> list[dict[str, Any]]:
    """The pairs of intents that are taken for each other most often, with counts both ways."""
    truth, guesses = exam.asked.truth, exam.logits.argmax(axis=1)
    counts = np.zeros((exam.logits.shape[1],) * 2, dtype=np.int64)
    np.add.at(counts, (truth, guesses), 1)
    np.fill_diagonal(counts, 0)
    both = np.triu(counts + counts.T)
    labels = LABELS[exam.assistant]
    pairs = []
    for place_in_table in np.argsort(-both, axis=None, kind="stable")[:PAIRS]:
        a, b = np.unravel_index(place_in_table, both.shape)
        if both[a, b]:
            ways = {"forth": int(counts[a, b]), "back": int(counts[b, a])}
            pairs.append({"a": labels[a].id, "b": labels[b].id, **ways})
    return pairs


def only_words(texts: Sequence[str]) -> list[str]:
    """Texts without punctuation, which TF-IDF would take for parts of words."""
    return [re.sub(r"[^\w\s]+", " ", text) for text in texts]


def frozen_baseline(exam: Exam, train: Texts) -> list[Metric]:
    """Logistic regression on the encoder as it came."""
    from sklearn.linear_model import LogisticRegression

    from dlportal.nets.intent_net import IntentNet
    from dlportal.training.intents_training import meanings

    body = IntentNet(SIZES, rank=1).eval()  # untrained adapters change nothing
    known = meanings(body, encode_all(train.texts)).numpy()
    asked = meanings(body, encode_all(exam.asked.texts)).numpy()
    model = LogisticRegression(C=30.0, max_iter=300).fit(known, train.labels)
    p = model.predict_proba(asked)
    name = "MiniLM-L6, frozen + logistic regression"
    truth = exam.asked.truth
    return [
        exam.asked.metric("accuracy", accuracy, truth, p.argmax(axis=1), model=name),
        ece_metric(exam.asked, p, model=name),
    ]


def choose_parts(split: str, data: Path | None) -> tuple[dict[str, Texts], tuple[str, ...]]:
    """Questions by assistant, and those out of scope.

    `data` may be a CSV file like Banking77's, a JSON file like CLINC150's, or a folder with
    files of their names.

    Raises:
        InputError: No such split, or another layout.
    """
    if split not in ("train", "validation", "test"):
        raise InputError(
            N_("There is no split {split}; the splits are train, validation and test."), split=split
        )
    if data is None:
        parts, outside = load_parts()
        return {name: getattr(part, split) for name, part in parts.items()}, getattr(outside, split)
    if data.is_file() and data.suffix == ".csv":
        return {"bank": banking77.read(data, intent_ids("bank"))}, ()
    if data.is_dir() and (data / "test.csv").exists():
        bank: Splits[Texts] = banking77.load(intent_ids("bank"), folder=data)
        return {"bank": getattr(bank, split)}, ()
    path = data / "data_full.json" if data.is_dir() else data
    clinc = clinc150.load(intent_ids("everyday"), path)
    return {"everyday": getattr(clinc.inside, split)}, getattr(clinc.outside, split)
