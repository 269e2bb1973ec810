"""What the pages call: open a case, pick an input, run it, show the answer, the panels."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from dlportal.cards import Card, all_cards
from dlportal.messages import UserError
from dlportal.ui.errors import show_user_error
from dlportal.ui.header import header
from dlportal.ui.language import _
from dlportal.ui.router import require_router
from dlportal.ui.tour import begin, tour_bar
from dlportal.ui.visitor import has_left

__all__ = ["columns", "open_case", "open_lab", "panels", "pick_input", "run", "show"]


def open_card(case_id: str) -> Card:
    """Draw the head of the page and its walkthrough bar."""
    require_router()
    card = all_cards()[case_id]
    begin(card)
    header(card)
    tour_bar(card)
    let_it_show()
    return card


def let_it_show() -> None:
    """Let the server send the title: loading torch keeps the interpreter to itself for a second."""
    if "torch" not in sys.modules:
        time.sleep(0.05)


def open_case(case_id: str) -> Any:
    """Draw the head, then load the case; without its weights the card is all there is."""
    card = open_card(case_id)
    status = st.empty()
    try:
        with status, st.skeleton(height=360):
            # Imported here: torch takes seconds, and the title is drawn by now.
            from dlportal.serving import get_case

            case = get_case(case_id, progress=progress_bar(status))
    except UserError as error:
        show_user_error(error)
        from dlportal.ui.panels import card_only

        card_only(card)
        st.stop()
    return case


def progress_bar(place: Any) -> Callable[[int, int], None]:
    """A listener that shows a download's progress in `place`."""

    def listen(done: int, total: int) -> None:
        text = _("Fetching the weights: {done:.0f} of {total:.0f} MB").format(
            done=done / 1e6, total=total / 1e6
        )
        place.progress(min(1.0, done / max(total, 1)), text=text)

    return listen


def open_lab(case_id: str) -> Any:
    """Draw the head and build a lab."""
    card = open_card(case_id)
    from dlportal.case import case_class

    return case_class(case_id)(card)


def columns() -> tuple[Any, Any]:
    """Input on the left, answer on the right."""
    left, right = st.columns([4, 8], gap="large")
    return left, right


def pick_input(case: Any) -> Any:
    """Let the visitor choose an input; the rest of the page waits until there is one."""
    from dlportal.ui.inputs import pick

    try:
        picked = pick(case)
    except UserError as error:
        show_user_error(error)
        picked = None
    return picked


def run(case: Any, picked: Any) -> Any:
    """Predict through the queue that all visitors share; None while there is no input."""
    from dlportal.serving import answer

    if picked is None:
        return None
    try:
        return answer(case, picked.raw, gone=has_left())
    except UserError as error:
        show_user_error(error)
        return None


def show(case: Any, answer: Any) -> None:
    """Draw an answer."""
    from dlportal.ui.views import show as view

    if answer is not None:
        view(answer.result, case.card, answer.seconds)


def panels(
    case: Any,
    picked: Any,
    extra: Mapping[str, Callable[[], None]] | None = None,
    replaced: Mapping[str, Callable[[], None]] | None = None,
    titles: Mapping[str, str] | None = None,
) -> None:
    """The switch between explain, trust, train and code.

    `extra` adds below a panel, `replaced` draws instead of it, `titles` changes its heading.
    """
    from dlportal.ui.panels import panels as draw

    st.space("medium")
    draw(case, picked, extra or {}, replaced or {}, titles or {})
