"""F1 and exact match of answers, as SQuAD counts them in English and CMRC 2018 in Chinese.

SQuAD: Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250. Words in lower case without
punctuation and articles; F1 over the words that both have.
CMRC 2018: Cui et al. 2019, https://arxiv.org/abs/1810.07366. Chinese characters, and Latin words
whole; F1 over the longest run of them that both have.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

ARTICLES = re.compile(r"\b(?:a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)
UNITS = re.compile(r"[\u4e00-\u9fa5]|[^\s\u4e00-\u9fa5]+")


def squad_words(text: str) -> list[str]:
    """Words that count: lower case, no punctuation, no articles."""
    return ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split()


def cmrc_units(text: str) -> list[str]:
    """Chinese characters one by one, other words whole, no punctuation."""
    kept = "".join(
        " " if unicodedata.category(c)[0] in "PSZ" or c.isspace() else c for c in text.lower()
    )
    return UNITS.findall(kept)


def squad_f1(given: str, accepted: str) -> float:
    """Harmonic mean of the shares of words that are right and that are found."""
    a, b = squad_words(given), squad_words(accepted)
    if not a or not b:
        return float(a == b)
    common = sum((Counter(a) & Counter(b)).values())
    return 2 * common / (len(a) + len(b))


def cmrc_f1(given: str, accepted: str) -> float:
    """As above, of the longest common run of characters."""
    a, b = cmrc_units(given), cmrc_units(accepted)
    if not a or not b:
        return float(a == b)
    run = SequenceMatcher(None, a, b, autojunk=False).find_longest_match().size
    return 2 * run / (len(a) + len(b))


def f1(language: str, given: str, accepted: Sequence[str]) -> float:
    """The best F1 over the accepted answers, 0 to 1."""
    one = cmrc_f1 if language == "zh" else squad_f1
    return max(one(given, answer) for answer in accepted)


def exact(language: str, given: str, accepted: Sequence[str]) -> float:
    """1 where an accepted answer was met exactly (after the same clean-up), else 0."""
    clean = cmrc_units if language == "zh" else squad_words
    said = clean(given)
    return float(any(said == clean(answer) for answer in accepted))
