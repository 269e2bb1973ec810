"""Figures in the portal's style, put together at once: every step of the lab draws three."""

import copy
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go

from dlportal.ui.charts import style
from dlportal.ui.theme import is_dark


@lru_cache(maxsize=32)
def styled_layout(height: int, legend: bool, dark: bool) -> dict[str, Any]:
    """The layout that `style` gives an empty figure; plotly takes 8 ms to work it out."""
    layout = style(go.Figure(), height, legend).layout.to_plotly_json()
    layout.pop("template", None)  # every new figure brings it
    return layout


def figure(
    traces: Sequence[Any],
    height: int,
    legend: bool = False,
    x: dict[str, Any] | None = None,
    y: dict[str, Any] | None = None,
    **layout: Any,
) -> go.Figure:
    """Traces in the portal's style; `x` and `y` change the axes, `layout` the rest."""
    base = copy.deepcopy(styled_layout(height, legend, is_dark()))
    for name, axis in (("xaxis", x or {}), ("yaxis", y or {})):
        title = axis.pop("title_text", None)
        base[name] |= axis
        if title is not None:
            base[name]["title"]["text"] = title
    return go.Figure(data=list(traces), layout=base | layout)
