"""The network as a picture: units with their numbers, weights as lines one can click.

A line's width is a weight's size; its colour and its dash both tell the sign.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from dlportal.labs.backprop_net import Pass
from dlportal.labs.backprop_paths import Weight
from dlportal.ui.backprop_captions import Look, unit_hover, unit_text, weight_hover
from dlportal.ui.backprop_figure import figure
from dlportal.ui.backprop_numbers import brief
from dlportal.ui.backprop_places import (
    SIDE,
    crowded,
    handles,
    height_of,
    size_of,
    span,
    spot,
    unit_pixels,
)
from dlportal.ui.language import _
from dlportal.ui.theme import palette

WIDTHS = (1.0, 2.0, 3.5, 5.5)  # pixels; four classes, for one trace each
STAY = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}


@dataclass(frozen=True)
class Edge:
    """A line to draw: which weight, its number in this view, whether it stands back."""

    weight: Weight
    value: float
    faint: bool


def network(step: Pass, look: Look) -> go.Figure:
    """Draw the network in one phase of one step."""
    sizes = tuple(len(h) for h in step.h)
    most = max(sizes)
    edges = edges_of(step, look)
    traces = [
        *lines(sizes, edges),
        *handle_points(step, look, sizes, edges),
        *units(step, look, sizes),
    ]
    return figure(
        traces,
        height_of(most),
        x={"visible": False, "range": [-SIDE, step.layers + SIDE]},
        y={"visible": False, "range": span(most)},
        annotations=headings(step, sizes),
        hovermode="closest",
        margin={"l": 0, "r": 0, "t": 4, "b": 4},
    )


def edges_of(step: Pass, look: Look) -> list[Edge]:
    """All weights but the biases, with their numbers in this view."""
    edges = []
    gradients = look.view == "gradients"
    for layer in range(1, step.layers + 1):
        shown = (step.dw if gradients else step.w)[layer - 1]
        known = look.backward_known(layer, step.layers) if gradients else look.forward_known(layer)
        for to, row in enumerate(shown.tolist(), 1):
            for source, value in enumerate(row, 1):
                weight = Weight(layer, to, source)
                faint = not known or (look.view == "paths" and not on_path(weight, look.weight))
                edges.append(Edge(weight, value if known else 0.0, faint))
    return edges


def on_path(weight: Weight, chosen: Weight) -> bool:
    """Whether a weight is the chosen one or lies between it and the outputs."""
    if weight.layer == chosen.layer:
        return weight == chosen
    if weight.layer == chosen.layer + 1:
        return weight.source == chosen.to
    return weight.layer > chosen.layer


def lines(sizes: tuple[int, ...], edges: list[Edge]) -> list[dict[str, Any]]:
    """The weights as lines, one trace for each look."""
    colors = palette()
    largest = max([abs(e.value) for e in edges if not e.faint] or [1.0]) or 1.0
    looks: dict[tuple[str, str, float, float], list[Weight]] = defaultdict(list)
    for edge in edges:
        width = WIDTHS[min(3, int(4 * min(1.0, abs(edge.value) / largest)))]
        color = colors.signed[5] if edge.value >= 0 else colors.signed[1]
        dash = "solid" if edge.value >= 0 else "7px,5px"
        key = (colors.muted, "solid", 0.8, 0.35) if edge.faint else (color, dash, width, 1.0)
        looks[key].append(edge.weight)
    traces: list[dict[str, Any]] = []
    for (color, dash, width, opacity), group in looks.items():
        ends = [(spot(sizes, w.layer - 1, w.source), spot(sizes, w.layer, w.to)) for w in group]
        traces.append(
            {
                "type": "scatter",
                "x": [x for start, end in ends for x in (start[0], end[0], None)],
                "y": [y for start, end in ends for y in (start[1], end[1], None)],
                "mode": "lines",
                "line": {"color": color, "dash": dash, "width": width},
                "opacity": opacity,
                "hoverinfo": "skip",
            }
        )
    return traces


def handle_points(
    step: Pass, look: Look, sizes: tuple[int, ...], edges: list[Edge]
) -> list[dict[str, Any]]:
    """A point on each line: its number where there is room, and what a click chooses."""
    colors = palette()
    at = handles(sizes)
    numbered = [
        not edge.faint and (edge.weight == look.weight or not crowded(sizes, edge.weight.layer))
        for edge in edges
    ]
    points = {
        "type": "scatter",
        "x": [at[edge.weight][0] for edge in edges],
        "y": [at[edge.weight][1] for edge in edges],
        "mode": "markers+text",
        "text": [brief(edge.value) if shown else "" for edge, shown in zip(edges, numbered)],
        "textfont": {"size": 11, "color": colors.text},
        # A number lies on a short broad stroke of the ground's colour, to be read over lines.
        "marker": {
            "symbol": ["line-ew" if shown else "circle" for shown in numbered],
            "size": [22 if shown else 7 for shown in numbered],
            "color": colors.muted,
            "opacity": 1,
            "line": {
                "width": [15 if shown else 0 for shown in numbered],
                "color": colors.ground,
            },
        },
        "customdata": [[e.weight.layer, e.weight.to, e.weight.source] for e in edges],
        "hovertext": [weight_hover(step, edge.weight) for edge in edges],
        "hoverinfo": "text",
        **STAY,
    }
    if look.weight.source == 0:
        return [points]
    written = next(shown for e, shown in zip(edges, numbered) if e.weight == look.weight)
    return [points, ring(at[look.weight], 32 if written else 15)]


def ring(place: tuple[float, float], size: int) -> dict[str, Any]:
    """A circle around the chosen weight."""
    return {
        "type": "scatter",
        "x": [place[0]],
        "y": [place[1]],
        "mode": "markers",
        "marker": {
            "symbol": "circle-open",
            "size": size,
            "color": palette().accent,
            "line": {"width": 2.5},
        },
        "hoverinfo": "skip",
        **STAY,
    }


def units(step: Pass, look: Look, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    """The units: a number inside, a smaller one below; a click chooses the bias."""
    colors = palette()
    most = max(sizes)
    keys = [(layer, unit) for layer, size in enumerate(sizes) for unit in range(1, size + 1)]
    spots = [spot(sizes, layer, unit) for layer, unit in keys]
    texts = [unit_text(step, look, layer, unit) for layer, unit in keys]
    across = [size_of(sizes[layer], most) for layer, _unit in keys]
    active = look.active_layer(step.layers) if look.view != "paths" else None
    bias = (look.weight.layer, look.weight.to) if look.weight.source == 0 else None
    ringed = [key[0] == active or key == bias for key in keys]
    common = {"type": "scatter", "x": [x for x, _y in spots]}
    circles = {
        **common,
        "y": [y for _x, y in spots],
        "mode": "markers+text",
        "text": [inside for inside, _below in texts],
        "textfont": {"size": [13 if px > 30 else 10 for px in across], "color": colors.text},
        "marker": {
            "size": across,
            "color": colors.ground,
            "opacity": 1,
            "line": {
                "color": [colors.accent if ring else colors.muted for ring in ringed],
                "width": [
                    3 if ring else 1.5 if text[0] else 0.8 for ring, text in zip(ringed, texts)
                ],
            },
        },
        "customdata": [[layer, unit, 0] for layer, unit in keys],
        "hovertext": [unit_hover(step, layer, unit) for layer, unit in keys],
        "hoverinfo": "text",
        **STAY,
    }
    small = [below if px > 30 else "" for (_inside, below), px in zip(texts, across)]
    captions = {
        **common,
        "y": [y - (px / 2 + 9) / unit_pixels(most) for (_x, y), px in zip(spots, across)],
        "mode": "markers+text",
        "text": small,
        "marker": {
            "symbol": "line-ew",
            "size": [4.2 * len(text) for text in small],
            "opacity": 1,
            "line": {"width": 13, "color": colors.ground},
        },
        "textfont": {"size": 11, "color": colors.muted},
        "hoverinfo": "skip",
    }
    return [captions, circles]


def headings(step: Pass, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    """Names above the layers, and the targets above the outputs."""
    colors = palette()
    names = [_("layer {n}").format(n=layer) for layer in range(step.layers)]
    rows = [
        {"x": layer, "y": 1, "yref": "paper", "yanchor": "top", "text": name}
        for layer, name in enumerate([_("input"), *names[1:], _("answer")])
    ]
    many = len(step.target) > 1
    for unit, target in enumerate(step.target, 1):
        x, y = spot(sizes, step.layers, unit)
        text = _("“{digit}”: target {t}") if many else _("target {t}")
        lift = size_of(sizes[-1], max(sizes)) / 2 + 11
        rows.append(
            {"x": x, "y": y, "yshift": lift, "text": text.format(t=f"{target:.0f}", digit=unit - 1)}
        )
    look = {"showarrow": False, "font": {"size": 12, "color": colors.muted}}
    return [{**row, **look} for row in rows]
