"""A 480x300 canvas that is drawn three times larger and reduced at the end.

All coordinates and widths are in picture units (480 wide, 300 high, y down). Colours are mixed in
floating point, so many faint layers leave no bands; edges become smooth when the picture shrinks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .shapes import Points, dashes, round_box, turn

WIDTH, HEIGHT = 480, 300
SCALE = 3
MARK = "#F4F0E4"
AMBER = "#F4B65C"

GROUNDS = {
    "foundations": ("#1C5A54", "#123C3A"),
    "vision": ("#2A4A80", "#1B2E52"),
    "language": ("#583A75", "#3A2450"),
    "speech": ("#70344F", "#4A2036"),
    "medical": ("#1F5A70", "#14384A"),
    "finance": ("#525C2A", "#33391A"),
    "control": ("#744626", "#4A2A17"),
    "frontiers": ("#3F485A", "#262B36"),
}

Draw = Callable[[ImageDraw.ImageDraw], None]


def rgb(ink: str) -> np.ndarray:
    """Return `#RRGGBB` as an array of shape (3,), range 0-255."""
    return np.array([int(ink[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float32)


class Canvas:
    """A picture in the colours of one domain."""

    def __init__(self, domain: str) -> None:
        light, dark = (rgb(ink) for ink in GROUNDS[domain])
        x, y = self._axes()
        t = np.clip(0.35 * x / WIDTH + 0.65 * y / HEIGHT, 0, 1)[..., None]
        self.pixels = (light * (1 - t) + dark * t).astype(np.float32)
        # A little light from the upper left keeps the ground from looking like flat paint.
        self._mix(0.07 * np.exp(-(((x - 130) / 260) ** 2) - ((y - 40) / 190) ** 2), MARK)

    @staticmethod
    def _axes() -> tuple[np.ndarray, np.ndarray]:
        """Return x, shape (1, W), and y, shape (H, 1), of every pixel in picture units."""
        x = (np.arange(WIDTH * SCALE, dtype=np.float32) + 0.5) / SCALE
        y = (np.arange(HEIGHT * SCALE, dtype=np.float32) + 0.5) / SCALE
        return x[None, :], y[:, None]

    def _mix(self, alpha: np.ndarray, ink: str, left: int = 0, top: int = 0) -> None:
        """Lay an ink over the pixels; alpha 0-1, its corner at (left, top) in pixels."""
        h, w = alpha.shape
        part = self.pixels[top : top + h, left : left + w]
        part += alpha[..., None].astype(np.float32) * (rgb(ink) - part)

    def _paint(self, draw: Draw, bounds: Points, ink: str, alpha: float, blur: float = 0) -> None:
        """Run `draw` on a small mask that covers `bounds` and lay the ink through it."""
        if alpha <= 0:
            return
        pad = 3 + int(3 * blur * SCALE)
        low, high = np.floor(np.min(bounds, 0) * SCALE), np.ceil(np.max(bounds, 0) * SCALE)
        left, top = (int(max(0, v - pad)) for v in low)
        right = int(min(WIDTH * SCALE, high[0] + pad))
        bottom = int(min(HEIGHT * SCALE, high[1] + pad))
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", (right - left, bottom - top))
        self._corner = np.array([left, top])
        draw(ImageDraw.Draw(mask))
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * SCALE))
        self._mix(np.asarray(mask, dtype=np.float32) * (alpha / 255), ink, left, top)

    def _at(self, points: Points) -> list[tuple[float, float]]:
        p = np.asarray(points, dtype=float) * SCALE - self._corner
        return [(float(x), float(y)) for x, y in p]

    def polygon(self, points: Points, ink: str = MARK, alpha: float = 1, blur: float = 0) -> None:
        """Fill a closed outline."""
        p = np.asarray(points, dtype=float)
        self._paint(lambda d: d.polygon(self._at(p), fill=255), p, ink, alpha, blur)

    def disc(
        self, x: float, y: float, r: float, ink: str = MARK, alpha: float = 1, blur: float = 0
    ) -> None:
        """Fill a circle."""
        box = np.array([[x - r, y - r], [x + r, y + r]])
        self._paint(lambda d: d.ellipse(_flat(self._at(box)), fill=255), box, ink, alpha, blur)

    def ring(
        self, x: float, y: float, r: float, width: float = 2, ink: str = MARK, alpha: float = 1
    ) -> None:
        """Draw a circle whose line is centred on radius r."""
        rim = r + width / 2
        box = np.array([[x - rim, y - rim], [x + rim, y + rim]])
        pen = max(1, round(width * SCALE))
        self._paint(
            lambda d: d.ellipse(_flat(self._at(box)), outline=255, width=pen), box, ink, alpha
        )

    def line(
        self,
        points: Points,
        width: float = 2,
        ink: str = MARK,
        alpha: float = 1,
        blur: float = 0,
        dash: Sequence[float] | None = None,
    ) -> None:
        """Draw a line with round ends and joints; dash gives lengths on, off, on, off ..."""
        p = np.asarray(points, dtype=float)
        strokes = [p] if dash is None else list(dashes(p, dash))
        self.strokes([(s, np.full(len(s), float(width))) for s in strokes], ink, alpha, blur)

    def brush(
        self, points: Points, widths: Points, ink: str = MARK, alpha: float = 1, blur: float = 0
    ) -> None:
        """Draw a line whose width changes; widths has one entry a point."""
        p, w = np.asarray(points, dtype=float), np.asarray(widths, dtype=float)
        self.strokes([(p, w)], ink, alpha, blur)

    def strokes(
        self,
        strokes: list[tuple[np.ndarray, np.ndarray]],
        ink: str = MARK,
        alpha: float = 1,
        blur: float = 0,
    ) -> None:
        """Draw lines, each with its widths, as one shape: where they cross nothing doubles.

        Every pixel is covered by its distance to the nearest line, so edges are exact.
        """
        wide = max(float(w.max()) for _, w in strokes) / 2 + 1
        every = np.vstack([p for p, _ in strokes])
        margin = wide + 3 * blur
        limits = np.array([WIDTH, HEIGHT]) * SCALE
        low = np.clip(np.floor((every.min(0) - margin) * SCALE), 0, limits).astype(int)
        high = np.clip(np.ceil((every.max(0) + margin) * SCALE), 0, limits).astype(int)
        if (high <= low).any():
            return
        cover = np.zeros((high - low)[::-1], dtype=np.float32)
        for p, w in strokes:
            at, radius = p * SCALE - low, w * SCALE / 2
            if len(at) == 1:
                at, radius = np.repeat(at, 2, 0), np.repeat(radius, 2)
            for piece in zip(at, at[1:], radius, radius[1:]):
                _cover_segment(cover, *piece)
        if blur:
            mask = Image.fromarray((cover * 255).astype(np.uint8))
            mask = mask.filter(ImageFilter.GaussianBlur(blur * SCALE))
            cover = np.asarray(mask, dtype=np.float32) / 255
        self._mix(cover * alpha, ink, int(low[0]), int(low[1]))

    def box(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        radius: float = 4,
        ink: str = MARK,
        alpha: float = 1,
        blur: float = 0,
    ) -> None:
        """Fill a box with round corners."""
        self.polygon(round_box(x0, y0, x1, y1, radius), ink, alpha, blur)

    def frame(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        radius: float = 4,
        width: float = 2,
        ink: str = MARK,
        alpha: float = 1,
    ) -> None:
        """Draw the outline of a box with round corners."""
        outline = round_box(x0, y0, x1, y1, radius)
        self.line(np.vstack([outline, outline[:2]]), width, ink, alpha)

    def glow(self, x: float, y: float, r: float, alpha: float = 0.5, ink: str = AMBER) -> None:
        """Add a soft round light; at distance r it has faded to a seventh."""
        xs, ys = self._axes()
        self._mix(alpha * np.exp(-2 * ((xs - x) ** 2 + (ys - y) ** 2) / r**2), ink)

    def field(
        self, alpha: np.ndarray, x0: float, y0: float, x1: float, y1: float, ink: str = MARK
    ) -> None:
        """Stretch a small array of alphas, shape (rows, columns), smoothly over a box."""
        size = (round((x1 - x0) * SCALE), round((y1 - y0) * SCALE))
        picture = Image.fromarray(np.clip(alpha, 0, 1).astype(np.float32))
        smooth = np.asarray(picture.resize(size, Image.Resampling.BICUBIC))
        self._mix(np.clip(smooth, 0, 1), ink, round(x0 * SCALE), round(y0 * SCALE))

    def cells(
        self,
        alpha: np.ndarray,
        x0: float,
        y0: float,
        pitch: float,
        gap: float = 1,
        radius: float = 1,
        ink: str = MARK,
    ) -> None:
        """Draw an array of alphas, shape (rows, columns), as small squares."""
        for (row, column), value in np.ndenumerate(alpha):
            if value > 0.02:
                x, y = x0 + column * pitch, y0 + row * pitch
                self.box(x, y, x + pitch - gap, y + pitch - gap, radius, ink, float(min(value, 1)))

    def arrow(
        self, points: Points, width: float = 3, ink: str = MARK, alpha: float = 1, head: float = 9
    ) -> None:
        """Draw a line that ends in an open arrow head."""
        p = np.asarray(points, dtype=float)
        way = p[-1] - p[max(0, len(p) - 4)]
        way /= np.hypot(*way)
        wings = [p[-1] - head * (turn([way], side, (0, 0))[0]) for side in (-35, 35)]
        self.line(p, width, ink, alpha)
        self.line([wings[0], p[-1], wings[1]], width, ink, alpha)

    def image(self) -> Image.Image:
        """Return the finished picture, 480x300, RGB."""
        full = Image.fromarray(np.clip(self.pixels + 0.5, 0, 255).astype(np.uint8))
        return full.resize((WIDTH, HEIGHT), Image.Resampling.BOX)


def _flat(corners: Iterable[tuple[float, float]]) -> list[float]:
    return [value for corner in corners for value in corner]


def _cover_segment(cover: np.ndarray, a: np.ndarray, b: np.ndarray, ra: float, rb: float) -> None:
    """Raise the coverage, shape (h, w), near the segment from a to b with radii ra to rb."""
    reach = max(ra, rb) + 1
    limits = np.array(cover.shape[::-1])
    low = np.clip(np.floor(np.minimum(a, b) - reach), 0, limits).astype(int)
    high = np.clip(np.ceil(np.maximum(a, b) + reach), 0, limits).astype(int)
    if (high <= low).any():
        return
    x = np.arange(low[0], high[0])[None, :] + 0.5 - a[0]
    y = np.arange(low[1], high[1])[:, None] + 0.5 - a[1]
    way = b - a
    t = np.clip((x * way[0] + y * way[1]) / max(float(way @ way), 1e-9), 0, 1)
    far = np.hypot(x - t * way[0], y - t * way[1])
    part = cover[low[1] : high[1], low[0] : high[0]]
    np.maximum(part, np.clip(ra + t * (rb - ra) - far + 0.5, 0, 1), out=part)
