"""The experiments of the practice lab: one training, or several that are compared."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from dlportal.labs.practice_training import Moment, Outcome, Training
from dlportal.messages import N_
from dlportal.results import Result

# What the article calls good practice, all of it, and none of it.
BEST = {
    "scaling": "standard",
    "flip": True,
    "rotate": 0,
    "crop": 0,
    "depth": 2,
    "width": 16,
    "batch_norm": False,
    "batch": "32",
    "rate": 0.04,
    "momentum": 0.9,
    "schedule": "cosine",
    "warmup": 0.2,
    "dropout": 0.2,
    "decay": 0.0005,
}
NAIVE = {
    "scaling": "raw",
    "flip": False,
    "rotate": 0,
    "crop": 0,
    "depth": 1,
    "width": 4,
    "batch_norm": False,
    "batch": "64",
    "rate": 0.001,
    "momentum": 0.0,
    "schedule": "constant",
    "warmup": 0.0,
    "dropout": 0.0,
    "decay": 0.0,
}
# The same with all pictures, as fast as it goes: what the bench measures.
FAST = BEST | {"pictures": "54000", "epochs": 3, "batch": "128", "rate": 0.1, "bf16": True}
# One ingredient changed at a time.
WITHOUT: dict[str, dict[str, Any]] = {
    N_("without scaling"): {"scaling": "raw"},
    N_("without augmentation"): {"flip": False, "rotate": 0, "crop": 0},
    N_("with one convolution"): {"depth": 1},
    N_("with batch norm"): {"batch_norm": True},
    N_("with a constant rate"): {"schedule": "constant", "warmup": 0.0},
    N_("without momentum"): {"momentum": 0.0},
    N_("without dropout"): {"dropout": 0.0},
    N_("without weight decay"): {"decay": 0.0},
}
PARTS_OF_DATA = (16, 8, 4, 2, 1)
THIS, GOOD, PLAIN = N_("this setting"), N_("best practice"), N_("naive")


@dataclass(frozen=True)
class Frame(Result):
    """A step of training number `run` of the experiment; `outcome` where it just finished."""

    run: int
    moment: Moment
    outcome: Outcome | None = None


@dataclass(frozen=True)
class Entry:
    """A training to come: its name, its settings, its fold, how many pictures at most."""

    name: str
    settings: dict[str, Any]
    fold: int | None = None
    limit: int | None = None

    def start(self) -> Training:
        return Training(self.settings, self.fold, self.limit, self.name)


def entries(s: dict[str, Any]) -> list[Entry]:
    """The trainings that the settings ask for, in order.

    "one": as set. "pair": naive and best practice on the same pictures. "ablation": best
    practice, then with one ingredient changed at a time, then naive. "folds": as set, every k-th part
    held out once. "sizes": as set, with more and more pictures.
    """
    kind = s["experiment"]
    if kind == "one":
        return [Entry(THIS, s)]
    if kind == "pair":
        return [Entry(PLAIN, s | NAIVE), Entry(GOOD, s | BEST)]
    if kind == "ablation":
        less = [Entry(name, s | BEST | change) for name, change in WITHOUT.items()]
        return [Entry(GOOD, s | BEST), *less, Entry(PLAIN, s | NAIVE)]
    if kind == "folds":
        return [Entry(N_("fold {n}"), s, fold=i) for i in range(s["folds"])]
    if kind == "sizes":
        count = available(s)
        return [Entry(N_("{n} pictures"), s, limit=max(10, count // n)) for n in PARTS_OF_DATA]
    raise ValueError(f"no experiment {kind!r}; experiments: one, pair, ablation, folds, sizes")


def available(s: dict[str, Any]) -> int:
    """How many pictures the settings train on."""
    from dlportal.labs.practice_data import load

    return min(int(s["pictures"]), len(load(s["data"]).train))


class Experiment:
    """The trainings of one experiment; those of a pair advance side by side.

    Attributes:
        entries: What is trained, in order.
        trainings: Those that have begun, by number.
    """

    def __init__(self, s: dict[str, Any]) -> None:
        self.settings = s
        self.entries = entries(s)
        self.trainings: dict[int, Training] = {}

    def run(self) -> Iterator[Frame]:
        """Yield every step of every training."""
        together = len(self.entries) if self.settings["experiment"] == "pair" else 1
        for first in range(0, len(self.entries), together):
            group = range(first, first + together)
            for number in group:
                self.trainings[number] = self.entries[number].start()
            while running := [n for n in group if not self.trainings[n].finished]:
                yield self.step(min(running, key=lambda n: self.trainings[n].progress))

    def step(self, number: int) -> Frame:
        training = self.trainings[number]
        frame = Frame(number, training.step())
        return replace(frame, outcome=training.finish()) if training.finished else frame
