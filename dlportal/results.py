"""What cases answer: small frozen dataclasses; `ui/views.py` has one view for each type.

A type that only one case needs may live in that case's module; it then subclasses `Result`.
"""

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Label:
    """A class's name in both languages; `id` is what files and commands use."""

    id: str
    en: str
    zh: str

    def __call__(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Result:
    """Base of all results."""


@dataclass(frozen=True)
class Score:
    """One class and its calibrated probability in [0, 1]; `index` is its place in the output."""

    label: Label
    probability: float
    index: int


@dataclass(frozen=True)
class Classes(Result):
    """A single-label classification.

    `scores` are sorted, best first (all of them, or the best few of many classes). `blind` is the
    probability of being right by guessing without looking (the majority class or 1/classes).
    `inside` is False where the input looks unlike the training data, None where nobody checks.
    """

    scores: tuple[Score, ...]
    blind: float
    inside: bool | None = None

    @property
    def best(self) -> Score:
        return self.scores[0]


@dataclass(frozen=True)
class Box:
    """An object that was found: `corners` are left, top, right, bottom in the picture's pixels.

    `index` is the class's place among the case's labels, `score` lies in [0, 1].
    """

    label: Label
    index: int
    score: float
    corners: tuple[float, float, float, float]


@dataclass(frozen=True)
class Boxes(Result):
    """Objects in a picture, the surest first.

    `width` and `height` are the picture's, in pixels; `score` and `overlap` what was asked for:
    the least score, and from which overlap on the less sure of two boxes of a class is dropped.
    `blind` is the share of objects that a guess without looking finds, where it was measured;
    `inside` as in `Classes`.
    """

    boxes: tuple[Box, ...]
    width: int
    height: int
    score: float
    overlap: float
    blind: float | None = None
    inside: bool | None = None

    @property
    def names(self) -> tuple[Label, ...]:
        """A name for each box, numbered where a class was found several times."""
        labels = [box.label for box in self.boxes]
        seen: dict[str, int] = {}
        named = []
        for label in labels:
            seen[label.id] = n = seen.get(label.id, 0) + 1
            alone = sum(other.id == label.id for other in labels) == 1
            named.append(
                label if alone else Label(f"{label.id}_{n}", f"{label.en} {n}", f"{label.zh} {n}")
            )
        return tuple(named)


@dataclass(frozen=True)
class Word:
    """A recognised word: `start` and `end` in seconds, probability in [0, 1]."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True)
class Transcript(Result):
    """Speech as text."""

    text: str
    words: tuple[Word, ...]
    seconds: float


@dataclass(frozen=True)
class Phone:
    """A phoneme of synthetic speech: `start` and `end` in seconds."""

    symbol: str
    start: float
    end: float


@dataclass(frozen=True)
class Speech(Result):
    """Sound: `samples` float32 in [-1, 1], shape (time,), at `rate` Hz."""

    samples: np.ndarray
    rate: int
    phones: tuple[Phone, ...]
    text: str


@dataclass(frozen=True)
class Span:
    """A marked part of a text: characters `start` to `end` (exclusive), its class, and the
    probability in [0, 1] that part and class are right."""

    text: str
    start: int
    end: int
    label: Label
    probability: float


@dataclass(frozen=True)
class Spans(Result):
    """A text with marked parts, in order and without overlap; `inside` as in `Classes`."""

    text: str
    spans: tuple[Span, ...]
    inside: bool | None = None


@dataclass(frozen=True)
class Candidate:
    """A possible next token with its probability in [0, 1]."""

    text: str
    probability: float


@dataclass(frozen=True)
class Token:
    """A generated token, its probability, and what else could have come."""

    text: str
    probability: float
    alternatives: tuple[Candidate, ...]


@dataclass(frozen=True)
class Generation(Result):
    """Text as it was generated."""

    prompt: str
    tokens: tuple[Token, ...]

    @property
    def text(self) -> str:
        return "".join(token.text for token in self.tokens)


@dataclass(frozen=True)
class Pictures(Result):
    """Pictures that were made from noise, and how they came to be.

    `frames` has shape (steps + 1, pictures, height, width), uint8 from 0 (black) to 255: the first
    is noise, the last are the pictures. `label` is what was asked for.
    """

    label: Label
    frames: np.ndarray

    @property
    def pixels(self) -> np.ndarray:
        """The pictures, (pictures, height, width)."""
        return self.frames[-1]


AS_THEY_ARE = frozenset((str, int, bool, type(None)))


@cache
def field_names(kind: type) -> tuple[str, ...] | None:
    """The fields of a dataclass, None of anything else; asking `dataclasses` each time would take
    longer than many a network."""
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple(field.name for field in dataclasses.fields(kind))


def to_json(value: Any) -> Any:
    """Turn a result (or explanation) into plain lists, dicts, numbers and strings.

    Arrays of more than 4,096 numbers become their shape and dtype: JSON is for reading.
    """
    kind: Any = type(value)
    if kind in AS_THEY_ARE:  # most of what there is
        return value
    if kind is float:
        return round(value, 6)
    if kind is Score:  # thousands of them, with small networks
        return {
            "label": {"id": value.label.id, "en": value.label.en, "zh": value.label.zh},
            "probability": round(value.probability, 6),
            "index": value.index,
        }
    if kind is Label:
        return {"id": value.id, "en": value.en, "zh": value.zh}
    if (names := field_names(kind)) is not None:
        fields = {
            name: field if type(field := getattr(value, name)) in AS_THEY_ARE else to_json(field)
            for name in names
        }
        return {"type": kind.__name__, **fields} if isinstance(value, Result) else fields
    if isinstance(value, np.ndarray):
        if value.size > 4096:
            return {"shape": list(value.shape), "dtype": str(value.dtype)}
        return to_json(value.tolist())
    if isinstance(value, np.generic):
        return to_json(value.item())
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, (str, int)):
        return value
    raise ValueError(f"no JSON form for {kind.__name__}")
