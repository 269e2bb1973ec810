"""How good every method's map is on a list of inputs: the numbers a card shows."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dlportal.cards import Metric
from dlportal.case import Case, Evaluation, Example
from dlportal.explain import EXPLAINERS, explainers_for
from dlportal.explain.base import Explainer, Explanation
from dlportal.explain.faithfulness import FEW, Faithfulness, measure
from dlportal.explain.random_maps import random_maps
from dlportal.messages import InputError
from dlportal.training.said import Said, evaluate_command

STEPS = 16  # of the curves
RANDOM = "random_map"  # stands among the methods: what chance gets when it is judged the same way
SHARE = "faithful_share"
EXAMPLES, PAGE = "examples", "page"  # as data and split: those that the case's page offers
MOST = 8  # of them


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
    for place, example in enumerate(examples):
        raw = example.load()
        asked = case.about(raw)
        target = asked.targets(raw)[0]
        maps = [method.explain(asked, raw, target) for method in methods]
        for explanation in [*maps, chance(maps[0], place)]:
            quality = measure(asked, raw, explanation, steps=steps)
            rows.append(Row(example, explanation.method, target, quality))
            if progress is not None:
                progress(len(rows), total)
    return rows


def title(method: str) -> str:
    """What a card calls a method."""
    return "a random map" if method == RANDOM else EXPLAINERS[method].title


def faithful_shares(rows: Sequence[Row], said: Said) -> tuple[list[Metric], Metric]:
    """On what share of the inputs a map clearly beats random ones on both curves.

    Returns:
        Any method's, where there are several, and each method's; and the same of a random map.
    """
    methods = list(dict.fromkeys(row.method for row in rows if row.method != RANDOM))
    groups = {title(method): {method} for method in [*methods, RANDOM]}
    if len(methods) > 1:
        groups = {"any method": set(methods), **groups}
    inputs = list(dict.fromkeys(row.example.id for row in rows))
    found = []
    for name, group in groups.items():
        better = {
            row.example.id
            for row in rows
            if row.method in group and row.quality.verdict == "better"
        }
        found.append(said.share(SHARE, [one in better for one in inputs], name))
    return found[:-1], found[-1]


def with_faithful_shares(
    case: Case,
    evaluation: Evaluation,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Add how far the methods' maps can be believed on examples of the case's page, unless the
    evaluation says so already. Examples that a case refuses have no map, and a map of two or three
    parts cannot be told from chance."""
    methods = explainers_for(case)
    if not methods or any(m.name == SHARE for m in evaluation.measured.metrics):
        return evaluation
    started = time.monotonic()
    examples = spread([e for e in case.examples() if can_be_explained(case, e)])
    if not examples:
        return evaluation
    rows = measure_methods(case, examples, methods, progress)
    said = Said(EXAMPLES, PAGE, evaluate_command(case.card.id), "")
    shares, random = faithful_shares(rows, said)
    measured = evaluation.measured
    more = {
        "metrics": [*measured.metrics, *shares],
        "baselines": [*measured.baselines, random],
    }
    return replace(
        evaluation,
        measured=measured.model_copy(update=more),
        seconds=evaluation.seconds + time.monotonic() - started,
    )


def spread(examples: Sequence[Example[Any]]) -> list[Example[Any]]:
    """At most `MOST` examples, from everywhere in their list."""
    places = np.linspace(0, len(examples) - 1, min(MOST, len(examples))).round().astype(int)
    return [examples[place] for place in places]


def can_be_explained(case: Any, example: Example[Any]) -> bool:
    raw = example.load()
    try:
        case.check(raw)
        asked = case.about(raw)
        return bool(asked.targets(raw)) and bool(np.prod(asked.masker(raw).shape) > FEW)
    except InputError:
        return False


def chance(explanation: Explanation, place: int) -> Explanation:
    """A random map like this one, drawn apart from those it will be compared with, and another one
    at each place of the list: one map that happens to fit would fit all inputs of a shape."""
    (values,) = random_maps(explanation.values, 1, seed=12_345 + place)
    return replace(explanation, values=np.asarray(values), method=RANDOM, residual=None)
