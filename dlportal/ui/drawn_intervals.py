"""Values with their intervals as charts that are drawn in place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlportal.ui.drawn import chart, path, points
from dlportal.ui.theme import palette

LETTER, CHARACTER = 6.8, 13.0  # pixels a Latin letter and a Chinese character take


@dataclass(frozen=True)
class Ranged:
    """A row: its name, its value, the ends of its interval (both the value where there is none)."""

    name: str
    value: float
    low: float
    high: float
    shape: str = "circle"
    strong: bool = True  # in the accent colour


def ranged_rows(
    rows: Sequence[Ranged], title: str, alt: str, rule: float | None = None
) -> dict[str, Any]:
    """A row for each value, the first on top; `rule` is a dotted line to compare with."""
    colors, n = palette(), len(rows)
    places = [n - 0.5 - row for row in range(n)]
    layers = [whiskers_across(rows, places)]
    if rule is not None:
        layers.insert(0, {"kind": "rule", "x": rule, "color": colors.muted})
    for row, place in zip(rows, places):
        color = colors.accent if row.strong else colors.rest
        layers.append(points([row.value], [place], shape=row.shape, size=10, color=color))
    known = [edge for row in rows for edge in (row.low, row.high)]
    low, high = min(known), max(known)
    pad = max(0.05 * (high - low), 0.2)
    return chart(
        layers,
        64 + 28 * n,
        {"range": [low - pad, high + pad], "title": title},
        {"range": [0, n], "ticks": [(p, row.name) for row, p in zip(rows, places)]},
        alt,
        margin=(int(max(width(row.name) for row in rows)) + 16, 12, 8, 44),
    )


def whiskers_across(rows: Sequence[Ranged], places: Sequence[float]) -> dict[str, Any]:
    """The intervals of rows, each a line from end to end."""
    x: list[Any] = []
    y: list[Any] = []
    for row, place in zip(rows, places):
        x += [row.low, row.high, None]
        y += [place, place, None]
    return path(x, y, color=palette().muted, dash="solid", width=2)


def whiskers_up(
    x: Sequence[float], low: Sequence[float], high: Sequence[float], index: int
) -> dict[str, Any]:
    """The intervals of a line's points, in its colour."""
    places: list[Any] = [place for one in x for place in (one, one, None)]
    ends: list[Any] = [end for pair in zip(low, high) for end in (*pair, None)]
    return path(places, ends, index=index, dash="solid", width=1.5)


def width(name: str) -> float:
    """About how many pixels a name takes."""
    return sum(CHARACTER if ord(letter) > 0x2E80 else LETTER for letter in name)
