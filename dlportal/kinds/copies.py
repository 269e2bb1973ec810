"""How much of a text also stands, word for word, in another: the look for copies."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Copy:
    """A passage that also stands elsewhere.

    Attributes:
        start: Its place in the text.
        length: Its characters.
        place: Where it stands in the other text.
    """

    start: int
    length: int
    place: int


@dataclass(frozen=True)
class Copies:
    """What was found: the longest passage, and the share of the characters that lie in passages
    of at least `least`."""

    longest: Copy | None
    share: float
    least: int


def find_copies(text: str, source: str, least: int) -> Copies:
    """Look for passages of a text in another.

    Args:
        text: N characters.
        source: The text that may have been copied.
        least: Shorter passages stand in both by chance.
    """
    reach = reaches(text, source)
    if not reach:
        return Copies(None, 0.0, least)
    start = max(range(len(reach)), key=reach.__getitem__)
    longest = None
    if reach[start]:
        passage = text[start : start + reach[start]]
        longest = Copy(start, reach[start], source.index(passage))
    covered, end = 0, 0
    for place, length in enumerate(reach):
        if length >= least:
            covered += place + length - max(end, place)
            end = place + length
    return Copies(longest, covered / len(text), least)


def reaches(text: str, source: str) -> list[int]:
    """For each place of a text the longest passage from there that also stands in the source."""
    found, end = [], 0
    for start in range(len(text)):
        end = max(end, start)
        # What begins one place later reaches at least as far.
        while end < len(text) and text[start : end + 1] in source:
            end += 1
        found.append(end - start)
    return found
