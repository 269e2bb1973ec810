"""The optimizer race: knobs, and the animated picture of a race on a surface."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dlportal.cases.optimizer_race import (
    FINE_KNOBS,
    KAPPA_KNOB,
    KNOBS,
    NETS,
    OPTIMIZER_NAMES,
    OPTIMIZERS,
    RACING,
    TRACK_KNOB,
    OptimizerRace,
    Race,
)
from dlportal.labs.race_surfaces import Surface, height_map, optimum, surface_of
from dlportal.ui.charts import DASHES, MARKERS, line, show_chart, style
from dlportal.ui.knobs import draw_knob, fill_knobs, look_for, seed_button, share_knobs
from dlportal.ui.language import _
from dlportal.ui.playback import add_playback
from dlportal.ui.race_net import net_race, show_loss, signed_name
from dlportal.ui.theme import palette
from dlportal.ui.words import note

FRAMES = 40  # of the animation; more only makes the page heavier
FRAME_MS = 60


@st.cache_data(max_entries=64, show_spinner=False)
def raced(_lab: OptimizerRace, settings: tuple) -> Race:
    """The finished race; the same settings are computed once for all visitors."""
    *_frames, last = _lab.run(**dict(settings))
    return last


def racing(s: dict[str, Any]) -> tuple:
    """The settings that decide a race, as a key."""
    return tuple((name, s[name]) for name in RACING)


def knobs_and_picture(lab: OptimizerRace) -> dict[str, Any]:
    """Knobs at the left, the race at the right; returns the settings."""
    fill_knobs(lab.knobs)
    left, right = st.columns([3, 9], gap="large")
    with left:
        draw_knobs()
    s = lab.settings({knob.name: st.session_state[knob.name] for knob in lab.knobs})
    share_knobs(lab.knobs, s)
    with right:
        if s["track"] in NETS:
            net_race(lab, s, racing(s))
        else:
            surface_race(raced(lab, racing(s)), s)
    return s


def draw_knobs() -> None:
    """Where to race, and how."""
    track = draw_knob(TRACK_KNOB)
    if track == "regression":
        draw_knob(KAPPA_KNOB)
    for knob in KNOBS:
        draw_knob(knob)
    with st.popover(_("All settings"), icon=":material/tune:", width="stretch"):
        for knob in FINE_KNOBS:
            draw_fine(knob)
    seed_button()
    look_for(_("who overshoots the bend, who stalls on the flat, who is fooled by noise."))


def surface_race(race: Race, s: dict[str, Any]) -> None:
    """The animated paths, the final losses, and what is known of a regression beforehand."""
    picture = animated(race, surface_of(s))
    show_chart(picture, alt=_("Paths of the five optimizers on the surface"), key="race")
    finals(race)
    if s["track"] == "regression":
        closed_form(s)


def closed_form(s: dict[str, Any]) -> None:
    """The optimum without any search, and which rates can work."""
    best = optimum(s["kappa"], s["seed"])
    w = ", ".join(f"{value:.3f}" for value in best.w)
    st.markdown(rf"$$w^* = (X^\top X)^{{-1}} X^\top y = ({w})$$")
    st.markdown(
        rf"$$\kappa = \frac{{\lambda_{{\max}}}}{{\lambda_{{\min}}}} = "
        rf"\frac{{{best.curvatures[0]:.3g}}}{{{best.curvatures[1]:.3g}}} = {best.kappa:.3g}$$"
    )
    note(
        _(
            "The star is this closed form; λ are the eigenvalues of XᵀX/n. Plain SGD without noise diverges above {limit}. At its best η, {rate}, the distance shrinks to {factor} of itself in every step: the worse the condition, the slower."
        ).format(
            limit=rf"$\eta = 2/\lambda_{{\max}} = {best.limit:.3g}$",
            rate=f"{best.best_rate:.3g}",
            factor=f"{best.best_factor:.3f}",
        )
    )


def draw_fine(knob: Any) -> Any:
    """A knob whose label may name its optimizer."""
    name = knob.name.removeprefix("factor_")
    if name == knob.name:
        return draw_knob(knob)
    return draw_knob(knob, label=_(knob.label).format(name=OPTIMIZER_NAMES[name]))


def finals(race: Race) -> None:
    """The five final losses."""
    with st.grid(5, min_column_width=110):
        for name in OPTIMIZERS:
            st.metric(signed_name(name), show_loss(race.losses[name][-1]))
    note(
        _(
            "Loss above the minimum after {steps} steps. Marks and dashes tell the paths apart without colour."
        ).format(steps=len(race.at) - 1)
    )


def animated(race: Race, surface: Surface) -> go.Figure:
    """Contours with the five paths; play, pause and a slider run in the browser."""
    colors = palette()
    x, y, z = height_map(surface)
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
    steps = len(race.at) - 1
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
    fig.update_layout(margin_b=110)
    add_playback(fig, [str(stop) for stop in stops], FRAME_MS, -0.12, len(stops) - 1)
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


def loss_curves(race: Race, height: int) -> go.Figure:
    """Losses above the minimum step by step, on a log scale."""
    fig = go.Figure()
    for index, name in enumerate(OPTIMIZERS):
        losses = np.clip(np.nan_to_num(race.losses[name], nan=1e6, posinf=1e6), 1e-6, 1e6)
        fig.add_trace(
            line(race.at.tolist(), losses.round(7).tolist(), OPTIMIZER_NAMES[name], index)
        )
    style(fig, height=height, legend=True)
    fig.update_xaxes(title_text=_("step"))
    title = _("loss above the minimum")
    fig.update_yaxes(title_text=title, type="log", dtick=1, exponentformat="power")
    return fig
