"""The walkthrough: a bar at the bottom whose steps set up the page."""

import streamlit as st

from dlportal.cards import Card, Step
from dlportal.ui.language import _, language
from dlportal.ui.state import share
from dlportal.ui.words import main_button, note


def go(card: Card, index: int) -> None:
    """Open a step (0-based) and set up the page for it; outside the tour's range it ends."""
    steps = card.tour()
    if not 0 <= index < len(steps):
        end_tour()
        return
    st.session_state["tour_step"] = index
    share("step", index + 1)
    set_up(steps[index])


def set_up(step: Step) -> None:
    if step.panel is not None:
        st.session_state["panel"] = step.panel
        share("panel", step.panel)
    for key, value in step.settings.items():
        st.session_state[key] = value


def start_tour() -> None:
    """Ask for the first step; the bar, which knows the card, opens it."""
    st.session_state["tour_start"] = 1


def end_tour() -> None:
    st.session_state.pop("tour_step", None)
    share("step", None)


def begin(card: Card) -> None:
    """Open the step that a link or the button asked for, before any widget is drawn."""
    asked = st.session_state.pop("tour_start", None)
    if asked is not None:
        go(card, min(asked, len(card.tour())) - 1)


def tour_bar(card: Card) -> None:
    """Draw the bar if a walkthrough is on."""
    index = st.session_state.get("tour_step")
    if index is None:
        return
    steps = card.tour()
    step = steps[index]
    with (
        st.bottom,
        st.container(horizontal_alignment="center"),
        st.container(width=1200),
        st.container(border=True),
        st.container(horizontal=True, vertical_alignment="center", gap="small"),
    ):
        with st.container(width="stretch", gap="xsmall"):
            see = _("See it")  # not inside the f-string, where extraction would miss it
            # Raw Markdown brackets keep the anchor a link within the page.
            st.markdown(
                f":primary[{index + 1} / {len(steps)}] **{step.title(language())}**  "
                f"[{see} ↓](#{step.anchor})"
            )
            note(card.fill(step.text(language())))
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            if index > 0:
                st.button(
                    _("Back"),
                    key="tour_back",
                    icon=":material/arrow_back:",
                    on_click=go,
                    args=(card, index - 1),
                )
            last = index == len(steps) - 1
            main_button(
                _("Finish") if last else _("Next"),
                key="tour_next",
                icon=":material/check:" if last else ":material/arrow_forward:",
                icon_position="right",
                on_click=go,
                args=(card, index + 1),
            )
            st.button(
                "",
                key="tour_close",
                type="tertiary",
                icon=":material/close:",
                help=_("End the walkthrough"),
                on_click=end_tour,
            )
