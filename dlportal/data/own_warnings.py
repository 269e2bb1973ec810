"""Signs that a visitor's own table knows too much, or too little, to be believed."""

from dataclasses import dataclass

import numpy as np

from dlportal.data.own_table import Choice, OwnTable, Ready
from dlportal.messages import N_
from dlportal.training.metrics import auc

TELLTALE = 0.98
"""AUC of a single column from which it knows too much."""


@dataclass(frozen=True)
class Warning_:
    """Something to think about before believing the figures; `text` is marked with `N_`."""

    text: str
    params: dict[str, str]


def find_warnings(table: OwnTable, choice: Choice, ready: Ready) -> list[Warning_]:
    """Signs of leakage and imbalance."""
    found = []
    for name in choice.columns:
        if name != choice.label and choice.label in name:
            found.append(
                Warning_(
                    N_("Column {column} is named after the answer: was it known beforehand?"),
                    {"column": name},
                )
            )
    rows = ready.train[:: max(1, len(ready.train) // 20_000)]
    if 0 < ready.y[rows].sum() < len(rows):
        for i, name in enumerate(ready.names):
            alone = auc(ready.y[rows], ready.x[rows, i])
            if max(alone, 1 - alone) >= TELLTALE:
                found.append(
                    Warning_(
                        N_(
                            "Column {column} alone gives the answer away (AUC {auc}): was it known beforehand?"
                        ),
                        {"column": name, "auc": f"{max(alone, 1 - alone):.3f}"},
                    )
                )
    seen = {row.tobytes() for row in ready.x[ready.train]}
    again = float(np.mean([row.tobytes() in seen for row in ready.x[ready.test]]))
    if again > 0.05:
        found.append(
            Warning_(
                N_("{share} of the test rows also stand among the training rows."),
                {"share": f"{100 * again:.0f}%"},
            )
        )
    if not ready.by_time:
        found.append(
            Warning_(
                N_(
                    "No time column: test rows are drawn by lot, so what is learned may come from later days."
                ),
                {},
            )
        )
    share = float(ready.y.mean())
    if share < 0.02:
        found.append(
            Warning_(
                N_(
                    "Only one row in {n} is a yes: saying no to everything would be right {share} of the time. Look at average precision instead."
                ),
                {"n": f"{1 / share:,.0f}", "share": f"{100 * (1 - share):.1f}%"},
            )
        )
    tested = int(ready.y[ready.test].sum())
    if tested < 100:
        found.append(
            Warning_(
                N_("Only {n} yes among the test rows: the intervals are wide."), {"n": f"{tested}"}
            )
        )
    return found
