"""How results look: one view for each result type."""

from functools import singledispatch

import streamlit as st

from dlportal.cards import Card
from dlportal.results import Boxes, Classes, Result
from dlportal.ui.charts import bars, show_chart
from dlportal.ui.language import _, language, ngettext
from dlportal.ui.words import duration, note

MOST_BOXES = 6  # bars of a detection; all its boxes are on the picture


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


@show.register
def show_boxes(result: Boxes, card: Card, seconds: float) -> None:
    """How many objects, how sure, and each with its score; `ui/detection.py` draws them."""
    lang = language()
    found = list(zip(result.names, result.boxes, strict=True))
    n = len(found)
    st.metric(
        _("The network finds"),
        ngettext("{n} object", "{n} objects", n).format(n=n),
    )
    with st.grid(3, min_column_width=96):
        st.metric(
            _("Surest"),
            f"{100 * found[0][1].score:.0f}%" if found else "–",
            help=_("The highest score. Scores give an order, not a frequency."),
        )
        st.metric(
            _("Blind guess"),
            "–" if result.blind is None else f"{100 * result.blind:.1f}%",
            help=_("The share of the test objects found by always guessing the commonest box."),
        )
        st.metric(_("Time"), duration(seconds))
    if not found:
        note(_("Nothing is above the least score. Lower it to see what was considered."))
        return
    shown = found[:MOST_BOXES]
    fig = bars(
        [name(lang) for name, _box in shown],
        [box.score for _name, box in shown],
        [f"{100 * box.score:.0f}%" for _name, box in shown],
        top=1.0,
    )
    text = ", ".join(f"{name(lang)} {100 * box.score:.0f}%" for name, box in shown)
    show_chart(fig, alt=text, key="scores")
    if n > len(shown):
        note(_("And {n} less sure ones.").format(n=n - len(shown)))


def scope(inside: bool | None, card: Card) -> None:
    """Whether the input looks like what the model was trained on."""
    if inside is False and card.outside is not None:
        st.warning(card.outside(language()), icon=":material/explore_off:")
    elif inside is not False and card.inside is not None:
        icon = ":material/check_circle:" if inside else ":material/help:"
        note(f"{icon} {card.inside(language())}")
