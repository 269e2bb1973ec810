"""A race on a network: it runs beside the page and is drawn as it goes on."""

import math
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dlportal.cases.optimizer_race import OPTIMIZER_NAMES, OPTIMIZERS, OptimizerRace
from dlportal.labs.live import Live
from dlportal.labs.practice_data import usable
from dlportal.labs.race_nets import Look
from dlportal.ui.drawn import chart, drawn, path
from dlportal.ui.errors import guard, show_user_error
from dlportal.ui.language import _
from dlportal.ui.theme import palette
from dlportal.ui.visitor import has_left
from dlportal.ui.words import main_button, note

REFRESH_SECONDS = 0.4
PACE = 0.04  # seconds a step of the small network at least
SIGNS = ("●", "■", "◆", "▲", "✕")  # as the markers in the picture of a surface


@dataclass
class Running:
    """What runs for this visitor, and for which settings."""

    settings: tuple
    live: Live[Any]


def signed_name(name: str) -> str:
    return f"{SIGNS[OPTIMIZERS.index(name)]} {OPTIMIZER_NAMES[name]}"


def show_loss(value: float) -> str:
    """Three decimals, or the power of ten; a path that left for good says so."""
    if not math.isfinite(value) or value >= 1e4:
        return _("diverged")
    return f"{value:.3f}" if value >= 0.0005 or value == 0 else f"{value:.0e}"


def net_race(lab: OptimizerRace, s: dict[str, Any], settings: tuple) -> None:
    """Start the race that the settings describe, unless it runs already, and draw it."""
    running = st.session_state.get("net_race")
    if running is None or running.settings != settings:
        if running is not None:
            running.live.stop()
        start(lab, s, settings)
        running = st.session_state["net_race"]
    if s["track"] == "fashion" and usable("fashion_mnist") == "digits":
        st.info(
            _(
                "Fashion-MNIST is not on this machine (set DLPORTAL_DATA_DIR). scikit-learn's digits stand in."
            ),
            icon=":material/info:",
        )
    if running.live.active:
        watch(lab, s)
    else:
        halt(lab, s)


def start(lab: OptimizerRace, s: dict[str, Any], settings: tuple) -> None:
    """Put a new race on the track; the small network's would be over before one sees it."""
    pace = PACE if s["track"] == "net" else 0.0
    live = Live(lab.looks(**s), has_left(), pace)
    st.session_state["net_race"] = Running(settings, live)


@st.fragment(run_every=REFRESH_SECONDS)
def watch(lab: OptimizerRace, s: dict[str, Any]) -> None:
    """Redraw a race that goes on; at its end, redraw the page."""
    with guard():
        if not st.session_state["net_race"].live.active:
            st.rerun()
        draw(lab, s)


@st.fragment
def halt(lab: OptimizerRace, s: dict[str, Any]) -> None:
    """A race that is over, at the same place of the page."""
    with guard():
        if st.session_state["net_race"].live.active:
            st.rerun()
        draw(lab, s)


def draw(lab: OptimizerRace, s: dict[str, Any]) -> None:
    """Buttons, how far it is, and the curves."""
    running: Running = st.session_state["net_race"]
    race_buttons(running.live, lab, s, running.settings)
    looks = running.live.look()
    if running.live.error is not None:
        show_user_error(running.live.error)
    if not looks:
        note(_("Getting ready"))
        return
    note(_("Step {n} of {all}").format(n=looks[-1].step, all=s["steps"]))
    drawn([curves(looks, s["steps"])], key="net_curves", columns=1)
    words(looks[-1], s)


def race_buttons(live: Live, lab: OptimizerRace, s: dict[str, Any], settings: tuple) -> None:
    with st.container(horizontal=True, gap="small"):
        press = st.button if "tour_step" in st.session_state else main_button
        if not live.active:
            press(
                _("Again"),
                key="race_again",
                icon=":material/play_arrow:",
                on_click=start,
                args=(lab, s, settings),
            )
            return
        live_buttons(live, "race", press)


def live_buttons(live: Live, name: str, press: Any = st.button) -> None:
    """Pause, go on, one step, stop, for a run that goes on or is paused."""
    if live.state == "paused":
        press(_("Go on"), key=f"{name}_on", icon=":material/play_arrow:", on_click=live.go_on)
    else:
        press(_("Pause"), key=f"{name}_pause", icon=":material/pause:", on_click=live.pause)
    st.button(
        _("One step"),
        key=f"{name}_step",
        icon=":material/skip_next:",
        on_click=live.step,
        disabled=live.state != "paused",
    )
    st.button(_("Stop"), key=f"{name}_stop", icon=":material/stop:", on_click=live.stop)


def curves(looks: list[Look], steps: int) -> dict[str, Any]:
    """The five losses so far, with their last values above; what has diverged leaves the chart."""
    at = [look.step for look in looks]
    layers = []
    for index, name in enumerate(OPTIMIZERS):
        losses = [look.losses[name] for look in looks]
        shown = [round(loss, 4) if math.isfinite(loss) else None for loss in losses]
        layers.append(path(at, shown, OPTIMIZER_NAMES[name], index))
    start = max(looks[0].losses.values())
    return chart(
        layers,
        340,
        {"range": [0, steps], "title": _("step")},
        {"range": [0, 1.4 * start], "title": _("loss"), "grid": palette().grid},
        _("Loss of the five optimizers"),
        numbers=[(signed_name(name), show_loss(looks[-1].losses[name])) for name in OPTIMIZERS],
    )


def words(look: Look, s: dict[str, Any]) -> None:
    """On what the loss is measured, and how good the best network is."""
    best = max(look.accuracy.values())
    if s["track"] == "net":
        text = _("Loss on all points after {steps} steps; the best net gets {best} of them right.")
    else:
        text = _(
            "Loss on held-out pictures after {steps} steps; the best net gets {best} of them right. All five see the same batches of 32 pictures."
        )
    note(text.format(steps=look.step, best=f"{100 * best:.1f}%"))
