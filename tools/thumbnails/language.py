"""Language: words and sentences, as bars, characters and links."""

from __future__ import annotations

import numpy as np

from .brush import write
from .canvas import AMBER, MARK, Canvas
from .shapes import arc, bezier, curve

DUSK = "#3A2450"


def sentiment() -> Canvas:
    """A review; the words that made it good are lit, and the needle leans to the good side."""
    c = Canvas("language")
    rows = [
        [(62, 0), (38, 0), (96, 0.75), (54, 0), (70, 0)],
        [(84, 0), (34, 0), (74, 0), (116, 1.0)],
        [(48, 0), (92, 0), (56, 0.4), (44, 0)],
    ]
    for row, words in enumerate(rows):
        x, y = 66.0, 52.0 + 44 * row
        for width, heat in words:
            if heat > 0.6:
                c.box(x, y, x + width, y + 26, 8, AMBER, 0.45 * heat, blur=10)
            c.box(x, y, x + width, y + 26, 8, MARK, 0.42)
            c.box(x, y, x + width, y + 26, 8, AMBER, heat)
            x += width + 9
    c.line([(84, 234), (396, 234)], 8, MARK, 0.16)
    c.line([(240, 234), (352, 234)], 8, AMBER, 0.85)
    c.line([(240, 222), (240, 246)], 2, MARK, 0.5)
    c.line([(56, 234), (66, 234)], 4, MARK, 0.7)
    c.line([(414, 234), (426, 234)], 4, MARK, 0.9)
    c.line([(420, 228), (420, 240)], 4, MARK, 0.9)
    c.disc(352, 234, 19, AMBER, 0.5, blur=7)
    c.disc(352, 234, 14)
    c.disc(352, 234, 6.5, AMBER)
    return c


def emotions() -> Canvas:
    """Twenty-eight feelings as petals; several may be true at once."""
    c = Canvas("language")
    rng = np.random.default_rng(3)
    strength = rng.uniform(0.12, 0.46, 28)
    lit = {3: 1.0, 4: 0.62, 17: 0.74}
    for i in range(28):
        angle = 2 * np.pi * i / 28 - np.pi / 2
        way = np.array([np.cos(angle), np.sin(angle)])
        value = lit.get(i, strength[i])
        inner, outer = (240, 150) + 44 * way, (240, 150) + (54 + 70 * value) * way
        c.line([inner, (240, 150) + 124 * way], 1, MARK, 0.10)
        if i in lit:
            c.line([inner, outer], 18, AMBER, 0.35, blur=8)
        line = np.linspace(inner, outer, 12)
        width = np.linspace(4.5, 10, 12)
        c.brush(line, width, AMBER if i in lit else MARK, 1 if i in lit else 0.35 + 0.8 * value)
    for radius in (76, 124):
        c.ring(240, 150, radius, 1, MARK, 0.16)
    c.disc(240, 150, 27, MARK, 0.92)
    c.ring(240, 150, 15, 4, DUSK, 0.8)
    return c


def intents() -> Canvas:
    """Sentences gathered by what people want; one belongs to none of the groups."""
    c = Canvas("language")
    rng = np.random.default_rng(8)
    groups = [(112, 96, 52), (244, 74, 40), (148, 216, 50), (288, 198, 56)]
    for x, y, r in groups:
        spot = rng.normal(0, 0.44, (26, 2)) * r
        spot = spot[np.hypot(*spot.T) < 0.86 * r]
        c.disc(x, y, r, MARK, 0.08)
        c.ring(x, y, r, 1.8, MARK, 0.42)
        for dx, dy in spot:
            c.disc(x + dx, y + dy, 4.6, MARK, rng.uniform(0.55, 0.95))
    x, y = 402, 92
    for cx, cy, r in groups[1:]:
        way = np.array([x - cx, y - cy]) / np.hypot(x - cx, y - cy)
        ends = [(cx, cy) + (r + 6) * way, (x, y) - 34 * way]
        c.line(ends, 1.8, MARK, 0.32, dash=(2, 7))
    c.glow(x, y, 66, 0.5)
    c.line(arc(x, y, 27, 27, 0, 359), 2.6, AMBER, 1, dash=(9, 7))
    c.disc(x, y, 11, AMBER)
    return c


def chinese_topics() -> Canvas:
    """Subjects of study by their first characters; the one a title belongs to is lit."""
    c = Canvas("language")
    signs = ["文史哲理", "工农医法"]
    for row, line in enumerate(signs):
        for column, sign in enumerate(line):
            x, y = 69 + 92 * column, 58 + 104 * row
            lit = sign == "理"
            if lit:
                c.glow(x + 33, y + 34, 62, 0.42)
                write(c, sign, x, y, 66, AMBER)
            else:
                write(c, sign, x, y, 66, MARK, 0.66)
    return c


def _words(
    c: Canvas, y: float, widths: list[float], x: float, lit: range, alpha: float
) -> list[float]:
    """Draw a line of words as bars and return where each begins; those in `lit` are amber."""
    starts = []
    for i, width in enumerate(widths):
        starts.append(x)
        c.box(x, y, x + width, y + 24, 7, AMBER if i in lit else MARK, 1 if i in lit else alpha)
        x += width + 16
    return [*starts, x]


def named_entities() -> Canvas:
    """Names found in a post, each in its frame with a label."""
    c = Canvas("language")
    lines = [
        ([46, 66, 58, 38, 60], range(1, 3)),
        ([88, 46, 62, 88], range(0)),
        ([42, 54, 100, 68], range(2, 3)),
    ]
    for row, (widths, span) in enumerate(lines):
        y, lit = 70 + 76 * row, row == 0
        starts = _words(c, y, [float(w) for w in widths], 74, span if lit else range(0), 0.42)
        if not len(span):
            continue
        x0, x1 = starts[span.start] - 8, starts[span.stop] - 8
        ink = AMBER if lit else MARK
        if lit:
            c.box(x0, y - 8, x1, y + 32, 9, AMBER, 0.4, blur=12)
            _words(c, y, [float(w) for w in widths], 74, span, 0.0)
        else:
            c.box(starts[span.start], y, x1 - 8, y + 24, 7, MARK, 0.45)
        c.frame(x0, y - 8, x1, y + 32, 9, 3, ink, 1 if lit else 0.85)
        c.box(x0 + 10, y - 20, x0 + 66, y - 1, 5, ink, 1)
        c.box(x0 + 18, y - 13, x0 + 58, y - 8, 2, DUSK, 0.75)
    return c


def chinese_entities() -> Canvas:
    """A sentence in characters; the place in it is framed."""
    c = Canvas("language")
    x0, pitch, y, size = 26, 68, 120, 56
    for i, sign in enumerate("王小云在天山"):
        lit = i >= 4
        x = x0 + pitch * i
        c.box(x - 2, y - 12, x + 58, y + size + 12, 9, AMBER if lit else MARK, 0.0 if lit else 0.09)
        if not lit:
            write(c, sign, x, y, size, MARK, 0.85 if i < 3 else 0.55, 0.11)
    shift = 18
    left, right = x0 + 4 * pitch + shift - 10, x0 + 5 * pitch + shift + 66
    c.box(left, y - 18, right, y + size + 18, 12, AMBER, 0.4, blur=14)
    c.box(left, y - 18, right, y + size + 18, 12, AMBER)
    for i in (4, 5):
        write(c, "王小云在天山"[i], x0 + pitch * i + shift, y, size, DUSK, 0.95, 0.11)
    c.box(left + 12, y - 46, left + 84, y - 25, 6, AMBER)
    c.box(left + 22, y - 38, left + 74, y - 33, 2, DUSK, 0.75)
    c.line([(x0, y + size + 24), (x0, y + size + 32), (x0 + 2 * pitch + 56, y + size + 32),
            (x0 + 2 * pitch + 56, y + size + 24)], 3, MARK, 0.75)  # fmt: skip
    c.box(x0 + 66, y + size + 42, x0 + 130, y + size + 60, 5, MARK, 0.75)
    c.box(x0 + 76, y + size + 49, x0 + 120, y + size + 53, 2, DUSK, 0.7)
    return c


def translation() -> Canvas:
    """Two sentences and the links between their words; one link is lit."""
    c = Canvas("language")
    top = [(40.0, 74.0), (124.0, 44.0), (178.0, 96.0), (284.0, 60.0), (354.0, 86.0)]
    low = [(40.0, 92.0), (142.0, 62.0), (214.0, 50.0), (274.0, 104.0), (388.0, 52.0)]
    links = [(0, 0, 0.34), (1, 2, 0.26), (3, 1, 0.32), (4, 4, 0.30), (4, 3, 0.12), (1, 0, 0.1)]

    def ribbon(i: int, j: int) -> np.ndarray:
        (a, wide), (b, broad) = top[i], low[j]
        left = bezier((a + 6, 100), (a + 6, 152), (b + 6, 148), (b + 6, 200))
        right = bezier(
            (a + wide - 6, 100), (a + wide - 6, 152), (b + broad - 6, 148), (b + broad - 6, 200)
        )
        return np.vstack([left, right[::-1]])

    for i, j, alpha in links:
        c.polygon(ribbon(i, j), MARK, alpha)
    c.polygon(ribbon(2, 3), AMBER, 0.4, blur=10)
    c.polygon(ribbon(2, 3), AMBER, 0.85)
    for words, y, lit in ((top, 68, 2), (low, 200, 3)):
        for i, (x, width) in enumerate(words):
            c.box(x, y, x + width, y + 32, 9, "#4A3066")
            c.box(x, y, x + width, y + 32, 9, AMBER if i == lit else MARK, 1 if i == lit else 0.72)
    return c


def question_answering() -> Canvas:
    """A page, a question, and the line of the page that answers it."""
    c = Canvas("language")
    c.box(176, 34, 440, 266, 12, MARK, 0.12)
    c.frame(176, 34, 440, 266, 12, 2, MARK, 0.3)
    rng = np.random.default_rng(5)
    for row in range(7):
        y, x = 60 + 28 * row, 200.0
        while x < 400:
            width = float(min(rng.uniform(26, 70), 416 - x))
            if row == 6 and x > 320:
                break
            c.box(x, y, x + width, y + 12, 5, MARK, 0.42)
            x += width + 7
    c.box(262, 140, 372, 160, 6, AMBER, 0.5, blur=10)
    c.box(258, 139, 376, 161, 6, "#523670")
    c.box(262, 141, 372, 159, 6, AMBER)
    c.disc(98, 130, 55, MARK, 0.94)
    c.polygon([(66, 168), (60, 206), (100, 182)], MARK, 0.94)
    hook = np.vstack([arc(98, 117, 17, 17, 190, 360), arc(98, 117, 17, 17, 0, 60), [(98, 144)]])
    c.line(curve(hook[::12], 10), 8, DUSK)
    c.disc(98, 160, 5.4, DUSK)
    c.line(bezier((158, 140), (190, 150), (216, 150), (254, 150)), 3, AMBER, 0.95, dash=(2, 7))
    return c


def text_generation() -> Canvas:
    """A sentence so far, and the words that could come next; the one drawn is lit."""
    c = Canvas("language")
    c.box(34, 136, 86, 164, 9, MARK, 0.42)
    c.box(95, 136, 163, 164, 9, MARK, 0.55)
    c.box(172, 136, 216, 164, 9, MARK, 0.7)
    options = [(52, 0.16, 62), (101, 0.30, 84), (150, 0.94, 112), (199, 0.22, 70), (248, 0.10, 52)]
    for y, chance, width in options:
        lit = chance > 0.5
        line = bezier((222, 150), (258, 150), (262, y), (298, y))
        if lit:
            c.line(line, 18, AMBER, 0.45, blur=9)
            c.box(304, y - 18, 304 + width, y + 18, 11, AMBER, 0.45, blur=12)
        c.line(line, 2 + 9 * chance, AMBER if lit else MARK, 1 if lit else 0.2 + 0.8 * chance)
        alpha = 1 if lit else 0.22 + 1.0 * chance
        tall = 18 if lit else 14
        c.box(304, y - tall, 304 + width, y + tall, 9 + 2 * lit, AMBER if lit else MARK, alpha)
    for i in range(3):
        c.disc(434 + 13 * i, 150, 3.6, MARK, 0.6 - 0.17 * i)
    return c


def poetry_generation() -> Canvas:
    """Ink mountains under a moon, with two characters of a verse."""
    c = Canvas("language")
    rng = np.random.default_rng(12)
    c.glow(318, 96, 96, 0.5)
    c.disc(318, 96, 40, AMBER)
    x = np.linspace(0, 480, 97)
    for base, tall, alpha, ink in (
        (196, 74, 0.26, MARK),
        (226, 58, 0.34, MARK),
        (262, 40, 0.5, MARK),
    ):
        ridge = np.zeros_like(x)
        for octave in range(1, 6):
            ridge += np.sin(x / 480 * np.pi * 2 * octave * 1.1 + rng.uniform(0, 6.3)) / octave**1.15
        ridge = base - tall * (ridge - ridge.min()) / np.ptp(ridge)
        outline = np.vstack([np.column_stack([x, ridge]), [(480, 300), (0, 300)]])
        c.polygon(outline, DUSK, 0.45)
        c.polygon(outline, ink, alpha * 0.6)
    for dx, dy, k in ((0, 0, 1.0), (30, 14, 0.8), (-26, 20, 0.7)):
        wing = curve([(188 + dx - 11 * k, 66 + dy - 4 * k), (188 + dx - 5 * k, 66 + dy - 7 * k),
                      (188 + dx, 66 + dy), (188 + dx + 6 * k, 66 + dy - 8 * k),
                      (188 + dx + 13 * k, 66 + dy - 4 * k)])  # fmt: skip
        c.line(wing, 2.2 * k, MARK, 0.8)
    write(c, "山", 66, 38, 46, MARK, 0.95, 0.12)
    write(c, "月", 66, 96, 46, MARK, 0.95, 0.12)
    return c
