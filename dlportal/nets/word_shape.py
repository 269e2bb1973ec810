"""How words are written: what an uncased tokenizer throws away, kept beside each word part.

A token's id and the shape of its word travel in one integer, so that everything that handles ids
(padding, batches, masks) need not know.
"""

import re

SHAPES = (
    "none",  # special tokens, and words that are hidden
    "lower",
    "title",
    "upper",  # more than one letter, all capitals
    "one_upper",  # a single capital letter
    "mixed",  # iPhone, McDonald
    "number",
    "with_number",  # PS4, 2nd
    "handle",  # @somebody, a link
    "hashtag",
    "other",  # punctuation, emoji
)
STEP = 1 << 16  # more than any vocabulary used here
LINK = re.compile(r"https?:|www\.", re.I)


def shape_of(word: str) -> int:
    """The index in `SHAPES` of how a word is written."""
    return SHAPES.index(name_shape(word))


def name_shape(word: str) -> str:
    if LINK.match(word) or (word.startswith("@") and len(word) > 1):
        return "handle"
    if word.startswith("#") and len(word) > 1:
        return "hashtag"
    letters = [c for c in word if c.isalpha()]
    digits = any(c.isdigit() for c in word)
    if digits:
        return "with_number" if letters else "number"
    if not letters:
        return "other"
    if word.islower() or not any(c.isupper() for c in letters):
        return "lower"
    if all(c.isupper() for c in letters):
        return "upper" if len(letters) > 1 else "one_upper"
    first = letters[0].isupper() and not any(c.isupper() for c in letters[1:])
    return "title" if first else "mixed"
