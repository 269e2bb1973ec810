"""A question and a paragraph: how they are written in one text, and cut for a reader."""

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlportal.kinds.chinese import HAN
from dlportal.kinds.passage_en import english_tokens
from dlportal.kinds.passage_zh import chinese_tokens
from dlportal.messages import N_, InputError
from dlportal.nets.chinese_reader import CHINESE
from dlportal.nets.chinese_reader import START as CHINESE_START
from dlportal.nets.minilm import END, START
from dlportal.nets.passage_match import LONGEST_QUESTION, OPENING, PARAGRAPH, QUESTION, SENTENCE

WINDOW = {"en": 320, "zh": 480}  # tokens of a paragraph that are read at once
OVERLAP = {"en": 96, "zh": 128}  # tokens that two windows share
ON_ONE_LINE = re.compile(
    r"([^?？]+[?？])(.+)", re.S
)  # a question, and the paragraph after its mark
FORM = N_(
    'Give the question on the first line and the paragraph below it, or {{"question": ...,'
    ' "paragraph": ...}}.'
)


@dataclass(frozen=True)
class Passage:
    """A question about a paragraph; `language` is `en` or `zh`, by the paragraph's script."""

    question: str
    paragraph: str
    language: str


@dataclass(frozen=True)
class Window:
    """A part of a paragraph with the question, as a network reads it.

    Attributes:
        x: (T, 6), see `dlportal.nets.passage_match`.
        start: Where in `x` the part begins.
        places: For each of its tokens the first character and the one after the last.
    """

    x: np.ndarray
    start: int
    places: list[tuple[int, int]]

    def token_at(self, character: int) -> int | None:
        """The position in `x` of the token with a character of the paragraph."""
        for number, (first, last) in enumerate(self.places):
            if first <= character < last:
                return self.start + number
        return None

    def characters(self, first: int, last: int) -> tuple[int, int]:
        """Characters of the paragraph from token `first` of `x` to token `last`, inclusive."""
        return self.places[first - self.start][0], self.places[last - self.start][1]


def written(question: str, paragraph: str) -> str:
    """Both as one text: the question on the first line."""
    return " ".join(question.split()) + "\n" + paragraph


def parse(raw: str) -> Passage:
    """Question and paragraph of a text.

    Raises:
        InputError: It has not both.
    """
    question, paragraph = parts_of(raw)
    if not question.strip() or not paragraph.strip():
        raise InputError(FORM)
    return Passage(question.strip(), paragraph, language_of(paragraph))


def parts_of(raw: str) -> tuple[str, str]:
    if raw.lstrip().startswith("{"):
        try:
            given = json.loads(raw)
            return str(given["question"]), str(given.get("paragraph") or given["context"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(FORM) from error
    text = raw.strip()
    if "\n" not in text and "\t" not in text and (mark := ON_ONE_LINE.match(text)):
        return mark[1], mark[2]
    question, _sign, paragraph = text.partition("\n" if "\n" in text else "\t")
    return question, paragraph.strip()


def language_of(text: str) -> str:
    """`zh` where at least a third of the letters are Chinese, else `en`."""
    letters = [c for c in text if c.isalpha()]
    chinese = sum(bool(HAN.match(c)) for c in letters)
    return "zh" if 3 * chinese >= max(1, len(letters)) else "en"


def windows_of(passage: Passage, tokenizer: Any, size: int | None = None) -> list[Window]:
    """Cut a passage for its reader; windows overlap, and nothing of the paragraph is left out.

    `size` is their length in tokens, the reader's usual one if None.

    Raises:
        InputError: The question is too long.
    """
    language = passage.language
    if language == "en":
        asked, _places = english_tokens(tokenizer, passage.question)
        told, places = english_tokens(tokenizer, passage.paragraph)
        start, end, shift = START, END, 0
    else:
        asked, told = chinese_tokens(passage.question), chinese_tokens(passage.paragraph)
        places = [(i, i + 1) for i in range(len(told))]
        start = end = CHINESE_START
        shift = CHINESE
    if len(asked) > LONGEST_QUESTION:
        raise InputError(
            N_("The question has {n} tokens; the model reads {limit}. Shorten it."),
            n=len(asked),
            limit=LONGEST_QUESTION,
        )
    if not asked or not told:
        raise InputError(FORM)
    head = np.array(
        [
            (start + shift, 0, 0, 0, 0, -1),
            *((i + shift, s, k, QUESTION, 0, unit) for i, s, k, _sentence, unit in asked),
            (end + shift, 0, 0, 0, 0, -1),
            (start + shift, 0, 0, OPENING, 0, -1),
        ]
    )
    tail = np.array([(end + shift, 0, 0, 0, 0, -1)])
    body = np.array([(i + shift, s, k, PARAGRAPH, t, unit) for i, s, k, t, unit in told])
    return [
        Window(np.concatenate([head, anew(body[a:b]), tail]), len(head), places[a:b])
        for a, b in cuts(len(body), size or WINDOW[language], OVERLAP[language])
    ]


def anew(rows: np.ndarray) -> np.ndarray:
    """A part's sentences and units counted from 0."""
    out = rows.copy()
    out[:, SENTENCE:] -= rows[0, SENTENCE:]
    return out


def cuts(length: int, window: int, overlap: int) -> list[tuple[int, int]]:
    """Where windows begin and end; the last one ends with the text and is as long as the others."""
    if length <= window:
        return [(0, length)]
    starts = [*range(0, length - window, window - overlap), length - window]
    return [(start, start + window) for start in starts]
