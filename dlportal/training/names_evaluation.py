"""What the card of `named_entities` says: names found, by type, new and known ones; baselines."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from dlportal.cards import Bilingual, Calibration, Confusion, Curve, Measured, Metric, Slice
from dlportal.case import Progress
from dlportal.cases.named_entities import LABELS, TAGS
from dlportal.data import is_available, wnut17
from dlportal.data.conll import OUTSIDE, Tagged, read_conll
from dlportal.data.wnut17 import TYPES
from dlportal.messages import N_, InputError
from dlportal.training.calibration import reliability
from dlportal.training.entities import (
    Name,
    count_rows,
    entity_f1,
    entity_precision,
    entity_recall,
    spans_of,
)
from dlportal.training.metrics import confusion_counts, ece, measured
from dlportal.training.names_training import encode_part, tags_of, word_logits

if TYPE_CHECKING:
    from dlportal.cases.named_entities import NamedEntities

COMMAND = "python -m dlportal evaluate named_entities"
GAZETTEER = "names of the training part, word for word"
CAPITALS = "runs of capitalised words, most frequent type"
SIDECAR = ".labels.toml"  # beside a CoNLL file: its types and ours


@dataclass(frozen=True)
class Said:
    """What the numbers of one evaluation have in common."""

    data: str
    split: str
    command: str

    def metrics(self, counts: np.ndarray, model: str = "") -> list[Metric]:
        """F1, precision and recall of counts (N, 3)."""
        return [
            measured(m.name, self.data, self.split, m, counts, command=self.command, model=model)
            for m in (entity_f1, entity_precision, entity_recall)
            if counts[:, 1].any() or m is entity_recall
        ]


def read_data(split: str, data: Path | None) -> Tagged:
    """A part of WNUT17, of a folder laid out like it, or a CoNLL file in our types.

    Raises:
        InputError: No such split, or a file with another layout or types that are not ours.
    """
    if data is not None and not data.is_dir():
        return in_our_types(read_conll(data), data)
    parts = wnut17.load(data)
    known = ("train", "validation", "test")
    if split not in known:
        raise InputError(
            N_("No split {split}. Choose from: {known}."), split=split, known=", ".join(known)
        )
    return getattr(parts, split)


def in_our_types(part: Tagged, path: Path, known: Sequence[str] = TYPES) -> Tagged:
    """Rename a file's types by its sidecar, `NAME.labels.toml` with lines like `PER = "person"`.

    Args:
        part: What the file holds.
        path: The file.
        known: The types that there may be.

    Raises:
        InputError: The sidecar cannot be read, or types remain that are not ours.
    """
    sidecar = path.with_name(path.name + SIDECAR)
    names: dict[str, str] = {}
    if sidecar.exists():
        try:
            names = {k: str(v) for k, v in tomllib.loads(sidecar.read_text("utf-8")).items()}
        except (OSError, ValueError) as error:
            raise InputError(
                N_('{file} is not a list of lines like PER = "person"; put it right.'),
                file=sidecar.name,
            ) from error
    renamed = part.renamed(names)
    if strangers := [name for name in renamed.types if name not in known]:
        raise InputError(
            N_(
                "The types {types} are not among {known}. Put a file {sidecar} beside it with a"
                ' line such as {first} = "{ours}" for each; "" leaves a type out.'
            ),
            types=", ".join(strangers),
            known=", ".join(known),
            sidecar=sidecar.name,
            first=strangers[0],
            ours="person" if "person" in known else known[-1],
        )
    return renamed


def evaluate_names(
    case: "NamedEntities",
    split: str,
    data: Path | None,
    limit: int | None,
    progress: Progress | None,
) -> tuple[int, Measured]:
    """Sentences measured, and everything for the card."""
    part = read_data(split, data)
    part = part if limit is None else part.take(np.arange(min(limit, len(part))))
    logits = word_logits(case.net, encode_part(part), progress)
    eager = -float(case.shift[0])
    guesses = tags_of(logits, [len(words) for words in part.words], eager)
    command = COMMAND if split == "test" else f"{COMMAND} --split {split}"
    said = Said("wnut17" if data is None else data.stem, split, command)
    train = wnut17.load().train if is_available("wnut17") else None
    confidence, right = confidences(case, logits, part)
    card = Measured(
        case=case.card.id,
        parameters=sum(p.numel() for p in case.net.parameters()),
        metrics=[
            *said.metrics(count_rows(part.tags, guesses)),
            *ece_metric(said, confidence, right),
        ],
        baselines=[] if train is None else baselines(train, part, said),
        calibration=calibrated(case, logits, part) if len(right) else None,
        confusion=confusion(part, guesses),
        slices=slices(part, guesses, train, said),
        curves=eagerness(case),
    )
    return len(part), card


def confidences(
    case: "NamedEntities", logits: Sequence[Tensor], part: Tagged, temperature: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Of all names found: the confidence, and whether the name is right, (names,) each."""
    confidence, right = [], []
    scale = case.temperature if temperature is None else temperature
    for y, tags in zip(logits, part.tags, strict=True):
        p = torch.softmax((y + case.shift) / scale, dim=-1)
        there = set(spans_of(tags))
        best = p.max(dim=-1)
        for name in spans_of([TAGS[tag] for tag in best.indices.tolist()]):
            confidence.append(float(best.values[name.start : name.end].prod()))
            right.append(name in there)
    return np.array(confidence), np.array(right, dtype=np.int64)


def ece_metric(said: Said, confidence: np.ndarray, right: np.ndarray) -> list[Metric]:
    """How far the confidence in names is from how often they are right."""
    if not len(right):
        return []
    return [measured("ece", said.data, said.split, ece, right, confidence, command=said.command)]


def calibrated(case: "NamedEntities", logits: Sequence[Tensor], part: Tagged) -> Calibration:
    """Reliability of the names' confidence, before and after temperature scaling."""
    before, right_before = confidences(case, logits, part, 1.0)
    after, right_after = confidences(case, logits, part)
    return Calibration(
        temperature=case.temperature,
        ece_before=ece(right_before, before),
        ece_after=ece(right_after, after),
        before=reliability(before, right_before),
        after=reliability(after, right_after),
    )


def confusion(part: Tagged, guesses: Sequence[Sequence[str]]) -> Confusion:
    """Types of words, "no name" among them."""
    ids = [label.id for label in LABELS]

    def types(rows: Sequence[Sequence[str]]) -> np.ndarray:
        return np.array([ids.index(tag[2:] or OUTSIDE) for row in rows for tag in row])

    counts = confusion_counts(types(part.tags), types(guesses), len(ids))
    # Nearly all words are no names; their number would drown every other.
    counts[0, 0] = 0
    return Confusion(labels=ids, counts=counts.tolist())


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
        guesses = [tags_from(rule(words), len(words)) for words in part.words]
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


def tags_from(names: Sequence[Name], count: int) -> list[str]:
    """Tags of so many words."""
    tags = [OUTSIDE] * count
    for name in names:
        tags[name.start] = f"B-{name.type}"
        tags[name.start + 1 : name.end] = [f"I-{name.type}"] * (name.end - name.start - 1)
    return tags


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
