"""The article, claim by claim, each with links to what shows it."""

import streamlit as st

from dlportal.coverage import Claim, Place, coverage
from dlportal.ui.faq import QUESTIONS
from dlportal.ui.language import _, language
from dlportal.ui.router import HOME, OTHERS, page_of
from dlportal.ui.words import PANEL_NAMES, note


def article() -> None:
    """Title, how much is shown, then the sections."""
    found = coverage()
    st.title(_("The article, claim by claim"), anchor=False)
    st.markdown(
        _(
            "What the article says about deep learning, in our own words, and where to see it happen. Each link opens the case at the step that shows it."
        )
    )
    places = sum(len(claim.shown) for claim in found.claims)
    waiting = {case for claim in found.claims for case in claim.planned}
    note(
        _("{claims} claims, {places} places that show them, {planned} cases still planned.").format(
            claims=len(found.claims), places=places, planned=len(waiting)
        )
    )
    for section in found.sections:
        st.header(f"{section.id} · {section.title(language())}", anchor=f"section-{section.id}")
        for claim in section.claims:
            row(claim)


def row(claim: Claim) -> None:
    """A claim on the left, its links on the right."""
    left, right = st.columns([5, 7], gap="xsmall")
    with left:
        st.markdown(f":gray[{claim.id}] {claim.text(language())}")
    with right, st.container(gap="xsmall"):
        for place in claim.shown:
            link(place)
        if claim.planned:
            names = coverage().planned
            note(
                ":material/schedule: "
                + _("planned: {names}").format(
                    names=_(", ").join(names[case](language()) for case in claim.planned)
                )
            )
    st.space("small")


def link(place: Place) -> None:
    """One link, named by the case and what it opens."""
    lang = language()
    card = place.card
    if card is None:
        name = str(place.page)
        title, icon = HOME if name == "home" else OTHERS[name]
        label = _(title)
        if place.question:
            label += f" · {_(QUESTIONS[place.question])}"
    else:
        name, label, icon = card.id, card.title(lang), card.icon
        step = place.found_step()
        if step is not None:
            label += f" · {step[1].title(lang)}"
        elif place.panel is not None:
            label += f" · {_(PANEL_NAMES[place.panel])}"
    st.page_link(page_of(name), label=label, icon=icon, query_params=place.address() or None)
