"""How emotions look: those that speak from the text, each beside its own line."""

import plotly.graph_objects as go
import streamlit as st

from dlportal.cards import Card
from dlportal.cases.emotions import Emotions
from dlportal.ui.charts import bars, show_chart
from dlportal.ui.language import _, language
from dlportal.ui.theme import palette
from dlportal.ui.views import scope, show
from dlportal.ui.words import duration, note

LEAST = 6  # emotions in the chart, present or not


@show.register
def show_emotions(result: Emotions, card: Card, seconds: float) -> None:
    """The emotions above their lines, and the likeliest of the others."""
    lang = language()
    separator = "、" if lang == "zh" else ", "
    names = [felt.label(lang) for felt in result.present]
    st.metric(_("The network hears"), separator.join(names) or _("nothing it is sure of"))
    with st.grid(3, min_column_width=96):
        st.metric(_("Emotions"), f"{len(names)} / {len(result.scores)}")
        st.metric(
            _("Strongest"),
            f"{100 * max(felt.probability for felt in result.scores):.0f}%",
            help=_(
                "Probability of the likeliest emotion; each of the 28 has its own, from 0 to 100%."
            ),
        )
        st.metric(_("Time"), duration(seconds))
    show_lines(result)
    note(
        _(
            "Dotted: each emotion's own line, drawn on validation comments. Rare emotions have low lines."
        )
    )
    scope(result.inside, card)


def show_lines(result: Emotions) -> None:
    """Bars of the likeliest emotions with a dotted mark at each threshold."""
    lang = language()
    shown = result.scores[: max(LEAST, len(result.present))]
    texts = [
        f"{'✓ ' if felt.present else ''}{100 * felt.probability:.0f}% / {100 * felt.threshold:.0f}%"
        for felt in shown
    ]
    names, values = [f.label(lang) for f in shown], [f.probability for f in shown]
    fig = go.Figure(bars(names, values, texts, top=1.0))
    colors = palette()
    fig.data[0].marker.color = [colors.accent if f.present else colors.rest for f in shown]
    for place, felt in zip(range(len(shown), 0, -1), shown):
        fig.add_shape(
            type="line",
            x0=felt.threshold,
            x1=felt.threshold,
            y0=place - 0.3,
            y1=place + 0.3,
            line={"width": 2, "dash": "dot", "color": colors.text},
        )
    show_chart(fig, alt=", ".join(f"{n} {t}" for n, t in zip(names, texts)), key="scores")
