"""The mark of the portal, its word, and the icon of the browser tab.

The word is set in Source Serif, which ships with Streamlit (SIL Open Font License), so the logo
matches the headings of the pages without a font of our own.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

HEIGHT = 128  # four times the 32 px of a large logo, for dense screens
SCALE = 4
WORD = "DL Portal"
# Ink of the word, of the mark, and of the one thing that the mark finds.
THEMES = {
    "light": ("#1C2526", "#0B6259", "#DE8A2B"),
    "dark": ("#E6E9E4", "#52C7B4", "#F4B65C"),
}
# Nodes of the mark in a square of 128: x, y, radius. The last is the answer.
NODES = [(21, 27, 18), (21, 101, 18), (66, 64, 23), (113, 64, 15)]
LINKS = [(0, 2), (1, 2), (2, 3)]


def source_serif(size: int, weight: int) -> ImageFont.FreeTypeFont:
    """Open the serif of Streamlit's own pages at a weight (200-900)."""
    package = find_spec("streamlit")
    if package is None or package.origin is None:
        raise FileNotFoundError("Source Serif comes with Streamlit, which is not installed")
    media = Path(package.origin).parent / "static" / "static" / "media"
    font = ImageFont.truetype(str(next(media.glob("SourceSerifVariable-Roman*.woff2"))), size)
    font.set_variation_by_axes([weight, 20])
    return font


def _mark(size: tuple[int, int], zoom: float, at: tuple[float, float], answer: bool) -> Image.Image:
    """Return a mask of the answer node, or of everything else, on a canvas of `size` pixels."""
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)

    def place(x: float, y: float) -> tuple[float, float]:
        return at[0] + zoom * x, at[1] + zoom * y

    if not answer:
        for a, b in LINKS:
            ends = [place(*NODES[a][:2]), place(*NODES[b][:2])]
            draw.line(ends, fill=255, width=round(10 * zoom))
    for x, y, r in NODES[3:] if answer else NODES[:3]:
        (u, v), k = place(x, y), zoom * r
        draw.ellipse((u - k, v - k, u + k, v + k), fill=255)
    return mask


def logo(theme: str) -> Image.Image:
    """Draw mark and word on nothing, 128 px high, RGBA."""
    word_ink, mark_ink, answer_ink = THEMES[theme]
    font = source_serif(96 * SCALE, 700)
    left, _, right, _ = font.getbbox(WORD, anchor="ls")
    start = 164 * SCALE
    size = (round(start + right - left + 2 * SCALE), HEIGHT * SCALE)
    word = Image.new("L", size)
    # The capitals stand centred on the mark.
    top, base = font.getbbox("D", anchor="ls")[1::2]
    baseline = (HEIGHT * SCALE - (top + base)) / 2
    ImageDraw.Draw(word).text((start - left, baseline), WORD, fill=255, font=font, anchor="ls")
    picture = Image.new("RGBA", size, mark_ink + "00")
    picture.paste(mark_ink, mask=_mark(size, SCALE, (0, 0), answer=False))
    picture.paste(answer_ink, mask=_mark(size, SCALE, (0, 0), answer=True))
    picture.paste(word_ink, mask=word)
    return picture.resize((round(size[0] / SCALE), HEIGHT), Image.Resampling.BOX)


def icon() -> Image.Image:
    """Draw the mark on a pine tile that shows on light and dark tabs alike; 128 px, RGBA."""
    side = HEIGHT * SCALE
    light, dark = np.array([0x16, 0x74, 0x6A]), np.array([0x0A, 0x4A, 0x45])
    t = (np.add.outer(np.arange(side) * 0.7, np.arange(side) * 0.3) / side)[..., None]
    tile = Image.fromarray((light * (1 - t) + dark * t).astype(np.uint8)).convert("RGBA")
    corner = Image.new("L", (side, side))
    ImageDraw.Draw(corner).rounded_rectangle((0, 0, side - 1, side - 1), 28 * SCALE, fill=255)
    zoom = 0.8 * SCALE
    at = ((side - 128 * zoom) / 2 - 0.5 * zoom, (side - 128 * zoom) / 2)
    tile.paste("#F4F0E4", mask=_mark(tile.size, zoom, at, answer=False))
    tile.paste("#F4B65C", mask=_mark(tile.size, zoom, at, answer=True))
    tile.putalpha(corner)
    return tile.resize((HEIGHT, HEIGHT), Image.Resampling.BOX)
