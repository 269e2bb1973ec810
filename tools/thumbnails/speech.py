"""Speech: sound on one side, words on the other."""

from __future__ import annotations

import numpy as np

from .canvas import AMBER, MARK, Canvas
from .shapes import curve

PLUM = "#4A2036"


def speech_recognition() -> Canvas:
    """A recording cut into words; the word just heard is lit in sound and in text."""
    c = Canvas("speech")
    rng = np.random.default_rng(21)
    words = [(44, 116), (128, 176), (190, 300), (314, 364), (376, 436)]
    for i, (x0, x1) in enumerate(words):
        lit = i == 2
        if lit:
            c.box(x0 - 6, 40, x1 + 6, 258, 12, AMBER, 0.13)
            c.glow((x0 + x1) / 2, 116, 84, 0.28)
        bars = np.arange(x0 + 3, x1 - 1, 8.0)
        phase = (bars - x0) / (x1 - x0)
        tall = np.sin(np.pi * phase) ** 0.6 * rng.uniform(0.35, 1, bars.size) * (66 if lit else 50)
        for x, h in zip(bars, np.maximum(tall, 5)):
            c.line([(x, 118 - h), (x, 118 + h)], 4.6, AMBER if lit else MARK, 1 if lit else 0.72)
        c.box(x0, 222, x1, 250, 9, AMBER if lit else MARK, 1 if lit else 0.5)
        c.line(
            [((x0 + x1) / 2, 196), ((x0 + x1) / 2, 212)],
            2,
            AMBER if lit else MARK,
            0.9 if lit else 0.35,
        )
    for x in (122, 183, 307, 370):
        c.disc(x, 118, 2.2, MARK, 0.5)
    return c


def speech_synthesis() -> Canvas:
    """Sounds with their lengths below, the wave made from them, and the melody above."""
    c = Canvas("speech")
    lengths = [34, 58, 28, 84, 40, 66, 30, 52]
    t = np.linspace(0, 1, 800)
    x = 44 + 392 * t
    loud = np.zeros_like(t)
    edges = [44.0]
    for length in lengths:
        edges.append(edges[-1] + length)
        centre = (edges[-2] + edges[-1]) / 2
        loud += (0.45 + 0.55 * (length > 45)) * np.exp(-(((x - centre) / (0.36 * length)) ** 2))
        vowel = length > 45
        c.box(edges[-2] + 2, 218, edges[-1] - 2, 250, 8, MARK, 0.62 if vowel else 0.3)
        c.line([(edges[-1], 96), (edges[-1], 208)], 1, MARK, 0.13)
    loud = np.minimum(loud, 1)
    carrier = np.sin(2 * np.pi * 46 * t) + 0.45 * np.sin(2 * np.pi * 103 * t + 1)
    wave = np.column_stack([x, 160 - 27 * loud * carrier])
    envelope = np.vstack(
        [np.column_stack([x, 160 - 40 * loud]), np.column_stack([x, 160 + 40 * loud])[::-1]]
    )
    c.polygon(envelope, MARK, 0.10)
    c.line(wave, 2.2, MARK, 0.85)
    melody = curve(
        [
            (44, 92),
            (96, 70),
            (140, 62),
            (190, 78),
            (236, 52),
            (290, 58),
            (346, 84),
            (398, 90),
            (436, 104),
        ]
    )
    c.line(melody, 15, AMBER, 0.4, blur=8)
    c.line(melody, 5, AMBER)
    c.disc(melody[-1][0], melody[-1][1], 9, AMBER)
    return c


def spoken_digits() -> Canvas:
    """A spectrogram; the part that an explanation kept is lit."""
    c = Canvas("speech")
    rng = np.random.default_rng(6)
    rows, columns = 17, 30
    f, t = np.mgrid[0:rows, 0:columns].astype(float)
    power = 0.05 + 0.05 * rng.random((rows, columns))
    voiced = np.clip(np.minimum((t - 4) / 3, (26 - t) / 4), 0, 1)
    for start, swing, strength in ((13.6, 0.7, 0.85), (9.3, -2.1, 0.95), (3.9, -0.8, 0.8)):
        track = start + swing * np.tanh((t - 14) / 5)
        power += strength * voiced * np.exp(-(((f - track) / 1.05) ** 2))
    hiss = (
        np.exp(-(((t - 3.6) / 1.9) ** 2))
        * np.exp(-(((f - 3.5) / 3.6) ** 2))
        * rng.uniform(0.3, 1, f.shape)
    )
    power = np.clip(power + 0.75 * hiss, 0, 0.95)
    kept = np.exp(-(((t - 17.5) / 4.2) ** 2) - ((f - 8.0 + 0.26 * (t - 16)) / 2.4) ** 2)
    pitch, x0, y0 = 13.6, 240 - 15 * 13.6, 150 - 8.5 * 13.6
    c.cells(power, x0, y0, pitch, 1.8, 2.4)
    c.glow(x0 + 18 * pitch, y0 + 8.2 * pitch, 78, 0.28)
    c.cells(
        np.where(kept > 0.3, power * np.minimum(1, 1.5 * kept), 0), x0, y0, pitch, 1.8, 2.4, AMBER
    )
    return c
