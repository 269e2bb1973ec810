"""Figures and pictures of the architecture tour."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from PIL import Image, ImageDraw
from torch import Tensor

from dlportal.cases.architecture_tour import MOST_SHIFT
from dlportal.labs.arch_insides import Gates
from dlportal.ui.arch_words import KIND_NAMES
from dlportal.ui.charts import line, style
from dlportal.ui.language import _
from dlportal.ui.maps import overlay, ramp
from dlportal.ui.theme import Palette, palette

TILE, GAP = 72, 6  # pixels of a map in the mosaic, and between two
PIXEL = 20  # of a 28 × 28 picture when it is enlarged


def shift_chart(curves: Mapping[str, Sequence[float]], now: int) -> go.Figure:
    """Probability over the shift, a line for each network; the present shift is marked."""
    span = list(range(-MOST_SHIFT, MOST_SHIFT + 1))
    fig = go.Figure()
    for index, (kind, values) in enumerate(curves.items()):
        fig.add_trace(line(span, values, _(KIND_NAMES[kind]), index))
    style(fig, height=230, legend=True)
    fig.add_vline(now, line={"width": 1.5, "dash": "dot", "color": palette().muted})
    fig.update_xaxes(title_text=_("shift to the right, pixels"))
    fig.update_yaxes(range=[0, 1.02], tickformat=".0%")
    return fig


def signed_image(values: np.ndarray, colors: Palette, side: int = 280) -> Image.Image:
    """Blue below zero, orange above; square pixels of the same size."""
    limit = float(np.abs(values).max()) or 1.0
    picture = Image.fromarray(ramp(colors.signed, (values / limit + 1) / 2))
    factor = max(1, side // max(values.shape))
    size = (values.shape[1] * factor, values.shape[0] * factor)
    return picture.resize(size, Image.Resampling.NEAREST)


def grey_image(values: np.ndarray, side: int) -> Image.Image:
    """Black at zero, white at the largest value."""
    top = float(values.max()) or 1.0
    pixels = (values / top * 255).clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)


def mosaic(parts: Sequence[Image.Image], columns: int, chosen: int, color: str) -> Image.Image:
    """Square pictures in rows, the chosen one framed."""
    rows = -(-len(parts) // columns)
    step = TILE + GAP
    whole = Image.new("RGBA", (columns * step + GAP, rows * step + GAP))
    pen = ImageDraw.Draw(whole)
    for index, part in enumerate(parts):
        row, column = divmod(index, columns)
        left, top = GAP + column * step, GAP + row * step
        whole.paste(part.resize((TILE, TILE), Image.Resampling.NEAREST), (left, top))
        if index == chosen:
            box = (left - 4, top - 4, left + TILE + 3, top + TILE + 3)
            pen.rectangle(box, outline=color, width=4)
    return whole


def framed(picture: Image.Image, box: tuple[int, int, int, int], color: str) -> Image.Image:
    """A 28 × 28 picture, enlarged to 560, with a frame around pixels left, top, right, bottom."""
    side = PIXEL * 28
    large = picture.convert("RGB").resize((side, side), Image.Resampling.NEAREST)
    left, top, right, bottom = box
    corners = (left * PIXEL, top * PIXEL, (right + 1) * PIXEL - 1, (bottom + 1) * PIXEL - 1)
    ImageDraw.Draw(large).rectangle(corners, outline=color, width=5)
    return large


def lit(
    picture: Image.Image, values: np.ndarray, box: tuple[int, int, int, int], colors: Palette
) -> Image.Image:
    """A picture in grey with a map over it and a frame."""
    return framed(overlay(picture, values, False, colors), box, colors.second)


def number_grid(values: np.ndarray, signed: bool) -> go.Figure:
    """A small table of numbers on coloured ground: a window, a filter, or their product."""
    colors = palette()
    limit = float(np.abs(values).max()) or 1.0
    scale = (
        [[i / 6, color] for i, color in enumerate(colors.signed)]
        if signed
        else [[0, colors.surface[0]], [1, colors.surface[1]]]
    )
    strong = (np.abs(values) > 0.5 * limit) & signed  # the plain ground stays light
    ink = [[colors.ground if signed and high else colors.text for high in row] for row in strong]
    fig = go.Figure(
        go.Heatmap(
            z=values,
            colorscale=scale,
            zmin=-limit if signed else 0,
            zmax=limit,
            showscale=False,
            hoverinfo="skip",
            xgap=2,
            ygap=2,
        )
    )
    rows, columns = values.shape
    for row in range(rows):
        for column in range(columns):
            fig.add_annotation(
                x=column,
                y=row,
                text=f"{values[row, column]:z.2f}".replace("-", "−"),
                showarrow=False,
                font={"size": 12 if columns > 3 else 14, "color": ink[row][column]},
            )
    style(fig, height=40 * rows + 16)
    fig.update_xaxes(visible=False)
    fig.update_yaxes(visible=False, autorange="reversed")
    return fig


def gates_chart(gates: Gates, unit: int, step: int, axis: str) -> go.Figure:
    """The three gates of one unit over the steps."""
    fig = go.Figure()
    named = ((_("input i"), gates.i), (_("forget f"), gates.f), (_("output o"), gates.o))
    for index, (name, values) in enumerate(named):
        fig.add_trace(over_steps(values[:, unit], name, index))
    return steps_axis(fig, step, len(gates.h), axis, (0, 1.02))


def memory_chart(gates: Gates, unit: int, step: int, axis: str) -> go.Figure:
    """Cell and hidden state of one unit over the steps."""
    fig = go.Figure()
    for index, (name, values) in enumerate(((_("memory c"), gates.c), (_("state h"), gates.h))):
        fig.add_trace(over_steps(values[:, unit], name, index))
    return steps_axis(fig, step, len(gates.h), axis, None)


def so_far_chart(chances: Tensor, names: Sequence[str], step: int, axis: str) -> go.Figure:
    """How likely the three strongest classes are after each step."""
    fig = go.Figure()
    best = chances.max(dim=0).values.topk(3).indices.tolist()
    for index, which in enumerate(best):
        fig.add_trace(over_steps(chances[:, which], names[which], index))
    fig = steps_axis(fig, step, len(chances), axis, (0, 1.02))
    return fig.update_yaxes(tickformat=".0%")


def over_steps(values: Tensor, name: str, index: int) -> go.Scatter:
    return line(list(range(1, len(values) + 1)), values.tolist(), name, index)


def steps_axis(
    fig: go.Figure, step: int, steps: int, axis: str, span: tuple[float, float] | None
) -> go.Figure:
    """Steps from 1 along x, the chosen one (from 0) marked."""
    style(fig, height=220, legend=True)
    fig.add_vline(step + 1, line={"width": 1.5, "dash": "dot", "color": palette().muted})
    fig.update_xaxes(title_text=axis, range=[0.5, steps + 0.5])
    if span is not None:
        fig.update_yaxes(range=list(span))
    return fig


def sound_chart(values: Tensor, step: int) -> go.Figure:
    """What a sound is made of: moments across, pitches upwards; the chosen moment is marked."""
    colors = palette()
    fig = go.Figure(
        go.Heatmap(
            z=values.T.numpy().round(2),
            x=list(range(1, len(values) + 1)),
            colorscale=[[0, colors.surface[0]], [1, colors.text]],
            zmin=-2,
            zmax=2.5,
            showscale=False,
            hoverinfo="skip",
        )
    )
    style(fig, height=170)
    fig.add_vline(step + 1, line={"width": 1.5, "dash": "dot", "color": colors.second})
    fig.update_xaxes(title_text=_("moments heard, 16 ms each"), range=[0.5, len(values) + 0.5])
    fig.update_yaxes(title_text=_("pitch"), showticklabels=False, showgrid=False)
    return fig


def states_chart(states: Tensor, unit: int, step: int, axis: str) -> go.Figure:
    """All hidden states: units across, steps downwards; the chosen ones are marked."""
    colors = palette()
    fig = go.Figure(
        go.Heatmap(
            z=states.numpy().round(3),
            x=list(range(1, states.shape[1] + 1)),
            y=list(range(1, states.shape[0] + 1)),
            colorscale=[[i / 6, color] for i, color in enumerate(colors.signed)],
            zmin=-1,
            zmax=1,
            showscale=False,
            hovertemplate=_("step %{y}, unit %{x}: h = %{z:.2f}") + "<extra></extra>",
        )
    )
    style(fig, height=330)
    for add, at in ((fig.add_hline, step + 1), (fig.add_vline, unit + 1)):
        add(at, line={"width": 1.5, "dash": "dot", "color": colors.text})
    fig.update_yaxes(autorange="reversed", title_text=axis, showgrid=False)
    fig.update_xaxes(title_text=_("unit"))
    return fig
