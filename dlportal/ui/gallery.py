"""The gallery: thumbnails by domain, with a filter and a search."""

import streamlit as st

from dlportal.cards import all_cards
from dlportal.ui.errors import fragment
from dlportal.ui.language import _
from dlportal.ui.router import page_of
from dlportal.ui.tiles import tiles
from dlportal.ui.words import main_button

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
    """Filter and cards; a fragment, since a chosen domain is told to the server."""
    chosen = tiles()
    if chosen is not None:
        st.switch_page(page_of(chosen))
