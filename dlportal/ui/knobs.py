"""Settings as widgets: what a method or a lab declares becomes a slider or a choice."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from dlportal.case import Knob
from dlportal.ui.language import _
from dlportal.ui.state import share, valid
from dlportal.ui.words import note


def draw_knob(knob: Knob, prefix: str = "", label: str | None = None) -> Any:
    """Draw one knob; its widget key is `prefix + knob.name`, its name `label` or its own."""
    key = prefix + knob.name
    label = label or _(knob.label)
    common: dict[str, Any] = {"key": key, "persist_state": "page"}
    common["help"] = _(knob.help) if knob.help else None
    if knob.choices:
        names = dict(zip(knob.choices, knob.choice_labels or knob.choices))
        if st.session_state.get(key) not in knob.choices:
            st.session_state[key] = knob.default
        return st.pills(
            label,
            knob.choices,
            format_func=lambda c: _(names[c]),
            required=True,
            wrap=True,
            **common,
        )
    if key not in st.session_state:
        st.session_state[key] = knob.default
    if isinstance(knob.default, bool):
        return st.toggle(label, **common)
    return st.slider(
        label,
        min_value=knob.low,
        max_value=knob.high,
        step=knob.step,
        format="%.4g",
        **common,
    )


def draw_knobs(knobs: Sequence[Knob], prefix: str = "") -> dict[str, Any]:
    """Draw knobs in a popover; returns their values by name."""
    if not knobs:
        return {}
    with st.popover(_("Settings"), icon=":material/tune:"):
        return {knob.name: draw_knob(knob, prefix) for knob in knobs}


def seed_button() -> None:
    """Another random seed for the widget or setting "seed"."""
    st.button(_("New seed"), icon=":material/casino:", key="new_seed", on_click=next_seed)


def next_seed() -> None:
    st.session_state["seed"] = (int(st.session_state["seed"]) + 1) % 1000


def look_for(what: str) -> None:
    """What to watch in a lab, in one line."""
    note("**" + _("Look for") + "** " + what)


def fill_knobs(knobs: Sequence[Knob]) -> None:
    """Settings from the address, else their defaults: all have a value before they are drawn."""
    seed_knobs(knobs)
    for knob in knobs:
        st.session_state.setdefault(knob.name, knob.default)


def seed_knobs(knobs: Sequence[Knob]) -> None:
    """Take settings from the address, once a visit of the page; what does not fit is ignored."""
    if st.session_state.get("knobs_seeded"):
        return
    st.session_state["knobs_seeded"] = True
    for knob in knobs:
        given = st.query_params.get(knob.name)
        value = parse(knob, given) if given is not None else None
        if value is not None and knob.name not in st.session_state:
            st.session_state[knob.name] = value


def parse(knob: Knob, text: str) -> Any:
    """A knob's value from the address, or None if it does not fit."""
    if knob.choices:
        return text if text in knob.choices else None
    if isinstance(knob.default, bool):
        return {"true": True, "false": False}.get(text.lower())
    try:
        value: Any = type(knob.default)(float(text))
    except (ValueError, OverflowError):
        return None
    inside = knob.low is None or knob.high is None or knob.low <= value <= knob.high
    return value if inside else None


def share_knobs(knobs: Sequence[Knob], values: dict[str, Any]) -> None:
    """Keep the address in step: only what differs from the defaults."""
    for knob in knobs:
        value = values[knob.name]
        share(knob.name, None if value == knob.default else value)


def choose_one(
    label: str,
    names: Mapping[str, str],
    key: str = "view",
    width: Literal["content", "stretch"] = "content",
    on_change: Callable[[], None] | None = None,
) -> str:
    """One of a few views or modes, as buttons that hang together; the first at the start.

    Args:
        label: What is chosen, for screen readers.
        names: From ids to names, marked with `N_`.
        key: Of the widget.
        width: Of the row of buttons.
        on_change: Called before the page runs again with another choice.
    """
    choices = list(names)
    current = valid(key, choices, choices[0])
    chosen = st.segmented_control(
        label,
        choices,
        format_func=lambda choice: _(names[choice]),
        key=key,
        required=True,
        label_visibility="collapsed",
        width=width,
        wrap=True,
        persist_state="page",
        on_change=on_change,
    )
    return chosen or current
