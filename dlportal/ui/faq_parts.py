"""What the four answers share: a measurement made on a click, its origin, links to cases."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from dlportal.cards import all_cards
from dlportal.coverage import Place
from dlportal.messages import UserError
from dlportal.ui.errors import show_user_error
from dlportal.ui.language import _
from dlportal.ui.visitor import has_left
from dlportal.ui.words import main_button, note


def percent(value: float) -> str:
    return f"{100 * value:.1f}%"


def within(low: float, high: float) -> str:
    """An interval of shares."""
    return f"{100 * low:.1f}–{100 * high:.1f}%"


def origin(found: dict[str, Any]) -> None:
    """Where a stored measurement comes from."""
    note(
        _("Measured on {date} on {device}: `{command}`").format(
            date=found["date"],
            device=found["device"],
            command=found["command"],
        )
    )


def measured_here(key: str, label: str, work: Callable[[], Any]) -> Any:
    """A button that measures on this machine; the last result of this visit, or None.

    The work runs in the lane that explanations use, so that other visitors' pages stay quick.
    """
    main_button(
        label,
        key=f"run_{key}",
        icon=":material/play_arrow:",
        on_click=lambda: st.session_state.update({f"asked_{key}": True}),
    )
    if st.session_state.pop(f"asked_{key}", False):
        from dlportal.serving import compute

        try:
            with st.spinner(_("Measuring on this machine …"), show_time=True):
                st.session_state[f"found_{key}"] = compute(work, gone=has_left())
        except UserError as error:
            st.session_state.pop(f"found_{key}", None)
            show_user_error(error)
    return st.session_state.get(f"found_{key}")


def see(*places: Place) -> None:
    """Links to the cases that show more; one that is not there is left out."""
    from dlportal.ui.coverage import link

    st.markdown("**" + _("See it in the cases") + "**")
    with st.container(gap="xsmall"):
        for place in places:
            if place.page is not None or place.case in all_cards():
                link(place)
