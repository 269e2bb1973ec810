"""Medical: a chest, a drop of blood and a molecule."""

from __future__ import annotations

import numpy as np

from .canvas import AMBER, MARK, Canvas
from .shapes import arc, bezier, curve, turn

DEEP = "#0C2431"


def chest_xray() -> Canvas:
    """A chest X-ray; the shadow that looks like pneumonia is lit."""
    c = Canvas("medical")
    c.box(96, 18, 384, 282, 12, DEEP, 0.72)
    body = curve([(212, 20), (208, 46), (168, 60), (124, 82), (116, 150), (114, 271), (366, 271),
                  (364, 150), (356, 82), (312, 60), (272, 46), (268, 20)], 12)  # fmt: skip
    c.polygon(body, MARK, 0.26, blur=3)
    right = [(214, 66), (184, 72), (156, 112), (142, 168), (138, 226), (166, 232), (206, 218),
             (218, 190), (222, 130), (222, 84)]  # fmt: skip
    left = [(266, 66), (296, 72), (324, 112), (338, 168), (342, 226), (318, 232), (290, 222),
            (292, 196), (268, 176), (258, 130), (258, 84)]  # fmt: skip
    for lung in (right, left):
        c.polygon(curve(lung, 12, closed=True), "#0A1C27", 0.85, blur=3)
    heart = curve(
        [(226, 132), (252, 124), (276, 156), (294, 194), (286, 224), (250, 232), (222, 222)],
        12,
        True,
    )
    c.polygon(heart, MARK, 0.42, blur=7)
    for i in range(13):
        y = 26 + 19.5 * i
        c.box(231, y, 249, y + 15, 4, MARK, 0.30, blur=0.8)
    c.polygon([(225, 20), (255, 20), (252, 270), (228, 270)], MARK, 0.12, blur=3)
    for i in range(7):
        y, reach = 76 + 23 * i, (66, 88, 98, 104, 108, 110, 110)[i]
        for side in (-1, 1):
            rib = bezier((240 + side * 12, y), (240 + side * 0.55 * reach, y - 25),
                         (240 + side * 1.12 * reach, y - 4), (240 + side * 0.98 * reach, y + 40))  # fmt: skip
            c.line(rib, 7.5, MARK, 0.20, blur=0.8)
            c.line(rib, 4.0, MARK, 0.24)
    for side in (-1, 1):
        bone = curve([(240 + side * 16, 68), (240 + side * 60, 54), (240 + side * 112, 60)])
        c.line(bone, 8, MARK, 0.5, blur=1)
    for x, y, r, alpha in ((176, 184, 40, 0.78), (190, 204, 26, 0.5), (166, 162, 24, 0.42)):
        c.glow(x, y, r, alpha)
    c.line(arc(178, 182, 39, 41, 0, 359), 3, AMBER, 1, dash=(11, 7))
    c.frame(96, 18, 384, 282, 12, 2, MARK, 0.3)
    return c


def blood_cells() -> Canvas:
    """Red cells, platelets, and the one white cell in its box."""
    c = Canvas("medical")
    rng = np.random.default_rng(14)
    white, r_white = np.array([298.0, 142.0]), 54.0
    placed: list[tuple[float, float, float]] = [(*white, r_white + 6)]
    for _ in range(4000):
        x, y, r = rng.uniform(-20, 500), rng.uniform(-20, 320), rng.uniform(36, 42)
        if all(np.hypot(x - u, y - v) > 0.93 * (r + q) for u, v, q in placed):
            placed.append((x, y, r))
    for x, y, r in placed[1:]:
        angle, squeeze = rng.uniform(0, 180), rng.uniform(0.88, 1)
        cell = turn(arc(x, y, r, r * squeeze, 0, 360), angle, (x, y))
        c.polygon(cell, MARK, 0.38)
        c.disc(x + 1.5, y + 2, r * 0.46, DEEP, 0.30, blur=5)
    count = 0
    while count < 9:
        x, y = rng.uniform(16, 464), rng.uniform(16, 284)
        if all(np.hypot(x - u, y - v) > q + 5 for u, v, q in placed):
            placed.append((x, y, 5))
            c.disc(x, y, 4.6, MARK, 0.9)
            count += 1
    angles = np.linspace(0, 2 * np.pi, 13)[:-1]
    rim = r_white * (1 + 0.05 * np.sin(3 * angles) + 0.03 * np.cos(5 * angles))
    outline = np.column_stack([white[0] + rim * np.cos(angles), white[1] + rim * np.sin(angles)])
    c.glow(white[0], white[1], 84, 0.4)
    c.polygon(curve(outline, 10, True), MARK, 0.80)
    lobes = [(-20, -14, 17), (4, -24, 15), (20, -2, 17), (4, 20, 16)]
    for dx, dy, r in lobes:
        c.disc(white[0] + dx, white[1] + dy, r, "#C4842B")
    c.line([white + lobe[:2] for lobe in lobes], 13, "#C4842B")
    for dx, dy, r in lobes:
        c.disc(white[0] + dx, white[1] + dy, r - 2.5, AMBER)
    c.line([white + lobe[:2] for lobe in lobes], 8, AMBER)
    x0, y0, x1, y1 = 234, 78, 362, 206
    for x, y, dx, dy in ((x0, y0, 1, 1), (x1, y0, -1, 1), (x1, y1, -1, -1), (x0, y1, 1, -1)):
        c.line([(x + 24 * dx, y), (x, y), (x, y + 24 * dy)], 4.4, AMBER)
    return c


def drug_discovery() -> Canvas:
    """A molecule; the atoms that decide are lit."""
    c = Canvas("medical")
    k = 44.0

    def ring(x: float, y: float, start: float, count: int = 6, size: float = k) -> list[np.ndarray]:
        a = np.radians(start + 360 / count * np.arange(count))
        return [np.array([x + size * np.cos(t), y + size * np.sin(t)]) for t in a]

    step = k * np.sqrt(3)
    left = ring(158, 170, -90)
    right = ring(158 + step, 170, -90)
    tail = [right[1] + (k * np.cos(np.pi / 6), -k / 2)]
    tail.append(tail[0] + (k * np.cos(np.pi / 6), k / 2))
    tail.append(tail[1] + (k * np.cos(np.pi / 6), -k / 2))
    up, down = tail[0] + (0, -k), tail[1] + (0, k)
    foot = left[4] + (-k * np.cos(np.pi / 6), k / 2)
    head = left[0] + (0, -k)
    bonds = [(a, b) for r in (left, right) for a, b in zip(r, [*r[1:], r[0]])]
    bonds += [
        (right[1], tail[0]),
        (tail[0], tail[1]),
        (tail[1], tail[2]),
        (left[4], foot),
        (left[0], head),
    ]
    double = [
        (left[0], left[1], 1),
        (left[2], left[3], 1),
        (left[4], left[5], 1),
        (right[0], right[1], 1),
        (right[2], right[3], 1),
    ]
    for x, y, r, alpha in ((*tail[0], 66, 0.62), (*up, 48, 0.62), (*tail[1], 44, 0.34)):
        c.glow(x, y, r, alpha)
    for a, b in bonds:
        c.line([a, b], 5, MARK, 0.85)
    for a, b, _ in double:
        centre = (158.0, 170.0) if a[0] < 198 and b[0] < 198 else (158 + step, 170.0)
        inner = [p + 0.2 * (np.array(centre) - p) for p in (a, b)]
        c.line(inner, 3.4, MARK, 0.6)
    for side in (-4, 4):
        aside = np.array([side, 0])
        c.line([tail[0] + aside, up + aside], 4.4, AMBER)
    c.line([tail[0], tail[1]], 5, AMBER)
    c.line([tail[1], down], 5, MARK, 0.85)
    for p in (*left, *right, foot, head, tail[2]):
        c.disc(p[0], p[1], 7, "#1A4B60")
        c.disc(p[0], p[1], 6, MARK, 0.95)
    for p, r in ((foot, 13), (head, 12), (down, 12)):
        c.disc(p[0], p[1], r, MARK)
    for p, r in ((up, 17), (tail[0], 12), (tail[1], 12)):
        c.disc(p[0], p[1], r, AMBER)
    return c
