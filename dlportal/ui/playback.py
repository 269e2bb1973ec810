"""Play, pause and a slider under a Plotly figure with frames: it moves without a rerun."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from dlportal.ui.language import _
from dlportal.ui.theme import palette


def add_playback(
    fig: go.Figure,
    names: Sequence[str],
    milliseconds: int,
    y: float,
    at: int = 0,
    from_here: bool = False,
    redraw: bool = False,
) -> None:
    """Put the controls below a figure.

    Args:
        fig: Its frames have these names.
        names: Of the frames, in order: numbers of steps, written beside the slider.
        milliseconds: Between two frames.
        y: Where the controls begin, in heights of the plot; below 0 is under it.
        at: The frame that is shown first.
        from_here: Whether play goes on from the present frame instead of from the first.
        redraw: Whether each frame is drawn anew, as pictures must be; lines need not.
    """
    colors = palette()
    button = {"font": {"color": colors.text, "size": 13}, "bordercolor": colors.muted}
    play = {"label": "▶ " + _("play"), "args": [None, motion(milliseconds, from_here, redraw)]}
    pause = {"label": "❚❚", "args": [[None], motion(0, redraw=redraw)]}
    fig.update_layout(
        updatemenus=[
            {
                "type": "buttons",
                "direction": "left",
                "x": 0,
                "y": y - 0.02,
                "xanchor": "left",
                "yanchor": "top",
                "pad": {"t": 4, "r": 8},
                "showactive": False,
                "bgcolor": colors.ground,
                **button,
                "buttons": [{**one, "method": "animate"} for one in (play, pause)],
            }
        ],
        sliders=[
            {
                "active": at,
                # On a telephone the buttons take more than a third of the width.
                "x": 0.38,
                "len": 0.62,
                "y": y,
                "pad": {"t": 6},
                "currentvalue": {
                    "prefix": _("step") + " ",
                    "xanchor": "right",
                    "font": {"size": 12, "color": colors.muted},
                },
                "ticklen": 0,
                "minorticklen": 0,
                "font": {"size": 1, "color": "rgba(0,0,0,0)"},
                "bgcolor": colors.grid,
                "activebgcolor": colors.accent,
                "bordercolor": colors.rest,
                "steps": [
                    {"label": name, "method": "animate", "args": [[name], motion(0, redraw=redraw)]}
                    for name in names
                ],
            }
        ],
    )


def motion(milliseconds: int, from_here: bool = False, redraw: bool = False) -> dict[str, Any]:
    return {
        "mode": "immediate",
        "fromcurrent": from_here,
        "frame": {"duration": milliseconds, "redraw": redraw},
        "transition": {"duration": 0},
    }
