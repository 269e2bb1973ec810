"""Settings as widgets: what a method or a lab declares becomes a slider or a choice."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dlportal.case import Knob
from dlportal.ui.language import _


def draw_knob(knob: Knob, prefix: str = "") -> Any:
    """Draw one knob; its widget key is `prefix + knob.name`."""
    key = prefix + knob.name
    common: dict[str, Any] = {"key": key, "persist_state": "page"}
    common["help"] = _(knob.help) if knob.help else None
    if knob.choices:
        names = dict(zip(knob.choices, knob.choice_labels or knob.choices))
        if st.session_state.get(key) not in knob.choices:
            st.session_state[key] = knob.default
        return st.pills(
            _(knob.label),
            knob.choices,
            format_func=lambda c: _(names[c]),
            required=True,
            **common,
        )
    if key not in st.session_state:
        st.session_state[key] = knob.default
    if isinstance(knob.default, bool):
        return st.toggle(_(knob.label), **common)
    return st.slider(
        _(knob.label), min_value=knob.low, max_value=knob.high, step=knob.step, **common
    )


def draw_knobs(knobs: Sequence[Knob], prefix: str = "") -> dict[str, Any]:
    """Draw knobs in a popover; returns their values by name."""
    if not knobs:
        return {}
    with st.popover(_("Settings"), icon=":material/tune:"):
        return {knob.name: draw_knob(knob, prefix) for knob in knobs}
