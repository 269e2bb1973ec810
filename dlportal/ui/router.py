"""The router: which pages there are, and a guard against Streamlit's older one."""

import logging
from copy import copy
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from dlportal.cards import DOMAINS, Card, all_cards
from dlportal.messages import N_
from dlportal.ui.language import _, language

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ROOT / "pages"

DOMAIN_NAMES = {
    "foundations": N_("Foundations"),
    "vision": N_("Vision"),
    "language": N_("NLP"),
    "speech": N_("Speech"),
    "medical": N_("Medical"),
    "finance": N_("Finance"),
    "reinforcement": N_("Reinforcement"),
    "frontiers": N_("Frontiers"),
}
DOMAIN_ICONS = {
    "foundations": ":material/foundation:",
    "vision": ":material/visibility:",
    "language": ":material/translate:",
    "speech": ":material/graphic_eq:",
    "medical": ":material/monitor_heart:",
    "finance": ":material/candlestick_chart:",
    "reinforcement": ":material/sports_esports:",
    "frontiers": ":material/rocket_launch:",
}
# Pages that are not cases: file, title, icon.
HOME = (N_("Gallery"), ":material/grid_view:")
OTHERS = {
    "scorecard": (N_("Scorecard"), ":material/table_chart:"),
    "coverage": (N_("The article"), ":material/article:"),
    "faq": (N_("Four questions"), ":material/help:"),
}

log = logging.getLogger(__name__)


def require_router() -> None:
    """Make sure that `portal.py` runs: the first call of every page.

    On a fresh server Streamlit believes in the `pages/` folder until the first session has
    called `st.navigation`; a cold deep link would then run a page on its own.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def page_of(case_id: str) -> Path:
    return PAGES / f"{case_id}.py"


def sections() -> dict[str, list]:
    """All pages by section, titled in the session's language; a missing file is left out."""
    # Copies: `st.navigation` marks the page that may run, each session its own.
    return {name: [copy(page) for page in pages] for name, pages in built(language()).items()}


@cache
def built(lang: str) -> dict[str, list]:
    """The pages in the session's language `lang`; kept, since Streamlit looks up every file."""
    home = st.Page(
        PAGES / "home.py",
        title=_(HOME[0]),
        icon=HOME[1],
        url_path="home",
        default=True,
    )
    found: dict[str, list] = {"": [home]}
    for domain in DOMAINS:
        pages = [case_page(card, lang) for card in all_cards().values() if card.domain == domain]
        pages = [page for page in pages if page is not None]
        if pages:
            found[_(DOMAIN_NAMES[domain])] = pages
    found[_("More")] = [
        st.Page(page_of(name), title=_(title), icon=icon, url_path=name)
        for name, (title, icon) in OTHERS.items()
    ]
    return found


def case_page(card: Card, lang: str) -> "st.Page | None":  # type: ignore[valid-type]
    path = page_of(card.id)
    if not path.exists():
        log.warning("%s has no page; it is left out of the navigation", card.id)
        return None
    return st.Page(path, title=card.title(lang), icon=card.icon, url_path=card.id)
