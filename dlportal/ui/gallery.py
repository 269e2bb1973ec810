"""The gallery: thumbnails by domain, with a filter and a search."""

import base64
from functools import cache

import streamlit as st

from dlportal.cards import DOMAINS, Card, all_cards, show_value
from dlportal.ui.errors import fragment
from dlportal.ui.language import _, language
from dlportal.ui.router import DOMAIN_ICONS, DOMAIN_NAMES, page_of
from dlportal.ui.state import share
from dlportal.ui.words import PROVENANCE, main_button, metric_name

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
    groups = [[card for card in shown if card.domain == name] for name in domains]
    if len(shown) < CROWD * len([group for group in groups if group]):
        grid(shown, with_domain=True)  # rows of one or two tiles would look torn apart
        return
    for name, group in zip(domains, groups):
        if group:
            st.header(_(DOMAIN_NAMES[name]), anchor=False)
            grid(group)
            st.space("small")


def grid(cards: list[Card], with_domain: bool = False) -> None:
    with st.grid(5, min_column_width=160, gap=(24, 20)):
        for card in cards:
            tile(card, with_domain)


def matches(card: Card, search: str) -> bool:
    """Every word of the search stands in the id, a title, a summary or the model, any case."""
    text = " ".join(
        (card.id, card.title.en, card.title.zh, card.summary.en, card.summary.zh, card.model)
    ).lower()
    return all(word in text for word in search.lower().split())


@cache
def thumbnail(case_id: str) -> str:
    """A case's picture, decorative, as HTML.

    `st.image` would decode it at every rerun, send a JPEG three times as large, and offer a
    button to enlarge it.
    """
    if not all_cards()[case_id].thumbnail.exists():
        return ""
    data = base64.b64encode(all_cards()[case_id].thumbnail.read_bytes()).decode()
    style = "display:block;width:100%;aspect-ratio:8/5;border-radius:0.625rem"
    return f'<img src="data:image/webp;base64,{data}" alt="" style="{style}">'


def tile(card: Card, with_domain: bool) -> None:
    """Thumbnail, title, one sentence, provenance and the main number."""
    lang = language()
    above = domain_line(_(DOMAIN_NAMES[card.domain])) if with_domain else ""
    with st.container(gap="xsmall"):
        st.html(above + thumbnail(card.id))
        st.page_link(page_of(card.id), label=f"**{card.title(lang)}**")
        st.markdown(facts(card))


def domain_line(name: str) -> str:
    """A domain's name above a picture, in the same element as the picture."""
    return f'<div style="font-size:0.875rem;opacity:0.75;margin-bottom:0.375rem">{name}</div>'


def facts(card: Card) -> str:
    """The sentence, the provenance and the main number of a tile, as one text.

    One element, not four: every element costs the browser milliseconds before anything shows, and
    the server, beside other visitors, a wait for its turn.
    """
    label, color, icon = PROVENANCE[card.provenance]
    lines = f":small[:gray[{card.summary(language())}]]  \n:{color}-badge[{icon} {_(label)}]"
    if card.main is None:
        return lines
    return f"{lines} :small[:gray[{metric_name(card.main.name)} **{show_value(card.main)}**]]"
