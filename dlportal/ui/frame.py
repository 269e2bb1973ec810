"""The frame of every page: logo, breadcrumb, language switch, and the guard around it."""

from typing import Any

import streamlit as st

from dlportal.cards import all_cards
from dlportal.serving import freeze_imports
from dlportal.ui.brand import brand
from dlportal.ui.errors import guard
from dlportal.ui.language import _, language_switch
from dlportal.ui.router import DOMAIN_NAMES, OTHERS
from dlportal.ui.state import enter_page
from dlportal.ui.words import note

WIDTH = 1200  # pixels; longer lines are hard to read


def frame(page: Any) -> None:
    """Draw the frame and run the page inside it."""
    st.set_page_config(page_title=f"{page.title} · DL Portal", layout="wide")
    brand()
    name = page.url_path or "home"
    enter_page(name)
    with st.container(horizontal_alignment="center"), st.container(width=WIDTH):
        top = st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        )
        with top:
            note(breadcrumb(name), width="content")
            language_switch()
        with guard():
            page.run()
    freeze_imports()  # Streamlit collects garbage after every run


def breadcrumb(name: str) -> str:
    """Where this page stands: "Gallery / Vision"."""
    cards = all_cards()
    if name == "home":
        domains = len({card.domain for card in cards.values()})
        return _("{cases} live cases · {domains} domains").format(cases=len(cards), domains=domains)
    card = cards.get(name)
    here = _(OTHERS[name][0]) if card is None else _(DOMAIN_NAMES[card.domain])
    return f"{_('Gallery')} / {here}"
