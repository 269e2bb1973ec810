"""Pictures that come out of noise: a film that plays without a rerun, and sheets of pictures."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dlportal.cards import Card
from dlportal.labs.practice_looks import sheet
from dlportal.results import Pictures
from dlportal.ui.charts import show_chart, style
from dlportal.ui.language import _, language
from dlportal.ui.lines import data_uri
from dlportal.ui.playback import add_playback
from dlportal.ui.views import show
from dlportal.ui.words import duration

COLUMNS = 4
FRAME_MS = 260
MOST = 16  # frames; more would only make the page heavier
LEVELS = (
    4  # grey values that are told apart no more in a film: noise is what its bytes are spent on
)
HEIGHT = 470


@show.register
def show_pictures(result: Pictures, card: Card, seconds: float) -> None:
    """How many, in how many steps and how quickly; then the film, its last frame first."""
    name = result.label(language())
    frames = result.frames
    with st.grid(3, min_column_width=96):
        st.metric(_("The network draws"), name)
        st.metric(_("Steps"), len(frames) - 1)
        st.metric(
            _("Time"),
            duration(seconds),
            help=_("For all {n} of them.").format(n=len(result.pixels)),
        )
    alt = _("{n} pictures of {name}; play shows how they come out of noise").format(
        n=len(result.pixels), name=name
    )
    show_chart(film(frames), alt=alt, key="film")


def film(frames: np.ndarray) -> go.Figure:
    """A figure whose frames are pictures.

    Args:
        frames: Shape (steps + 1, pictures, 28, 28), uint8, the finished pictures last.
    """
    shown = sorted({round(i) for i in np.linspace(0, len(frames) - 1, min(MOST, len(frames)))})
    sources = [data_uri(tiled(frames[i])) for i in shown]
    fig = go.Figure(go.Image(source=sources[-1], hoverinfo="skip"))
    fig.frames = [
        go.Frame(name=str(i), data=[go.Image(source=source)])
        for i, source in zip(shown, sources, strict=True)
    ]
    style(fig, height=HEIGHT)
    fig.update_xaxes(visible=False)
    fig.update_yaxes(visible=False)
    names = [str(i) for i in shown]
    add_playback(fig, names, FRAME_MS, -0.02, at=len(names) - 1, redraw=True)
    return fig


def tiled(pictures: np.ndarray) -> np.ndarray:
    """Pictures (N, 28, 28) in rows of four as one, RGBA with transparent gaps."""
    coarse = pictures // LEVELS * LEVELS
    columns = min(COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    padded = np.zeros((rows * columns, *pictures.shape[1:]), np.uint8)
    padded[: len(coarse)] = coarse
    return sheet(padded.reshape(rows, columns, *pictures.shape[1:]), 1)


def row_of(pictures: np.ndarray, words: str, alt: str, times: int = 3) -> None:
    """A row of pictures (N, 28, 28) with a line of words above it."""
    st.markdown(words)
    st.image(sheet(pictures[None], times), width="stretch", alt=alt)
