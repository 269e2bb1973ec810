"""A word's spectrogram as the digit network sees it, and what an explanation marks on it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from PIL import Image

from dlportal.explain.base import Explanation
from dlportal.nets.digit_ear import BANDS, RATE
from dlportal.nets.log_mel import band_edges
from dlportal.ui.charts import show_chart, style
from dlportal.ui.inputs import Picked
from dlportal.ui.language import _
from dlportal.ui.lines import data_uri
from dlportal.ui.maps import legend_strip, overlay, ramp
from dlportal.ui.theme import UNSIGNED, palette
from dlportal.ui.words import note

SCALE = 12  # pixels a cell
TICKS_HZ = (200, 500, 1000, 2000, 3500)


@dataclass(frozen=True)
class Word:
    """A word's picture (40, 64) in [0, 1], low pitches first, and how long it lasts."""

    picture: np.ndarray
    seconds: float


@st.cache_data(max_entries=128, show_spinner=False)
def word_of(digest: str, _case: Any, _raw: Any) -> Word:
    return Word(_case.encode(_raw)[0, 0].numpy(), _case.word(_raw).seconds)


def seen_figure(word: Word) -> go.Figure:
    """Dark is silent, bright is loud."""
    return picture_figure(ramp(UNSIGNED, enlarged(word.picture)), word.seconds)


def map_figure(word: Word, explanation: Explanation) -> go.Figure:
    """The spectrogram in grey, coloured where its cells count."""
    grey = Image.fromarray((255 * enlarged(word.picture)).astype(np.uint8))
    mixed = overlay(grey, explanation.values[::-1], explanation.signed, palette())
    return picture_figure(np.asarray(mixed), word.seconds)


def kept_figure(word: Word, cells: np.ndarray) -> go.Figure:
    """What is left of the spectrogram."""
    return picture_figure(ramp(UNSIGNED, enlarged(word.picture * cells)), word.seconds)


def enlarged(picture: np.ndarray) -> np.ndarray:
    """Low pitches at the bottom, each cell many pixels."""
    return np.kron(picture[::-1], np.ones((SCALE, SCALE)))


def picture_figure(pixels: np.ndarray, seconds: float, height: int = 240) -> go.Figure:
    """A picture of time (seconds) and pitch (Hz), uint8 (H, W, 3), low pitches at the bottom."""
    fig = go.Figure(go.Scatter(x=[0, seconds], y=[0, BANDS], mode="markers", opacity=0))
    fig.update_traces(hoverinfo="skip")
    fig.add_layout_image(
        source=data_uri(np.ascontiguousarray(pixels)),
        xref="x",
        yref="y",
        x=0,
        y=BANDS,
        sizex=seconds,
        sizey=BANDS,
        sizing="stretch",
        layer="below",
    )
    style(fig, height=height)
    places = np.interp(TICKS_HZ, band_edges(RATE, BANDS)[1:-1], np.arange(BANDS) + 0.5)
    fig.update_xaxes(title_text=_("seconds"), range=[0, seconds], nticks=5)
    fig.update_yaxes(
        title_text="Hz",
        range=[0, BANDS],
        tickvals=places.tolist(),
        ticktext=[f"{hertz:,}" for hertz in TICKS_HZ],
        showgrid=False,
    )
    return fig


def draw_cell_map(case: Any, picked: Picked, explanation: Explanation) -> None:
    """The map over the word's spectrogram, and its legend."""
    word = word_of(picked.digest, case, picked.raw)
    alt = _("The spectrogram in grey with colour where the network listened")
    show_chart(map_figure(word, explanation), alt=alt)
    words = (
        (_("against"), _("in favour"))
        if explanation.signed
        else (_("no influence"), _("most influence"))
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        note(words[0], width="content")
        st.image(legend_strip(explanation.signed, palette()), width=160, alt="")
        note(words[1], width="content")
