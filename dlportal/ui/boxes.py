"""Boxes on a picture, as SVG: the browser draws the names, with the visitor's own fonts."""

import base64
import io
from collections.abc import Sequence
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from dlportal.results import Boxes

INK, PAPER, AMBER = "#12191B", "#FFFFFF", "#F4B65C"
LONGEST = 800  # pixels of the drawn picture's longer side
TEXT = 20  # height of the names' letters, in the drawing's pixels
SURE = 0.5  # score from which a box is drawn solid
DASH, DOTS, DASH_DOTS = "9 7", "2 7", "14 6 2 6"

Rectangle = tuple[float, float, float, float]


def boxes_svg(
    picture: Image.Image,
    result: Boxes,
    language: str,
    marked: np.ndarray | None = None,
    tags: Sequence[str] | None = None,
    doubtful: np.ndarray | None = None,
) -> str:
    """A picture with its boxes: solid where the network is at least half sure, dashed below.

    Args:
        picture: The picture.
        result: What was found in it.
        language: Of the names.
        marked: Corners of what people marked, (N, 4) in pixels, drawn dotted below the boxes.
        tags: What stands at each box instead of name and score.
        doubtful: Which boxes nobody marked, (boxes,) bool: dashes and dots in another colour.
    """
    factor = LONGEST / max(picture.size)
    width, height = (max(1, round(n * factor)) for n in picture.size)
    parts = [image_element(picture, width, height)]
    for corners in [] if marked is None else marked:
        parts += outline(scaled(corners, factor), DOTS, AMBER, 3)
    names: list[str] = []
    taken: list[Rectangle] = []
    pairs = list(zip(result.names, result.boxes, strict=True))
    for number, (_label, box) in reversed(list(enumerate(pairs))):  # the surest on top
        corners = scaled(box.corners, factor)
        if doubtful is not None and doubtful[number]:
            parts += outline(corners, DASH_DOTS, AMBER, 3)
        else:
            parts += outline(corners, "" if box.score >= SURE else DASH, PAPER, 3)
    for number, (label, box) in enumerate(pairs):
        text = f"{label(language)} {100 * box.score:.0f}%" if tags is None else tags[number]
        names += tag(text, scaled(box.corners, factor), (width, height), taken)
    body = "".join([*parts, *names])
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{body}</svg>'


def scaled(corners: Sequence[float] | np.ndarray, factor: float) -> Rectangle:
    left, top, right, bottom = (float(n) * factor for n in corners)
    return left, top, right, bottom


def image_element(picture: Image.Image, width: int, height: int) -> str:
    """The picture itself as a JPEG inside the drawing."""
    file = io.BytesIO()
    picture.convert("RGB").resize((width, height), Image.Resampling.BILINEAR).save(
        file, "JPEG", quality=88
    )
    data = base64.b64encode(file.getvalue()).decode()
    return f'<image width="{width}" height="{height}" href="data:image/jpeg;base64,{data}"/>'


def outline(corners: Rectangle, dash: str, color: str, thick: float) -> list[str]:
    """A light line on a dark one, so that it shows on any ground."""
    left, top, right, bottom = corners
    place = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"'
    common = f'<rect {place} fill="none" rx="3" stroke-linecap="round" stroke-dasharray="{dash}" '
    return [
        f'{common}stroke="{INK}" stroke-opacity="0.8" stroke-width="{thick + 3}"/>',
        f'{common}stroke="{color}" stroke-width="{thick}"/>',
    ]


def tag(text: str, corners: Rectangle, size: tuple[int, int], taken: list[Rectangle]) -> list[str]:
    """A name on a dark ground at its box's upper left corner, moved down where another stands."""
    wide, high = text_width(text) + 12, TEXT + 8
    left = min(max(0.0, corners[0] - 1), max(0.0, size[0] - wide))
    top = corners[1] - high if corners[1] >= high else corners[1]
    while top + 2 * high <= size[1] and any(
        meet((left, top, left + wide, top + high), t) for t in taken
    ):
        top += high + 1
    taken.append((left, top, left + wide, top + high))
    ground = f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{high}" rx="4" fill="{INK}" fill-opacity="0.88"/>'
    words = (
        f'<text x="{left + 6:.1f}" y="{top + TEXT:.1f}" font-size="{TEXT}" fill="{PAPER}" '
        f"font-family=\"'Source Sans 3', 'Source Sans Pro', 'PingFang SC', 'Noto Sans CJK SC', "
        f"'Microsoft YaHei', sans-serif\">{escape(text)}</text>"
    )
    return [ground, words]


def text_width(text: str) -> float:
    """About how wide a text is drawn: a Chinese character is as wide as it is high."""
    return TEXT * sum(1.0 if c > "\u2e80" else 0.56 for c in text)


def meet(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
