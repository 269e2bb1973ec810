"""How well a small network does on what it has not seen: by remedy, and by amount of data.

The regularization lab's own training on scikit-learn's digits, with 15 % of the labels wrong.
Every remedy gets, seed by seed, the same data, first weights and batches. Accuracy on training
examples counts the labels as given, accuracy on test examples the right ones.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Any

from dlportal.assets import cache_dir
from dlportal.case import load_case
from dlportal.labs.regularization_compare import Range, interval, rivals, within
from dlportal.labs.regularization_net import Outcome, Trial
from dlportal.training.receipts import write_json

DATA = "digits"
SEEDS = 8
AMOUNTS = (40, 80, 160, 320)
BOTH = ("l2", "augment")  # together
Tell = Callable[[str], None]


def settings(**more: Any) -> dict[str, Any]:
    """The lab's settings of one training, checked."""
    lab: Any = load_case("regularization_lab")
    return lab.settings({"data": DATA, **dict.fromkeys(BOTH, True), **more})


def outcomes(s: dict[str, Any], seeds: int) -> list[Outcome]:
    """One training for each seed."""
    return [Trial({**s, "seed": seed}, drawn=False).finish() for seed in range(seeds)]


def summed_up(found: list[Outcome]) -> dict[str, Any]:
    """Mean accuracies and their 95 % intervals over seeds (Student's)."""
    return {
        "train": bounds(within(interval([o.frame.train_accuracy for o in found]), 0.0, 1.0)),
        "test": bounds(within(interval([o.test_accuracy for o in found]), 0.0, 1.0)),
    }


def bounds(r: Range) -> list[float]:
    return [round(r.value, 4), round(r.low, 4), round(r.high, 4)]


def trainings() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What is measured: table, name, settings. None, each remedy, two together; more examples."""
    for name, s in rivals(settings()).items():
        yield "remedies", name, s
    for points in AMOUNTS:
        yield "amounts", str(points), rivals(settings(points=points))["none"]


def measure(tell: Tell = lambda text: print(text, file=sys.stderr, flush=True)) -> dict[str, Any]:
    """Both tables; taken up again where an earlier run was interrupted.

    Returns:
        `remedies` and `amounts`: rows with `train` and `test`, each value, low, high; `points`:
        examples in the first table; `seeds`.
    """
    kept = cache_dir() / "faq" / "generalisation"
    kept.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[dict[str, Any]]] = {"remedies": [], "amounts": []}
    for table, name, s in trainings():
        path = kept / f"{table}-{name}.json"
        if not path.exists():  # an interrupted run has not left it
            write_json(summed_up(outcomes(s, SEEDS)), path)
        row = json.loads(path.read_text(encoding="utf-8"))
        named = {"remedy": name} if table == "remedies" else {"points": s["points"]}
        found[table].append(named | row)
        tell(f"{table} {name} {row}")
    shutil.rmtree(kept)
    return {
        "data": DATA,
        "seeds": SEEDS,
        "points": settings()["points"],
        "wrong_labels": settings()["label_noise"],
        "blind": 0.1,
        **found,
    }
