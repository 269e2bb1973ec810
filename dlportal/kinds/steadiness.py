"""How an answer moves as its input gets worse: typing mistakes, noise, speed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dlportal.case import Case
from dlportal.kinds.audio import Sound, resample
from dlportal.kinds.flips import probabilities
from dlportal.kinds.misspell import misspell
from dlportal.kinds.negation import negate
from dlportal.kinds.text import TextCase
from dlportal.kinds.word_errors import compare
from dlportal.messages import InputError
from dlportal.results import Label, Result

Kind = Literal["noise", "speed"]
TYPOS = (0.02, 0.05, 0.1, 0.2, 0.3)  # shares of the letters
DRAWS = 16  # differently mistyped texts a share
NOISE = (30.0, 20.0, 10.0, 5.0, 0.0)  # dB that speech is louder than the noise
SPEED = (0.6, 0.8, 1.25, 1.5, 2.0)  # times as fast; the pitch moves along, as on a tape


@dataclass(frozen=True)
class Negated:
    """The sentence with one negation more or less, and the answer to it."""

    text: str
    label: Label
    probability: float
    flips: bool


@dataclass(frozen=True)
class TextSteadiness(Result):
    """What typing mistakes do to one answer.

    `values[i]` holds the probabilities of the first answer at `levels[i]`, one for each draw;
    `kept[i]` is the share of draws that keep it; `worst` is the mistyped text of the largest share
    that loses most.
    """

    label: Label
    probability: float
    levels: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]
    kept: tuple[float, ...]
    worst: str
    negated: Negated | None


@dataclass(frozen=True)
class Disturbed:
    """One disturbed recording: decibels or times as fast, word error rate, and what was heard."""

    kind: Kind
    level: float
    rate: float
    heard: str


def mistype(case: TextCase, raw: str) -> TextSteadiness:
    """Mistype a text more and more, and negate it; the network answers each time.

    Raises:
        InputError: The text cannot be used.
    """
    case.check(raw)
    before = probabilities(case, [raw])[0]
    answer = int(before.argmax())
    texts = [misspell(raw, share, seed) for share in TYPOS for seed in range(DRAWS)]
    after = probabilities(case, [shorten(case, text) for text in texts])
    p = after[:, answer].reshape(len(TYPOS), DRAWS)
    kept = (after.argmax(dim=1) == answer).float().reshape(p.shape).mean(dim=1)
    return TextSteadiness(
        label=case.labels[answer],
        probability=float(before[answer]),
        levels=TYPOS,
        values=tuple(tuple(row) for row in p.tolist()),
        kept=tuple(kept.tolist()),
        worst=texts[(len(TYPOS) - 1) * DRAWS + int(p[-1].argmin())],
        negated=judge_negation(case, raw, answer),
    )


def shorten(case: TextCase, text: str) -> str:
    """Mistakes make more word parts: words beyond the window are left out, the last ones first."""
    words = text.split()
    while len(case.tokenizer.encode(" ".join(words)).ids) > case.longest:
        words = words[:-1]
    return " ".join(words)


def judge_negation(case: TextCase, raw: str, answer: int) -> Negated | None:
    text = negate(raw)
    if text is None:
        return None
    p = probabilities(case, [shorten(case, text)])[0]
    best = int(p.argmax())
    return Negated(text, case.labels[best], float(p[best]), best != answer)


def add_noise(sound: Sound, decibels: float, seed: int = 0) -> Sound:
    """White noise under a recording that is `decibels` louder (signal-to-noise ratio)."""
    loudness = float(np.sqrt((sound.samples**2).mean())) * 10 ** (-decibels / 20)
    noise = np.random.default_rng(seed).standard_normal(len(sound.samples), np.float32)
    samples = sound.samples + loudness * noise
    return Sound(samples / max(1.0, float(np.abs(samples).max())), sound.rate)


def change_speed(sound: Sound, times: float) -> Sound:
    """Play a recording `times` as fast; its pitch moves along."""
    samples = resample(sound.samples, round(sound.rate * times), sound.rate).numpy()
    return Sound(samples, sound.rate)


def disturbed(raw: Sound) -> list[tuple[Kind, float, Sound]]:
    """A recording under noise, then at other speeds."""
    noisy: list[tuple[Kind, float, Sound]] = [("noise", x, add_noise(raw, x)) for x in NOISE]
    return noisy + [("speed", x, change_speed(raw, x)) for x in SPEED]


def hear(case: Case[Sound], sound: Sound, said: str) -> tuple[float, str]:
    """Word error rate and transcript of one recording.

    Args:
        case: Gives transcripts.
        sound: The recording, as it is.
        said: What was said, or what was heard in the undisturbed recording.
    """
    try:
        heard = case.predict(sound).text  # type: ignore[attr-defined]
    except InputError:  # slowed down it may be longer than the case hears, in noise be silent
        heard = ""
    return compare(said, heard).rate, heard


def accuracies_mistyped(case: TextCase, texts: Sequence[str], truth: np.ndarray) -> list[float]:
    """Accuracy with none and then `TYPOS` of the letters mistyped, one draw a text.

    Args:
        case: The classifier.
        texts: N texts.
        truth: The right classes, (N,).
    """
    found = []
    for share in (0.0, *TYPOS):
        wrong = [shorten(case, misspell(text, share, seed)) for seed, text in enumerate(texts)]
        guesses = probabilities(case, wrong).argmax(dim=1).numpy()
        found.append(float((guesses == truth).mean()))
    return found
