"""Is a text English? Enough to refuse other scripts and to warn about other languages."""

import re
import unicodedata

from dlportal.messages import N_, InputError

# Words without which English sentences hardly get by, and that other languages hardly use.
COMMON_WORDS = (
    "the of and to a is it that this with for as but be are not its by you he she they have has"
    " had from or at one all there their his her who what which when more most just than then"
    " them been would could should will can does did don't isn't i my your we our some any only"
    " very about into out if how why because while other such no"
)
COMMON = frozenset(COMMON_WORDS.split())
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
ENOUGH = 6  # words below which nothing can be said
RARE = 0.06  # English texts of enough words have a larger share of common words (measured: 99.7 %)


def check_english(text: str) -> None:
    """Refuse a text without words, or in a script other than Latin.

    Raises:
        InputError: No letters, or most are not Latin.
    """
    letters = [c for c in text if c.isalpha()]
    if not letters:
        raise InputError(N_("There is no word in this text. Write a sentence in English."))
    latin = sum(unicodedata.name(c, "").startswith("LATIN") for c in letters)
    if latin < len(letters) / 2:
        raise InputError(N_("This model reads English only. Write the sentence in English."))


def looks_english(text: str) -> bool | None:
    """Whether a text of six words or more is English; None for shorter ones."""
    words = WORD.findall(text.lower().replace("’", "'"))
    if len(words) < ENOUGH:
        return None
    common = sum(word in COMMON or word.split("'")[0] in COMMON for word in words)
    return common / len(words) >= RARE
