"""English questions and paragraphs as a reader sees them: word parts, stems, shapes, sentences."""

import zlib
from typing import Any

from dlportal.kinds.english import COMMON

# What a question can ask with; each word by itself, so that "how many" is two of them.
ASKING_WORDS = (
    "who whom whose what which when where why how many much long year date day month century"
    " city country state name person people percent percentage population number type kind team"
    " language company area far old often term called word"
)
MONTH_WORDS = (
    "january february march april may june july august september october november december"
    " monday tuesday wednesday thursday friday saturday sunday"
)
NUMBER_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen twenty thirty forty"
    " fifty hundred thousand million billion trillion dozen half first second third fourth"
)
ENDING_WORDS = "ations ation ingly edly ings ing ies ied ers ed es er ly s"
ASKED, ENDINGS = ASKING_WORDS.split(), ENDING_WORDS.split()
MONTHS, NUMBERS = frozenset(MONTH_WORDS.split()), frozenset(NUMBER_WORDS.split())
COMMON_TOO = "on in do did during after before between many much whose whom each both these those"
STOP = (COMMON | frozenset(COMMON_TOO.split())) - NUMBERS - MONTHS
SHAPES = (
    "special",  # start, separator, and words that are hidden
    "lower",
    "common",
    "title",
    "upper",
    "mixed",  # iPhone, McDonald
    "number",
    "year",
    "month",  # and days of the week
    "number_word",
    "with_number",  # 2nd, PS4
    "sign",
    "first",  # a capital that begins a sentence says nothing
)
SHORTEST = 3  # letters that an ending leaves at least
KEPT = 5  # letters of a stem that count
STEMS = 1 << 20


def stem(word: str) -> str:
    """The beginning that forms of a word share: no ending, five letters at most."""
    word = word.lower()
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST:
            word = word[: -len(ending)]
            break
    return word[:KEPT]


def stem_number(word: str) -> int:
    """A stem as a number from 1; 0 for signs and words that every text has."""
    if not word[0].isalnum() or word.lower() in STOP:
        return 0
    return zlib.crc32(stem(word).encode()) % STEMS + 1


def shape_name(word: str, first: bool) -> str:
    """One of `SHAPES`; `first` says that the word begins a sentence."""
    low = word.lower()
    if not any(c.isalnum() for c in word):
        return "sign"
    if low in MONTHS and word[0].isupper():
        return "month"
    if word.isdigit():
        return "year" if len(word) == 4 and word[0] in "12" else "number"
    if low in NUMBERS:
        return "number_word"
    if any(c.isdigit() for c in word):
        return "with_number"
    if low in STOP:
        return "common"
    return written(word, first)


def written(word: str, first: bool) -> str:
    """How a word of letters is written."""
    if word.isupper() and len(word) > 1:
        return "upper"
    if word[0].isupper():
        return "first" if first else "title"
    return "mixed" if any(c.isupper() for c in word) else "lower"


def english_tokens(
    tokenizer: Any, text: str
) -> tuple[list[tuple[int, int, int, int, int]], list[tuple[int, int]]]:
    """Word parts of a text.

    Args:
        tokenizer: MiniLM's.
        text: Any text.

    Returns:
        For each part its id, stem, shape, sentence and word (all numbers), and its first
        character with the first one after it.
    """
    encoding = tokenizer.encode(text, add_special_tokens=False)
    places: dict[int, tuple[int, int]] = {}
    for word, (start, end) in zip(encoding.word_ids, encoding.offsets, strict=True):
        low, high = places.get(word, (start, end))
        places[word] = (min(low, start), max(high, end))
    facts, sentence, first = {}, 0, True
    for word in sorted(places):
        start, end = places[word]
        said = text[start:end] or "."
        facts[word] = stem_number(said), SHAPES.index(shape_name(said, first)), sentence, word
        first = said in ".?!" and text[end : end + 1].isspace()
        sentence += first
    rows = [(i, *facts[w]) for i, w in zip(encoding.ids, encoding.word_ids, strict=True)]
    return rows, list(encoding.offsets)
