"""Tags of characters: a name begins, goes on, ends, or is a single character (BIOES)."""

from collections.abc import Sequence

import torch

from dlportal.nets.crf import LinearChain

OUTSIDE = "O"


def tags_of_types(types: Sequence[str]) -> tuple[str, ...]:
    """`O`, and four tags for each type."""
    return (OUTSIDE, *(f"{prefix}-{t}" for t in types for prefix in "BIES"))


def may_follow(before: str, after: str) -> bool:
    """Whether one tag may stand right after another: what has begun goes on until it ends."""
    if before[0] in "BI":
        return after[0] in "IE" and after[1:] == before[1:]
    return after[0] in "OBS"


def chain_of(tags: Sequence[str]) -> LinearChain:
    """A chain in which impossible neighbours are impossible."""
    allowed = torch.tensor([[may_follow(a, b) for b in tags] for a in tags])
    first = torch.tensor([tag[0] in "OBS" for tag in tags])
    last = torch.tensor([tag[0] in "OES" for tag in tags])
    return LinearChain(allowed, first, last)


def spell(size: int, kind: str) -> list[str]:
    """The tags of a name of so many characters."""
    if size == 1:
        return [f"S-{kind}"]
    return [f"B-{kind}", *[f"I-{kind}"] * (size - 2), f"E-{kind}"]


def runs_of(chosen: Sequence[int], tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Type, first character and the one after the last of each name in tags that the chain allows.

    Args:
        chosen: Indices of the characters' tags.
        tags: All tags.
    """
    found, start = [], 0
    for place, index in enumerate(chosen):
        prefix, kind = tags[index][0], tags[index][2:]
        if prefix in "BS":
            start = place
        if prefix in "ES":
            found.append((kind, start, place + 1))
    return found
