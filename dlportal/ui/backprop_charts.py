"""The smaller charts of the backpropagation lab: data and border, a digit, losses, norms."""

import numpy as np
import plotly.graph_objects as go
import torch

from dlportal.cases.backprop_lab import ACTIVATION_NAMES, INIT_NAMES
from dlportal.labs.backprop_depth import ACTIVATIONS, INITS, Depths
from dlportal.labs.backprop_net import Pass, Training
from dlportal.labs.backprop_paths import LIMIT, STEPS, Check
from dlportal.ui.backprop_figure import figure
from dlportal.ui.backprop_numbers import brief, sub
from dlportal.ui.charts import line, style
from dlportal.ui.language import _
from dlportal.ui.theme import palette

GRID = 44  # points a side of the border's map
CLIP = 8.0  # powers of ten of the heat map, either way
VERDICT_SIGNS = {"vanishes": "▼", "arrives": "●", "explodes": "▲"}


def border(training: Training, step: Pass) -> go.Figure:
    """The answer over the plane, the examples, and the one in work."""
    colors = palette()
    x, label = training.x.numpy(), training.label.numpy()
    reach = float(np.abs(x).max()) + 0.15
    axis = torch.linspace(-reach, reach, GRID, dtype=torch.float64)
    grid_y, grid_x = torch.meshgrid(axis, axis, indexing="ij")
    p = training.answers(step, torch.stack([grid_x.ravel(), grid_y.ravel()], 1))
    contour = {
        "type": "contour",
        "x": axis.numpy().round(3),
        "y": axis.numpy().round(3),
        "z": p.reshape(GRID, GRID).round(3),
        "colorscale": [[0, colors.surface[0]], [1, colors.surface[1]]],
        "zmin": 0,
        "zmax": 1,
        "contours": {"start": 0.5, "end": 0.5, "size": 1, "coloring": "heatmap"},
        "line": {"color": colors.text, "width": 2},
        "showscale": False,
        "hovertemplate": "p = %{z:.2f}<extra></extra>",
    }
    points = {"type": "scatter", "mode": "markers", "hoverinfo": "skip"}
    kinds = [
        {
            **points,
            "x": x[label == value, 0].round(3),
            "y": x[label == value, 1].round(3),
            "name": _("target {t}").format(t=value),
            "marker": {"symbol": symbol, "size": 6, "color": colors.series[value]},
        }
        for value, symbol in ((0, "circle-open"), (1, "diamond"))
    ]
    current = {
        **points,
        "x": [x[step.example, 0]],
        "y": [x[step.example, 1]],
        "name": _("this example"),
        "marker": {
            "symbol": "circle-open",
            "size": 18,
            "color": colors.text,
            "line": {"width": 3},
        },
    }
    return figure(
        [contour, *kinds, current],
        330,
        legend=True,
        x={"title_text": "x₁", "range": [-reach, reach]},
        y={"title_text": "x₂", "range": [-reach, reach], "showgrid": False},
    )


def digit(step: Pass) -> go.Figure:
    """The 16 inputs as the picture they come from, numbered as in the network."""
    colors = palette()
    values = step.h[0].reshape(4, 4)
    fig = go.Figure(
        go.Heatmap(
            z=values[::-1],
            colorscale=[[0, colors.surface[0]], [1, colors.rest]],
            zmin=0,
            zmax=1,
            showscale=False,
            text=[
                [f"{sub('x', 4 * r + c + 1)}<br>{brief(values[r, c])}" for c in range(4)]
                for r in range(3, -1, -1)
            ],
            texttemplate="%{text}",
            textfont={"size": 11, "color": colors.text},
            hoverinfo="skip",
            xgap=2,
            ygap=2,
        )
    )
    style(fig, height=280)
    fig.update_xaxes(visible=False)
    fig.update_yaxes(visible=False)
    return fig


def loss_curve(steps: list[int], losses: list[float]) -> go.Figure:
    """The mean loss of all examples so far."""
    name = {
        "x": 1,
        "y": 1,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "right",
        "yanchor": "top",
        "text": _("loss, all examples"),
        "showarrow": False,
        "font": {"color": palette().muted},
    }
    return figure(
        [line(steps, [round(v, 5) for v in losses], "L", 0, markers=len(steps) < 3)],
        170,
        x={"title_text": _("step"), "rangemode": "tozero"},
        y={"rangemode": "tozero"},
        annotations=[name],
    )


def epsilon_curve(check: Check) -> go.Figure:
    """How the difference depends on how far a weight is moved."""
    colors = palette()
    values = np.maximum(check.curve, 1e-17)
    limit = {
        "type": "scatter",
        "x": [STEPS[-1], STEPS[0]],
        "y": [LIMIT, LIMIT],
        "mode": "lines",
        "line": {"width": 1.5, "dash": "dot", "color": colors.muted},
        "hoverinfo": "skip",
    }
    name = {
        "x": np.log10(STEPS[-1]),
        "y": np.log10(LIMIT),
        "text": _("limit"),
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"color": colors.muted},
    }
    powers = {"type": "log", "dtick": 2, "exponentformat": "power"}
    return figure(
        [line(list(STEPS), values.tolist(), "", 0, markers=True), limit],
        270,
        x={"title_text": _("ε: how far each weight is moved"), **powers},
        y={"title_text": _("largest difference"), **powers},
        annotations=[name],
    )


def row_name(key: tuple[str, str], depths: Depths) -> str:
    sign = VERDICT_SIGNS[depths.verdict(key)]
    return f"{sign} {ACTIVATION_NAMES[key[0]]} · {_(INIT_NAMES[key[1]])} "


def depth_map(depths: Depths) -> go.Figure:
    """Gradient norms: a row for each activation and initialisation, a column for each layer."""
    colors = palette()
    keys = list(depths.norms)
    norms = np.array([depths.norms[key] for key in keys])
    powers = np.log10(np.maximum(norms, 1e-300))
    layers = list(range(1, norms.shape[1] + 1))
    scale = [[i / 6, color] for i, color in enumerate(colors.signed)]
    fig = go.Figure(
        go.Heatmap(
            z=powers.clip(-CLIP, CLIP).round(2),
            x=layers,
            y=[row_name(key, depths) for key in keys],
            colorscale=scale,
            zmin=-CLIP,
            zmax=CLIP,
            customdata=norms,
            hovertemplate="%{y}<br>" + _("layer") + " %{x}: %{customdata:.2e}<extra></extra>",
            xgap=1,
            ygap=1,
            colorbar={
                "orientation": "h",
                "y": 1.02,
                "yanchor": "bottom",
                "thickness": 10,
                "tickvals": [-8, -4, 0, 4, 8],
                "ticktext": ["10⁻⁸", "10⁻⁴", "1", "10⁴", "10⁸"],
                "tickfont": {"color": colors.muted},
                "outlinewidth": 0,
            },
        )
    )
    style(fig, height=24 * len(keys) + 120)
    fig.update_xaxes(title_text=_("hidden layer, from the input"), title_standoff=22)
    fig.update_yaxes(autorange="reversed", showgrid=False, type="category", nticks=len(keys))
    return fig


def depth_lines(depths: Depths, activation: str) -> go.Figure:
    """The same norms of one activation as lines, a line for each initialisation."""
    fig = go.Figure()
    for index, init in enumerate(INITS):
        norms = np.maximum(depths.norms[activation, init], 1e-30)
        name = _(INIT_NAMES[init])
        fig.add_trace(line(list(range(1, len(norms) + 1)), norms.tolist(), name, index))
    style(fig, height=24 * len(ACTIVATIONS) * len(INITS) + 120, legend=True)
    fig.update_xaxes(title_text=_("hidden layer, from the input"))
    fig.update_yaxes(
        title_text=_("gradient norm ‖∂L/∂W‖"), type="log", exponentformat="power", nticks=6
    )
    return fig
