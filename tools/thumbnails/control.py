"""Reinforcement learning: keeping a pole up and landing softly."""

from __future__ import annotations

import numpy as np

from .canvas import AMBER, MARK, Canvas
from .shapes import Points, arc, curve, turn

RUST = "#4A2A17"


def classic_control() -> Canvas:
    """A cart that catches its pole; the moment of balance is lit."""
    c = Canvas("control")
    length, floor = 150.0, 226.0
    c.line([(30, floor + 31), (450, floor + 31)], 3, MARK, 0.5)
    for x in range(48, 450, 32):
        c.line([(x, floor + 31), (x - 9, floor + 42)], 2, MARK, 0.25)
    steps = 9
    t = np.linspace(0, 1, steps)
    carts = 96 + 176 * (1 - (1 - t) ** 2)
    leans = 54 * (1 - t) ** 1.3 * np.cos(1.0 * t) - 3 * np.sin(np.pi * t)
    tips = []
    for i, (x, lean) in enumerate(zip(carts, leans)):
        tip = np.array(
            [x + length * np.sin(np.radians(lean)), floor - length * np.cos(np.radians(lean))]
        )
        tips.append(tip)
        if i < steps - 1:
            fade = 0.07 + 0.30 * t[i] ** 1.6
            c.line([(x, floor), tip], 8, MARK, fade)
            c.box(x - 40, floor - 8, x + 40, floor + 18, 7, MARK, fade * 0.55)
            c.disc(tip[0], tip[1], 6, MARK, fade + 0.15)
    c.line(curve(tips), 2.4, MARK, 0.55, dash=(2, 7))
    x, tip = carts[-1], tips[-1]
    c.line([(x, floor), tip], 18, AMBER, 0.5, blur=9)
    c.box(x - 44, floor - 10, x + 44, floor + 20, 9, "#61391E")
    c.box(x - 42, floor - 8, x + 42, floor + 18, 8, MARK)
    for side in (-1, 1):
        c.disc(x + side * 24, floor + 20, 11, RUST)
        c.disc(x + side * 24, floor + 20, 8, MARK, 0.9)
    c.line([(x, floor), tip], 11, AMBER)
    c.disc(x, floor, 9, RUST)
    c.disc(x, floor, 5, AMBER)
    c.glow(tip[0], tip[1], 30, 0.4)
    c.disc(tip[0], tip[1], 11, AMBER)
    c.arrow([(x + 60, floor + 5), (x + 104, floor + 5)], 4, MARK, 0.75, 12)
    return c


def lunar_lander() -> Canvas:
    """A lander above rough ground, its path, and the flame that slows it."""
    c = Canvas("control")
    rng = np.random.default_rng(2)
    for _ in range(34):
        c.disc(
            rng.uniform(6, 474),
            rng.uniform(6, 190),
            rng.uniform(0.7, 1.9),
            MARK,
            rng.uniform(0.2, 0.8),
        )
    c.disc(404, 62, 26, MARK, 0.16)
    c.disc(414, 56, 24, "#6E4325", 0.75)
    far = curve(
        [
            (0, 236),
            (70, 206),
            (120, 232),
            (190, 212),
            (300, 236),
            (372, 196),
            (430, 214),
            (480, 190),
        ],
        12,
    )
    c.polygon(np.vstack([far, [(480, 300), (0, 300)]]), MARK, 0.10)
    near = [(0, 262), (38, 240), (74, 266), (118, 250), (150, 270), (190, 270), (300, 270),
            (336, 254), (372, 268), (420, 228), (452, 244), (480, 222)]  # fmt: skip
    c.polygon(np.vstack([near, [(480, 300), (0, 300)]]), MARK, 0.34)
    c.line(near, 2.4, MARK, 0.6)
    for pole in (196, 296):
        c.line([(pole, 270), (pole, 236)], 2.6, MARK, 0.95)
        c.polygon([(pole, 236), (pole + 20, 243), (pole, 250)], MARK, 0.95)
    path = curve([(40, 40), (92, 62), (150, 84), (200, 104), (234, 134)], 14)
    c.line(path, 3, MARK, 0.6, dash=(2, 8))
    x, y, tilt = 246.0, 160.0, 9.0

    def lean(points: Points) -> np.ndarray:
        return turn([(x + u, y + v) for u, v in points], tilt, (x, y))

    flame = lean([(-9, 16), (-13, 34), (-6, 50), (0, 72), (6, 50), (13, 34), (9, 16)])
    c.glow(x - 7, y + 43, 60, 0.6)
    c.polygon(curve(flame, 8, True), AMBER)
    c.polygon(curve(lean([(-4, 18), (-5, 32), (0, 48), (5, 32), (4, 18)]), 8, True), MARK, 0.9)
    for side in (-1, 1):
        c.line(lean([(side * 17, 6), (side * 34, 32)]), 4.4, MARK)
        c.line(lean([(side * 26, 33), (side * 42, 31)]), 4.4, MARK)
        c.line(lean([(side * 10, 13), (side * 29, 25)]), 2.4, MARK, 0.7)
    c.polygon(lean([(-11, 12), (11, 12), (8, 20), (-8, 20)]), MARK, 0.75)
    hull = [(-24, 10), (-25, -8), (-14, -27), (14, -27), (25, -8), (24, 10)]
    c.polygon(lean(hull), RUST)
    c.polygon(lean([(0.94 * u, 0.94 * v) for u, v in hull]), MARK)
    c.polygon(turn(arc(x, y - 9, 9, 9, 0, 360), tilt, (x, y)), RUST, 0.85)
    c.line(lean([(-22, 3), (22, 3)]), 2, RUST, 0.4)
    return c
