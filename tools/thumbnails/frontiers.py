"""Frontiers: little data, linked facts, smaller networks, and explanations under test."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .canvas import AMBER, MARK, Canvas
from .shapes import bezier, curve, turn

SLATE = "#262B36"

# Invented characters in a unit square; each is a list of strokes.
GLYPHS = [
    [[(0.2, 0.15), (0.25, 0.6), (0.6, 0.85), (0.85, 0.5)], [(0.1, 0.45), (0.55, 0.4), (0.9, 0.15)]],
    [[(0.2, 0.85), (0.2, 0.3), (0.5, 0.12), (0.8, 0.3), (0.8, 0.85)], [(0.2, 0.58), (0.5, 0.7), (0.8, 0.55)]],
    [[(0.15, 0.2), (0.85, 0.2), (0.2, 0.82), (0.85, 0.82)], [(0.5, 0.5), (0.78, 0.6)]],
    [[(0.5, 0.1), (0.5, 0.9)], [(0.15, 0.35), (0.3, 0.65), (0.5, 0.5), (0.7, 0.35), (0.88, 0.62)]],
]  # fmt: skip


def _glyph(
    c: Canvas, index: int, x: float, y: float, size: float, ink: str, alpha: float, seed: int
) -> None:
    """Draw one invented character in a hand that shakes differently with each seed."""
    rng = np.random.default_rng(seed)
    strokes = []
    for points in GLYPHS[index]:
        shaken = np.array(points) + rng.normal(0, 0.028, (len(points), 2))
        line = curve((x, y) + size * shaken, 14)
        strokes.append((line, np.full(len(line), 0.085 * size)))
    c.strokes(strokes, ink, alpha)


def few_shot() -> Canvas:
    """One new drawing, compared with a single example of each character."""
    c = Canvas("frontiers")
    match, query = 1, (52.0, 92.0, 116.0)
    spots = [(282.0, 36.0), (372.0, 66.0), (372.0, 164.0), (282.0, 194.0)]
    x, y, size = query
    middle = (x + size, y + size / 2)
    order = [0, 2, 3, 1]
    for (u, v), index in zip(spots, order):
        end = (u, v + 35)
        line = bezier(middle, (middle[0] + 60, middle[1]), (u - 60, end[1]), end)
        if index == match:
            c.line(line, 16, AMBER, 0.45, blur=8)
            c.line(line, 4.6, AMBER)
        else:
            c.line(line, 2, MARK, 0.3, dash=(2, 7))
    for (u, v), index in zip(spots, order):
        lit = index == match
        if lit:
            c.box(u, v, u + 70, v + 70, 10, AMBER, 0.5, blur=13)
        c.box(u, v, u + 70, v + 70, 10, AMBER if lit else "#4A5263")
        _glyph(
            c, index, u + 10, v + 10, 50, SLATE if lit else MARK, 0.95 if lit else 0.75, 3 + index
        )
    c.box(x, y, x + size, y + size, 14, MARK)
    _glyph(c, match, x + 18, y + 18, 80, SLATE, 0.95, 77)
    return c


def knowledge_graph() -> Canvas:
    """Facts as links; a missing one is predicted along a path of evidence."""
    c = Canvas("frontiers")
    nodes = [(70, 158), (128, 74), (150, 214), (206, 140), (246, 58), (252, 236), (312, 166),
             (352, 84), (386, 226), (424, 150), (60, 62), (66, 246), (430, 52)]  # fmt: skip
    sizes = [13, 11, 9, 15, 9, 10, 13, 11, 10, 15, 7, 7, 7]
    links = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (3, 5), (3, 6), (4, 7), (5, 6), (6, 7), (6, 8),
             (6, 9), (8, 9), (7, 9), (1, 4), (2, 5), (10, 1), (10, 0), (11, 2), (11, 0), (12, 7), (12, 9),
             (5, 8)]  # fmt: skip
    path = [0, 1, 3, 6, 9]
    for a, b in links:
        c.line([nodes[a], nodes[b]], 2, MARK, 0.26)
    for a, b in pairwise(path):
        c.line([nodes[a], nodes[b]], 4, MARK, 0.9)
    arch = bezier(nodes[0], (110, 330), (380, 330), nodes[9])
    c.line(arch, 16, AMBER, 0.4, blur=8)
    c.line(arch[2:-2], 4.6, AMBER, 1, dash=(13, 9))
    for i, ((x, y), r) in enumerate(zip(nodes, sizes)):
        ends = i in (path[0], path[-1])
        if ends:
            c.glow(x, y, 38, 0.5)
        c.disc(x, y, r + 3, "#333A49")
        c.disc(x, y, r, AMBER if ends else MARK, 1 if i in path else 0.5)
    return c


def compression() -> Canvas:
    """Weights of a layer: all of them, then fewer, then coarser; the few that matter stay lit."""
    c = Canvas("frontiers")
    rng = np.random.default_rng(41)
    rows, columns, pitch = 16, 28, 14.6
    x0, y0 = 240 - columns * pitch / 2, 150 - rows * pitch / 2
    weight = np.abs(rng.normal(0, 0.36, (rows, columns)))
    for (row, column), value in np.ndenumerate(weight):
        along = column / (columns - 1)
        limit = 0.78 * np.clip((along - 0.12) / 0.88, 0, 1) ** 0.9
        alpha = 0.14 + 0.72 * min(value, 1)
        x, y = x0 + pitch * column, y0 + pitch * row
        if value < limit:
            c.disc(x + pitch / 2 - 1, y + pitch / 2 - 1, 1.3, MARK, 0.22)
            continue
        level = np.round(alpha * 3) / 3 if along > 0.5 else alpha
        found = along > 0.6
        if found:
            c.glow(x + 6, y + 6, 22, 0.35)
        ink, alpha = (AMBER, 1.0) if found else (MARK, float(level))
        c.box(x, y, x + pitch - 2, y + pitch - 2, 2.5, ink, alpha)
    return c


def _flower(x: float, y: float, r: float) -> list[np.ndarray]:
    petal = curve(
        [(0, -0.2), (0.34, -0.5), (0.28, -0.9), (0, -1.0), (-0.28, -0.9), (-0.34, -0.5)], 10, True
    )
    return [turn(petal, 72 * i, (0, 0)) * r + (x, y) for i in range(5)]


def explanation_lab() -> Canvas:
    """One flower explained three ways; the explanation that survives the test is lit."""
    c = Canvas("frontiers")
    size, top = 122.0, 52.0
    for i, x in enumerate((38.0, 179.0, 320.0)):
        best = i == 1
        centre = np.array([x + size / 2, top + size / 2])
        c.box(x, top, x + size, top + size, 11, "#1F242E", 0.75)
        for petal in _flower(centre[0], centre[1], 51):
            c.polygon(petal, MARK, 0.46)
        c.disc(centre[0], centre[1], 13, MARK, 0.85)
        if i == 0:
            rng = np.random.default_rng(1)
            for u, v in rng.uniform(10, size - 10, (60, 2)):
                c.box(
                    x + u - 3,
                    top + v - 3,
                    x + u + 3,
                    top + v + 3,
                    1.5,
                    MARK,
                    rng.uniform(0.15, 0.75),
                )
        elif best:
            c.glow(centre[0], centre[1], 44, 0.9)
            c.disc(centre[0], centre[1], 17, AMBER)
        else:
            for petal in _flower(centre[0], centre[1], 51):
                c.line(np.vstack([petal, petal[:1]]), 3.4, MARK, 0.9)
            c.ring(centre[0], centre[1], 13, 3.4, MARK, 0.95)
        if best:
            c.frame(x - 5, top - 5, x + size + 5, top + size + 5, 14, 4, AMBER)
        score = (0.24, 0.92, 0.5)[i]
        y = 216
        c.box(x, y, x + size, y + 16, 8, MARK, 0.13)
        if best:
            c.box(x, y, x + size * score, y + 16, 8, AMBER, 0.45, blur=8)
        c.box(x, y, x + size * score, y + 16, 8, AMBER if best else MARK, 1 if best else 0.6)
    return c
