"""Foundations: what happens inside a network and while it learns."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .canvas import AMBER, MARK, Canvas
from .shapes import curve


def backprop_lab() -> Canvas:
    """A small network; the strongest path back from the loss is lit."""
    c = Canvas("foundations")
    rng = np.random.default_rng(4)
    layers = [
        [(84.0, 96.0 + 54 * i) for i in range(3)],
        [(188.0, 69.0 + 54 * i) for i in range(4)],
        [(292.0, 69.0 + 54 * i) for i in range(4)],
        [(396.0, 123.0 + 54 * i) for i in range(2)],
    ]
    path = [layers[0][1], layers[1][2], layers[2][1], layers[3][0]]
    for left, right in pairwise(layers):
        for a in left:
            for b in right:
                weight = rng.random()
                c.line([a, b], 1 + 1.6 * weight, MARK, 0.10 + 0.28 * weight**2)
    c.line(path, 13, AMBER, 0.35, blur=7)
    for a, b in pairwise(path):
        c.line([a, b], 4, AMBER)
        middle = np.add(a, b) / 2
        way = np.subtract(a, b) / np.hypot(*np.subtract(a, b))
        c.arrow([middle - 5 * way, middle + 7 * way], 4, AMBER, head=10)
    for layer in layers:
        for node in layer:
            lit = node in path
            c.disc(*node, 15, "#14423F")
            c.disc(*node, 13, AMBER if lit else MARK, 1 if lit else 0.45 + 0.5 * rng.random())
    return c


def _ravine(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A long, slightly bent valley, eleven times steeper across than along; minimum at (1, 0)."""
    along, across = x - 1, y + 0.05 * (x - 1) ** 2
    return 0.5 * (along**2 + 11 * across**2)


def _slope(p: np.ndarray) -> np.ndarray:
    step = 1e-4 * np.eye(2)
    return np.array([(_ravine(*(p + d)) - _ravine(*(p - d))) / 2e-4 for d in step])


def _descend(rule: str, start: tuple[float, float], steps: int) -> np.ndarray:
    """Run one optimizer down the ravine; returns the path, shape (steps + 1, 2)."""
    p, m, v = np.array(start), np.zeros(2), np.zeros(2)
    path = [p.copy()]
    for t in range(1, steps + 1):
        g = _slope(p)
        if rule == "sgd":
            p = p - 0.035 * g
        elif rule == "momentum":
            m = 0.9 * m + g
            p = p - 0.022 * m
        elif rule == "adagrad":
            v = v + g**2
            p = p - 0.34 * g / np.sqrt(v)
        elif rule == "rmsprop":
            v = 0.9 * v + 0.1 * g**2
            p = p - 0.06 * g / np.sqrt(v + 1e-8)
        else:
            m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
            p = p - 0.10 * (m / (1 - 0.9**t)) / np.sqrt(v / (1 - 0.99**t) + 1e-8)
        path.append(p.copy())
    return np.array(path)


def optimizer_race() -> Canvas:
    """Level lines of a ravine, and five real descents from one point; Adam's is lit."""
    c = Canvas("foundations")

    def place(path: np.ndarray) -> np.ndarray:
        return np.column_stack([196 + 112 * path[:, 0], 150 - 112 * path[:, 1]])

    x = (np.arange(480) + 0.5 - 196) / 112
    y = (150 - (np.arange(300) + 0.5)) / 112
    height = _ravine(*np.meshgrid(x, y))
    c.field(0.16 * np.exp(-height / 1.6), 0, 0, 480, 300)
    across, down = np.gradient(height)
    steep = np.hypot(across, down) + 1e-4
    for level in np.linspace(0.25, 3.9, 9) ** 2 / 2:
        c.field(0.30 * np.clip(1.15 - np.abs(height - level) / steep, 0, 1), 0, 0, 480, 300)
    start = (-1.42, 0.92)
    styles = {
        "sgd": (34, None, 0.55),
        "momentum": (52, (9.0, 6.0), 0.75),
        "adagrad": (36, (1.0, 6.5), 0.75),
        "rmsprop": (40, (10.0, 5.0, 1.0, 5.0), 0.6),
    }
    for rule, (steps, dash, alpha) in styles.items():
        path = place(_descend(rule, start, steps))
        c.line(curve(path, 4), 2.6, MARK, alpha, dash=dash)
        c.disc(path[-1][0], path[-1][1], 5.5, MARK, min(1, alpha + 0.2))
    best = place(_descend("adam", start, 90))
    c.line(best, 11, AMBER, 0.3, blur=6)
    c.line(best, 4.4, AMBER)
    c.disc(best[0][0], best[0][1], 8, MARK)
    c.glow(best[-1][0], best[-1][1], 34, 0.55)
    star = [
        (best[-1][0] + r * np.sin(a), best[-1][1] - r * np.cos(a))
        for a, r in zip(np.arange(10) * np.pi / 5, [14, 6] * 5)
    ]
    c.polygon(star, AMBER)
    return c


def regularization_lab() -> Canvas:
    """The same points, fitted freely and with a penalty; the calm fit is lit."""
    c = Canvas("foundations")
    rng = np.random.default_rng(105)
    x = -np.cos(np.linspace(0, np.pi, 14)) * 0.5 + np.linspace(-0.5, 0.5, 14)
    x += rng.uniform(-0.03, 0.03, 14)
    truth = np.sin(2.6 * x)
    y = truth + rng.normal(0, 0.34, x.size)
    fresh = np.linspace(-0.96, 0.96, 11)
    seen = np.sin(2.6 * fresh) + rng.normal(0, 0.2, fresh.size)
    grid = np.linspace(x[0], x[-1], 500)

    def fit(penalty: float) -> np.ndarray:
        basis = np.polynomial.chebyshev.chebvander(x, 13)
        square = basis.T @ basis + penalty * np.diag(np.arange(14.0) ** 2)
        return np.polynomial.chebyshev.chebval(grid, np.linalg.solve(square, basis.T @ y))

    def place(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.column_stack([240 + 208 * u, 150 - 78 * v])

    wild, calm = np.clip(fit(2e-6), -3, 3), fit(0.25)
    for height in (66, 150, 234):
        c.line([(24, height), (456, height)], 1, MARK, 0.10)
    gap = np.vstack([place(grid, wild), place(grid, calm)[::-1]])
    c.polygon(gap, MARK, 0.10)
    c.line(place(grid, wild), 2.2, MARK, 0.6)
    c.line(place(grid, calm), 13, AMBER, 0.32, blur=7)
    c.line(place(grid, calm), 5, AMBER)
    for point in place(fresh, seen):
        c.ring(point[0], point[1], 6, 2.2, MARK, 0.8)
    for point in place(x, y):
        c.disc(point[0], point[1], 6.5)
    return c


def architecture_tour() -> Canvas:
    """Feature maps that shrink and multiply; one cell and all that it sees are lit."""
    c = Canvas("foundations")

    def sheet(x: float, y: float, w: float, h: float, shear: float) -> np.ndarray:
        return np.array([(x, y + shear), (x + w, y), (x + w, y + h - shear), (x, y + h)])

    def spot(s: np.ndarray, u0: float, v0: float, u1: float, v1: float) -> np.ndarray:
        """Map a box in the unit square onto a sheet."""
        top, bottom = lambda u: s[0] + u * (s[1] - s[0]), lambda u: s[3] + u * (s[2] - s[3])
        return np.array(
            [top(u) + v * (bottom(u) - top(u)) for u, v in ((u0, v0), (u1, v0), (u1, v1), (u0, v1))]
        )

    stages = [(1, 42, 96, 208, 15), (4, 172, 62, 150, 11), (6, 286, 38, 98, 7), (9, 386, 20, 52, 4)]
    fronts = []
    for count, x, w, h, shear in stages:
        for i in range(count):
            s = sheet(x + 7 * i, 150 - h / 2 - 2.5 * i, w, h, shear)
            c.polygon(s, "#1A4F4B", 0.9)
            c.polygon(s, MARK, 0.14 + 0.26 * (i + 1) / count)
            c.line(np.vstack([s, s[:1]]), 1.4, MARK, 0.65)
        fronts.append(s)
    for i in range(1, 6):
        c.line(spot(fronts[0], i / 6, 0, i / 6, 1)[[0, 2]], 1.2, MARK, 0.2)
        c.line(spot(fronts[0], 0, i / 6, 1, i / 6)[[0, 2]], 1.2, MARK, 0.2)
    patches = [
        spot(fronts[0], 1 / 6, 1 / 6, 4 / 6, 4 / 6),
        spot(fronts[1], 0.3, 0.32, 0.68, 0.56),
        spot(fronts[2], 0.34, 0.34, 0.72, 0.58),
        spot(fronts[3], 0.2, 0.3, 0.9, 0.7),
    ]
    for a, b in pairwise(patches):
        cone = [a[0], a[1], b[1], b[2], a[2], a[3]]
        c.polygon(cone, AMBER, 0.13)
        for i in (1, 2):
            c.line([a[i], b[i]], 1.6, AMBER, 0.75)
    for i, patch in enumerate(patches):
        c.polygon(patch, AMBER, (0.35, 0.55, 0.75, 1)[i])
        c.line(np.vstack([patch, patch[:1]]), 2.4, AMBER)
    return c


def practice_lab() -> Canvas:
    """Good habits as switches, and what each was worth; the full recipe is lit."""
    c = Canvas("foundations")
    worth = [0.52, 0.66, 0.60, 0.74, 0.93]
    for row, value in enumerate(worth):
        y, best = 62 + 44 * row, row == len(worth) - 1
        ink = AMBER if best else MARK
        c.box(52, y - 11, 96, y + 11, 11, ink, 0.95 if best else 0.22)
        c.disc(85 if best else 63, y, 8, "#17494A" if best else MARK, 1 if best else 0.85)
        c.box(122, y - 10, 430, y + 10, 10, MARK, 0.11)
        end = 122 + 308 * value
        if best:
            c.box(122, y - 10, end, y + 10, 10, AMBER, 0.4, blur=8)
        c.box(122, y - 10, end, y + 10, 10, ink, 1 if best else 0.68)
    return c
