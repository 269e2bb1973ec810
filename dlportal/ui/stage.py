"""An episode on stage: the scene moves, and the agent's thoughts run along below it.

Everything is one Plotly figure with frames: it plays in the browser, without a rerun and without
a message a frame. 500 steps become 250 frames of outlines, about 150 KB.
"""

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dlportal.kinds.agent import Rollout
from dlportal.kinds.world import World
from dlportal.ui.charts import DASHES, style
from dlportal.ui.language import _, language
from dlportal.ui.playback import add_playback
from dlportal.ui.scenes import Scene, scene_of
from dlportal.ui.theme import Palette, palette

FRAMES = 250  # at most
FRAME_MS = 40
DASH_MARKS = ("──", "╌╌", "┈┈", "─·─")  # as the lines are drawn, so that nobody needs their colour


def stage(world: World, episode: Rollout, other: Rollout, moment: int, name: str) -> go.Figure:
    """Draw an agent's episode with another one from the same start.

    Args:
        world: Where.
        episode: The agent's.
        other: A random player's, or the agent's own without a disturbance.
        moment: The step that is explained; marked in the charts.
        name: Of the other player.
    """
    colors = palette()
    scene = scene_of(world.id)
    fig = make_subplots(rows=3, cols=1, row_heights=scene.rows, vertical_spacing=0.1)
    style(fig, height=scene.height)
    draw_still(fig, scene, episode.seed, colors)
    moving = [
        *draw_player(fig, scene, other, episode.length, name, False, colors),
        *draw_player(fig, scene, episode, episode.length, _("agent"), True, colors),
    ]
    draw_values(fig, episode, colors)
    draw_actions(fig, world, episode, colors)
    for row in (2, 3):
        fig.add_vline(moment, line={"width": 1.5, "dash": "dot", "color": colors.second}, row=row)
        if episode.push is not None:
            fig.add_vline(episode.push.step, line={"width": 2, "color": colors.second}, row=row)
    ends = (world.strengths[0], world.strengths[-1]) if world.strengths else (0.0, 1.0)
    moving += [
        playhead(fig, 2, value_range(episode), episode.length, colors),
        playhead(fig, 3, ends, episode.length, colors),
    ]
    frame_axes(fig, scene, episode.length)
    if world.strengths:
        fig.update_yaxes(range=[1.1 * ends[0], 1.1 * ends[1]], row=3, col=1)
    else:
        fig.update_yaxes(range=[-0.04, 1.04], tickvals=[0, 0.5, 1], row=3, col=1)
        fig.update_yaxes(tickformat=".0%", row=3, col=1)
    animate(fig, moving, episode.length)
    return fig


class Moving:
    """A trace that changes from step to step: its index and its points, (T, points) each."""

    def __init__(self, fig: go.Figure, trace: Any, row: int, x: np.ndarray, y: np.ndarray) -> None:
        trace.update(x=points(x[0]), y=points(y[0]), hoverinfo="skip", showlegend=False)
        fig.add_trace(trace, row=row, col=1)
        self.index = len(fig.data) - 1
        self.x, self.y = x, y
        self.level = bool((y == y[0]).all())  # never moves up or down: half the data

    def at(self, step: int) -> dict[str, Any]:
        step = min(step, len(self.x) - 1)
        data = {"type": "scatter", "x": points(self.x[step])}
        return data if self.level else {**data, "y": points(self.y[step])}


def points(values: np.ndarray) -> list[float]:
    return [round(float(value), 3) for value in values]


def draw_still(fig: go.Figure, scene: Scene, seed: int, colors: Palette) -> None:
    """The ground, and what ends the episode."""
    common: dict[str, Any] = {"mode": "lines", "hoverinfo": "skip", "showlegend": False}
    grounds = (scene.ground(seed),) if scene.ground else ()
    for x, y in (*scene.still, *grounds):
        line = {"width": 2, "color": colors.muted}
        fig.add_trace(go.Scatter(x=x, y=y, line=line, **common), row=1, col=1)
    for x, y in scene.borders:
        line = {"width": 2, "color": colors.second, "dash": "dot"}
        fig.add_trace(go.Scatter(x=x, y=y, line=line, **common), row=1, col=1)


def draw_player(
    fig: go.Figure,
    scene: Scene,
    played: Rollout,
    length: int,
    name: str,
    main: bool,
    colors: Palette,
) -> list[Moving]:
    """One player's outlines and name; the other one is grey and dotted."""
    shown = played.states[: length + 1]
    color = colors.accent if main else colors.rest
    moving = []
    for index, part in enumerate(scene.parts(shown, played.actions[:length])):
        tone = colors.second if main and index else color
        trace = go.Scatter(
            mode="lines",
            line={
                "width": part.width if main or index == 0 else 0.7 * part.width,
                "color": tone,
                "dash": "solid" if main or index else "dot",
            },
            fill="toself" if part.filled and main else None,
            fillcolor=color,
        )
        moving.append(Moving(fig, trace, 1, part.x, part.y))
    places = scene.label(shown)
    # In lines of text, not in the world's units: on a telephone these are a few pixels.
    off = {"top": f"{name}<br> ", "middle": f"<br><br>{name}", "bottom": f"<br>{name}"}
    trace = go.Scatter(
        mode="text",
        text=[name if main else off[scene.side]],
        textposition=f"{scene.side} center",
        cliponaxis=False,
        textfont={"size": 12, "color": colors.text if main else colors.muted},
    )
    moving.append(Moving(fig, trace, 1, places[:, :1], places[:, 1:]))
    return moving


def draw_values(fig: go.Figure, episode: Rollout, colors: Palette) -> None:
    """What the agent expected (solid), and what came (dotted)."""
    steps = list(range(episode.length))
    common: dict[str, Any] = {"mode": "lines", "showlegend": False}
    fig.add_trace(
        go.Scatter(
            x=steps,
            y=points(episode.returns),
            name=_("came"),
            line={"width": 2, "dash": "dot", "color": colors.muted},
            **common,
        ),
        row=2,
        col=1,
    )
    fig.add_trace(
        go.Scatter(
            x=steps,
            y=points(episode.values),
            name=_("expected"),
            line={"width": 3, "color": colors.accent},
            **common,
        ),
        row=2,
        col=1,
    )
    low, high = value_range(episode)
    fig.update_yaxes(range=[low, high], row=2, col=1)
    title(fig, 2, _("**Value**: return it expects (solid), return that came (dotted)"), colors)


def value_range(episode: Rollout) -> tuple[float, float]:
    """Ends of the value axis; never so narrow that a difference of one per cent looks large."""
    both = np.concatenate([episode.values, episode.returns])
    low, high = float(both.min()), float(both.max())
    wanted = max(1.1 * (high - low), 0.1 * max(abs(low), abs(high)), 1e-3)
    pad = (wanted - (high - low)) / 2
    return low - pad, high + pad


def draw_actions(fig: go.Figure, world: World, episode: Rollout, colors: Palette) -> None:
    """What it did where actions are numbers; else probabilities: dots where there are two
    actions, a line for each where there are more."""
    lang = language()
    steps = list(range(episode.length))
    if world.strengths:
        fig.add_trace(
            go.Scatter(
                x=steps,
                y=[world.strengths[action] for action in episode.actions],
                mode="markers",
                marker={"size": 4, "color": colors.accent},
                showlegend=False,
            ),
            row=3,
            col=1,
        )
        title(fig, 3, _("**Action**: torque it chooses, N m"), colors)
        return
    if len(world.labels) == 2:
        name = world.labels[1](lang)
        fig.add_trace(
            go.Scatter(
                x=steps,
                y=points(episode.probabilities[:, 1]),
                name=name,
                mode="markers",
                marker={"size": 4, "color": colors.accent},
                showlegend=False,
            ),
            row=3,
            col=1,
        )
        title(fig, 3, _("**Action**: probability of “{action}”").format(action=name), colors)
        return
    for index, label in enumerate(world.labels):
        fig.add_trace(
            go.Scatter(
                x=steps,
                y=points(episode.probabilities[:, index]),
                name=label(lang),
                mode="lines",
                line={"width": 2, "dash": DASHES[index], "color": colors.series[index]},
            ),
            row=3,
            col=1,
        )
    names = [f"{label(lang)} {mark}" for label, mark in zip(world.labels, DASH_MARKS)]
    comma = "，" if lang == "zh" else ", "
    # Two names a line: more would not fit on a telephone.
    pairs = [comma.join(names[i : i + 2]) for i in range(0, len(names), 2)]
    title(fig, 3, _("**Action**: {actions}").format(actions=f"{comma}<br>".join(pairs)), colors)


def title(fig: go.Figure, row: int, text: str, colors: Palette) -> None:
    """A chart's title above it; `**bold**` as in Markdown."""
    bold = text.replace("**", "<b>", 1).replace("**", "</b>", 1)
    fig.add_annotation(
        text=bold,
        xref="paper",
        yref=f"y{row} domain",
        x=0,
        y=1.04,
        xanchor="left",
        yanchor="bottom",
        align="left",
        showarrow=False,
        font={"size": 13, "color": colors.text},
    )


def playhead(
    fig: go.Figure, row: int, ends: tuple[float, float], length: int, colors: Palette
) -> Moving:
    """The line that shows the present step in a chart."""
    steps = np.arange(length)
    x = np.stack([steps, steps], axis=1)
    y = np.tile(ends, (length, 1))
    trace = go.Scatter(mode="lines", line={"width": 1.5, "color": colors.text})
    return Moving(fig, trace, row, x, y)


def frame_axes(fig: go.Figure, scene: Scene, length: int) -> None:
    hidden: dict[str, Any] = {"visible": False, "fixedrange": True, "row": 1, "col": 1}
    fig.update_xaxes(range=list(scene.x), constrain="domain", **hidden)
    fig.update_yaxes(range=list(scene.y), scaleanchor="x", constrain="domain", **hidden)
    for row in (2, 3):
        fig.update_xaxes(range=[0, max(1, length - 1)], row=row, col=1)
    fig.update_xaxes(showticklabels=False, row=2, col=1)
    fig.update_yaxes(nticks=4, row=2, col=1)


def animate(fig: go.Figure, moving: list[Moving], length: int) -> None:
    """Frames, and the controls below: play, pause, and a slider over the steps."""
    every = max(1, math.ceil(length / FRAMES))
    steps = [*range(0, length, every), length]
    traces = [part.index for part in moving]
    fig.frames = [
        {"name": str(step), "traces": traces, "data": [part.at(step) for part in moving]}
        for step in steps
    ]
    fig.update_layout(margin={"b": 70})
    add_playback(fig, [str(step) for step in steps], FRAME_MS, -0.06, from_here=True)
