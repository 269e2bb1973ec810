"""What the cards of the cases that mark names have in common."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlportal.cards import Calibration, Confusion, Metric
from dlportal.data.conll import OUTSIDE, Tagged
from dlportal.data.splits import Splits
from dlportal.messages import N_, InputError
from dlportal.training.calibration import before_and_after
from dlportal.training.entities import entity_f1, entity_precision, entity_recall
from dlportal.training.metrics import confusion_counts, ece, measured
from dlportal.training.said import evaluate_command

SIDECAR = ".labels.toml"  # beside a CoNLL file: its types and ours


@dataclass(frozen=True)
class Said:
    """What the numbers of one evaluation have in common."""

    case: str
    data: str
    split: str

    @property
    def command(self) -> str:
        return evaluate_command(self.case, self.split)

    def metrics(self, counts: np.ndarray, model: str = "") -> list[Metric]:
        """F1, precision and recall of counts (N, 3)."""
        return [
            measured(m.name, self.data, self.split, m, counts, command=self.command, model=model)
            for m in (entity_f1, entity_precision, entity_recall)
            if counts[:, 1].any() or m is entity_recall
        ]

    def ece(self, sure: np.ndarray, right: np.ndarray) -> list[Metric]:
        """How far the probability of names is from how often they are right."""
        if not len(right):
            return []
        return [measured("ece", self.data, self.split, ece, right, sure, command=self.command)]


def calibrated(
    confidences: Callable[[float], tuple[np.ndarray, np.ndarray]], temperature: float
) -> Calibration | None:
    """Reliability of the names' probabilities, before and after temperature scaling; None where
    no name was found.

    Args:
        confidences: At a temperature, of all names found: how sure, and whether they are right.
        temperature: The one that is used.
    """
    before, after = confidences(1.0), confidences(temperature)
    return before_and_after(temperature, before, after) if len(after[1]) else None


def type_confusion(
    types: Sequence[str], truth: Sequence[Sequence[str]], guesses: Sequence[Sequence[str]]
) -> Confusion:
    """Types of words, "no name" among them, by the tags of sentences."""
    ids = [OUTSIDE, *types]

    def places(rows: Sequence[Sequence[str]]) -> np.ndarray:
        return np.array([ids.index(tag[2:] or OUTSIDE) for row in rows for tag in row])

    counts = confusion_counts(places(truth), places(guesses), len(ids))
    # Nearly all words are no names; their number would drown every other.
    counts[0, 0] = 0
    return Confusion(labels=ids, counts=counts.tolist())


def read_tagged(
    load: Callable[[Path | None], Splits[Tagged]],
    read: Callable[[Path], Tagged],
    types: Sequence[str],
    split: str,
    data: Path | None,
) -> Tagged:
    """A part of a data set, of a folder laid out like it, or a CoNLL file in our types.

    Args:
        load: Reads the data set, or a folder.
        read: Reads a file.
        types: The types that there may be.
        split: The part.
        data: A folder, a file, or None for the data set.

    Raises:
        InputError: No such split, or a file with another layout or types that are not ours.
    """
    if data is not None and not data.is_dir():
        return in_our_types(read(data), data, types)
    parts = load(data)
    known = ("train", "validation", "test")
    if split not in known:
        raise InputError(
            N_("No split {split}. Choose from: {known}."), split=split, known=", ".join(known)
        )
    part: Tagged = getattr(parts, split)
    return part


def in_our_types(part: Tagged, path: Path, known: Sequence[str]) -> Tagged:
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
