"""Every remedy alone, and the chosen ones together, over several seeds, with intervals.

All remedies of a seed get the same data, first weights and batches, so differences are taken seed
by seed. Intervals are Student's, https://doi.org/10.1093/biomet/6.1.1.
"""

import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

from dlportal.labs.regularization_net import METHODS, Outcome, Trial
from dlportal.results import Result


@dataclass(frozen=True)
class Range(Result):
    """A mean and its 95 % interval (NaN bounds from fewer than two values)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row(Result):
    """A remedy over the seeds that have finished.

    Attributes:
        name: "none", a method, or "chosen".
        seeds: How many.
        accuracy: On the test examples, in [0, 1].
        gain: Accuracy above that of "none", seed by seed.
        gap: Validation loss above training loss.
        zero: Mean share of weights that are exactly 0.
        epoch: Mean epoch of the weights that were kept.
    """

    name: str
    seeds: int
    accuracy: Range
    gain: Range
    gap: Range
    zero: float
    epoch: float

    @property
    def verdict(self) -> str:
        """ "better" or "worse" than none where the gain's interval leaves 0 out, else "open"."""
        if self.gain.low > 0:
            return "better"
        return "worse" if self.gain.high < 0 else "open"


def interval(values: list[float]) -> Range:
    """Mean with Student's 95 % interval."""
    from scipy.stats import t

    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return Range(mean, float("nan"), float("nan"))
    half = float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / n**0.5)
    return Range(mean, mean - half, mean + half)


def within(r: Range, low: float, high: float) -> Range:
    """The part of an interval that can be: Student's does not know that a share ends at 1."""
    return Range(r.value, float(np.maximum(r.low, low)), float(np.minimum(r.high, high)))


def rivals(s: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings to compare by name: none, each method alone, and the chosen combination
    where it is one."""
    off = {**s, **dict.fromkeys(METHODS, False)}
    found = {"none": off} | {name: {**off, name: True} for name in METHODS}
    if sum(s[name] for name in METHODS) > 1:
        found["chosen"] = s
    return found


class Comparison:
    """Runs all rivals for one seed after the other, a bit of work at a time; shared by visitors."""

    def __init__(self, s: dict[str, Any]) -> None:
        self.rivals = rivals(s)
        self.queue = [
            (name, {**settings, "seed": s["seed"] + k})
            for k in range(s["runs"])
            for name, settings in self.rivals.items()
        ]
        self.total = len(self.queue)
        self.outcomes: dict[str, list[Outcome]] = {name: [] for name in self.rivals}
        self.lock = Lock()
        self.trial: Trial | None = None

    @property
    def done(self) -> int:
        return self.total - len(self.queue)

    def advance(self, seconds: float) -> None:
        """Work for about so long."""
        end = time.monotonic() + seconds
        with self.lock:
            while self.queue and time.monotonic() < end:
                name, settings = self.queue[0]
                if self.trial is None:
                    self.trial = Trial(settings, drawn=False)
                if not self.trial.over:
                    self.trial.advance()
                    continue
                self.outcomes[name].append(self.trial.outcome())
                self.queue.pop(0)
                self.trial = None

    def rows(self) -> list[Row]:
        """What is known so far, in order; rivals without a result are left out."""
        with self.lock:
            found = {name: list(outcomes) for name, outcomes in self.outcomes.items()}
        base = [o.test_accuracy for o in found["none"]]
        return [row(name, outcomes, base) for name, outcomes in found.items() if outcomes]


def row(name: str, outcomes: list[Outcome], base: list[float]) -> Row:
    """Sum up a rival's outcomes; `base` are the test accuracies of none for the same seeds."""
    accuracy = [o.test_accuracy for o in outcomes]
    return Row(
        name=name,
        seeds=len(outcomes),
        accuracy=within(interval(accuracy), 0.0, 1.0),
        gain=interval([a - b for a, b in zip(accuracy, base)]),
        gap=interval([o.frame.gap for o in outcomes]),
        zero=float(np.mean([o.frame.zero for o in outcomes])),
        epoch=float(np.mean([o.epoch for o in outcomes])),
    )
