"""What the card of `question_answering` says: answers found, "no answer", calibration, rivals."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlportal.cards import Bilingual, Calibration, Curve, Measured, Metric, Reliability
from dlportal.case import Evaluation, Progress
from dlportal.data.squad import read_squad
from dlportal.kinds.judged_spans import judge
from dlportal.kinds.passages import language_of
from dlportal.messages import N_, InputError
from dlportal.nets.chinese_reader import LONGEST as CHINESE_LONGEST
from dlportal.nets.english_reader import LONGEST as ENGLISH_LONGEST
from dlportal.nets.question_net import FOLDS
from dlportal.training.metrics import auc, measured
from dlportal.training.reading_baselines import best_sentence, best_span
from dlportal.training.reading_data import all_states, encode_rows, folds_of, read_rows
from dlportal.training.reading_exam import Exam, Group
from dlportal.training.reading_scales import with_strangers
from dlportal.training.reading_scores import exact, f1
from dlportal.training.reading_slices import slices
from dlportal.training.reading_training import cmrc_parts, english_rows
from dlportal.training.said import evaluate_command

BINS = 10  # of the reliability curve
SENTENCE, SPAN = N_("sentence with most of the question"), N_("span in it by the question word")


def evaluate_readers(
    case: Any, split: str, data: Path | None, limit: int | None, progress: Progress | None
) -> Evaluation:
    """Measure on XQuAD (each article by the reader that never saw it) and on CMRC's dev part, or
    on a file of SQuAD's form.

    Raises:
        InputError: No such split, or another layout.
    """
    started = time.monotonic()
    command = evaluate_command(case.card.id, split)
    plans = own_file(case, data) if data is not None else own_parts(case, split)
    exams = []
    for language, name, groups in plans:
        if limit is not None:
            groups = fewer(groups, limit)
        exams.append(take(language, name, split, command, groups, case.tokenizer, progress))
    found = measure(case, exams)
    n = sum(len(exam.rows) for exam in exams)
    return Evaluation(case.card.id, split, n, time.monotonic() - started, found)


def own_parts(case: Any, split: str) -> list[tuple[str, str, list[Group]]]:
    """Both data sets; XQuAD has no validation part of its own."""
    if split not in ("validation", "test"):
        raise InputError(
            N_("No split {split}. Choose from: {known}."), split=split, known="validation, test"
        )
    chinese = Group(case.net.chinese, cmrc_parts()[split], case.scales["zh"])
    plans = [("zh", "cmrc2018", [chinese])]
    if split == "test":
        rows = english_rows()
        part = folds_of(rows, FOLDS)
        scales = case.scales["en"].get("folds", [{}] * FOLDS)
        groups = [
            Group(case.net.folds[k], [row for row, own in zip(rows, part) if own == k], scales[k])
            for k in range(FOLDS)
        ]
        plans.insert(0, ("en", "xquad_en", groups))
    return plans


def own_file(case: Any, data: Path) -> list[tuple[str, str, list[Group]]]:
    """A file of SQuAD's form, in the language of its first paragraph.

    Raises:
        InputError: Another layout, or no question with an answer.
    """
    questions = read_squad(data)
    if not questions:
        raise InputError(N_("{file} has no question with an answer."), file=data.name)
    language = language_of(questions[0].paragraph)
    net = case.net.chinese if language == "zh" else case.net.english
    longest = CHINESE_LONGEST if language == "zh" else ENGLISH_LONGEST
    rows = encode_rows(questions, language, case.tokenizer, longest)
    return [(language, data.stem, [Group(net, rows, case.scales[language])])]


def fewer(groups: Sequence[Group], limit: int) -> list[Group]:
    """About `limit` questions in all, drawn at random."""
    each = -(-limit // len(groups))
    rng = np.random.default_rng(0)
    out = []
    for group in groups:
        some = rng.permutation(len(group.rows))[:each]
        out.append(Group(group.net, [group.rows[i] for i in some], group.scales))
    return out


def take(
    language: str,
    name: str,
    split: str,
    command: str,
    groups: Sequence[Group],
    tokenizer: Any,
    progress: Progress | None,
) -> Exam:
    """Ask every group's network."""
    exam = Exam(language, name, split, command, [], [], [], [], [])
    total = sum(len(group.rows) for group in groups)
    every = [row for group in groups for row in group.rows]
    # Strangers are made of the same questions and paragraphs, so these states are all there are.
    states = all_states(every) if language == "en" else None
    for group in groups:
        t, threshold = group.scales.get("temperature", 1.0), group.scales.get("threshold", 0.5)
        scores = read_rows(group.net, group.rows, states)
        strangers = with_strangers(group.rows, tokenizer, language)
        others = read_rows(group.net, strangers, states)
        exam.rows.extend(group.rows)
        for y, row in zip(scores, group.rows, strict=True):
            exam.judged.append(judge(y, row.windows, t))
            exam.plain.append(judge(y, row.windows, 1.0))
            exam.thresholds.append(threshold)
        for y, row in zip(others, strangers, strict=True):
            exam.strangers.append((judge(y, row.windows, t).nothing, threshold))
        if progress is not None:
            progress(len(exam.rows), total)
    return exam


def measure(case: Any, exams: Sequence[Exam]) -> Measured:
    """Everything for the card; the first exam's calibration is the card's."""
    return Measured(
        case=case.card.id,
        parameters=sum(parameter.numel() for parameter in case.net.parameters()),
        metrics=[metric for exam in exams for metric in metrics(exam)],
        baselines=[metric for exam in exams for metric in rivals(exam)],
        calibration=calibration(exams[0], case),
        slices=[part for exam in exams for part in slices(exam)],
        curves=[refusals(exams)],
    )


def metrics(exam: Exam) -> list[Metric]:
    """F1 and exact match of all answers; "no answer"; how honest the probabilities are."""
    answers = exam.answers
    right = exam.scores(answers, exact)
    top3 = [
        max(
            f1(exam.language, row.asked.paragraph[s.start : s.end], row.asked.accepted)
            for s in judged.spans[:3]
        )
        for row, judged in zip(exam.rows, exam.judged, strict=True)
    ]
    found = [
        exam.mean("f1", exam.scores(answers)),
        exam.mean("exact_match", right),
        exam.mean("f1_best_of_3", np.array(top3)),
        ece_metric(exam, np.array([j.spans[0].probability for j in exam.judged]), right),
    ]
    if exam.strangers:
        inside, outside = exam.nothing, np.array([p for p, _threshold in exam.strangers])
        truth = np.repeat([0, 1], [len(inside), len(outside)])
        limits = np.array([threshold for _p, threshold in exam.strangers])
        found += [
            measured(
                "no_answer_auroc", exam.data, exam.split, auc, truth, np.append(inside, outside),
                command=exam.command,
            ),
            exam.mean("answerable_kept", inside < np.array(exam.thresholds)),
            exam.mean("unanswerable_refused", outside >= limits),
        ]  # fmt: skip
    return found


def rivals(exam: Exam) -> list[Metric]:
    """What plain rules reach."""
    found = []
    for name, rule in ((SENTENCE, best_sentence), (SPAN, best_span)):
        said = [rule(exam.language, row.asked.question, row.asked.paragraph) for row in exam.rows]
        found += [
            exam.mean("f1", exam.scores(said), name),
            exam.mean("exact_match", exam.scores(said, exact), name),
        ]
    return found


def error_of(p: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error of the answer's probability, ten bins."""
    place = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    gaps = [abs(float((p - right)[place == b].sum())) for b in range(BINS)]
    return sum(gaps) / max(1, len(p))


def ece_metric(exam: Exam, p: np.ndarray, right: np.ndarray) -> Metric:
    """ECE with its interval. Resampling alone raises ECE; that bias is taken off the bounds."""
    rng, value, n = np.random.default_rng(0), error_of(p, right), len(p)
    drawn = np.array(
        [error_of(p[i], right[i]) for i in (rng.integers(0, n, n) for _ in range(1000))]
    )
    low, high = np.percentile(drawn - (drawn.mean() - value), [2.5, 97.5])
    return Metric(
        name="ece",
        data=exam.data,
        split=exam.split,
        value=value,
        low=float(max(0.0, min(low, value))),
        high=float(max(high, value)),
        n=n,
        command=exam.command,
    )


def reliability_of(p: np.ndarray, right: np.ndarray) -> Reliability:
    place = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    filled = [b for b in range(BINS) if (place == b).any()]
    return Reliability(
        confidence=[float(p[place == b].mean()) for b in filled],
        accuracy=[float(right[place == b].mean()) for b in filled],
        count=[int((place == b).sum()) for b in filled],
    )


def calibration(exam: Exam, case: Any) -> Calibration:
    """The probability of an answer beside how often it is right to the letter."""
    parts = []
    for judged in (exam.plain, exam.judged):
        said = [
            r.asked.paragraph[j.spans[0].start : j.spans[0].end] for r, j in zip(exam.rows, judged)
        ]
        p = np.array([j.spans[0].probability for j in judged])
        parts.append((p, exam.scores(said, exact)))
    return Calibration(
        temperature=case.temperature_of(exam.language),
        ece_before=error_of(*parts[0]),
        ece_after=error_of(*parts[1]),
        before=reliability_of(*parts[0]),
        after=reliability_of(*parts[1]),
    )


def refusals(exams: Sequence[Exam]) -> Curve:
    """F1 of the answers that are given, if the least sure ones are held back."""
    shares = np.linspace(0.1, 1.0, 19)
    lines = {}
    for exam in exams:
        scores, order = exam.scores(exam.answers), np.argsort(exam.nothing, kind="stable")
        sorted_scores = scores[order]
        lines[exam.data] = [
            round(float(sorted_scores[: max(1, round(share * len(scores)))].mean()), 4)
            for share in shares
        ]
    return Curve(
        name=N_("Answering only when sure"),
        x_label=Bilingual(en="share of questions answered", zh="作答的问题比例"),
        y_label=Bilingual(en="F1 of the answers", zh="答案的 F1"),
        x=[round(float(share), 3) for share in shares],
        y=lines,
    )
