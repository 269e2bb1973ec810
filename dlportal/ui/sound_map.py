"""Explanations of a transcript: which moments a word needs, and which words were only guessed."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dlportal.case import Case
from dlportal.explain.base import Explanation
from dlportal.results import Transcript
from dlportal.serving import compute
from dlportal.ui.charts import show_chart, style
from dlportal.ui.explain_panel import explain_panel
from dlportal.ui.inputs import Picked
from dlportal.ui.language import _
from dlportal.ui.lines import Mark, Page, plain, shade, sound_lines
from dlportal.ui.maps import legend_strip, ramp
from dlportal.ui.theme import palette
from dlportal.ui.views_audio import WORD_LANES, WORD_SPAN
from dlportal.ui.visitor import has_left
from dlportal.ui.words import note

SHOWN = 40  # words in the chart
FAINT = 0.08  # share of the strongest influence below which the ground stays plain


@st.cache_data(max_entries=128, show_spinner=False)
def heard_or_guessed(digest: str, _judge: Any, _raw: Any) -> list:
    return compute(lambda: _judge.heard_or_guessed(_raw), gone=has_left())


def transcript_panel(case: Any, picked: Picked, heard: Transcript) -> None:
    """First every word without its own sound, then one word and every moment."""
    judge = case.about(picked.raw, heard)
    st.markdown("**" + _("Heard or guessed?") + "**")
    note(
        _(
            "Each word's own sound is silenced in turn. A word that stays probable was guessed from "
            "the words before it."
        )
    )
    with st.skeleton(height=240):
        words = heard_or_guessed(picked.digest, judge, picked.raw)
    draw_heard_or_guessed(words)
    st.space("small")
    st.markdown("**" + _("Which moments does one word need?") + "**")
    explain_panel(judge, picked)


def draw_heard_or_guessed(words: list) -> None:
    """Two marks a word: its probability as recorded and without its sound."""
    colors = palette()
    shown = words[:SHOWN]
    names = [f"{plain(word.text)} " for word in shown]
    places = list(range(len(shown)))
    fig = go.Figure()
    for place, word in zip(places, shown, strict=True):
        fig.add_shape(
            type="line",
            x0=word.without,
            x1=word.known,
            y0=place,
            y1=place,
            line={"color": colors.rest, "width": 2},
            layer="below",
        )
    for name, values, symbol, color in (
        (_("as recorded"), [w.known for w in shown], "circle", colors.accent),
        (_("without its sound"), [w.without for w in shown], "diamond-open", colors.second),
    ):
        fig.add_trace(
            go.Scatter(
                x=values,
                y=places,
                mode="markers",
                name=name,
                marker={"size": 10, "symbol": symbol, "color": color, "line": {"width": 2}},
                hovertext=[f"{plain(w.text)}: {100 * v:.0f}%" for w, v in zip(shown, values)],
                hoverinfo="text",
            )
        )
    style(fig, height=22 * len(shown) + 90, legend=True)
    fig.update_xaxes(title_text=_("probability of the word"), range=[-0.02, 1.02], tickformat=".0%")
    fig.update_yaxes(
        tickvals=places, ticktext=names, range=[len(shown) - 0.4, -0.6], showgrid=False
    )
    guessed = [word.text for word in shown if word.without >= 0.5]
    alt = _("Words that stay probable without their sound: ") + (", ".join(guessed) or "–")
    show_chart(fig, alt=alt, key="heard_or_guessed")
    if len(words) > SHOWN:
        note(_("The first {n} of {all} words.").format(n=SHOWN, all=len(words)))


def draw_sound_map(case: Case, picked: Picked, explanation: Explanation) -> None:
    """The waveform, its ground coloured where silence changes the word's probability."""
    colors = palette()
    sound = picked.raw
    masker: Any = case.masker(sound)  # type: ignore[attr-defined]
    label = case.labels[explanation.target].en
    fig = sound_lines(sound.samples, sound.rate, word_marks(case, sound), WORD_SPAN, WORD_LANES)
    strength = explanation.values / (float(np.abs(explanation.values).max()) or 1.0)
    tints = ramp(colors.signed, (strength + 1) / 2)
    grounds = [
        None if abs(value) < FAINT else f"rgb({r},{g},{b})"
        for value, (r, g, b) in zip(strength, tints, strict=True)
    ]
    page = Page.of(sound.seconds, WORD_SPAN, WORD_LANES)
    shade(fig, page, masker.edges, grounds)
    best = explanation.parts[int(np.argmax(explanation.values))]
    alt = _("“{word}” needs most what is heard at {time}").format(word=label, time=best)
    show_chart(fig, alt=alt, key="sound_map")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        note(_("against"), width="content")
        st.image(legend_strip(explanation.signed, colors), width=160, alt="")
        note(_("in favour"), width="content")
    note(alt)


def word_marks(case: Any, sound: Any) -> list[Mark]:
    """The words at their times, in the explained word's neighbourhood."""
    spans = word_times(repr(sound), case, sound)
    return [
        Mark(label.en, start, end, palette().muted)
        for label, (start, end) in zip(case.labels, spans, strict=True)
    ]


@st.cache_data(max_entries=128, show_spinner=False)
def word_times(name: str, _case: Any, _sound: Any) -> list[tuple[float, float]]:
    return _case.net.times(_case.encode(_sound))
