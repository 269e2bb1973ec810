"""How marked texts look: each part on a coloured ground, with its class and confidence in words."""

from typing import Any

import numpy as np
import streamlit as st

from dlportal.cards import Card
from dlportal.results import Span, Spans
from dlportal.ui.explain_panel import escape
from dlportal.ui.language import _, language
from dlportal.ui.views import scope, show
from dlportal.ui.words import duration, note

# Grounds of classes in the order in which they are first seen; the class is written beside it.
GROUNDS = ("green", "orange", "blue", "violet", "red", "gray")
UNSURE = 0.5  # confidence below which a part is marked as doubtful


@show.register
def show_spans(result: Spans, card: Card, seconds: float) -> None:
    """The text with its marked parts, how many there are, and how sure they are."""
    note(_("The network marks"))
    st.markdown(marked(result) or "*" + _("Nothing.") + "*")
    mean = float(np.mean([span.probability for span in result.spans])) if result.spans else 0.0
    with st.grid(3, min_column_width=96):
        st.metric(_("Found"), len(result.spans))
        st.metric(
            _("Mean confidence"),
            f"{100 * mean:.0f}%" if result.spans else "–",
            help=_("How sure the network says it is. Trust tells how often that is right."),
        )
        st.metric(_("Time"), duration(seconds))
    if any(span.probability < UNSURE for span in result.spans):
        note(_("In italics: doubtful, more likely wrong than right."))
    scope(result.inside, card)


def marked(result: Spans) -> str:
    """Markdown of the text."""
    lang = language()
    grounds = ground_of(result)
    out, place = [], 0
    for span in result.spans:
        out.append(escape(result.text[place : span.start]))
        out.append(one_span(span, grounds[span.label.id], lang))
        place = span.end
    out.append(escape(result.text[place:]))
    return "".join(out).replace("\n", "  \n")


def ground_of(result: Spans) -> dict[str, str]:
    """A colour for each class that occurs."""
    seen = list(dict.fromkeys(span.label.id for span in result.spans))
    return {name: GROUNDS[i % len(GROUNDS)] for i, name in enumerate(seen)}


def one_span(span: Span, ground: str, lang: str) -> str:
    """`**Paris** place 97%` on its ground; doubtful ones in italics."""
    text = escape(span.text.replace("\n", " "))
    mark = "*" if span.probability < UNSURE else "**"
    share = f"{100 * span.probability:.0f}%"
    return f":{ground}-background[{mark}{text}{mark} :small[{span.label(lang)} {share}]]"


def table_of_spans(result: Spans) -> list[dict[str, Any]]:
    """The same as rows."""
    lang = language()
    return [
        {
            _("Text"): span.text,
            _("Class"): span.label(lang),
            _("Confidence"): f"{100 * span.probability:.0f}%",
            _("Characters"): f"{span.start}–{span.end}",
        }
        for span in result.spans
    ]
