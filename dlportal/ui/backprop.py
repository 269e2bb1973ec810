"""The backpropagation lab: knobs, the step's phases, the network, what its numbers mean."""

from typing import Any

import streamlit as st

from dlportal.cases.backprop_lab import (
    DEEP_KNOBS,
    FINE_KNOBS,
    KNOBS,
    PLACE_KNOBS,
    TRAINING,
    WEIGHT_KNOBS,
    BackpropLab,
    fitting,
    last_phase,
    weight_of,
)
from dlportal.labs.backprop_data import INPUTS, OUTPUTS
from dlportal.labs.backprop_net import MOST_STEPS, Pass, Training
from dlportal.messages import N_
from dlportal.ui import page
from dlportal.ui.backprop_captions import Look
from dlportal.ui.backprop_charts import border, digit, loss_curve
from dlportal.ui.backprop_drawing import network
from dlportal.ui.backprop_panels import every_number, panels_of
from dlportal.ui.backprop_words import MOST_UNITS, explain_paths, explain_phase, phase_name
from dlportal.ui.charts import show_chart
from dlportal.ui.errors import fragment
from dlportal.ui.knobs import draw_knob, fill_knobs, look_for, seed_button, share_knobs
from dlportal.ui.language import _
from dlportal.ui.words import main_button, note

LEGEND = N_(
    "Solid orange: positive. Dashed blue: negative. Thicker: larger. Click a number on a line to follow that weight, or a unit to write it out."
)
LEGENDS = {
    "values": N_("In a unit its h, below it z; on the lines the weights."),
    "gradients": N_(
        "In a unit δ = ∂L/∂z, below it ∂h = ∂L/∂h; on the lines the weights' gradients."
    ),
    "paths": N_("Everything that the chosen weight's gradient is a product of."),
}
TITLES = {"explain": N_("Is the gradient right?")}


@st.cache_resource(max_entries=24, show_spinner=False)
def training_of(_lab: BackpropLab, settings: tuple) -> Training:
    """One training for all visitors with the same settings; it remembers its steps."""
    return _lab.training(**dict(settings))


@fragment
def lab_and_panels(lab: BackpropLab) -> None:
    """The whole lab in one fragment: a step redraws it and nothing else of the page."""
    fill_knobs(lab.knobs)
    left, right = st.columns([3, 9], gap="large")
    with left:
        draw_knobs()
    s = place(lab)
    training = training_of(lab, tuple((name, s[name]) for name in TRAINING))
    step = training.look(s["t"])
    with right:
        controls(s)
        if step.blown_up:
            blown_up()
        else:
            picture(training, step, s)
    page.panels(lab, None, replaced=panels_of(lab, s, training, step), titles=TITLES)


def draw_knobs() -> None:
    """What is trained on what."""
    for knob in KNOBS:
        draw_knob(knob)
    with st.popover(_("All settings"), icon=":material/tune:", width="stretch"):
        for knob in FINE_KNOBS:
            draw_knob(knob)
    seed_button()
    look_for(_("how one example's error travels back, and which weights get most of the blame."))


def place(lab: BackpropLab) -> dict[str, Any]:
    """All settings, moved into the chosen network and written into the address."""
    state = st.session_state
    s = fitting({knob.name: state[knob.name] for knob in lab.knobs})
    for knob in (*PLACE_KNOBS, *WEIGHT_KNOBS):
        state[knob.name] = s[knob.name]
    # The depth experiment shares its own: it can change without the rest being drawn again.
    mine = [knob for knob in lab.knobs if knob not in DEEP_KNOBS]
    share_knobs(mine, s)
    return s


def controls(s: dict[str, Any]) -> None:
    """Back and on through the phases, whole steps at a time, and where we are."""
    last = last_phase(s["layers"])
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(
            _("Back"),
            key="phase_back",
            icon=":material/arrow_back:",
            on_click=move,
            args=(-1,),
            disabled=s["t"] == 0 and s["phase"] == 0,
        )
        ahead = st.button if "tour_step" in st.session_state else main_button
        ahead(
            _("Next"),
            key="phase_next",
            icon=":material/arrow_forward:",
            icon_position="right",
            on_click=move,
            args=(1,),
            disabled=s["t"] == MOST_STEPS and s["phase"] == last,
        )
        for count in (1, 10, 100):
            st.button(
                _("{n} step").format(n=count) if count == 1 else _("{n} steps").format(n=count),
                key=f"steps_{count}",
                icon=":material/fast_forward:",
                on_click=train,
                args=(count,),
                disabled=s["t"] + count > MOST_STEPS,
            )
        st.button(
            _("Start over"),
            key="start_over",
            icon=":material/restart_alt:",
            on_click=start_over,
            disabled=s["t"] == 0 and s["phase"] == 0,
        )
    st.pills(
        _("Step {n}, phase by phase").format(n=s["t"] + 1),
        list(range(last + 1)),
        format_func=lambda phase: phase_name(phase, s["layers"] + 1),
        key="phase",
        required=True,
        wrap=True,
        on_change=follow,
    )


def follow() -> None:
    """Show values on the way forward and gradients on the way back; paths stay."""
    state = st.session_state
    if state["view"] != "paths":
        state["view"] = "values" if state["phase"] <= state["layers"] else "gradients"


def move(by: int) -> None:
    """One phase on or back, into the next or the last step where one ends."""
    state = st.session_state
    last = last_phase(state["layers"])
    phase = state["phase"] + by
    if phase > last:
        state["t"], phase = min(state["t"] + 1, MOST_STEPS), 0
    elif phase < 0:
        state["t"], phase = max(state["t"] - 1, 0), last
    state["phase"] = phase
    follow()


def train(count: int) -> None:
    """Whole steps; the phase stays, so that one number can be followed over many steps."""
    st.session_state["t"] = min(st.session_state["t"] + count, MOST_STEPS)


def start_over() -> None:
    st.session_state["t"] = st.session_state["phase"] = 0
    follow()


def blown_up() -> None:
    st.warning(
        _(
            "**The training has blown up**: its weights are too large to be numbers. Start over with a smaller learning rate or smaller first weights."
        ),
        icon=":material/info:",
    )


def picture(training: Training, step: Pass, s: dict[str, Any]) -> None:
    """The network, then its numbers beside the data."""
    look = Look(s["phase"], s["view"], weight_of(s), s["activation"])
    view_switch()
    show_chart(
        network(step, look),
        alt=_(
            "The network in step {n}: {phase}; the switch below shows all numbers as tables"
        ).format(n=step.step + 1, phase=phase_name(s["phase"], step.layers)),
        key="network",
        on_select=choose,
        selection_mode="points",
    )
    legend = LEGENDS[s["view"]]
    note(_(legend) + " " + _(LEGEND))
    numbers, data = st.columns([7, 4], gap="large")
    with numbers:
        last = s["phase"] == last_phase(s["layers"])
        if s["view"] == "paths" or s["units"] > MOST_UNITS or last:
            pick_weight(s)
        if s["view"] == "paths":
            explain_paths(step, look)
        else:
            explain_phase(step, look, s["rate"], s["loss"])
    with data:
        show_data(training, step, s)
    if st.toggle(_(PLACE_KNOBS[3].label), key="numbers", persist_state="page"):
        every_number(training, step)


def view_switch() -> None:
    view = PLACE_KNOBS[2]
    names = {choice: _(label) for choice, label in zip(view.choices, view.choice_labels)}
    st.segmented_control(
        _(view.label),
        view.choices,
        format_func=names.__getitem__,
        key="view",
        required=True,
        label_visibility="collapsed",
        persist_state="page",
    )


def choose() -> None:
    """Follow the weight, or write out the unit, that was clicked in the picture."""
    state = st.session_state
    points = state["network"]["selection"]["points"]
    if not points or "customdata" not in points[0]:
        return
    layer, to, source = (int(n) for n in points[0]["customdata"])
    if layer == 0:  # an input has neither weights nor a bias
        return
    state["w_layer"], state["w_to"], state["w_from"] = layer, to, source
    if source:
        state["view"] = "paths"


def pick_weight(s: dict[str, Any]) -> None:
    """The same choice with the keyboard."""
    top = s["layers"] + 1
    sources = INPUTS[s["data"]] if s["w_layer"] == 1 else s["units"]
    targets = OUTPUTS[s["data"]] if s["w_layer"] == top else s["units"]
    options = (list(range(1, top + 1)), list(range(1, targets + 1)), list(range(sources + 1)))

    def named(knob: str) -> Any:
        def name(value: int) -> str:
            if knob == "w_layer" and value == top:
                return _("answer")
            return _("bias") if knob == "w_from" and value == 0 else str(value)

        return name

    for column, knob, choices in zip(st.columns(3, gap="small"), WEIGHT_KNOBS, options):
        with column:
            st.selectbox(_(knob.label), choices, format_func=named(knob.name), key=knob.name)


def show_data(training: Training, step: Pass, s: dict[str, Any]) -> None:
    """How well it does on all examples, where this one lies, and the losses so far."""
    with st.grid(2, min_column_width=110):
        st.metric(_("Loss, all examples"), f"{step.mean_loss:.3f}")
        st.metric(_("Answered right"), f"{100 * step.accuracy:.0f}%")
    if s["data"] == "digits":
        show_chart(digit(step), alt=_("The digit that goes in, 4 by 4 pixels"), key="data_chart")
    else:
        show_chart(
            border(training, step),
            alt=_("The examples and the border between the two answers"),
            key="data_chart",
        )
    steps, losses = training.curve(s["t"])
    if len(steps) > 1:
        show_chart(loss_curve(steps, losses), alt=_("The loss so far"), key="loss_curve")
