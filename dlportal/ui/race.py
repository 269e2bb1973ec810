"""The optimizer race: knobs, the animated picture, final values, curves, rules."""

from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dlportal.cases.optimizer_race import (
    FINE_KNOBS,
    KNOBS,
    OPTIMIZER_NAMES,
    OPTIMIZERS,
    RULES,
    SURFACES,
    OptimizerRace,
    Race,
    height_map,
)
from dlportal.ui.card_panel import card_panel
from dlportal.ui.charts import DASHES, MARKERS, line, show_chart, style
from dlportal.ui.code_panel import show_code
from dlportal.ui.knobs import draw_knob, seed_knobs, share_knobs
from dlportal.ui.language import _
from dlportal.ui.theme import palette
from dlportal.ui.words import note

FRAMES = 40  # of the animation; more only makes the page heavier
SIGNS = ("●", "■", "◆", "▲", "✕")  # as the markers in the picture


@st.cache_data(max_entries=64, show_spinner=False)
def raced(_lab: OptimizerRace, settings: tuple) -> Race:
    """The finished race; the same settings are computed once for all visitors."""
    *_frames, last = _lab.run(**dict(settings))
    return last


def knobs_and_picture(lab: OptimizerRace) -> dict[str, Any]:
    """Knobs at the left, the race at the right; returns the settings."""
    seed_knobs(lab.knobs)
    left, right = st.columns([3, 9], gap="large")
    with left:
        settings = {knob.name: draw_knob(knob) for knob in KNOBS}
        with st.popover(_("All settings"), icon=":material/tune:", width="stretch"):
            settings |= {knob.name: draw_fine(knob) for knob in FINE_KNOBS}
        st.button(_("New seed"), icon=":material/casino:", key="new_seed", on_click=next_seed)
        note(
            "**"
            + _("Look for")
            + "** "
            + _("who overshoots the bend, who stalls on the flat, who is fooled by noise.")
        )
    share_knobs(lab.knobs, settings)
    race = raced(lab, tuple(sorted(settings.items())))
    with right:
        if race.paths:
            show_chart(
                animated(race), alt=_("Paths of the five optimizers on the surface"), key="race"
            )
        else:
            show_chart(loss_curves(race, 420), alt=_("Loss of the five optimizers"), key="race")
        finals(race)
    return settings


def next_seed() -> None:
    st.session_state["seed"] = (int(st.session_state.get("seed", 0)) + 1) % 1000


def draw_fine(knob: Any) -> Any:
    """A knob whose label may name its optimizer."""
    name = knob.name.removeprefix("factor_")
    if name == knob.name:
        return draw_knob(knob)
    return draw_knob(knob, label=_(knob.label).format(name=OPTIMIZER_NAMES[name]))


def finals(race: Race) -> None:
    """The five final losses (and accuracies of the net)."""
    with st.grid(5, min_column_width=110):
        for sign, name in zip(SIGNS, OPTIMIZERS):
            st.metric(f"{sign} {OPTIMIZER_NAMES[name]}", show_loss(race.losses[name][-1]))
    steps = len(race.losses["sgd"]) - 1
    if race.accuracy:
        best = max(race.accuracy.values())
        note(
            _(
                "Loss on all points after {steps} steps; the best net gets {best} of them right."
            ).format(steps=steps, best=f"{100 * best:.1f}%")
        )
    else:
        note(
            _(
                "Loss above the minimum after {steps} steps. Marks and dashes tell the paths apart without colour."
            ).format(steps=steps)
        )


def show_loss(value: float) -> str:
    """Three decimals; a path that left for good says so."""
    return f"{value:.3f}" if np.isfinite(value) and value < 1e4 else _("diverged")


def animated(race: Race) -> go.Figure:
    """Contours with the five paths; play, pause and a slider run in the browser."""
    surface = SURFACES[race.track]
    colors = palette()
    x, y, z = height_map(race.track)
    fig = go.Figure()
    fig.add_trace(
        go.Contour(
            x=x.round(3),
            y=y.round(3),
            z=np.log(z + 0.01).round(3),
            ncontours=24,
            showscale=False,
            hoverinfo="skip",
            colorscale=[[0, colors.surface[0]], [1, colors.surface[1]]],
            line={"width": 0.6, "color": colors.rest},
            showlegend=False,
        )
    )
    steps = len(race.losses["sgd"]) - 1
    for index, name in enumerate(OPTIMIZERS):
        fig.add_trace(path_trace(race, name, index, steps))
    marks(fig, surface)
    stops = sorted({round(i * steps / FRAMES) for i in range(FRAMES + 1)})
    fig.frames = [
        go.Frame(
            name=str(stop),
            data=[path_trace(race, name, i, stop) for i, name in enumerate(OPTIMIZERS)],
            traces=list(range(1, 1 + len(OPTIMIZERS))),
        )
        for stop in stops
    ]
    style(fig, height=520, legend=True)
    controls(fig, stops)
    fig.update_xaxes(title_text=_("parameter 1"), range=list(surface.box[:2]), showgrid=False)
    fig.update_yaxes(title_text=_("parameter 2"), range=list(surface.box[2:]), showgrid=False)
    return fig


def path_trace(race: Race, name: str, index: int, stop: int) -> go.Scatter:
    """A path up to a step, with a marker at its end."""
    color = palette().series[index]
    path = np.clip(race.paths[name][: stop + 1], -50, 50).round(3)
    sizes = [0] * (len(path) - 1) + [11]
    return go.Scatter(
        x=path[:, 0],
        y=path[:, 1],
        name=OPTIMIZER_NAMES[name],
        mode="lines+markers",
        line={"width": 3, "dash": DASHES[index], "color": color},
        marker={"size": sizes, "symbol": MARKERS[index], "color": color, "line": {"width": 0}},
        hovertemplate="%{x}, %{y}",
    )


def marks(fig: go.Figure, surface: Any) -> None:
    """Where it starts, and where the minima lie."""
    colors = palette()
    common = {"showlegend": False, "hoverinfo": "skip", "mode": "markers+text"}
    font = {"color": colors.text, "size": 12}
    fig.add_trace(
        go.Scatter(
            x=[surface.start[0]],
            y=[surface.start[1]],
            text=[_("start")],
            textposition="top center",
            textfont=font,
            marker={"size": 10, "color": colors.text},
            **common,
        )
    )
    fig.add_trace(
        go.Scatter(
            x=[m[0] for m in surface.minima],
            y=[m[1] for m in surface.minima],
            text=[_("minimum")] * len(surface.minima),
            textposition="bottom center",
            textfont=font,
            marker={"size": 14, "symbol": "star", "color": colors.text},
            **common,
        )
    )


def controls(fig: go.Figure, stops: list[int]) -> None:
    """Play, pause and the slider of steps."""
    colors = palette()
    look = {"bgcolor": colors.ground, "bordercolor": colors.grid, "font": {"color": colors.text}}
    frame = {"frame": {"duration": 60, "redraw": False}, "transition": {"duration": 0}}
    still = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate"}
    fig.update_layout(
        margin_b=110,
        updatemenus=[
            {
                "type": "buttons",
                "direction": "left",
                "showactive": False,
                "x": 0,
                "y": -0.13,
                "xanchor": "left",
                "yanchor": "top",
                "pad": {"t": 12},
                **look,
                "buttons": [
                    {
                        "label": "▶ " + _("play"),
                        "method": "animate",
                        "args": [None, {**frame, "fromcurrent": False}],
                    },
                    {"label": "❚❚", "method": "animate", "args": [[None], still]},
                ],
            }
        ],
        sliders=[
            {
                "active": len(stops) - 1,
                "x": 0.25,
                "len": 0.75,
                "y": -0.13,
                "yanchor": "top",
                "pad": {"t": 0},
                "currentvalue": {
                    "prefix": _("step") + " ",
                    "font": {"color": colors.muted, "size": 12},
                },
                "font": {"color": "rgba(0,0,0,0)", "size": 1},
                "ticklen": 0,
                "bgcolor": colors.rest,
                "bordercolor": colors.rest,
                "steps": [
                    {"label": str(s), "method": "animate", "args": [[str(s)], still]} for s in stops
                ],
            }
        ],
    )


def loss_curves(race: Race, height: int) -> go.Figure:
    """Losses step by step, on a log scale."""
    fig = go.Figure()
    for index, name in enumerate(OPTIMIZERS):
        losses = np.clip(np.nan_to_num(race.losses[name], nan=1e6, posinf=1e6), 1e-6, 1e6)
        fig.add_trace(
            line(list(range(len(losses))), losses.round(7).tolist(), OPTIMIZER_NAMES[name], index)
        )
    style(fig, height=height, legend=True)
    fig.update_xaxes(title_text=_("step"))
    title = _("loss above the minimum") if race.paths else _("loss")
    fig.update_yaxes(title_text=title, type="log", dtick=1, exponentformat="power")
    return fig


def panels_of(lab: OptimizerRace, settings: dict[str, Any]) -> dict[str, Callable[[], None]]:
    """Explain: curves and rules. Trust: the card. Code: the script."""

    def explain() -> None:
        left, right = st.columns(2, gap="large")
        with left:
            st.markdown("**" + _("Loss, step by step") + "**")
            race = raced(lab, tuple(sorted(settings.items())))
            show_chart(loss_curves(race, 300), alt=_("Loss of the five optimizers"), key="curves")
        with right:
            st.markdown("**" + _("The update rules") + "**")
            for sign, name in zip(SIGNS, OPTIMIZERS):
                st.markdown(f"{sign} {OPTIMIZER_NAMES[name]}: ${RULES[name]}$")

    def code() -> None:
        note(_("This script repeats the race; a test checks that it gives the same numbers."))
        show_code(lab.code(**settings), lab.card.id)

    return {"explain": explain, "trust": lambda: card_panel(lab.card), "code": code}
