"""One measured line of the bench: a value, what it stands beside, its bar, and the verdict."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

Direction = Literal["at most", "at least"]


@dataclass(frozen=True)
class Row:
    """A measurement.

    Attributes:
        suite: Which suite measured it.
        name: What was measured.
        value: In `unit`.
        unit: "s", "ms", "MB", "runs/s" ...
        against: What it is compared with; empty where there is nothing.
        baseline: Of `against`, in `unit`.
        ratio: value / baseline.
        bar: What must hold, in words; empty for a line that only informs.
        passed: None where there is no bar.
        note: How it was measured, or why not.
    """

    suite: str
    name: str
    value: float
    unit: str
    against: str = ""
    baseline: float | None = None
    ratio: float | None = None
    bar: str = ""
    passed: bool | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        row = asdict(self)
        return {key: None if is_nan(value) else value for key, value in row.items()}


def is_nan(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def holds(value: float, direction: Direction, limit: float) -> bool:
    return value <= limit if direction == "at most" else value >= limit


def compared(
    suite: str,
    name: str,
    values: Sequence[float],
    unit: str,
    against: str,
    baselines: Sequence[float],
    direction: Direction,
    limit: float,
    note: str = "",
) -> Row:
    """A row whose ratio of medians has a bar."""
    value, baseline = float(np.median(values)), float(np.median(baselines))
    ratio = value / baseline
    return Row(
        suite,
        name,
        value,
        unit,
        against,
        baseline,
        ratio,
        f"ratio {direction} {limit:g}",
        holds(ratio, direction, limit),
        note,
    )


def bounded(
    suite: str,
    name: str,
    value: float,
    unit: str,
    direction: Direction,
    limit: float,
    note: str = "",
) -> Row:
    """A row whose value itself has a bar."""
    bar = f"{direction} {limit:g} {unit}".rstrip()
    return Row(suite, name, value, unit, bar=bar, passed=holds(value, direction, limit), note=note)


def skipped(suite: str, name: str, why: str) -> Row:
    """A row that says what could not be measured."""
    return Row(suite, name, math.nan, "", note=f"not measured: {why}")
