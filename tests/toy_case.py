"""A small case that learns in a second; lets tests run the real commands in a real process.

`python toy_case.py MODELS ARGUMENT...` is `python -m dlportal ARGUMENT...` with the case `toy`
(a registry of its own in the folder MODELS) and the lab `toy_lab`.
"""

import os
import sys
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import dlportal.cards
from dlportal.cards import Card, Measured
from dlportal.case import Evaluation, Example, Knob, Lab, Settings
from dlportal.kinds.table import TableCase
from dlportal.results import Classes, Label, Result, Score
from dlportal.training import metrics, receipts, recipe
from dlportal.training.batches import Shuffled
from dlportal.training.events import Run
from dlportal.training.fit import Plan, fit, seed_everything
from dlportal.training.store import load_weights

CARD = """
domain = "frontiers"
order = 1
icon = ":material/toys:"
provenance = "trained"
model = "one layer"
licence = "Apache-2.0"
main_metric = "accuracy@toy"
[title]
en = "Toy"
zh = "玩具"
[summary]
en = "Two blobs."
zh = "两团点。"
"""


def data(seed: int, n: int = 200) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 2
    x = torch.randn(n, 4, generator=generator) + 2.0 * labels[:, None]
    return x, labels


class Toy(TableCase):
    columns = ("a", "b", "c", "d")
    labels = (Label("low", "low", "低"), Label("high", "high", "高"))

    def load(self) -> nn.Module:
        return load_weights(nn.Linear(4, 2), self.card.weights)

    def encode(self, raw: np.ndarray) -> Tensor:
        return torch.as_tensor(np.asarray(raw), dtype=torch.float32)[None]

    def decode(self, y: Tensor, raw: np.ndarray) -> Classes:
        p = self.probabilities(y[None])[0].tolist()
        order = sorted(range(2), key=lambda i: -p[i])
        return Classes(tuple(Score(self.labels[i], p[i], i) for i in order), 0.5)

    def examples(self) -> list:
        return [Example("one", Label("one", "One", "一"), self.golden)]

    def golden(self) -> np.ndarray:
        return np.array([1.0, 2.0, 0.5, 1.5])

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        if settings.seed == 666:
            raise RuntimeError("the toy broke")
        seed_everything(settings.seed)
        x, labels = data(1)
        held, truth = data(2)
        pause = float(os.environ.get("TOY_PAUSE", "0"))

        def loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
            time.sleep(pause)
            return F.cross_entropy(net(batch[0]), batch[1])

        def validate(net: nn.Module) -> dict[str, float]:
            return {"accuracy": metrics.accuracy(truth, net(held).argmax(1))}

        run.constants["temperature"] = 2.0
        plan = Plan(epochs=5, rate=0.1, seed=settings.seed)
        batches = Shuffled((x, labels), 20, settings.seed)
        return fit(nn.Linear(4, 2), batches, loss, validate, plan, run)

    def evaluate(
        self,
        split: str = "test",
        data_path: Path | None = None,
        limit: int | None = None,
        progress: Any = None,
    ) -> Evaluation:
        x, labels = data(3)
        x, labels = x[:limit], labels[:limit]
        found = self.net(x).argmax(1)
        command = "python -m dlportal evaluate toy"
        metric = metrics.measured(
            "accuracy", "toy", split, metrics.accuracy, labels, found, command=command
        )
        blind = metrics.measured(
            "accuracy", "toy", split, metrics.accuracy, labels, 0 * found, model="majority"
        )
        measured = Measured(case="toy", parameters=10, metrics=[metric], baselines=[blind])
        return Evaluation("toy", split, len(labels), 0.1, measured)


@dataclass(frozen=True)
class Frame(Result):
    step: int
    height: float


class ToyLab(Lab):
    knobs = (
        Knob("rate", "rate", 0.5, 0.0, 1.0),
        Knob("kind", "kind", "fast", choices=("fast", "slow")),
    )

    def run(self, rate: float = 0.5, kind: str = "fast", **settings: Any) -> Iterator[Frame]:
        for step in range(3):
            yield Frame(step, rate**step)

    def code(self, **settings: Any) -> str:
        return ""


def register(models: Path, put: Callable[[Any, str, Any], None]) -> None:
    """Make `toy` and `toy_lab` the only cases; `put(object, name, value)` sets an attribute."""
    for case_id, cls in (("toy", Toy), ("toy_lab", ToyLab)):
        (models / case_id).mkdir(parents=True, exist_ok=True)
        (models / case_id / "case.toml").write_text(CARD, encoding="utf-8")
        module: Any = types.ModuleType(f"dlportal.cases.{case_id}")
        module.CASE = cls
        sys.modules[module.__name__] = module
    for holder in (dlportal.cards, recipe, receipts):
        put(holder, "MODELS", models)
    dlportal.cards.all_cards.cache_clear()


if __name__ == "__main__":
    from dlportal.cli import main

    register(Path(sys.argv[1]), setattr)
    main(sys.argv[2:])
