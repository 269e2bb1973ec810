"""What the card of `named_entities` says: names found, by type, new and known ones; baselines."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from dlportal.cards import Bilingual, Curve, Measured, Metric, Slice
from dlportal.case import Progress
from dlportal.cases.named_entities import LABELS, TAGS
from dlportal.data import is_available, wnut17
from dlportal.data.conll import OUTSIDE, Tagged, read_conll
from dlportal.data.wnut17 import TYPES
from dlportal.messages import N_
from dlportal.training.entities import (
    Name,
    count_rows,
    entity_f1,
    iob2,
    spans_of,
)
from dlportal.training.metrics import measured
from dlportal.training.names_scores import Said, calibrated, read_tagged, type_confusion
from dlportal.training.names_training import encode_part, tags_of, word_logits

if TYPE_CHECKING:
    from dlportal.cases.named_entities import NamedEntities

GAZETTEER = "names of the training part, word for word"
CAPITALS = "runs of capitalised words, most frequent type"


def evaluate_names(
    case: "NamedEntities",
    split: str,
    data: Path | None,
    limit: int | None,
    progress: Progress | None,
) -> tuple[int, Measured]:
    """Sentences measured, and everything for the card."""
    part = read_tagged(wnut17.load, read_conll, TYPES, split, data)
    part = part if limit is None else part.take(np.arange(min(limit, len(part))))
    logits = word_logits(case.net, encode_part(part), progress)
    eager = -float(case.shift[0])
    guesses = tags_of(logits, [len(words) for words in part.words], eager)
    said = Said(case.card.id, "wnut17" if data is None else data.stem, split)
    train = wnut17.load().train if is_available("wnut17") else None
    confidence, right = confidences(case, logits, part, case.temperature)
    card = Measured(
        case=case.card.id,
        parameters=sum(p.numel() for p in case.net.parameters()),
        metrics=[
            *said.metrics(count_rows(part.tags, guesses)),
            *said.ece(confidence, right),
        ],
        baselines=[] if train is None else baselines(train, part, said),
        calibration=calibrated(
            lambda temperature: confidences(case, logits, part, temperature), case.temperature
        ),
        confusion=type_confusion(TYPES, part.tags, guesses),
        slices=slices(part, guesses, train, said),
        curves=eagerness(case),
    )
    return len(part), card


def confidences(
    case: "NamedEntities", logits: Sequence[Tensor], part: Tagged, temperature: float
) -> tuple[np.ndarray, np.ndarray]:
    """Of all names found: the confidence, and whether the name is right, (names,) each."""
    confidence, right = [], []
    for y, tags in zip(logits, part.tags, strict=True):
        p = torch.softmax((y + case.shift) / temperature, dim=-1)
        there = set(spans_of(tags))
        best = p.max(dim=-1)
        for name in spans_of([TAGS[tag] for tag in best.indices.tolist()]):
            confidence.append(float(best.values[name.start : name.end].prod()))
            right.append(name in there)
    return np.array(confidence), np.array(right, dtype=np.int64)


def slices(
    part: Tagged, guesses: Sequence[Sequence[str]], train: Tagged | None, said: Said
) -> list[Slice]:
    """F1 of each type; recall of names that training had and that it never had."""
    found = []
    for label in LABELS[1:]:
        counts = count_rows(part.tags, guesses, only=label.id)
        if counts[:, 2].sum() >= 10:
            metric = measured(
                "f1",
                said.data,
                said.split,
                entity_f1,
                counts,
                command=said.command,
                n=int(counts[:, 2].sum()),
            )
            found.append(Slice(part=Bilingual(en=label.en, zh=label.zh), metric=metric))
    return found


def known_names(train: Tagged) -> dict[tuple[str, ...], str]:
    """Lower-cased names of the training part and their most frequent type."""
    counts: dict[tuple[str, ...], dict[str, int]] = {}
    for words, tags in zip(train.words, train.tags, strict=True):
        for name in spans_of(tags):
            key = tuple(word.lower() for word in words[name.start : name.end])
            types = counts.setdefault(key, {})
            types[name.type] = types.get(name.type, 0) + 1
    return {key: max(types, key=lambda t: types[t]) for key, types in counts.items()}


def baselines(train: Tagged, part: Tagged, said: Said) -> list[Metric]:
    """Names known word for word, and runs of capitalised words."""
    known = known_names(train)
    totals: dict[str, int] = {}
    for tags in train.tags:
        for name in spans_of(tags):
            totals[name.type] = totals.get(name.type, 0) + 1
    usual = max(totals, key=lambda t: totals[t])
    out = []
    for model, rule in (
        (GAZETTEER, lambda words: look_up(words, known)),
        (CAPITALS, lambda words: capitalised(words, usual)),
    ):
        guesses = [iob2(rule(words), len(words)) for words in part.words]
        out += said.metrics(count_rows(part.tags, guesses), model)
    return out


def look_up(words: Sequence[str], known: dict[tuple[str, ...], str]) -> list[Name]:
    """The longest known names, from left to right."""
    longest = max(map(len, known), default=0)
    found, place = [], 0
    lower = [word.lower() for word in words]
    while place < len(words):
        for size in range(min(longest, len(words) - place), 0, -1):
            kind = known.get(tuple(lower[place : place + size]))
            if kind is not None:
                found.append(Name(kind, place, place + size))
                place += size
                break
        else:
            place += 1
    return found


def capitalised(words: Sequence[str], kind: str) -> list[Name]:
    """Runs of words that begin with a capital, but for the first word of the sentence."""
    marks = [i > 0 and word[:1].isupper() and len(word) > 1 for i, word in enumerate(words)]
    tags = [
        ("I-" if i and marks[i - 1] else "B-") + kind if mark else OUTSIDE
        for i, mark in enumerate(marks)
    ]
    return spans_of(tags)


def eagerness(case: "NamedEntities") -> list[Curve]:
    """What taking more or less off "no name" does, measured on validation in training."""
    found: dict[str, Any] | None = case.card.measured.constants.get("validation_curves")
    if found is None:
        return []
    return [
        Curve(
            name=N_("How eager should it be? (validation)"),
            x_label=Bilingual(
                en="taken off the logit of “no name”", zh="从“不是名字”的 logit 里减去的量"
            ),
            y_label=Bilingual(en="share", zh="比例"),
            x=found["eagerness"],
            y={name: found[name] for name in ("precision", "recall", "f1")},
        )
    ]
