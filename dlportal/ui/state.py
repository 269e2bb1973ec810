"""What the address and the session remember of a page.

Widgets of a page have plain keys ("example", "panel", "method"), so that a walkthrough can set
them and a link can carry them. `enter_page` forgets them when the page changes and seeds them
from the address on the first run.
"""

from typing import Any

import streamlit as st

# Session keys that outlive a page.
LASTING = {"language", "page_name", "language_switch", "session_id"}
# Address parameters that seed a page's widgets.
SHARED = ("panel", "example", "method", "domain", "search", "direction")


def enter_page(name: str) -> bool:
    """Note that this page runs; True on the first run after another page."""
    if st.session_state.get("page_name") == name:
        return False
    for key in list(st.session_state.keys()):
        if key not in LASTING:
            del st.session_state[key]
    st.session_state["page_name"] = name
    for key in SHARED:
        if key in st.query_params:
            st.session_state[key] = st.query_params[key]
    step = st.query_params.get("step", "")
    if step.isdigit():
        st.session_state["tour_start"] = int(step)
    return True


def share(key: str, value: Any) -> None:
    """Put a value into the address (None removes it)."""
    if value in (None, ""):
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != str(value):
        st.query_params[key] = str(value)


def valid(key: str, choices: list[str], default: str) -> str:
    """Reset a seeded value that is not a valid choice; returns the value."""
    value = st.session_state.get(key)
    if value not in choices:
        st.session_state[key] = value = default
    return value
