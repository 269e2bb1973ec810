"""Title, one sentence, badges, and the way into the walkthrough."""

import streamlit as st

from dlportal.cards import Card
from dlportal.ui.language import _, language
from dlportal.ui.model_names import licence_name, model_name
from dlportal.ui.tour import start_tour
from dlportal.ui.words import count, provenance_badge


def header(card: Card) -> None:
    """Draw the head of a case page; needs no network, so it comes first."""
    st.title(card.title(language()), anchor="try")
    st.markdown(card.summary(language()))
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        provenance_badge(card)
        st.badge(model_name(card.model), icon=":material/network_node:", color="gray")
        if card.measured.parameters:
            size = _("{n} weights").format(n=count(card.measured.parameters))
            st.badge(size, icon=":material/memory:", color="gray")
        st.badge(licence_name(card.licence), icon=":material/balance:", color="gray")
        if (card.folder / "tour.toml").exists():
            st.button(
                _("Walk me through"),
                key="tour_button",
                type="tertiary",
                icon=":material/flag:",
                on_click=start_tour,
            )
    st.space("small")
