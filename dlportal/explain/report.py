"""How good every method's map is on a list of inputs: the numbers a card shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dlportal.case import Case, Example
from dlportal.explain.base import Explainer, Explanation
from dlportal.explain.faithfulness import Faithfulness, measure
from dlportal.explain.random_maps import random_maps

STEPS = 16  # of the curves
RANDOM = "random_map"  # stands among the methods: what chance gets when it is judged the same way


@dataclass(frozen=True)
class Row:
    """One input, one method: the map's measured quality for the network's own prediction."""

    example: Example[Any]
    method: str
    target: int
    quality: Faithfulness

    @property
    def gain(self) -> float:
        """How much better than chance, on the worse of the two curves."""
        return min(self.quality.insertion.difference, self.quality.deletion.difference)


def measure_methods(
    case: Case,
    examples: Sequence[Example[Any]],
    methods: Sequence[Explainer],
    progress: Callable[[int, int], None] | None = None,
    steps: int = STEPS,
) -> list[Row]:
    """Explain the prediction for every example by every method, and measure the maps.

    Each example also gets one random map, as smooth as the first method's, judged like the rest.

    Args:
        case: The case.
        examples: Its inputs.
        methods: Methods with their default settings.
        progress: Called with maps done and maps in all.
        steps: Of the curves.

    Returns:
        One row for each example and method; the numbers do not depend on the machine's speed.
    """
    rows: list[Row] = []
    total = len(examples) * (len(methods) + 1)
    for example in examples:
        raw = example.load()
        asked = case.about(raw)
        target = asked.targets(raw)[0]
        maps = [method.explain(asked, raw, target) for method in methods]
        for explanation in [*maps, chance(maps[0])]:
            quality = measure(asked, raw, explanation, steps=steps)
            rows.append(Row(example, explanation.method, target, quality))
            if progress is not None:
                progress(len(rows), total)
    return rows


def chance(explanation: Explanation) -> Explanation:
    """A random map like this one, drawn apart from those it will be compared with."""
    (values,) = random_maps(explanation.values, 1, seed=12_345)
    return replace(explanation, values=np.asarray(values), method=RANDOM, residual=None)
