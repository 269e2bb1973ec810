"""A look inside a language model: which layer knew the next token, and where heads look."""

from typing import Any

import numpy as np
import streamlit as st

from dlportal.cases.text_generation import Inside
from dlportal.kinds.writer import visible
from dlportal.messages import N_
from dlportal.serving import compute
from dlportal.ui.charts import show_chart, style
from dlportal.ui.explain_panel import explain_panel
from dlportal.ui.inputs import Picked, digest
from dlportal.ui.knobs import choose_one
from dlportal.ui.language import _
from dlportal.ui.theme import palette
from dlportal.ui.visitor import has_left
from dlportal.ui.words import note
from dlportal.ui.writing import written_text

VIEWS = {
    "words": N_("Which words decide"),
    "lens": N_("Which layer knew it"),
    "attention": N_("Where it looks"),
}
LENS, MAP = 12, 24  # tokens across
FAR = 3  # a head that looks this many tokens back has found something


@st.cache_data(max_entries=64, show_spinner=False)
def looked(text_digest: str, _case: Any, _text: str) -> Inside:
    return compute(lambda: _case.look_inside(_text, MAP), gone=has_left())


def inside_panel(case: Any, picked: Picked | None) -> None:
    """Attribution of the next token, the logit lens, or attention."""
    text = written_text(picked)
    if picked is None or text is None:
        note(_("Choose an input above first."))
        return
    view = choose_one(_("View"), VIEWS)
    if view == "words":
        note(_("Why this next token? Words of the prompt are hidden behind a blank, _."))
        explain_panel(case, picked)
        return
    with st.skeleton(height=360):
        inside = looked(digest(text), case, text)
    (lens if view == "lens" else attention)(inside)


def lens(inside: Inside) -> None:
    """The logit lens: every layer's own guess at the next token."""
    note(
        _(
            "Each column is a token that was read, each row a layer; the cell says what would come next if the model stopped there. Colour: how sure that layer is of the token that finally came."
        )
    )
    every = st.toggle(_("All layers"), key="all_layers", persist_state="page")
    layers = len(inside.guesses) - 1
    rows = [r for r in range(layers + 1) if every or r % 3 == 0 or r == layers]
    show_chart(lens_chart(inside, rows, LENS), alt=lens_words(inside), key="lens")
    note(lens_words(inside))


def lens_words(inside: Inside) -> str:
    last = _("The next token, {token}, stands from layer {layer} of {layers} on.").format(
        token=visible(inside.chosen[-1]), layer=inside.knew[-1], layers=len(inside.guesses) - 1
    )
    return last


def axis_names(tokens: tuple[str, ...]) -> list[str]:
    """Token names made unique, since a chart's categories must differ."""
    return [f"{visible(token)}{'​' * place}" for place, token in enumerate(tokens)]


def lens_chart(inside: Inside, rows: list[int], columns: int) -> Any:
    """The last `columns` tokens across, layers `rows` upwards."""
    import plotly.graph_objects as go

    colors = palette()
    fig = go.Figure(
        go.Heatmap(
            z=[inside.probability[r][-columns:].tolist() for r in rows],
            x=axis_names(inside.tokens[-columns:]),
            y=[str(r) for r in rows],
            zmin=0,
            zmax=1,
            colorscale=[[0, colors.surface[0]], [1, colors.accent]],
            showscale=False,
            text=[[visible(guess)[:9] for guess in inside.guesses[r][-columns:]] for r in rows],
            texttemplate="%{text}",
            textfont={"size": 11},
            customdata=[list(inside.chosen[-columns:]) for _row in rows],
            hovertemplate=_("layer %{y}: %{text}; %{z:.1%} for %{customdata}") + "<extra></extra>",
            xgap=2,
            ygap=2,
        )
    )
    style(fig, height=26 * len(rows) + 90)
    fig.update_yaxes(
        title_text=_("layer"), type="category", showgrid=False, nticks=len(rows), tickmode="linear"
    )
    fig.update_xaxes(type="category", side="top", nticks=columns, tickangle=-45)
    return fig


def attention(inside: Inside) -> None:
    """One head's weights between the last tokens."""
    layers, heads = inside.attention.shape[:2]
    found = far_head(inside)
    if "layer" not in st.session_state:
        st.session_state["layer"] = found[0] + 1 if found else 1
        st.session_state["head"] = found[1] + 1 if found else 1
    left, right = st.columns([4, 8], gap="large")
    with left:
        layer = st.slider(_("Layer"), 1, layers, key="layer", persist_state="page")
        head = st.slider(_("Head"), 1, heads, key="head", persist_state="page")
        if found:
            note(
                _(
                    "Of all heads, layer {layer}, head {head} looks most sharply at one token further back: from the last token at {token}."
                ).format(
                    layer=found[0] + 1, head=found[1] + 1, token=visible(inside.tokens[found[2]])
                )
            )
        note(
            _(
                "Each row is a token and shows where it looks; what falls on tokens before these is not drawn. Many heads rest on the very first token when they have nothing to find."
            )
        )
        note(_("Attention tells where information can flow from, not what decided the answer."))
    with right:
        weights = inside.attention[layer - 1, head - 1]
        fig = attention_chart(weights, inside.tokens)
        best = int(weights[-1].argmax())
        words = _("Layer {layer}, head {head}: the last token looks most at {token}").format(
            layer=layer, head=head, token=visible(inside.tokens[best])
        )
        show_chart(fig, alt=words, key="attention_map")
        note(words)


def far_head(inside: Inside) -> tuple[int, int, int] | None:
    """Layer, head and place of the sharpest look from the last token at one further back.

    The first token drawn is left out: many heads rest there.
    """
    far = inside.attention[:, :, -1, 1:-FAR]
    if far.shape[-1] == 0:
        return None
    layer, head, place = np.unravel_index(far.argmax(), far.shape)
    return int(layer), int(head), int(place) + 1


def attention_chart(weights: Any, tokens: tuple[str, ...]) -> Any:
    import plotly.graph_objects as go

    colors = palette()
    names = axis_names(tokens)
    drawn = [
        [float(w) if column <= row else None for column, w in enumerate(line)]
        for row, line in enumerate(weights)
    ]
    fig = go.Figure(
        go.Heatmap(
            z=drawn,
            x=names,
            y=names,
            zmin=0,
            zmax=1,
            colorscale=[[0, colors.surface[0]], [1, colors.accent]],
            showscale=False,
            hovertemplate=_("%{y} looks at %{x}: %{z:.0%}") + "<extra></extra>",
            xgap=2,
            ygap=2,
        )
    )
    style(fig, height=22 * len(tokens) + 110)
    fig.update_yaxes(autorange="reversed", type="category", showgrid=False, nticks=len(tokens))
    fig.update_xaxes(type="category", side="top", nticks=len(tokens), tickangle=-45)
    return fig
