"""The gallery: thumbnails by domain, with a filter and a search."""

import streamlit as st

from dlportal.cards import DOMAINS, Card, all_cards
from dlportal.ui.errors import fragment
from dlportal.ui.language import _
from dlportal.ui.router import DOMAIN_ICONS, DOMAIN_NAMES, page_of
from dlportal.ui.state import share
from dlportal.ui.tiles import tiles
from dlportal.ui.words import main_button

CROWD = 3  # cases a domain from which on each domain gets its own heading
TOUR_FIRST = "imagenet_classification"  # where the guided tour begins


def gallery() -> None:
    """Hero, two ways on, then the cases."""
    st.title(_("Deep learning you can try, question and check"), anchor=False)
    st.markdown(
        _(
            "Every case runs live: give it an input, see why it answered, read how far to trust it, train it again, take the code."
        )
    )
    with st.container(horizontal=True, gap="small"):
        if TOUR_FIRST in all_cards() and main_button(
            _("Start with a guided tour"), key="tour_first", icon=":material/flag:"
        ):
            st.switch_page(page_of(TOUR_FIRST), query_params={"step": "1"})
        if st.button(_("All measured results"), key="to_scores", icon=":material/table_chart:"):
            st.switch_page(page_of("scorecard"))
    st.space("small")
    cases()


@fragment
def cases() -> None:
    """Filter and cards; a fragment, since every key of the search redraws it."""
    # A case without its page cannot be linked to; it is missing here and nowhere else.
    cards = [card for card in all_cards().values() if page_of(card.id).exists()]
    domains = [d for d in DOMAINS if any(card.domain == d for card in cards)]
    if st.session_state.get("domain") not in domains:
        st.session_state["domain"] = None
    left, right = st.columns([8, 2], vertical_alignment="center")
    with left:
        domain = st.pills(
            _("Domain"),
            domains,
            format_func=lambda d: f"{DOMAIN_ICONS[d]} {_(DOMAIN_NAMES[d])}",
            key="domain",
            label_visibility="collapsed",
            wrap=True,
            on_change=lambda: share("domain", st.session_state.get("domain")),
        )
    with right:
        search = st.text_input(
            _("Search"),
            key="search",
            placeholder=_("Search {n} cases").format(n=len(cards)),
            icon=":material/search:",
            label_visibility="collapsed",
        )
    shown = [c for c in cards if (domain is None or c.domain == domain) and matches(c, search)]
    if not shown:
        st.info(_("No case fits. Clear the search or choose another domain."))
    groups = [(name, [card for card in shown if card.domain == name]) for name in domains]
    groups = [(name, group) for name, group in groups if group]
    if len(shown) < CROWD * len(groups):  # rows of one or two tiles would look torn apart
        open_chosen(tiles([("", shown)], True))
    else:
        open_chosen(tiles([(_(DOMAIN_NAMES[name]), group) for name, group in groups], False))


def open_chosen(case_id: str | None) -> None:
    """Go to the case that was clicked, if one was."""
    if case_id in all_cards():
        st.switch_page(page_of(case_id))


def matches(card: Card, search: str) -> bool:
    """Every word of the search stands in the id, a title, a summary or the model, any case."""
    text = " ".join(
        (card.id, card.title.en, card.title.zh, card.summary.en, card.summary.zh, card.model)
    ).lower()
    return all(word in text for word in search.lower().split())
