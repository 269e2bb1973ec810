"""What the networks write by themselves, measured: form, and passages copied from training."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlportal.data import chinese_poetry, tiny_shakespeare
from dlportal.kinds.copies import find_copies
from dlportal.kinds.poem_form import form_of_text
from dlportal.results import Token

POEMS, PIECES = 25, 8  # poems of each form, pieces of Shakespeare
LONG = 400  # characters of such a piece
LEAST = {"shakespeare": 25, "chinese": 6}  # characters from which on a passage counts as copied
OPENINGS = "春秋山江月风花夜云天日雨雪白青清高寒长金玉明落千万"  # a poem begins with one of these
SPEAKERS = ("ROMEO:\n", "JULIET:\n", "First Citizen:\n", "KING RICHARD III:\n", "Nurse:\n")


@dataclass(frozen=True)
class Written:
    """Of one network, a row a piece: characters copied and written, and the same of real text that
    was not learned from; poems that keep their form, of all."""

    data: str
    copied: tuple[np.ndarray, np.ndarray]
    real: tuple[np.ndarray, np.ndarray]
    rival: str
    kept: tuple[np.ndarray, np.ndarray] | None = None


def writing(case: Any, split: str, limit: int | None) -> Iterator[Written]:
    """Let both networks write with the page's settings, and look at what comes."""
    play = tiny_shakespeare.load()
    real = play.test if split == "test" else play.validation
    count = min(PIECES, limit or PIECES)
    pieces = [
        joined(case.stream(SPEAKERS[seed % len(SPEAKERS)], length=LONG, seed=seed))
        for seed in range(count)
    ]
    others = [real[i * LONG : (i + 1) * LONG] for i in range(count)]
    yield Written(
        "tiny_shakespeare",
        copied(pieces, play.train, LEAST["shakespeare"]),
        copied(others, play.train, LEAST["shakespeare"]),
        "real lines that were not learned from",
    )
    parts = chinese_poetry.load()
    learned = "\n".join(poem.text for poem in parts.train)
    held = parts.test if split == "test" else parts.validation
    count = min(POEMS, limit or POEMS)
    texts, kept = [], []
    for form, wanted in (("five", 5), ("seven", 7)):
        for seed in range(count):
            opening = OPENINGS[seed % len(OPENINGS)]
            text = opening + joined(case.stream(case.question(form, opening), seed=seed))
            texts.append(text)
            kept.append(float(form_of_text(text, wanted).regular))
    yield Written(
        "chinese_poetry",
        copied(texts, learned, LEAST["chinese"]),
        copied([poem.text for poem in held[: 2 * count]], learned, LEAST["chinese"]),
        "real poems that were not learned from",
        (np.array(kept), np.ones(len(kept))),
    )


def joined(tokens: Iterator[Token]) -> str:
    return "".join(token.text for token in tokens)


def copied(texts: Sequence[str], source: str, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Characters in copied passages, and all characters, of each text."""
    lengths = np.array([len(text) for text in texts], dtype=np.float64)
    shares = np.array([find_copies(text, source, least).share for text in texts])
    return shares * lengths, lengths
