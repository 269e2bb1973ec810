"""What the card of `chinese_entities` says: names found, by type, new and known ones; baselines."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlportal.cards import Bilingual, Curve, Measured, Metric, Slice
from dlportal.case import Evaluation, Progress
from dlportal.cases.chinese_entities import LABELS
from dlportal.data import is_available, uner
from dlportal.data.uner import TYPES
from dlportal.messages import N_
from dlportal.training.characters_data import Sentence, sentences_of
from dlportal.training.characters_marks import confidences, counts_of, emissions, found_in
from dlportal.training.characters_rivals import WINDOW, known_names, look_up, window_names
from dlportal.training.entities import Name, entity_recall, iob2
from dlportal.training.metrics import measured
from dlportal.training.names_scores import Said, calibrated, read_tagged, type_confusion

if TYPE_CHECKING:
    from dlportal.cases.chinese_entities import ChineseEntities

GAZETTEER = N_("names of the training part, longest match")
LEAST = 10  # names below which a slice says nothing
SURE = np.round(np.arange(0.0, 1.0, 0.05), 2)  # least confidences of the curve


def evaluate_characters(
    case: "ChineseEntities",
    split: str,
    data: Path | None,
    limit: int | None,
    progress: Progress | None,
) -> Evaluation:
    """Measure on a part of UNER, or on other tagged words."""
    started = time.monotonic()
    part = read_tagged(uner.load, uner.read, TYPES, split, data)
    part = part if limit is None else part.take(np.arange(min(limit, len(part))))
    truth = sentences_of(part)
    said = Said(case.card.id, "uner_zh_gsdsimp" if data is None else data.stem, split)
    here = is_available("uner_zh_gsdsimp")
    train = sentences_of(uner.load().train) if here else None
    card = measure(case, truth, train, said, whole=limit is None, progress=progress)
    return Evaluation(case.card.id, split, len(part), time.monotonic() - started, card)


def measure(
    case: "ChineseEntities",
    truth: Sequence[Sentence],
    train: Sequence[Sentence] | None,
    said: Said,
    whole: bool,
    progress: Progress | None = None,
) -> Measured:
    """Everything for the card; the costlier baseline only where the `whole` part is measured."""
    tagger = case.net.tagger
    y = emissions(tagger, [s.codes for s in truth], progress)
    guesses = found_in(tagger.chain, y)
    sure, right = confidences(tagger.chain, y, truth, case.temperature)

    def tags(rows: Sequence[Sequence[Name]]) -> list[list[str]]:
        return [iob2(names, len(s.codes)) for names, s in zip(rows, truth, strict=True)]

    return Measured(
        case=case.card.id,
        parameters=sum(p.numel() for p in case.net.parameters()),
        metrics=[*said.metrics(counts_of(truth, guesses)), *said.ece(sure, right)],
        baselines=[] if train is None else baselines(train, truth, said, whole),
        calibration=calibrated(
            lambda temperature: confidences(tagger.chain, y, truth, temperature), case.temperature
        ),
        confusion=type_confusion(TYPES, tags([s.names for s in truth]), tags(guesses)),
        slices=[*by_type(truth, guesses, said), *new_and_known(truth, guesses, train, said)],
        curves=[surer(sure, right, truth)] if len(right) else [],
    )


def by_type(
    truth: Sequence[Sentence], guesses: Sequence[Sequence[Name]], said: Said
) -> list[Slice]:
    """F1, precision and recall of each type; `n` is how many names there are."""
    found = []
    for label in LABELS:
        counts = counts_of(truth, guesses, only=label.id)
        n = int(counts[:, 2].sum())
        if n < LEAST:
            continue
        for metric in said.metrics(counts):
            part = Bilingual(en=label.en, zh=label.zh)
            found.append(Slice(part=part, metric=metric.model_copy(update={"n": n})))
    return found


def new_and_known(
    truth: Sequence[Sentence],
    guesses: Sequence[Sequence[Name]],
    train: Sequence[Sentence] | None,
    said: Said,
) -> list[Slice]:
    """Recall of names that training had (with any type), and of those it never had."""
    if train is None:
        return []
    known = known_names(train)
    parts: list[tuple[Bilingual, Callable[[bool], bool]]] = [
        (Bilingual(en="names that training had", zh="训练里有的名字"), lambda old: old),
        (Bilingual(en="names that training never had", zh="训练里没有的名字"), lambda old: not old),
    ]
    slices = []
    for part, belongs in parts:
        rows = []
        for sentence, names in zip(truth, guesses, strict=True):
            asked = {n for n in sentence.names if belongs(text_of(sentence, n) in known)}
            hits = len(asked & set(names))
            rows.append((hits, hits, len(asked)))
        counts = np.array(rows).reshape(-1, 3)
        n = int(counts[:, 2].sum())
        if n >= LEAST:
            metric = measured(
                "recall", said.data, said.split, entity_recall, counts, command=said.command, n=n
            )
            slices.append(Slice(part=part, metric=metric))
    return slices


def text_of(sentence: Sentence, name: Name) -> str:
    """A name as the network reads it."""
    return "".join(map(chr, sentence.codes[name.start : name.end]))


def surer(sure: np.ndarray, right: np.ndarray, truth: Sequence[Sentence]) -> Curve:
    """Precision and recall when only names above a probability are kept."""
    there = sum(len(s.names) for s in truth)
    x = [float(t) for t in SURE if (sure >= t).any()]
    kept = [sure >= t for t in x]
    return Curve(
        name=N_("What if only the surer names are kept?"),
        x_label=Bilingual(en="least probability of a name", zh="名字的最低概率"),
        y_label=Bilingual(en="share", zh="比例"),
        x=x,
        y={
            "precision": [float(right[k].mean()) for k in kept],
            "recall": [float(right[k].sum() / max(1, there)) for k in kept],
        },
    )


def baselines(
    train: Sequence[Sentence], truth: Sequence[Sentence], said: Said, whole: bool
) -> list[Metric]:
    """Names known from training, and a linear model that sees a few characters."""
    known = known_names(train)
    found = said.metrics(counts_of(truth, [look_up(s.codes, known) for s in truth]), GAZETTEER)
    if whole:
        found += said.metrics(counts_of(truth, window_names(train, truth)), WINDOW)
    return found
