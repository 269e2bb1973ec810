"""Fraud detection: which card payments somebody should look at, on simulated payments.

The payments are simulated (`data/fraud_simulator.py`), the columns know only the past
(`data/fraud_features.py`), and the network is small: what it knows is in the columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.case import Evaluation, Example, Progress, Settings
from dlportal.data.fraud_costs import Costs
from dlportal.data.fraud_features import COLUMNS, NAMES, compute_features
from dlportal.data.fraud_queue import Day, Queue, make_queue
from dlportal.data.fraud_simulator import World, simulate
from dlportal.data.fraud_split import DAYS
from dlportal.kinds.table import ColumnMasker, TableCase
from dlportal.messages import N_, InputError
from dlportal.nets.periodic import PeriodicEnsemble
from dlportal.results import Classes, Label, Score
from dlportal.training.store import load_weights

if TYPE_CHECKING:
    from dlportal.cards import Card
    from dlportal.data.fraud_csv import Payments
    from dlportal.training.events import Run

LABELS = (Label("honest", "Honest", "正常"), Label("fraud", "Fraud", "欺诈"))
ALL = tuple(range(len(COLUMNS)))
MEASURES = ("center", "spread", "low", "high")

DEMO_SEED = 5
DEMO_WORLD = World().smaller(3, 60)
"""A third of the Handbook's world for two months; the page shows its last day."""

GOLDEN = {
    # A self-made payment: five times the usual amount, on a card that got odd two days ago.
    "amount": 310.0,
    "weekend": 1.0,
    "customer_count_1d": 3.0,
    "customer_mean_1d": 190.0,
    "customer_count_7d": 16.0,
    "customer_mean_7d": 84.0,
    "customer_count_30d": 61.0,
    "customer_mean_30d": 66.0,
    "terminal_count_1d": 1.0,
    "terminal_count_7d": 7.0,
    "terminal_count_30d": 29.0,
    "amount_ratio": 5.2,
    "customer_usual": 59.6,
    "customer_history": 240.0,
    "card_odd_1d": 1.0,
    "card_odd_7d": 2.0,
    "card_odd_14d": 2.0,
    "card_odd_first": 2.1,
    "card_odd_last": 0.4,
    "card_excess": 5.5,
    "card_known_first": 60.0,
    "terminal_honest": 7.3,
    "terminal_fraud": 60.0,
}
"""Columns that are not named are 0."""


@dataclass(frozen=True)
class Scale:
    """How columns become a network's inputs: 0 is the training median.

    Columns that are better read so are replaced by their logarithm first.

    Attributes:
        columns: Which columns of `COLUMNS` are used; F of them.
        center: Medians, shape (F,).
        spread: Standard deviations, but never less than a sixth of the largest distance from
            the median, so that rare values do not lie dozens of deviations away; shape (F,).
        low: Smallest raw training values, shape (F,).
        high: Largest raw training values, shape (F,).
    """

    columns: tuple[int, ...]
    center: np.ndarray
    spread: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def fit(cls, rows: np.ndarray, columns: tuple[int, ...] = ALL) -> Scale:
        """Measure training rows of all columns, shape (N, columns)."""
        picked = rows[:, columns]
        stretched = stretch(picked, columns)
        center = np.median(stretched, axis=0)
        reach = np.abs(stretched - center).max(axis=0) / 6
        spread = np.maximum(stretched.std(axis=0), reach) + 1e-6
        return cls(columns, center, spread, picked.min(axis=0), picked.max(axis=0))

    @classmethod
    def from_constants(cls, constants: dict[str, Any]) -> Scale:
        center, spread, low, high = (np.asarray(constants[n], np.float32) for n in MEASURES)
        return cls(ALL, center, spread, low, high)

    def to_constants(self) -> dict[str, list[float]]:
        return {n: [float(f"{v:.7g}") for v in getattr(self, n)] for n in MEASURES}

    def __call__(self, rows: np.ndarray) -> Tensor:
        """Standardise rows of all columns, shape (N, columns), to (N, F)."""
        stretched = stretch(rows[:, self.columns], self.columns)
        return torch.from_numpy(((stretched - self.center) / self.spread).astype(np.float32))


def stretch(picked: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
    """Take logarithms where `COLUMNS` says so; shape (N, F) stays, float32."""
    log = np.array([COLUMNS[i].log for i in columns])
    return np.where(log, np.log1p(np.maximum(picked, 0)), picked).astype(np.float32)


class FraudDetection(TableCase):
    """Is this payment a fraud? A raw input is one row of `COLUMNS`, in their units."""

    labels = LABELS
    columns = NAMES

    def __init__(self, card: Card) -> None:
        super().__init__(card)
        self.scale = Scale.from_constants(card.measured.constants)

    def load(self) -> nn.Module:
        return load_weights(PeriodicEnsemble(len(COLUMNS)), self.card.weights)

    def check(self, raw: np.ndarray) -> None:
        if not isinstance(raw, np.ndarray) or raw.shape != (len(COLUMNS),):
            raise InputError(
                N_("A payment has {n} numbers. Give a CSV file of payments, or all numbers."),
                n=len(COLUMNS),
            )
        super().check(raw)

    def read(self, given: str) -> np.ndarray:
        """The last payment of a CSV file, judged by those before it; or the numbers of a row."""
        if "," in given and len(given) < 4_000:
            try:
                return np.array([float(part) for part in given.split(",")])
            except ValueError:
                pass
        path = Path(given)
        try:
            data = path.open("rb").read(self.card.limits.bytes + 1)
        except (OSError, ValueError):  # ValueError: a NUL in the name
            raise InputError(
                N_("There is no CSV file {path}. Name a file with one payment a row."),
                path=given[:80],
            ) from None
        from dlportal.data.fraud_csv import read_payments

        return self.judge(read_payments(data, self.card.limits)).rows[-1].astype(np.float64)

    def judge(self, payments: Payments) -> Day:
        """Features of payments that were read from a file."""
        rows = compute_features(payments.table)
        return Day(payments.table, rows, payments.labelled, payments.sorted_here)

    def queue(self, day: Day) -> Queue:
        """The alert queue of some payments."""
        return make_queue(day, self.score(day.rows))

    def encode(self, raw: np.ndarray) -> Tensor:
        return self.scale(np.asarray(raw, np.float64)[None])

    def decode(self, y: Tensor, raw: np.ndarray) -> Classes:
        p = self.probabilities(y[None])[0].tolist()
        scores = [Score(label, p[i], i) for i, label in enumerate(LABELS)]
        rate = float(self.card.measured.constants.get("fraud_rate", 0.0))
        return Classes(
            tuple(sorted(scores, key=lambda s: -s.probability)), 1 - rate, self.inside(raw)
        )

    def inside(self, raw: np.ndarray) -> bool:
        """Whether every column lies within twice the range seen in training."""
        room = self.scale.high - self.scale.low
        return bool(((raw >= self.scale.low - room) & (raw <= self.scale.high + room)).all())

    @torch.inference_mode()
    def score(self, rows: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of fraud, shape (payments,), of many rows (payments, F)."""
        parts = [
            self.probabilities(self.net(self.scale(rows[i : i + 16_384]).to(self.device)))[:, 1]
            for i in range(0, len(rows), 16_384)
        ]
        return torch.cat(parts).cpu().double().numpy() if parts else np.zeros(0)

    def masker(self, raw: np.ndarray) -> ColumnMasker:
        """Hides columns behind the typical payment; parts carry their names for visitors."""
        return replace(super().masker(raw), parts=tuple(column.name for column in COLUMNS))

    @property
    def threshold(self) -> float:
        """The probability of an alert that was cheapest on validation days."""
        return float(self.card.measured.constants["threshold"])

    def costs(self) -> Costs:
        """Costs a day on validation days, for other prices of a check."""
        return Costs.from_json(self.card.measured.constants["costs"])

    def examples(self) -> list[Example[np.ndarray]]:
        return [
            Example(name, label, partial(example_row, name), SIMULATED, truth)
            for name, (label, truth) in EXAMPLES.items()
        ]

    def golden(self) -> np.ndarray:
        return np.array([GOLDEN.get(name, 0.0) for name in NAMES])

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        from dlportal.training.fraud_training import train_on_half_year

        return train_on_half_year(settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        from dlportal.training import fraud_evaluation

        if data is not None:
            return fraud_evaluation.evaluate_file(self, data, limit)
        return fraud_evaluation.evaluate_half_year(self, split, limit, progress)


SIMULATED = N_("Simulated; nobody's real payment.")
EXAMPLES: dict[str, tuple[Label, str]] = {
    "stolen_card": (Label("stolen_card", "Stolen card", "被盗的卡"), "fraud"),
    "bad_terminal": (Label("bad_terminal", "Bad terminal", "问题终端"), "fraud"),
    "fresh_terminal": (Label("fresh_terminal", "Not reported yet", "尚无举报"), "fraud"),
    "generous": (Label("generous", "Generous but honest", "大方但正常"), "honest"),
    "ordinary": (Label("ordinary", "Ordinary", "普通付款"), "honest"),
}


@cache
def demo_days() -> Day:
    """The days of a small simulated world on which everything is known that columns look back
    to, with features from its two months."""
    table = simulate(DEMO_WORLD, DEMO_SEED)
    rows = compute_features(table)
    full = (table["TX_TIME_DAYS"] >= DAYS["train"].start).to_numpy()
    return Day(table[full].reset_index(drop=True), rows[full], True)


@cache
def demo_day() -> Day:
    """The last of these days."""
    days = demo_days()
    today = (days.table["TX_TIME_DAYS"] == DEMO_WORLD.days - 1).to_numpy()
    return Day(days.table[today].reset_index(drop=True), days.rows[today], True)


def example_row(name: str) -> np.ndarray:
    """The payment of the demo day that shows an example best; it is chosen by what it is, not
    by what the network says."""
    day = demo_day()
    scenario = day.table["TX_FRAUD_SCENARIO"].to_numpy()
    x = {name: day.rows[:, i] for i, name in enumerate(NAMES)}
    untraced = (x["terminal_run"] == 0) & (x["amount_ratio"] < 1.5)
    worth = {
        "stolen_card": (scenario == 3) * x["amount_ratio"],
        "bad_terminal": (scenario == 2) * x["terminal_run"],
        "fresh_terminal": (scenario == 2) * untraced * x["customer_history"],
        "generous": (scenario == 0) * (x["card_odd_14d"] == 0) * x["amount_ratio"],
        "ordinary": (scenario == 0) * untraced * x["customer_history"],
    }[name]
    return day.rows[int(np.argmax(worth))].astype(np.float64)


CASE = FraudDetection
