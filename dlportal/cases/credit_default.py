"""Credit default: who will not be able to pay next month, why, and what would change it.

Data: Yeh and Lien 2009, https://doi.org/10.1016/j.eswa.2007.12.020. The networks see limit,
repayment, statements and payments of six months; not who somebody is.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.case import Evaluation, Example, Progress, Settings
from dlportal.cases.credit_changes import Change, nearest_change
from dlportal.cases.credit_net import CreditNet, encode, logits
from dlportal.data.credit_costs import Counts
from dlportal.data.margins import Margins
from dlportal.data.uci_credit import COLUMNS, GROUPS, STATUS
from dlportal.kinds.table import ColumnMasker, TableCase
from dlportal.messages import N_, InputError
from dlportal.results import Classes, Label, Score
from dlportal.training.store import load_weights

if TYPE_CHECKING:
    from dlportal.cards import Card
    from dlportal.training.events import Run

LABELS = (Label("pays", "Will pay", "会还款"), Label("default", "Will default", "会违约"))
NAMES = (
    N_("Credit limit"),
    N_("Status September"),
    N_("Status August"),
    N_("Status July"),
    N_("Status June"),
    N_("Status May"),
    N_("Status April"),
    N_("Bill September"),
    N_("Bill August"),
    N_("Bill July"),
    N_("Bill June"),
    N_("Bill May"),
    N_("Bill April"),
    N_("Paid September"),
    N_("Paid August"),
    N_("Paid July"),
    N_("Paid June"),
    N_("Paid May"),
    N_("Paid April"),
)
GROUP_NAMES = {
    "women": Label("women", "Women", "女"),
    "men": Label("men", "Men", "男"),
    "under_30": Label("under_30", "Under 30", "30 岁以下"),
    "thirties": Label("thirties", "30–39", "30–39 岁"),
    "forties": Label("forties", "40–49", "40–49 岁"),
    "over_49": Label("over_49", "50 and over", "50 岁及以上"),
    "graduate": Label("graduate", "Graduate school", "研究生"),
    "university": Label("university", "University", "大学"),
    "high_school": Label("high_school", "High school", "高中"),
    "other": Label("other", "Other or unknown", "其他或未知"),
}
STATUSES = range(-2, 9)
LARGEST = 1e8  # New Taiwan dollars
INVENTED = N_("An invented customer.")


def invent(limit: float, status: list[int], bill: list[float], paid: list[float]) -> np.ndarray:
    """A row of `COLUMNS`; months newest first."""
    return np.array([limit, *status, *bill, *paid], np.float64)


EXAMPLES: dict[str, tuple[Label, np.ndarray]] = {
    "slipping": (
        Label("slipping", "Slipping", "开始拖欠"),
        invent(
            80_000, [1, 0, 0, 0, 0, 0], [71_000, 69_500, 66_000, 61_000, 58_000, 52_000],
            [0, 2_500, 2_600, 2_500, 3_000, 3_000],
        ),
    ),
    "two_months": (
        Label("two_months", "Two months late", "拖欠两个月"),
        invent(
            50_000, [2, 2, 0, 0, 0, 0], [48_500, 49_800, 47_000, 45_000, 43_500, 41_000],
            [2_200, 0, 3_600, 2_000, 2_000, 2_500],
        ),
    ),
    "minimum": (
        Label("minimum", "Pays a part", "只还一部分"),
        invent(
            120_000, [0] * 6, [88_000, 85_000, 83_500, 80_000, 78_000, 76_500],
            [3_500, 3_400, 5_000, 3_200, 3_200, 3_000],
        ),
    ),
    "in_full": (
        Label("in_full", "Pays in full", "每月还清"),
        invent(
            200_000, [-1] * 6, [9_800, 12_400, 7_600, 15_200, 8_300, 11_100],
            [12_400, 7_600, 15_200, 8_300, 11_100, 9_900],
        ),
    ),
    "unused": (
        Label("unused", "Does not use it", "几乎不用卡"),
        invent(150_000, [-2] * 6, [0] * 6, [0] * 6),
    ),
    "recovered": (
        Label("recovered", "Late in spring", "春天曾拖欠"),
        invent(
            60_000, [0, 0, 0, 2, 2, 2], [31_000, 33_500, 36_000, 41_000, 42_500, 40_000],
            [5_000, 5_000, 6_500, 2_000, 0, 3_000],
        ),
    ),
}  # fmt: skip


class CreditDefault(TableCase):
    """Will this customer default next month? A raw input is one row of `COLUMNS`."""

    labels = LABELS
    columns = COLUMNS

    def load(self) -> nn.Module:
        return load_weights(CreditNet(8), self.card.weights)

    def check(self, raw: np.ndarray) -> None:
        if not isinstance(raw, np.ndarray) or raw.shape != (len(COLUMNS),):
            raise InputError(
                N_("A customer has {n} numbers: {names}."),
                n=len(COLUMNS),
                names=", ".join(COLUMNS),
            )
        super().check(raw)
        status = raw[STATUS]
        if not np.isin(status, STATUSES).all():
            bad = int(np.flatnonzero(~np.isin(status, STATUSES))[0])
            raise InputError(
                N_("Column {column}: {value} is no repayment status. Give -2 to 8."),
                column=COLUMNS[1 + bad],
                value=f"{status[bad]:g}",
            )
        if raw[0] <= 0:
            raise InputError(N_("Column limit must be above 0."))
        if np.abs(raw).max() > LARGEST or raw[13:].min() < 0:
            bad = int(np.argmax((np.abs(raw) > LARGEST) | ((np.arange(19) > 12) & (raw < 0))))
            raise InputError(
                N_("Column {column}: {value} is out of range."),
                column=COLUMNS[bad],
                value=f"{raw[bad]:g}",
            )

    def encode(self, raw: np.ndarray) -> Tensor:
        """Shape (1, 19): money squeezed by a logarithm, status as it is."""
        return encode(np.asarray(raw, np.float64)[None])

    def typical(self, x: Tensor) -> Tensor:
        """The row of training medians, encoded."""
        return self.encode(np.asarray(self.card.measured.constants["typical"])).to(x)

    def decode(self, y: Tensor, raw: np.ndarray) -> Classes:
        p = self.probabilities(y[None])[0].tolist()
        scores = [Score(label, p[i], i) for i, label in enumerate(LABELS)]
        rate = float(self.card.measured.constants["default_rate"])
        return Classes(
            tuple(sorted(scores, key=lambda s: -s.probability)), 1 - rate, self.inside(raw)
        )

    def inside(self, raw: np.ndarray) -> bool:
        """Whether every column lies within the range seen in training."""
        low, high = (np.asarray(self.card.measured.constants[n]) for n in ("low", "high"))
        return bool(((raw >= low) & (raw <= high)).all())

    @torch.inference_mode()
    def score(self, rows: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of default, shape (N,), of many rows (N, 19)."""
        return self.probabilities(logits(self.net, encode(rows)))[:, 1].double().numpy()

    def change(self, raw: np.ndarray, threshold: float) -> Change | None:
        """The nearest row below a threshold that the customer could have brought about."""
        return nearest_change(np.asarray(raw, np.float64), threshold, self.score)

    def masker(self, raw: np.ndarray) -> ColumnMasker:
        """Hides columns behind the typical customer's; parts carry their names for visitors."""
        return replace(super().masker(raw), parts=NAMES)

    @property
    def loss(self) -> float:
        """What a default costs, in refused good payers."""
        return float(self.card.measured.constants["loss"])

    @property
    def threshold(self) -> float:
        """The probability of default from which refusing was cheapest on validation customers."""
        return float(self.card.measured.constants["threshold"])

    def validation_counts(self) -> Counts:
        return Counts.from_json(self.card.measured.constants["validation_counts"])

    def groups(self) -> dict[str, dict[str, Counts]]:
        """Counts of test customers by kind of group and group."""
        stored = self.card.measured.constants["groups"]
        return {
            kind: {name: Counts.from_json(stored[kind][name]) for name in names}
            for kind, names in GROUPS.items()
        }

    def margins(self) -> Margins:
        """How the training customers' columns are distributed and go together."""
        return Margins.from_json(self.card.measured.constants["margins"])

    def invented(self, n: int) -> np.ndarray:
        """Rows (n, 19) drawn from `margins`, in whole dollars; the same each time."""
        return np.rint(self.margins().draw(n))

    def examples(self) -> list[Example[np.ndarray]]:
        return [
            Example(name, label, partial(np.copy, row), INVENTED)
            for name, (label, row) in EXAMPLES.items()
        ]

    def golden(self) -> np.ndarray:
        return EXAMPLES["two_months"][1]

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        from dlportal.training.credit_training import train_net

        return train_net(settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        from dlportal.training.credit_evaluation import evaluate

        return evaluate(self, split, data, limit, progress)


CASE = CreditDefault
