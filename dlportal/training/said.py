"""What the numbers of one evaluation have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlportal.cards import Metric
from dlportal.training import metrics


def evaluate_command(case_id: str, split: str = "test", data: Path | None = None) -> str:
    """The command that measures the same again."""
    command = f"python -m dlportal evaluate {case_id}"
    command += "" if split == "test" else f" --split {split}"
    return command if data is None else f"{command} --data {data.name}"


@dataclass(frozen=True)
class Said:
    """What the numbers of one evaluation have in common.

    Attributes:
        data: Name of the data.
        split: Their split.
        command: That measures again.
        model: Whose numbers they are, where a metric names no other; may be empty.
    """

    data: str
    split: str
    command: str
    model: str

    def metric(
        self,
        name: str,
        function: Callable[..., float],
        *arrays: Any,
        data: str | None = None,
        model: str | None = None,
        n: int | None = None,
    ) -> Metric:
        """A metric with its interval, of other data or another model where they are named."""
        return metrics.measured(
            name,
            self.data if data is None else data,
            self.split,
            function,
            *arrays,
            command=self.command,
            model=self.model if model is None else model,
            n=n,
        )

    def share(self, name: str, rows: Any, model: str | None = None) -> Metric:
        """The share of rows (N,) that are true, with the exact interval of a proportion: a
        bootstrap of all or none of a few dozen would have none."""
        hits, n = int(np.sum(rows)), len(rows)
        low, high = metrics.exact_interval(hits, n)
        return Metric(
            name=name,
            data=self.data,
            split=self.split,
            value=hits / n,
            low=low,
            high=high,
            n=n,
            command=self.command,
            model=self.model if model is None else model,
        )
