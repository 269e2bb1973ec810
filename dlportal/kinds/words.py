"""Cut a text into words the way taggers' training data are cut: links, handles and hashtags
whole, clitics and punctuation apart."""

import re
from collections.abc import Sequence

WORD = re.compile(
    r"https?://\S+|www\.\S+"  # links
    r"|[@#]\w+(?:[-']\w+)*"  # handles and hashtags
    r"|(?:[A-Za-z]\.){2,}"  # U.S.
    r"|\w+(?=n['’]t\b)|n['’]t\b"  # do n't
    r"|['’](?:s|m|re|ve|ll|d|S)\b"  # clitics
    r"|\w+(?:[-&./'’](?!(?:s|m|re|ve|ll|d|S)\b)\w+)*"  # words, AT&T, 3.5, O'Neil
    r"|(?:[:;=8][-o*']?[)(\]\[dDpP/\\|])"  # smileys
    r"|([^\w\s])\1*"  # a sign, or the same sign repeated
)


def cut(text: str) -> list[tuple[str, int, int]]:
    """Words with their first character and the first one after them."""
    return [(found[0], found.start(), found.end()) for found in WORD.finditer(text)]


def numbered(words: Sequence[str]) -> list[str]:
    """Words, numbered where one repeats."""
    seen: dict[str, int] = {}
    out = []
    for word in words:
        seen[word] = seen.get(word, 0) + 1
        out.append(word if seen[word] == 1 else f"{word} ({seen[word]})")
    return out
