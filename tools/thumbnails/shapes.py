"""Lines and outlines, sampled as arrays of points in picture units (y down)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

# Points are taken as lists of pairs or as arrays, shape (n, 2); Any keeps both without casts.
Points = Any


def curve(points: Points, steps: int = 24, closed: bool = False) -> np.ndarray:
    """Pass a smooth (Catmull-Rom) line through points; returns shape (many, 2)."""
    p = np.asarray(points, dtype=float)
    p = np.vstack([p[-1:], p, p[:2]]) if closed else np.vstack([p[:1], p, p[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    parts = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:]):
        turn = 2 * a - 5 * b + 4 * c - d
        swing = 3 * b - a - 3 * c + d
        parts.append(0.5 * (2 * b + (c - a) * t + turn * t**2 + swing * t**3))
    return np.vstack(parts if closed else [*parts, p[-1:]])


def bezier(a: Points, b: Points, c: Points, d: Points, steps: int = 40) -> np.ndarray:
    """Sample a cubic Bezier line; returns shape (steps, 2)."""
    t = np.linspace(0, 1, steps)[:, None]
    a, b, c, d = (np.asarray(p, dtype=float) for p in (a, b, c, d))
    return (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d


def arc(x: float, y: float, rx: float, ry: float, start: float, stop: float) -> np.ndarray:
    """Sample an elliptic arc; angles in degrees, clockwise from the right."""
    a = np.radians(np.linspace(start, stop, 60))
    return np.column_stack([x + rx * np.cos(a), y + ry * np.sin(a)])


def round_box(x0: float, y0: float, x1: float, y1: float, radius: float) -> np.ndarray:
    """Return the outline of a box with round corners, clockwise; shape (many, 2)."""
    r = min(radius, (x1 - x0) / 2, (y1 - y0) / 2)
    corners = [
        (x1 - r, y0 + r, -90),
        (x1 - r, y1 - r, 0),
        (x0 + r, y1 - r, 90),
        (x0 + r, y0 + r, 180),
    ]
    return np.vstack([arc(x, y, r, r, a, a + 90)[::4] for x, y, a in corners])


def turn(points: Points, degrees: float, centre: tuple[float, float]) -> np.ndarray:
    """Rotate points clockwise about a centre."""
    a = math.radians(degrees)
    p = np.asarray(points, dtype=float) - centre
    return p @ np.array([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]]) + centre


def dashes(p: np.ndarray, dash: Sequence[float]) -> Iterable[np.ndarray]:
    """Cut a line into the pieces that a dash pattern leaves visible."""
    far = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(p, axis=0).T))])
    at, index = 0.0, 0
    while at < far[-1]:
        end = min(at + dash[index % len(dash)], far[-1])
        if index % 2 == 0:
            inner = far[(far > at) & (far < end)]
            s = np.concatenate([[at], inner, [end]])
            yield np.column_stack([np.interp(s, far, p[:, i]) for i in (0, 1)])
        at, index = end, index + 1
