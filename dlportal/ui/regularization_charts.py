"""Charts of the regularization lab: border, first weights, losses with their gap, weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dlportal.labs.regularization_compare import Row
from dlportal.labs.regularization_data import Parts
from dlportal.labs.regularization_net import EDGES, EVERY, GRID, REACH, Frame, Trial
from dlportal.ui.backprop_figure import figure
from dlportal.ui.charts import DASHES, line
from dlportal.ui.language import _
from dlportal.ui.theme import palette

ACROSS = 8  # small pictures side by side
# Fixed margins: a browser lays a chart with `automargin` out several times, and these move.
FIXED = {"automargin": False}
MARGIN = {"l": 52, "r": 8, "t": 24, "b": 44}
SMALL = {"type": "scatter", "mode": "markers", "hoverinfo": "skip"}


def border(frame: Frame, parts: Parts) -> go.Figure:
    """The answer over the plane and the training points; rings mark wrong labels."""
    colors = palette()
    axis = np.linspace(-REACH, REACH, GRID).round(3)
    contour = {
        "type": "contour",
        "x": axis,
        "y": axis,
        "z": frame.picture.round(3),
        "colorscale": [[0, colors.surface[0]], [1, colors.surface[1]]],
        "zmin": 0,
        "zmax": 1,
        "contours": {"start": 0.5, "end": 0.5, "size": 1, "coloring": "heatmap"},
        "line": {"color": colors.text, "width": 2},
        "showscale": False,
        "hovertemplate": "p = %{z:.2f}<extra></extra>",
    }
    x, y = parts.x.numpy().round(3), parts.y.numpy()
    kinds = [
        {
            **SMALL,
            "x": x[y == value, 0],
            "y": x[y == value, 1],
            "name": _("class {n}").format(n=value),
            "marker": {"symbol": symbol, "size": 7, "color": colors.series[value]},
        }
        for value, symbol in ((0, "circle"), (1, "diamond"))
    ]
    wrong = parts.wrong.numpy()
    rings = {
        **SMALL,
        "x": x[wrong, 0],
        "y": x[wrong, 1],
        "name": _("wrong label"),
        "marker": {"symbol": "circle-open", "size": 14, "color": colors.text},
    }
    varied = []
    if frame.seen is not None:
        seen = frame.seen.round(3)
        mark = {"symbol": "x-thin", "size": 8, "line": {"width": 2, "color": colors.muted}}
        varied = [{**SMALL, "x": seen[:, 0], "y": seen[:, 1], "name": _("varied"), "marker": mark}]
    bounds = {"range": [-REACH, REACH], "showgrid": False, "nticks": 5, **FIXED}
    return figure(
        [contour, *kinds, rings, *varied],
        330,
        legend=True,
        x=dict(bounds),
        y=dict(bounds),
        margin={"l": 32, "r": 8, "t": 48, "b": 40},
    )


def first_weights(frame: Frame) -> go.Figure:
    """The first units' weights as pictures, blue below zero, orange above."""
    pictures = frame.picture
    return mosaic(pictures, float(np.abs(pictures).max()) or 1.0, signed=True, height=240)


def mosaic(pictures: np.ndarray, largest: float, signed: bool, height: int) -> go.Figure:
    """Small pictures (n, side, side) in rows of eight; `largest` gets the full colour."""
    colors = palette()
    n, side = pictures.shape[:2]
    rows = -(-n // ACROSS)
    whole = np.full((rows * (side + 1) - 1, ACROSS * (side + 1) - 1), np.nan)
    for index, one in enumerate(pictures):
        top, left = (index // ACROSS) * (side + 1), (index % ACROSS) * (side + 1)
        whole[top : top + side, left : left + side] = one
    if signed:
        scale = [[i / 6, color] for i, color in enumerate(colors.signed)]
    else:
        scale = [[0, colors.surface[0]], [1, colors.text]]
    heat = {
        "type": "heatmap",
        "z": whole.round(3),
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


def top_loss(trials: Sequence[Trial], at: int) -> float:
    """The highest loss so far, so that both charts have one scale."""
    return max(
        max(frame.train_loss, frame.val_loss) for t in trials for frame in t.frames[: at + 1]
    )


def whose(name: str) -> dict[str, Any]:
    """The network's name in a chart's corner: on a phone its heading is far away."""
    return {
        "x": 0.99,
        "y": 1,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "right",
        "yanchor": "bottom",
        "text": name,
        "showarrow": False,
        "font": {"color": palette().muted, "size": 12},
    }


def curves(trial: Trial, at: int, highest: float, owner: str) -> go.Figure:
    """Both losses up to a frame, the gap at its end, a star where validation was best."""
    colors = palette()
    frames = trial.frames[: at + 1]
    epochs = [frame.epoch for frame in frames]
    train = [round(frame.train_loss, 4) for frame in frames]
    val = [round(frame.val_loss, 4) for frame in frames]
    best, stop = trial.stopping(at)
    lines = [line(epochs, train, _("training"), 0), line(epochs, val, _("validation"), 1)]
    if stop is not None and trial.s["early"]:
        for trace in lines:  # what would have come
            trace.opacity = 0.35
        end = stop + 1
        lines += [line(epochs[:end], train[:end], "", 0), line(epochs[:end], val[:end], "", 1)]
    gap = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [epochs[-1]] * 2,
        "y": [train[-1], val[-1]],
        "line": {"width": 2, "color": colors.text},
        "marker": {"symbol": "line-ew", "size": 10, "line": {"width": 2, "color": colors.text}},
        "hoverinfo": "skip",
    }
    star = {
        **SMALL,
        "x": [epochs[best]],
        "y": [val[best]],
        "marker": {"symbol": "star", "size": 13, "color": colors.text},
    }
    name = {
        "x": epochs[-1],
        "y": (train[-1] + val[-1]) / 2,
        "text": _("gap {gap}").format(gap=f"{frames[-1].gap:.2f}"),
        "xanchor": "left",
        "xshift": 8,
        "showarrow": False,
        "font": {"color": colors.text, "size": 13},
    }
    shapes = []
    if stop is not None:
        shapes = [
            {
                "type": "line",
                "x0": stop * EVERY,
                "x1": stop * EVERY,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "line": {"width": 1.5, "dash": "dot", "color": colors.muted},
            }
        ]
    return figure(
        [*lines, gap, star],
        230,
        x={"title_text": _("epoch"), "range": [0, 1.3 * max(trial.s["epochs"], 1)], **FIXED},
        y={"title_text": _("loss"), "range": [0, 1.06 * highest], **FIXED},
        annotations=[name, whose(owner)],
        shapes=shapes,
        margin=MARGIN,
    )


def histogram(frame: Frame, owner: str) -> go.Figure:
    """How many weights have which size, on a log scale."""
    colors = palette()
    middles = ((EDGES[1:] + EDGES[:-1]) / 2).round(3)
    bars = {
        "type": "bar",
        "x": middles,
        "y": frame.counts,
        "marker": {"color": [colors.accent if m == 0 else colors.rest for m in middles]},
        "hovertemplate": "%{x}: %{y}<extra></extra>",
    }
    top = np.log10(frame.counts.sum()) + 0.1
    return figure(
        [bars],
        180,
        x={"title_text": _("weight"), "range": [EDGES[0], EDGES[-1]], **FIXED},
        y={
            "title_text": _("how many"),
            "type": "log",
            "dtick": 1,
            "range": [-0.3, top],
            "exponentformat": "power",
            **FIXED,
        },
        bargap=0.1,
        annotations=[whose(owner)],
        margin=MARGIN,
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
