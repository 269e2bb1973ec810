"""Finance: a price, a payment and a loan."""

from __future__ import annotations

import numpy as np

from .canvas import AMBER, MARK, Canvas
from .shapes import curve

MOSS = "#33391A"


def stock_forecast() -> Canvas:
    """Prices so far, and the widening range in which they may go on."""
    c = Canvas("finance")
    rng = np.random.default_rng(33)
    calm = np.full(74, 1.0)
    calm[40:54] = 2.4
    steps = rng.normal(0.012, 0.20, 74) * calm
    price = np.cumsum(steps)
    price = (price - price.min()) / np.ptp(price)
    x = np.linspace(30, 286, 74)
    past = np.column_stack([x, 222 - 104 * price])
    for y in (70, 122, 174, 226):
        c.line([(24, y), (456, y)], 1, MARK, 0.10)
    c.polygon(np.vstack([past, [(286, 262), (30, 262)]]), MARK, 0.09)
    for i, move in enumerate(np.abs(steps)):
        c.line([(x[i], 262), (x[i], 260 - 46 * move)], 2.2, MARK, 0.28)
    ahead = np.linspace(0, 1, 40)
    start = past[-1]
    middle = start[1] - 20 * ahead - 5 * np.sin(2.2 * ahead)
    for width, alpha in ((82, 0.16), (54, 0.20), (27, 0.28)):
        spread = width * np.sqrt(ahead)
        fx = start[0] + 164 * ahead
        fan = np.vstack(
            [np.column_stack([fx, middle - spread]), np.column_stack([fx, middle + spread])[::-1]]
        )
        c.polygon(fan, AMBER, alpha)
    c.line([(286, 44), (286, 262)], 1.6, MARK, 0.4, dash=(2, 6))
    c.line(past, 3.6, MARK, 0.95)
    c.line(np.column_stack([start[0] + 164 * ahead, middle]), 4.6, AMBER)
    c.disc(start[0], start[1], 7.5, MARK)
    c.disc(start[0], start[1], 3.4, MOSS)
    return c


def _card(c: Canvas, x: float, y: float, w: float, h: float, ink: str, alpha: float) -> None:
    """A payment card: stripe, chip and number."""
    c.box(x, y, x + w, y + h, 5, ink, alpha)
    c.box(x, y + 0.20 * h, x + w, y + 0.38 * h, 0.1, MOSS, 0.45)
    c.box(x + 0.12 * w, y + 0.60 * h, x + 0.36 * w, y + 0.80 * h, 2, MOSS, 0.45)
    c.box(x + 0.62 * w, y + 0.66 * h, x + 0.88 * w, y + 0.75 * h, 1, MOSS, 0.4)


def fraud_detection() -> Canvas:
    """Row upon row of payments; one is not like the others."""
    c = Canvas("finance")
    rng = np.random.default_rng(9)
    w, h, across, down = 44.0, 29.0, 62.0, 46.0
    odd = (4, 2)
    for column in range(-1, 9):
        for row in range(-1, 7):
            x = 240 - w / 2 + across * (column - 3.5 + 0.5 * (row % 2)) - 0.25 * across + 16
            y = 150 - h / 2 + down * (row - 2.5) + 4
            far = np.hypot(column - odd[0], row - odd[1])
            if (column, row) != odd:
                _card(
                    c,
                    x,
                    y,
                    w,
                    h,
                    MARK,
                    float(rng.uniform(0.26, 0.44) * (0.72 + 0.28 * (far > 1.6))),
                )
            else:
                spot = (x + w / 2, y + h / 2)
    x, y = spot
    c.disc(x, y, 66, "#3D4520", 0.72, blur=9)
    c.glow(x, y, 92, 0.5)
    c.ring(x, y, 62, 3.2, AMBER, 0.95)
    c.ring(x, y, 78, 1.6, AMBER, 0.45)
    _card(c, x - 36, y - 24, 72, 48, AMBER, 1)
    return c


def credit_default() -> Canvas:
    """Two kinds of borrower, the border between them, and the step that would change a decision."""
    c = Canvas("finance")
    rng = np.random.default_rng(18)
    border = curve(
        [(64, 300), (120, 226), (212, 184), (290, 132), (356, 84), (470, 46), (490, 20)], 12
    )
    c.polygon(np.vstack([border, [(480, 300)]]), MARK, 0.08)
    limit = lambda px: np.interp(px, border[:, 0], border[:, 1])  # noqa: E731
    here, there = np.array([170.0, 128.0]), np.array([282.0, 206.0])
    count = 0
    taken = [here, there]
    while count < 78:
        x, y = rng.uniform(22, 458), rng.uniform(22, 278)
        gap = (y - limit(x)) / 60
        if abs(gap) < 0.22 or min(np.hypot(*(p - (x, y))) for p in taken) < 19:
            continue
        way = there - here
        t = np.clip(((x, y) - here) @ way / (way @ way), 0, 1)
        if np.hypot(*((x, y) - here - t * way)) < 20:
            continue
        count += 1
        taken.append(np.array([x, y]))
        if gap > 0:
            c.disc(x, y, 6, MARK, rng.uniform(0.55, 0.9))
        else:
            for a, b in (((-1, -1), (1, 1)), ((-1, 1), (1, -1))):
                c.line(
                    [(x + 4 * a[0], y + 4 * a[1]), (x + 4 * b[0], y + 4 * b[1])], 2.6, MARK, 0.42
                )
    c.line(border, 3, MARK, 0.85, dash=(11, 8))
    c.glow(there[0], there[1], 52, 0.5)
    way = (there - here) / np.hypot(*(there - here))
    c.ring(here[0], here[1], 11, 3.6, AMBER, 1)
    c.arrow([here + 16 * way, there - 20 * way], 4, AMBER, head=13)
    c.disc(there[0], there[1], 13, AMBER)
    return c
