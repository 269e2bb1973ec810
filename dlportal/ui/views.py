"""How results look: one view for each result type."""

from functools import singledispatch

import streamlit as st

from dlportal.cards import Card
from dlportal.results import Classes, Result
from dlportal.ui.charts import bars, show_chart
from dlportal.ui.language import _, language
from dlportal.ui.words import duration, note


@singledispatch
def show(result: Result, card: Card, seconds: float) -> None:
    """Draw a result. Register a view for a new type with `@show.register`."""
    raise ValueError(f"no view for {type(result).__name__}")


@show.register
def show_classes(result: Classes, card: Card, seconds: float) -> None:
    """The answer, its confidence beside the blind guess, and the runners-up."""
    best = result.best
    lang = language()
    st.metric(_("The network says"), best.label(lang))
    with st.grid(3, min_column_width=96):
        st.metric(
            _("Confidence"),
            f"{100 * best.probability:.0f}%",
            help=_("How sure the network says it is. Trust tells how often that is right."),
        )
        st.metric(
            _("Blind guess"),
            f"{100 * result.blind:.3g}%",
            help=_("How often a guess without looking would be right."),
        )
        st.metric(_("Time"), duration(seconds))
    shown = result.scores[:5]
    fig = bars(
        [score.label(lang) for score in shown],
        [score.probability for score in shown],
        [f"{100 * score.probability:.1f}%" for score in shown],
        top=1.0,
    )
    text = ", ".join(f"{s.label(lang)} {100 * s.probability:.1f}%" for s in shown)
    show_chart(fig, alt=text, key="scores")
    scope(result.inside, card)


def scope(inside: bool | None, card: Card) -> None:
    """Whether the input looks like what the model was trained on."""
    if inside is False and card.outside is not None:
        st.warning(card.outside(language()), icon=":material/explore_off:")
    elif inside is not False and card.inside is not None:
        icon = ":material/check_circle:" if inside else ":material/help:"
        note(f"{icon} {card.inside(language())}")
