"""The regularization lab: knobs, the two trainings as they go on, and where the visitor stands."""

import re
import time
from typing import Any

import streamlit as st

from dlportal.cases.regularization_lab import (
    DATA_KNOB,
    FINE_KNOBS,
    METHOD_KNOBS,
    METHOD_NAMES,
    MOST_EPOCHS,
    STRENGTHS,
    T_KNOB,
    TRAINING,
    Pair,
    RegularizationLab,
)
from dlportal.labs.regularization_data import can_be_had
from dlportal.labs.regularization_net import EVERY, METHODS
from dlportal.messages import N_
from dlportal.ui import page
from dlportal.ui.drawn import drawn
from dlportal.ui.errors import fragment, guard
from dlportal.ui.knobs import draw_knob, fill_knobs, look_for, seed_button, share_knobs
from dlportal.ui.language import _
from dlportal.ui.regularization_drawn import networks
from dlportal.ui.state import share
from dlportal.ui.words import main_button, note

TICK = 0.4  # seconds between two looks at a training
PACE = 4  # frames a tick: as fast as an eye can follow
WORK = 0.1  # seconds of training a tick at most; other visitors want the processor too
TITLES = {"explain": N_("How does it work?"), "trust": N_("Is the difference real?")}


@st.cache_resource(max_entries=12, show_spinner=False)
def pair_of(_lab: RegularizationLab, settings: tuple) -> Pair:
    """One pair of trainings for all visitors with the same settings; it remembers its frames."""
    return _lab.pair(**dict(settings))


@fragment
def lab_and_panels(lab: RegularizationLab) -> None:
    """The whole lab in one fragment: a step redraws it and nothing else of the page."""
    fill_knobs(lab.knobs)
    left, right = st.columns([3, 9], gap="large")
    with left:
        draw_knobs()
    s = place(lab)
    with right:
        if not can_be_had(st.session_state["data"]):
            st.info(
                _(
                    "Fashion-MNIST is not on this machine (set DLPORTAL_DATA_DIR). scikit-learn's digits stand in."
                ),
                icon=":material/info:",
            )
        pair = pair_of(lab, tuple((name, s[name]) for name in TRAINING))
        if goal(s) - at() <= 1:  # a single step needs no ticking
            go_on(pair, s)
        controls(s)
        if at() < goal(s):
            watch(pair, s)
        else:
            halt(pair, s)
    # After the first picture: it brings plotly.
    from dlportal.ui.regularization_panels import panels_of

    page.panels(lab, None, replaced=panels_of(lab, s, pair, at()), titles=TITLES)


def draw_knobs() -> None:
    """What is learnt, which remedies, how strong."""
    draw_knob(DATA_KNOB)
    st.markdown("**" + _("Remedies") + "**")
    for name, knob in METHOD_KNOBS.items():
        on = draw_knob(knob)
        if on and name in STRENGTHS:
            draw_knob(STRENGTHS[name])
    with st.popover(_("All settings"), icon=":material/tune:", width="stretch"):
        for knob in FINE_KNOBS:
            draw_knob(knob)
    seed_button()
    look_for(_("the border that bends around single points, and the gap between the two losses."))


def place(lab: RegularizationLab) -> dict[str, Any]:
    """All settings, in the address too; other settings than last time start a new training."""
    state = st.session_state
    s = lab.settings({knob.name: state[knob.name] for knob in lab.knobs})
    share_knobs([knob for knob in lab.knobs if knob != T_KNOB], s)
    if not can_be_had(s["data"]):
        s["data"] = "digits"
    now = tuple(s[name] for name in TRAINING)
    if state.get("training") != now:
        if "training" in state:
            state["t"] = MOST_EPOCHS
            s["t"] = s["epochs"]
        state["training"], state["at"], state["hurry"] = now, 0, False
    share("t", s["t"] if s["t"] < s["epochs"] else None)
    return s


def at() -> int:
    """The frame that this visitor sees."""
    return int(st.session_state.get("at", 0))


def goal(s: dict[str, Any]) -> int:
    """The frame at which this visitor's training halts."""
    return min(int(st.session_state["t"]), s["epochs"]) // EVERY


def go_on(pair: Pair, s: dict[str, Any]) -> None:
    """Some frames further towards the goal, trained where nobody has trained them yet."""
    end = time.monotonic() + WORK
    last = goal(s)
    if not st.session_state["hurry"]:
        last = min(last, at() + PACE)
    while at() < last and time.monotonic() < end:
        if pair.frames() <= at() + 1:
            pair.advance()
        st.session_state["at"] = at() + 1


@st.fragment(run_every=TICK)
def watch(pair: Pair, s: dict[str, Any]) -> None:
    """Redraw a training that goes on; once it halts, redraw the whole lab."""
    with guard():
        go_on(pair, s)
        if at() >= goal(s):
            st.rerun()
        draw(pair, s)


def draw(pair: Pair, s: dict[str, Any]) -> None:
    """Both networks side by side, row by row, in one element that stays."""
    note(_("Epoch {n} of {all}").format(n=at() * EVERY, all=s["epochs"]))
    shown = ((pair.plain, _("No remedy")), (pair.chosen, chosen_name(s)))
    drawn(networks(shown, at()), key="networks")
    if pair.chosen.learns_nothing(at()):
        st.info(
            _(
                "**Too strong**: your network hardly learns its training examples any more (underfitting). Lower a strength or take a remedy away."
            ),
            icon=":material/info:",
        )
    note(
        _(
            "Solid: training. Dashed: validation, {n} other examples with as many wrong labels. Both without penalty, dropout and augmentation."
        ).format(n=len(pair.plain.parts.val_y))
    )


@fragment
def halt(pair: Pair, s: dict[str, Any]) -> None:
    """A training that stands still, at the same place of the page as one that goes on."""
    draw(pair, s)


def chosen_name(s: dict[str, Any]) -> str:
    """The chosen methods, joined, without what stands in brackets."""
    names = [re.split(r" ?[(（]", _(METHOD_NAMES[m]))[0] for m in METHODS if s[m]]
    return " + ".join(names) or _("Nothing chosen")


def controls(s: dict[str, Any]) -> None:
    """Pause and go on, one step, to the end, start over."""
    moving = at() < goal(s)
    over = at() * EVERY >= s["epochs"]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        press = st.button if "tour_step" in st.session_state else main_button
        press(
            _("Pause") if moving else _("Again") if over else _("Go on"),
            key="play",
            icon=":material/pause:" if moving else ":material/play_arrow:",
            on_click=play,
            args=(s["epochs"],),
        )
        st.button(
            _("One step"),
            key="one_step",
            icon=":material/skip_next:",
            on_click=one_step,
            disabled=over,
            help=_("{n} epochs").format(n=EVERY),
        )
        st.button(
            _("To the end"),
            key="to_the_end",
            icon=":material/fast_forward:",
            on_click=to_the_end,
            disabled=over,
        )
        st.button(
            _("Stop"),
            key="stop",
            icon=":material/stop:",
            on_click=stop,
            disabled=at() == 0 and not moving,
            help=_("Back to the untrained networks"),
        )


def play(epochs: int) -> None:
    """Pause, go on, or once more from the start."""
    state = st.session_state
    moving = at() * EVERY < min(int(state["t"]), epochs)
    state["hurry"] = False
    if moving:
        state["t"] = at() * EVERY
        return
    if at() * EVERY >= epochs:
        state["at"] = 0
    state["t"] = MOST_EPOCHS


def one_step() -> None:
    st.session_state["t"] = (at() + 1) * EVERY


def to_the_end() -> None:
    st.session_state["t"], st.session_state["hurry"] = MOST_EPOCHS, True


def stop() -> None:
    """Back to untrained."""
    st.session_state["t"] = st.session_state["at"] = 0
