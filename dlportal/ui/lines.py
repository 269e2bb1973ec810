"""A chart of sound in lines, like a page of music: time runs on from line to line.

One line of 10 s would leave no room for words on a phone; several short ones do.
"""

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from dlportal.ui.charts import style
from dlportal.ui.theme import palette

LINES = 8  # at most
POINTS = 320  # of the outline, a line
TOP, BOTTOM = 1.0, -1.0  # the sound's part of a line
STEP = 0.55  # from one lane of words to the next
PIXELS = 42  # for one unit of height


@dataclass(frozen=True)
class Mark:
    """Something written below the sound: `start` and `end` in seconds.

    The colour of its bar never stands alone: `dash` differs too, and `hover` says it in words.
    """

    text: str
    start: float
    end: float
    color: str
    dash: str = "solid"
    hover: str = ""
    bold: bool = False
    below: str = ""  # a second line, smaller


@dataclass(frozen=True)
class Page:
    """How a sound is laid out: `count` lines of `span` seconds, with `lanes` for marks."""

    count: int
    span: float
    lanes: int
    step: float = STEP

    @classmethod
    def of(cls, seconds: float, span: float, lanes: int, tall: bool = False) -> "Page":
        """Lines of about `span` seconds; longer ones where there would be too many.

        `tall` leaves room for a second line below each mark.
        """
        count = max(1, min(LINES, math.ceil(seconds / span)))
        return cls(count, seconds / count, lanes, STEP + 0.35 if tall else STEP)

    @property
    def height(self) -> float:
        return TOP - BOTTOM + self.step * (self.lanes + 0.4) + 0.5

    def base(self, line: int) -> float:
        """Where the middle of a line's sound stands on the y axis."""
        return -line * self.height

    def line_of(self, time: float) -> int:
        return min(self.count - 1, max(0, int(time / self.span)))


def sound_lines(
    samples: np.ndarray,
    rate: int,
    marks: Sequence[Mark],
    span: float,
    lanes: int,
    picture: np.ndarray | None = None,
) -> go.Figure:
    """Draw a sound with marks below it.

    Args:
        samples: Shape (time,), in [-1, 1].
        rate: Hz.
        marks: In order of time.
        span: Seconds a line.
        lanes: Rows for the marks' words, so that neighbours do not touch.
        picture: RGB, shape (height, width, 3), uint8, laid over the whole time instead of the
            outline (a spectrogram).
    """
    tall = any(mark.below for mark in marks)
    page = Page.of(len(samples) / rate, span, lanes, tall)
    fig = go.Figure()
    for line in range(page.count):
        if picture is None:
            add_outline(fig, page, line, samples, rate)
        else:
            add_picture(fig, page, line, picture)
        fig.add_annotation(
            x=0,
            y=page.base(line) + TOP,
            text=f"{line * page.span:.1f} s",
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            font={"size": 11, "color": palette().muted},
        )
    add_marks(fig, page, marks)
    style(fig, height=int(PIXELS * page.height * page.count) + 24)
    fig.update_xaxes(visible=False, range=[0, page.span])
    low = page.base(page.count - 1) + BOTTOM - page.step * (page.lanes + 0.4)
    fig.update_yaxes(visible=False, range=[low, TOP + 0.4])
    return fig


def add_outline(fig: go.Figure, page: Page, line: int, samples: np.ndarray, rate: int) -> None:
    """The sound's highest and lowest values as one filled shape."""
    start, end = (int(i * page.span * rate) for i in (line, line + 1))
    part = samples[start:end]
    edges = np.linspace(0, len(part), min(POINTS, max(2, len(part))) + 1).astype(int)
    high = np.maximum.reduceat(part, edges[:-1])
    low = np.minimum.reduceat(part, edges[:-1])
    x = edges[:-1] / rate
    peak = max(1e-6, float(np.abs(samples).max()))
    fig.add_trace(
        go.Scatter(
            x=np.concatenate([x, x[::-1]]).round(4).tolist(),
            y=(page.base(line) + np.concatenate([high, low[::-1]]) / peak).round(3).tolist(),
            fill="toself",
            fillcolor=palette().rest,
            line={"width": 0.5, "color": palette().rest},
            mode="lines",
            hoverinfo="skip",
        )
    )


def add_picture(fig: go.Figure, page: Page, line: int, picture: np.ndarray) -> None:
    """This line's part of a picture of the whole."""
    width = picture.shape[1]
    left, right = round(width * line / page.count), round(width * (line + 1) / page.count)
    fig.add_layout_image(
        source=data_uri(picture[:, left:right]),
        xref="x",
        yref="y",
        x=0,
        y=page.base(line) + TOP,
        sizex=page.span,
        sizey=TOP - BOTTOM,
        sizing="stretch",
        layer="below",
    )


def data_uri(picture: np.ndarray) -> str:
    """A PNG that travels inside the figure."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def add_marks(fig: go.Figure, page: Page, marks: Sequence[Mark]) -> None:
    """A bar from start to end and the word below it, lane after lane."""
    hover_x, hover_y, hover = [], [], []
    for index, mark in enumerate(marks):
        line = page.line_of((mark.start + mark.end) / 2)
        left = max(0.0, mark.start - line * page.span)
        right = min(page.span, max(mark.end - line * page.span, left + 0.01))
        y = page.base(line) + BOTTOM - page.step * (index % page.lanes) - 0.3
        fig.add_shape(
            type="line",
            x0=left,
            x1=right,
            y0=y + 0.2,
            y1=y + 0.2,
            line={"color": mark.color, "width": 4, "dash": mark.dash},
        )
        fig.add_annotation(
            x=(left + right) / 2,
            y=y + 0.14,
            text=plain(mark.text, mark.bold) + second_line(mark.below),
            showarrow=False,
            yanchor="top",
            font={"size": 12, "color": palette().text},
        )
        hover_x.append((left + right) / 2)
        hover_y.append(y)
        hover.append(mark.hover or mark.text)
    fig.add_trace(
        go.Scatter(
            x=hover_x,
            y=hover_y,
            mode="markers",
            marker={"size": 22, "opacity": 0},
            hovertext=[plain(text) for text in hover],
            hoverinfo="text",
        )
    )


def plain(text: str, bold: bool = False) -> str:
    """Text that Plotly will not read as markup."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<b>{safe}</b>" if bold else safe


def second_line(text: str) -> str:
    """Small and muted, below a mark's word."""
    if not text:
        return ""
    return f'<br><span style="font-size:10px;color:{palette().muted}">{plain(text)}</span>'


def shade(fig: go.Figure, page: Page, edges: np.ndarray, colors: Sequence[Any]) -> None:
    """Colour the ground behind moments; None leaves one as it is.

    Args:
        fig: What `sound_lines` drew.
        page: Its layout.
        edges: Borders of the moments in seconds, shape (moments + 1,).
        colors: One for each moment.
    """
    for start, end, color in zip(edges[:-1], edges[1:], colors, strict=True):
        if color is None:
            continue
        for line in range(page.line_of(start), page.line_of(end - 1e-6) + 1):
            fig.add_shape(
                type="rect",
                x0=max(0.0, start - line * page.span),
                x1=min(page.span, end - line * page.span),
                y0=page.base(line) + BOTTOM,
                y1=page.base(line) + TOP,
                fillcolor=color,
                line_width=0,
                layer="below",
            )
