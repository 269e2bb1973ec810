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
from dlportal.labs.regularization_net import EVERY, METHODS, Trial
from dlportal.messages import N_
from dlportal.ui import page
from dlportal.ui.charts import show_chart
from dlportal.ui.errors import fragment, guard
from dlportal.ui.knobs import draw_knob, seed_knobs, share_knobs
from dlportal.ui.language import _
from dlportal.ui.regularization_charts import border, curves, first_weights, histogram, top_loss
from dlportal.ui.regularization_panels import panels_of
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
    seed_knobs(lab.knobs)
    for knob in lab.knobs:
        st.session_state.setdefault(knob.name, knob.default)
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
        if at() < goal(s):
            watch(pair, s)
        else:
            draw(pair, s)
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
    st.button(_("New seed"), icon=":material/casino:", key="new_seed", on_click=next_seed)
    note(
        "**"
        + _("Look for")
        + "** "
        + _("the border that bends around single points, and the gap between the two losses.")
    )


def next_seed() -> None:
    st.session_state["seed"] = (int(st.session_state["seed"]) + 1) % 1000


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
    """Controls, and both networks side by side, row by row."""
    controls(s)
    shown = (("plain", pair.plain, _("No remedy")), ("chosen", pair.chosen, chosen_name(s)))
    highest = top_loss([trial for _id, trial, _name in shown], at())
    for part in (picture, losses, weights):
        for column, (key, trial, name) in zip(st.columns(2, gap="large"), shown):
            with column:
                part(key, trial, name, highest)
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


def chosen_name(s: dict[str, Any]) -> str:
    """The chosen methods, joined, without what stands in brackets."""
    names = [re.split(r" ?[(（]", _(METHOD_NAMES[m]))[0] for m in METHODS if s[m]]
    return " + ".join(names) or _("Nothing chosen")


def controls(s: dict[str, Any]) -> None:
    """Pause and go on, one step, to the end, start over; and the epoch."""
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
        note(_("Epoch {n} of {all}").format(n=at() * EVERY, all=s["epochs"]), width="content")


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


def head(trial: Trial, name: str) -> None:
    """Whose it is, and its three numbers."""
    frame = trial.frames[trial.kept_frame(at())]
    st.markdown(f"**{name}**")
    with st.grid(3, min_column_width=96):
        st.metric(_("Training accuracy"), f"{100 * frame.train_accuracy:.0f}%")
        st.metric(_("Validation accuracy"), f"{100 * frame.val_accuracy:.0f}%")
        st.metric(_("Gap of the losses"), f"{frame.gap:.2f}")


def picture(key: str, trial: Trial, name: str, highest: float) -> None:
    """Its numbers, and the border among the examples or what the first units look for."""
    head(trial, name)
    frame = trial.frames[trial.kept_frame(at())]
    if trial.task.pictures:
        show_chart(
            first_weights(frame),
            alt=_("First weights of {name} as pictures").format(name=name),
            key=f"picture_{key}",
        )
        note(_("What the first 16 units look for: orange for bright pixels, blue for dark ones."))
    else:
        show_chart(
            border(frame, trial.parts),
            alt=_("Border of {name} among the training points").format(name=name),
            key=f"picture_{key}",
        )


def losses(key: str, trial: Trial, name: str, highest: float) -> None:
    """Both losses with the gap, and where early stopping comes in."""
    alt = _("Training and validation loss of {name}, gap {gap}")
    frame = trial.frames[at()]
    show_chart(
        curves(trial, at(), highest, name),
        alt=alt.format(name=name, gap=f"{frame.gap:.2f}"),
        key=f"losses_{key}",
    )
    note(early_words(trial))


def early_words(trial: Trial) -> str:
    """What early stopping does at this moment, or would do."""
    best, stop = trial.stopping(at())
    if stop is None:
        text = _("★ Lowest validation loss so far: epoch {best}.")
        return text.format(best=best * EVERY)
    if trial.s["early"]:
        text = _("★ Stopped in epoch {stop}; the weights of epoch {best} are kept and shown.")
    else:
        text = _("★ Early stopping would stop in epoch {stop} and keep epoch {best}.")
    return text.format(best=best * EVERY, stop=stop * EVERY)


def weights(key: str, trial: Trial, name: str, highest: float) -> None:
    """How large the weights are, and how many are gone."""
    frame = trial.frames[trial.kept_frame(at())]
    show_chart(
        histogram(frame, name),
        alt=_("Histogram of the weights of {name}, {zero} of them zero").format(
            name=name, zero=f"{100 * frame.zero:.0f}%"
        ),
        key=f"weights_{key}",
    )
    note(
        _(
            "{zero} of {n} weights are exactly zero, {near} are below 0.001 in size; ‖w‖ = {norm}."
        ).format(
            zero=f"{100 * frame.zero:.0f}%",
            near=f"{100 * frame.near:.0f}%",
            n=f"{int(frame.counts.sum()):,}",
            norm=f"{frame.norm:.1f}",
        )
    )
