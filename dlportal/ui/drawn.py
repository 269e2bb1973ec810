"""Charts that change while a visitor looks, as one element whose nodes stay.

Plotly's script is 4.7 MB, and a figure that is sent anew is torn down and built up again. Here the
numbers are sent, and the browser draws them as SVG into the nodes that are there already: the
first picture comes at once, and no chart is ever away. The script is `drawn.js`.
"""

import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

import streamlit as st

from dlportal.ui.theme import DASHES, MARKERS, palette

SCRIPT = Path(__file__).with_suffix(".js")
STYLE = """
.drawn {
  display: grid; gap: 1rem 2rem; align-items: end;
  grid-template-columns: repeat(auto-fit, minmax(max(min(100%, 17rem), (100% - (var(--columns) - 1) * 2rem) / var(--columns)), 1fr));
  font: 400 0.8125rem/1.4 var(--st-font); color: var(--st-text-color);
}
figure { margin: 0; min-width: 0; }
svg { display: block; overflow: visible; font: inherit; }
svg text { fill: var(--st-text-color); }
svg .tick { fill: var(--st-gray-text-color); font-size: 0.75rem; }
figcaption { color: var(--st-gray-text-color); font-size: 0.875rem; padding-top: 0.25rem; }
.title { font-weight: 600; font-size: 1rem; }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(6rem, 1fr)); gap: 0.5rem; margin: 0.5rem 0; }
.value { font-size: 1.5rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.legend { display: flex; flex-wrap: wrap; gap: 0.125rem 0.875rem; }
.key { display: inline-flex; gap: 0.375rem; align-items: center; }
.key svg { display: inline-block; }
"""


class Axis(TypedDict, total=False):
    """One axis.

    `range` is in data units, on a log axis in powers of ten (the layers' values too); `ticks` are
    pairs of a place and what stands there; `grid` is the colour of lines at the ticks.
    """

    range: list[float]
    title: str
    ticks: list[tuple[float, str]]
    count: int
    log: bool
    hidden: bool
    grid: str


def chart(
    layers: Sequence[dict[str, Any]],
    height: int,
    x: Axis,
    y: Axis,
    alt: str,
    title: str = "",
    numbers: Sequence[tuple[str, str]] = (),
    note: str = "",
    square: bool = False,
    margin: tuple[int, int, int, int] = (52, 8, 20, 44),
) -> dict[str, Any]:
    """A chart for `drawn`.

    Args:
        layers: From below to above; each is made by one of the functions of this module.
        height: Of the picture, in pixels.
        x, y: Axes.
        alt: Says in a sentence what it shows.
        title, numbers, note: Words above, pairs of a name and a value, words below.
        square: A unit is as long on both axes.
        margin: Left, right, above, below, in pixels.
    """
    return {
        "layers": list(layers),
        "height": height,
        "x": x,
        "y": y,
        "alt": alt,
        "title": title,
        "numbers": list(numbers),
        "note": note,
        "square": square,
        "margin": dict(zip("lrtb", margin)),
    }


def path(
    x: Sequence[float], y: Sequence[float | None], name: str = "", index: int = 0, **look: Any
) -> dict[str, Any]:
    """A line in the look of series `index`; with a name it gets a key above. None is a gap."""
    series = palette().series
    own = {
        "color": series[index % len(series)],
        "dash": DASHES[index % 5],
        "width": 3,
    }
    return {"kind": "line", "x": list(x), "y": list(y), "name": name, **own, **look}


def points(
    x: Sequence[float], y: Sequence[float], name: str = "", index: int = 0, **look: Any
) -> dict[str, Any]:
    """Marks in the look of series `index`; `shape`, `size`, `color` and `open` change it."""
    series = palette().series
    own = {
        "color": series[index % len(series)],
        "shape": MARKERS[index % len(MARKERS)],
        "size": 8,
    }
    return {"kind": "points", "x": list(x), "y": list(y), "name": name, **own, **look}


def band(
    x: Sequence[float], low: Sequence[float], high: Sequence[float], name: str = ""
) -> dict[str, Any]:
    """A grey area between two lines: an interval."""
    sides = {"x": list(x), "low": list(low), "high": list(high)}
    return {"kind": "band", **sides, "color": palette().band, "name": name}


def text(x: float | None, y: float | None, words: str, **look: Any) -> dict[str, Any]:
    """Words at a place; without one in the upper right corner, above the chart."""
    return {"kind": "text", "x": x, "y": y, "text": words, "color": palette().text, **look}


def log_axis(values: Sequence[float], title: str) -> Axis:
    """A logarithmic axis around values that are powers of ten, with round numbers on it."""
    low, high = min(values, default=-1.0), max(values, default=0.5)
    pad = 0.05 * max(high - low, 0.3)
    ends = [low - pad, high + pad]
    ticks = [(math.log10(v), f"{v:g}") for v in round_numbers(*ends)]
    return {"range": ends, "ticks": ticks, "title": title, "grid": palette().grid}


def round_numbers(low: float, high: float) -> list[float]:
    """Round numbers between two powers of ten, about five of them."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [m * 10.0**p for p in powers for m in steps if low <= math.log10(m) + p <= high]
        if len(found) <= 6:
            return found
    return found[:: 1 + len(found) // 6]


def drawn(charts: Sequence[dict[str, Any]], key: str, columns: int = 2) -> None:
    """Draw charts in so many columns, as far as there is room; the same `key` redraws in place."""
    draw = st.components.v2.component("drawn", css=STYLE, js=script())
    # As bytes: in a dict Streamlit would look for tables, and import pandas to do so.
    draw(data=json.dumps({"charts": list(charts), "columns": columns}).encode(), key=key)


@cache
def script() -> str:
    return SCRIPT.read_text(encoding="utf-8")
