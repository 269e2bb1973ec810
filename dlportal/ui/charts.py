"""Charts in one style: transparent, labelled directly, readable without colour."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

# Plotly looks at pandas wherever somebody imports it, and fails on one that is half imported by
# another visitor's page: whoever draws has all of it.
import pandas  # noqa: F401
import plotly.graph_objects as go
import streamlit as st

from dlportal.ui.theme import DASHES, MARKERS, Palette, palette

FONT = "Source Sans"
CONFIG = {"displayModeBar": False, "responsive": True}


def style(fig: go.Figure, height: int = 260, legend: bool = False) -> go.Figure:
    """Apply the portal's look to a figure."""
    colors = palette()
    axis = {
        "tickfont": {"size": 12, "color": colors.muted},
        "title": {"font": {"size": 13, "color": colors.text}, "standoff": 8},
        "zeroline": False,
        "automargin": True,
        "fixedrange": True,
    }
    look: dict[str, Any] = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": colors.text},
        "showlegend": legend,
        "dragmode": False,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None},
        "hoverlabel": {"font": {"family": FONT}},
    }
    now = fig.layout.to_plotly_json()
    for name in {"xaxis", "yaxis"} | {name for name in now if name[1:5] == "axis"}:
        own = {"showgrid": False, "nticks": 6} if name[0] == "x" else {"gridcolor": colors.grid}
        look[name] = {"nticks": 5, **own, **axis}
    # Merged here: Plotly's own merging of nested settings takes six times as long.
    return fig.update_layout({k: merge(now.get(k), v) for k, v in look.items()}, overwrite=True)


def merge(old: Any, new: Any) -> Any:
    """`new` over `old`, dictionaries key by key."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return old | {key: merge(old.get(key), value) for key, value in new.items()}


def show_chart(fig: go.Figure, alt: str, key: str | None = None, **kwargs: Any) -> Any:
    """Put a figure on the page; `alt` says in a sentence what it shows."""
    return st.plotly_chart(
        fig, theme="streamlit", config=CONFIG, alt=alt, key=key, width="stretch", **kwargs
    )


def bars(
    names: Sequence[str], values: Sequence[float], texts: Sequence[str], top: float | None = None
) -> go.Figure:
    """Horizontal bars with their names above them, the first in the accent colour.

    Args:
        names: Shown above each bar.
        values: Bar lengths, at least 0.
        texts: Shown at the right.
        top: The length of a full bar; the largest value if None.

    Returns:
        A figure that other runs share: show it, do not change it.
    """
    return drawn_bars(tuple(names), tuple(values), tuple(texts), top, palette())


@lru_cache(maxsize=256)
def drawn_bars(
    names: tuple[str, ...],
    values: tuple[float, ...],
    texts: tuple[str, ...],
    top: float | None,
    colors: Palette,
) -> go.Figure:
    """Kept, since every click on the page runs it again and Plotly takes 7 ms: half of such a run."""
    n = len(names)
    places = list(range(n, 0, -1))
    fig = go.Figure(
        go.Bar(
            x=list(values),
            y=places,
            orientation="h",
            width=0.42,
            marker={
                "color": [colors.accent] + [colors.rest] * (n - 1),
                "cornerradius": 4,
                "line": {"width": 0},
            },
            hovertext=[f"{name}: {text}" for name, text in zip(names, texts)],
            hoverinfo="text",
        )
    )
    style(fig, height=44 * n + 12)
    annotations = []
    for place, name, text in zip(places, names, texts):
        common: dict[str, Any] = {
            "y": place + 0.23,
            "showarrow": False,
            "yanchor": "bottom",
            "yref": "y",
            "font": {"color": colors.text, "size": 13},
        }
        annotations += [
            {"x": 0, "xref": "paper", "xanchor": "left", "text": name, **common},
            {"x": 1, "xref": "paper", "xanchor": "right", "text": text, **common},
        ]
    fig.update_layout({"annotations": annotations}, overwrite=True)  # at once: ten times as fast
    largest = top if top is not None else max([*values, 1e-9])
    fig.update_xaxes(visible=False, range=[0, largest * 1.001])
    fig.update_yaxes(visible=False, range=[0.6, n + 0.75])
    return fig


def signed_bars(
    names: Sequence[str], values: Sequence[float], x_title: str, shown: int = 12
) -> go.Figure:
    """Horizontal bars around zero, the strongest first; the sign is written too."""
    colors = palette()
    order = sorted(range(len(names)), key=lambda i: -abs(values[i]))[:shown][::-1]
    picked = [values[i] for i in order]
    fig = go.Figure(
        go.Bar(
            x=picked,
            y=[f"{names[i]} " for i in order],
            orientation="h",
            width=0.6,
            marker={
                "color": [colors.signed[5] if v >= 0 else colors.signed[1] for v in picked],
                "cornerradius": 3,
            },
            text=[f"{v:+.3g}" for v in picked],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="y+x",
        )
    )
    style(fig, height=26 * len(order) + 64)
    span = max([abs(v) for v in picked] or [1.0]) or 1.0
    fig.update_xaxes(
        title_text=x_title,
        range=[-1.6 * span, 1.6 * span],
        zeroline=True,
        zerolinecolor=colors.muted,
    )
    fig.update_yaxes(showgrid=False, type="category", nticks=len(order))
    return fig


def line(
    x: Sequence[float],
    y: Sequence[float],
    name: str,
    index: int = 0,
    colors: Palette | None = None,
    markers: bool = False,
) -> go.Scatter:
    """One line of a series: colour, dash and marker all tell it apart."""
    colors = colors or palette()
    color = colors.series[index % len(colors.series)]
    return go.Scatter(
        x=list(x),
        y=list(y),
        name=name,
        mode="lines+markers" if markers else "lines",
        line={"width": 3, "dash": DASHES[index % len(DASHES)], "color": color},
        marker={"size": 7, "symbol": MARKERS[index % len(MARKERS)], "color": color},
    )


def label_ends(fig: go.Figure) -> go.Figure:
    """Write each line's name at its end, instead of a legend (up to three lines)."""
    log = fig.layout.yaxis.type == "log"
    for trace in fig.data:
        if trace.name and trace.x is not None and len(trace.x):
            fig.add_annotation(
                x=trace.x[-1],
                # On a log axis Plotly wants an annotation's place as a power of ten.
                y=math.log10(trace.y[-1]) if log else trace.y[-1],
                text=trace.name,
                showarrow=False,
                xanchor="left",
                xshift=8,
                font={"color": trace.line.color},
            )
    fig.update_layout(margin_r=80)
    return fig


def band(x: Sequence[float], low: Sequence[float], high: Sequence[float]) -> go.Scatter:
    """A grey area between two lines: an interval."""
    return go.Scatter(
        x=[*x, *reversed(list(x))],
        y=[*high, *reversed(list(low))],
        fill="toself",
        fillcolor=palette().band,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )


def heat_table(
    counts: Sequence[Sequence[float]], rows: Sequence[str], columns: Sequence[str]
) -> go.Figure:
    """A matrix such as a confusion matrix, each cell with its number."""
    colors = palette()
    low, high = colors.surface[0], colors.accent
    fig = go.Figure(
        go.Heatmap(
            z=[list(row) for row in counts],
            x=list(columns),
            y=list(rows),
            colorscale=[[0, low], [1, high]],
            showscale=False,
            text=[[f"{value:,.0f}" for value in row] for row in counts],
            texttemplate="%{text}" if len(rows) <= 15 else None,
            xgap=2,
            ygap=2,
        )
    )
    style(fig, height=max(220, 34 * len(rows) + 90))
    # Names, even where they are digits: each has its tick.
    fig.update_yaxes(autorange="reversed", showgrid=False, nticks=len(rows), type="category")
    fig.update_xaxes(nticks=len(columns), type="category")
    return fig
