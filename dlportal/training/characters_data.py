"""Sentences for the tagger of Chinese names: from tagged words to tagged characters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from dlportal.data.conll import Tagged
from dlportal.data.uner import TYPES
from dlportal.kinds.characters import readable
from dlportal.nets.name_tags import runs_of, spell, tags_of_types
from dlportal.training.entities import Name, spans_of

TAGS = tags_of_types(TYPES)
INDEX = {tag: place for place, tag in enumerate(TAGS)}


@dataclass(frozen=True)
class Sentence:
    """Code points of a sentence, and its names by first character and the one after the last."""

    codes: list[int]
    names: tuple[Name, ...]

    @property
    def tags(self) -> list[int]:
        """Indices of the characters' tags."""
        out = [0] * len(self.codes)
        for name in self.names:
            tags = spell(name.end - name.start, name.type)
            out[name.start : name.end] = [INDEX[tag] for tag in tags]
        return out


def sentences_of(part: Tagged) -> list[Sentence]:
    """Words joined to characters; names keep their places.

    A name is right as characters exactly where it is right as words: the ends are the same.
    """
    found = []
    for words, tags in zip(part.words, part.tags, strict=True):
        codes = [readable(word)[0] for word in words]
        start = [0, *accumulate(map(len, codes))]
        names = tuple(Name(n.type, start[n.start], start[n.end]) for n in spans_of(tags))
        joined = [code for word in codes for code in word]
        found.append(Sentence(joined, tuple(n for n in names if n.end > n.start)))
    return found


def names_in(tags: Sequence[int]) -> list[Name]:
    """Names of a sequence of tags that the chain allows."""
    return [Name(*run) for run in runs_of(tags, TAGS)]


def exchanged(
    sentence: Sentence,
    other: Callable[[str, np.random.Generator], str],
    share: float,
    rng: np.random.Generator,
) -> Sentence:
    """The sentence with some of its names replaced by others of their types.

    Args:
        sentence: As it was written.
        other: Gives a name of a type.
        share: How many of the names are replaced, on average.
        rng: Where the draws come from.
    """
    codes: list[int] = []
    names, place = [], 0
    for name in sentence.names:
        codes += sentence.codes[place : name.start]
        old = sentence.codes[name.start : name.end]
        new = readable(other(name.type, rng))[0] if rng.random() < share else old
        names.append(Name(name.type, len(codes), len(codes) + len(new)))
        codes += new
        place = name.end
    return Sentence(codes + sentence.codes[place:], tuple(names))


def joined(first: Sentence, second: Sentence) -> Sentence:
    """Two sentences, one behind the other."""
    shift = len(first.codes)
    moved = tuple(Name(n.type, n.start + shift, n.end + shift) for n in second.names)
    return Sentence(first.codes + second.codes, first.names + moved)
