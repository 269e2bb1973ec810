"""The charts of the regularization lab that stand still: small pictures, units."""

import numpy as np
import plotly.graph_objects as go

from dlportal.ui.backprop_figure import figure
from dlportal.ui.language import _
from dlportal.ui.regularization_drawn import tiled
from dlportal.ui.theme import palette


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
