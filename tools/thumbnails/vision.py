"""Vision: what is in a picture, where it is, and pictures made from noise."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .canvas import AMBER, MARK, Canvas
from .shapes import arc, curve, turn

NIGHT = "#1B2E52"


def _cat(x: float, y: float, size: float) -> np.ndarray:
    """Return the outline of a cat's head; size is half its width."""
    half = [
        (0.0, -0.50), (0.30, -0.54), (0.50, -0.78), (0.68, -1.02), (0.80, -1.04), (0.86, -0.78),
        (0.92, -0.34), (1.02, 0.06), (0.96, 0.42), (0.70, 0.70), (0.36, 0.86), (0.0, 0.90),
    ]  # fmt: skip
    whole = half + [(-u, v) for u, v in half[-2:0:-1]]
    return curve([(x + size * u, y + size * v) for u, v in whole], 10, closed=True)


def imagenet_classification() -> Canvas:
    """A cat in a photograph, what the network looked at, and its five best names."""
    c = Canvas("vision")
    c.box(44, 40, 264, 260, 12, "#152545", 0.55)
    c.frame(44, 40, 264, 260, 12, 2, MARK, 0.35)
    x, y, size = 154, 166, 76
    c.polygon(_cat(x, y, size), MARK, 0.82)
    for side in (-1, 1):
        ear = [(0.52, -0.60), (0.72, -0.86), (0.79, -0.46)]
        c.polygon([(x + side * size * u, y + size * v) for u, v in ear], NIGHT, 0.32)
    heat = np.zeros((11, 11))
    rows, columns = np.mgrid[0:11, 0:11]
    for row, column, width, peak in (
        (5.6, 3.9, 1.5, 0.9),
        (5.6, 6.1, 1.5, 0.9),
        (7.2, 5, 1.4, 1.0),
    ):
        heat += peak * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / width**2)
    c.glow(x, y + 4, 84, 0.42)
    c.cells(np.clip(heat - 0.22, 0, 0.9), 44, 40, 20, 1.5, 3, AMBER)
    for side in (-1, 1):
        eye = np.vstack(
            [arc(x + side * 29, y + 1, 12, 11, 180, 360), arc(x + side * 29, y - 1, 12, 9, 0, 180)]
        )
        c.polygon(eye, NIGHT)
        c.box(x + side * 29 - 2.2, y - 7, x + side * 29 + 2.2, y + 7, 2, AMBER)
        for lift in (-5, 4):
            ends = [(x + side * 26, y + 34 + lift / 3), (x + side * 82, y + 32 + 1.8 * lift)]
            c.line(ends, 1.8, NIGHT, 0.75)
    c.polygon(curve([(x - 9, y + 24), (x, y + 21), (x + 9, y + 24), (x, y + 34)], 8, True), NIGHT)
    for side in (-1, 1):
        c.line(
            curve([(x, y + 33), (x + side * 5, y + 42), (x + side * 15, y + 42)]), 2.4, NIGHT, 0.9
        )
    for row, value in enumerate((0.93, 0.50, 0.33, 0.22, 0.14)):
        top = 69 + 36 * row
        c.box(296, top, 436, top + 18, 9, MARK, 0.12)
        if row == 0:
            c.box(296, top, 296 + 140 * value, top + 18, 9, AMBER, 0.4, blur=7)
        c.box(296, top, 296 + 140 * value, top + 18, 9, MARK if row else AMBER, 0.62 if row else 1)
    return c


def _shirt(x: float, y: float, k: float, sleeve: float = 1) -> np.ndarray:
    """Return a T-shirt hanging from (x, y); k is half its width."""
    half = [
        (0.26, 0.0), (0.62, 0.10), (1.0 + 0.42 * sleeve, 0.46 + 0.32 * sleeve),
        (1.12 + 0.06 * sleeve, 0.78 + 0.30 * sleeve), (0.84, 0.62), (0.84, 2.0),
    ]  # fmt: skip
    neck = arc(x, y, 0.26 * k, 0.24 * k, 180, 0)
    right = [(x + k * u, y + k * v) for u, v in half]
    left = [(x - k * u, y + k * v) for u, v in half[::-1]]
    return np.vstack([right, left, neck])


def _scaled(points: list[tuple[float, float]], x: float, y: float, k: float) -> np.ndarray:
    whole = points + [(-u, v) for u, v in points[::-1]]
    return np.array([(x + k * u, y + k * v) for u, v in whole])


def clothing_classification() -> Canvas:
    """Clothes on a rail; one of them is recognised."""
    c = Canvas("vision")
    c.line([(28, 62), (452, 62)], 5, MARK, 0.55)
    for x in (28, 452):
        c.disc(x, 62, 7, MARK, 0.75)
    dress = [(0.22, 0), (0.46, 0.08), (0.52, 0.85), (1.05, 2.75), (0.0, 2.85)]
    coat = [(0.2, 0), (0.66, 0.12), (1.02, 1.9), (0.78, 1.96), (0.66, 1.2), (0.72, 2.7), (0.0, 2.7)]
    trousers = [(0.62, 0), (0.86, 2.75), (0.30, 2.75), (0.0, 0.85)]
    for x, outline, k, alpha in (
        (74, dress, 42, 0.5),
        (158, trousers, 40, 0.62),
        (410, coat, 44, 0.5),
    ):
        hanger = [(x - 0.5 * k, 96), (x, 80), (x + 0.5 * k, 96)]
        c.line([(x, 62), (x, 80)], 2.4, MARK, 0.55)
        c.line(hanger, 2.4, MARK, 0.55)
        c.polygon(_scaled(outline, x, 93, k), MARK, alpha)
    c.line([(158, 95), (158, 127)], 2, NIGHT, 0.4)
    c.line(curve([(410, 93), (404, 150), (410, 211)]), 2.4, NIGHT, 0.45)
    for dy in (128, 152, 176):
        c.disc(415, dy, 2.6, NIGHT, 0.5)
    c.line(curve([(53, 129), (74, 133), (95, 129)]), 3, NIGHT, 0.4)
    x, k = 284, 60
    c.glow(x, 150, 120, 0.35)
    c.line([(x, 62), (x, 74)], 3, AMBER)
    c.line([(x - 34, 96), (x, 74), (x + 34, 96)], 3, AMBER)
    c.polygon(_shirt(x, 92, k), AMBER)
    c.line(arc(x, 92, 0.30 * k, 0.30 * k, 178, 2), 2.4, "#8A5A1E", 0.55)
    for side in (-1, 1):
        fold = [(x + side * 0.83 * k, 92 + 0.62 * k), (x + side * 0.80 * k, 92 + 1.1 * k)]
        c.line(fold, 2.4, "#8A5A1E", 0.35)
    return c


def fashion_classification() -> Canvas:
    """A sneaker on 28 x 28 pixels; the pixels that decided are lit."""
    c = Canvas("vision")
    big = Image.new("L", (28 * 16, 28 * 16))
    d = ImageDraw.Draw(big)

    def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(16 * x, 16 * y) for x, y in points]

    upper = curve([(2.4, 19.2), (2.6, 13), (3.6, 8.4), (6, 9.6), (9, 10.2), (11.2, 8.2), (13, 8.4),
                   (16.4, 12.4), (20.5, 14.8), (24.6, 16.2), (25.8, 19.2)])  # fmt: skip
    d.polygon(at([tuple(p) for p in upper]), fill=150)
    d.polygon(at([(16.6, 12.6), (20.5, 14.9), (24.6, 16.3), (25.8, 19.2), (20, 19.2)]), fill=188)
    for i in range(4):
        d.line(
            at([(12.6 + 1.9 * i, 9.6 + 1.55 * i), (10.4 + 1.9 * i, 12.6 + 1.3 * i)]),
            fill=250,
            width=13,
        )
    d.line(at([(5, 17.4), (9.5, 17.0), (13.5, 14.6)]), fill=78, width=20)
    d.rounded_rectangle((2.0 * 16, 19.2 * 16, 26.2 * 16, 22 * 16), 20, fill=245)
    grey = np.asarray(big.resize((28, 28), Image.Resampling.BOX), dtype=float) / 255
    pitch, x0, y0 = 9.4, 240 - 14 * 9.4, 150 - 14 * 9.4 - 2
    c.cells(np.full((28, 28), 0.07), x0, y0 + 2, pitch, 1.2, 1.5)
    c.cells(0.92 * grey, x0, y0 + 2, pitch, 1.2, 1.5)
    rows, columns = np.mgrid[0:28, 0:28]
    heat = np.exp(-(((rows - 13.2) / 3.4) ** 2) - ((columns - 15.4) / 4.2) ** 2) * (grey > 0.2)
    c.glow(x0 + 15.6 * pitch, y0 + 13.6 * pitch, 62, 0.30)
    c.cells(np.where(heat > 0.25, 0.35 + 0.65 * heat, 0), x0, y0 + 2, pitch, 1.2, 1.5, AMBER)
    return c


def _wheel(c: Canvas, x: float, y: float, r: float, alpha: float) -> None:
    c.ring(x, y, r, 3.4, MARK, alpha)
    for angle in range(0, 180, 45):
        c.line(turn([(x - r, y), (x + r, y)], angle, (x, y)), 1, MARK, alpha * 0.4)
    c.disc(x, y, 3, MARK, alpha)


def object_detection() -> Canvas:
    """A street: car, cyclist and bird in boxes; the box just found is lit."""
    c = Canvas("vision")
    c.polygon([(0, 236), (480, 236), (480, 300), (0, 300)], "#0F1B34", 0.5)
    for x in range(10, 480, 86):
        c.line([(x, 270), (x + 40, 270)], 4, MARK, 0.28)
    for x, w, h in (
        (8, 50, 96),
        (62, 40, 140),
        (108, 60, 76),
        (182, 36, 124),
        (380, 44, 150),
        (430, 50, 100),
    ):
        c.box(x, 236 - h, x + w, 240, 2, MARK, 0.07)
    body = curve([(52, 222), (48, 198), (60, 186), (86, 182), (104, 158), (122, 152), (166, 152),
                  (186, 164), (202, 182), (222, 188), (230, 202), (228, 222)], 8)  # fmt: skip
    c.polygon(body, MARK, 0.72)
    glass = (
        [(104, 180), (116, 163), (142, 162), (142, 180)],
        [(150, 180), (150, 162), (167, 163), (182, 180)],
    )
    for pane in glass:
        c.polygon(pane, NIGHT, 0.75)
    for x in (86, 194):
        c.disc(x, 222, 19, NIGHT)
        c.disc(x, 222, 15, MARK, 0.85)
        c.disc(x, 222, 6, NIGHT, 0.8)
    c.frame(34, 138, 244, 246, 3, 2.6, MARK, 0.75)
    c.box(33, 122, 92, 139, 3, MARK, 0.75)
    for x in (306, 382):
        _wheel(c, x, 212, 28, 0.9)
    bicycle = [(306, 212), (326, 166), (366, 166), (344, 212), (306, 212)]
    c.line(bicycle, 3.6, MARK, 0.95)
    c.line([(344, 212), (322, 156)], 3.6, MARK, 0.95)
    c.line([(382, 212), (362, 150), (374, 146)], 3.6, MARK, 0.95)
    c.line([(312, 155), (332, 155)], 5, MARK)
    c.brush(curve([(322, 152), (328, 128), (344, 108)]), np.linspace(16, 20, 49))
    c.brush([(342, 112), (352, 134), (368, 146)], [9, 8, 6])
    c.brush(curve([(324, 154), (350, 172), (344, 212)]), np.linspace(12, 7, 49))
    c.disc(354, 88, 12.5)
    c.polygon(np.vstack([arc(354, 86, 14, 13, 180, 360), [(372, 86)]]), NIGHT, 0.85)
    c.glow(346, 158, 130, 0.16)
    c.frame(266, 62, 420, 250, 3, 4, AMBER)
    c.box(264, 42, 346, 63, 3, AMBER)
    c.box(274, 50, 318, 55, 2, "#6E4716", 0.8)
    c.box(324, 50, 336, 55, 2, "#6E4716", 0.5)
    for side in (-1, 1):
        c.brush(
            curve([(452, 84), (452 + side * 8, 76), (452 + side * 16, 80)]),
            np.linspace(4, 1.5, 49),
            MARK,
            0.8,
        )
    c.frame(432, 68, 472, 94, 2, 2, MARK, 0.6)
    return c


def image_generation() -> Canvas:
    """Four steps from noise to a landscape; the sun is what the model dreamt up."""
    c = Canvas("vision")
    n = 14
    rows, columns = np.mgrid[0:n, 0:n] + 0.5
    far = 9.2 - 3.2 * np.exp(-(((columns - 4.2) / 2.6) ** 2)) + 0.5 * np.sin(columns)
    near = 11.8 - 2.4 * np.exp(-(((columns - 10.5) / 3.4) ** 2))
    scene = np.where(rows > near, 0.88, np.where(rows > far, 0.56, 0.10 + 0.015 * rows))
    sun = np.clip(2.7 - np.hypot(rows - 4.0, columns - 10.0), 0, 1)
    noise = np.random.default_rng(7).uniform(0.02, 0.95, (n, n))
    x = 14.0
    for size, keep in ((74, 0.0), (90, 0.42), (112, 0.78), (140, 1.0)):
        y, last = 150 - size / 2, keep == 1
        mixed = keep * scene + (1 - keep) * noise
        c.box(x - 4, y - 4, x + size + 4, y + size + 4, 7, "#14233F", 0.6)
        c.cells(mixed * (1 - keep * sun), x + 0.5, y + 0.5, size / n, 1, 1.2)
        lit = keep**2.5 * sun * (1 if last else 0.8)
        if keep > 0.5:
            c.glow(x + 10 * size / n, y + 4 * size / n, 0.36 * size, 0.5 * keep**3)
        c.cells(lit, x + 0.5, y + 0.5, size / n, 1, 1.2, AMBER)
        if last:
            c.frame(x - 4, y - 4, x + size + 4, y + size + 4, 7, 2.4, MARK, 0.8)
        x += size + 12
    return c
