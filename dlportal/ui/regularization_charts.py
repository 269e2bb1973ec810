"""The charts of the regularization lab that stand still: small pictures, units, intervals."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dlportal.labs.regularization_compare import Row
from dlportal.ui.backprop_figure import figure
from dlportal.ui.language import _
from dlportal.ui.regularization_drawn import tiled
from dlportal.ui.theme import DASHES, palette


def mosaic(pictures: np.ndarray, largest: float, signed: bool, height: int) -> go.Figure:
    """Small pictures (n, side, side) in rows of eight; `largest` gets the full colour."""
    colors = palette()
    if signed:
        scale = [[i / 6, color] for i, color in enumerate(colors.signed)]
    else:
        scale = [[0, colors.surface[0]], [1, colors.text]]
    heat = {
        "type": "heatmap",
        "z": tiled(pictures).round(3),
        "colorscale": scale,
        "zmin": -largest if signed else 0.0,
        "zmax": largest,
        "showscale": False,
        "hoverinfo": "skip",
    }
    hidden = {"visible": False}
    return figure(
        [heat],
        height,
        x={**hidden, "constrain": "domain"},
        y={**hidden, "autorange": "reversed", "scaleanchor": "x", "constrain": "domain"},
    )


def kept_units(kept: np.ndarray) -> go.Figure:
    """Units that dropout left on (filled) and silenced (empty), a row for each layer."""
    colors = palette()
    heat = {
        "type": "heatmap",
        "z": kept.astype(int),
        "x": list(range(1, kept.shape[1] + 1)),
        "y": [_("layer {n}").format(n=n) + " " for n in range(1, len(kept) + 1)],
        "colorscale": [[0, colors.surface[0]], [1, colors.accent]],
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
        "hoverinfo": "skip",
        "xgap": 1,
        "ygap": 6,
    }
    return figure(
        [heat],
        130,
        x={"title_text": _("unit")},
        y={"type": "category", "autorange": "reversed", "showgrid": False},
    )


def lower(row: Row) -> float:
    """The interval's lower end; the value itself where one seed gives none."""
    return row.accuracy.value if np.isnan(row.accuracy.low) else row.accuracy.low


def upper(row: Row) -> float:
    return row.accuracy.value if np.isnan(row.accuracy.high) else row.accuracy.high


def intervals(rows: Sequence[Row], names: dict[str, str]) -> go.Figure:
    """Mean test accuracy with its interval, a line a remedy; dotted: none."""
    colors = palette()
    n = len(rows)
    places = list(range(n, 0, -1))
    percent = [100 * row.accuracy.value for row in rows]
    low, high = (
        [100 * abs(edge(row) - row.accuracy.value) for row in rows] for edge in (lower, upper)
    )
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": np.round(percent, 2),
        "y": places,
        "error_x": {"type": "data", "array": high, "arrayminus": low, "thickness": 2, "width": 5},
        "marker": {
            "size": 10,
            "symbol": ["diamond" if row.name == "chosen" else "circle" for row in rows],
            "color": [colors.series[0] if row.verdict == "better" else colors.rest for row in rows],
        },
        "hovertext": [f"{names[row.name]}: {value:.1f}%" for row, value in zip(rows, percent)],
        "hoverinfo": "text",
    }
    zero = {
        "type": "scatter",
        "mode": "lines",
        "x": [percent[0]] * 2,
        "y": [0.4, n + 0.6],
        "line": {"width": 1.5, "dash": DASHES[2], "color": colors.muted},
        "hoverinfo": "skip",
    }
    return figure(
        [zero, dots],
        34 * n + 70,
        x={"title_text": _("right answers on fresh examples, %")},
        y={
            "tickvals": places,
            "ticktext": [names[row.name] + " " for row in rows],
            "range": [0.4, n + 0.6],
            "showgrid": False,
        },
    )
