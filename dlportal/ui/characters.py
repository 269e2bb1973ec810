"""The Chinese names' own parts: what else was possible, what a list would mark, the chain's scores."""

from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dlportal.data import is_available, uner
from dlportal.kinds.characters import readable
from dlportal.messages import N_
from dlportal.training.characters_data import sentences_of
from dlportal.training.characters_rivals import known_names, look_up
from dlportal.ui.charts import show_chart, style
from dlportal.ui.explain_panel import escape
from dlportal.ui.language import _, language
from dlportal.ui.theme import palette
from dlportal.ui.views_spans import table_of_spans
from dlportal.ui.words import note

QUESTION = N_("Which characters made it a name?")
MODELS = (N_("BiLSTM-CRF on characters"),)  # how the card names the network


@cache
def gazetteer() -> dict[str, str]:
    """Names of the training part."""
    return known_names(sentences_of(uner.load().train))


def beside(case: Any, picked: Any, answer: Any) -> None:
    """The table of names, where the network hesitates, and what a list of names would mark."""
    if picked is None or answer is None:
        return
    if answer.result.spans:
        st.dataframe(table_of_spans(answer.result), hide_index=True, alt=_("The names as a table"))
    lang = language()
    doubts = [
        f"{escape(span.text)} :small[{span.label(lang)} {100 * span.probability:.0f}%]"
        for span in answer.result.doubts
    ]
    # Outside the f-strings, where the catalogue's extraction would miss them.
    nothing, considered = _("nothing"), _("The network also considers")
    stood = _("Names that stood in the training data")
    lines = [f"**{considered}** · {' · '.join(doubts) or nothing}"]
    if is_available("uner_zh_gsdsimp"):
        codes, places = readable(picked.raw)
        found = [
            escape(picked.raw[places[name.start] : places[name.end - 1] + 1])
            for name in look_up(codes, gazetteer())
        ]
        lines.append(f"**{stood}** · {' · '.join(found) or nothing}")
    st.markdown("  \n".join(lines))


def chain_map(case: Any) -> None:
    """The learned scores from tag to tag as a heat map; impossible pairs are crossed out."""
    from dlportal.cases.chinese_entities import LABELS, TAGS

    st.subheader(_("Which tag may follow which?"), anchor=False)
    chain = case.net.tagger.chain
    pairs = chain.pairs.detach().cpu().numpy()
    allowed = chain.allowed.cpu().numpy()
    begin, end = (t.detach().cpu().numpy() for t in (chain.begin, chain.end))
    first, last = chain.first.cpu().numpy(), chain.last.cpu().numpy()
    # One more row for the beginning of the text, one more column for its end.
    scores = np.full((len(TAGS) + 1, len(TAGS) + 1), np.nan)
    scores[1:, :-1] = np.where(allowed, pairs, np.nan)
    scores[0, :-1] = np.where(first, begin, np.nan)
    scores[1:, -1] = np.where(last, end, np.nan)
    names = {label.id: label(language()) for label in LABELS}
    shown = [tag if len(tag) == 1 else f"{tag[0]} {names[tag[2:]]}" for tag in TAGS]
    fig = drawn(scores, [_("text begins"), *shown], [*shown, _("text ends")])
    show_chart(fig, alt=_("Learned scores from tag to tag; crosses mark what is impossible"))
    note(
        _(
            "Each character gets a tag: B begins a name, I goes on, E ends it, S is a name of one character, O is none. Orange: the network likes this pair of neighbours; blue: it avoids it; a cross: impossible, whatever the text."
        )
    )


def drawn(scores: np.ndarray, rows: list[str], columns: list[str]) -> go.Figure:
    """The heat map, with the same colour scale on both sides of 0."""
    colors = palette()
    limit = float(np.nanmax(np.abs(scores))) or 1.0
    steps = np.linspace(0, 1, len(colors.signed))
    fig = go.Figure(
        go.Heatmap(
            z=scores,
            x=columns,
            y=rows,
            zmin=-limit,
            zmax=limit,
            colorscale=[[float(s), c] for s, c in zip(steps, colors.signed, strict=True)],
            # Above the map: beside it, a telephone would have no width left.
            colorbar={
                "orientation": "h",
                "thickness": 10,
                "outlinewidth": 0,
                "y": 1.0,
                "yanchor": "bottom",
                "title": {"text": _("score"), "side": "top"},
            },
            hovertemplate="%{y} → %{x}: %{z:+.2f}<extra></extra>",
            xgap=2,
            ygap=2,
        )
    )
    # A heat map draws no text where it has no number.
    places = np.argwhere(np.isnan(scores))
    fig.add_scatter(
        x=[columns[column] for _row, column in places],
        y=[rows[row] for row, _column in places],
        mode="markers",
        marker={"symbol": "x-thin", "size": 6, "line": {"width": 1, "color": colors.muted}},
        hovertemplate="%{y} → %{x}: ×<extra></extra>",
    )
    style(fig, height=520)
    fig.update_layout(margin_t=64)
    fig.update_yaxes(
        autorange="reversed",
        showgrid=False,
        tickmode="array",
        tickvals=rows,
        type="category",
        title=_("from tag"),
    )
    fig.update_xaxes(
        tickmode="array",
        tickvals=columns,
        type="category",
        title={"text": _("to tag"), "standoff": 56},  # below the upright names
        tickangle=-90,
    )
    return fig
