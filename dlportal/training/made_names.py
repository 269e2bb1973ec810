"""Chinese names that nobody has to have written yet: from lists of ours, and composed by rules.

The lists hold facts (surnames, places, institutions, characters that transliterations are made of)
and were written for this portal. Names are drawn from them to stand where a training text has a
name of the same type, so that the network sees many more than the training part has.
"""

import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dlportal import cases
from dlportal.kinds.characters import readable
from dlportal.nets.character_tagger import LISTED, word_numbers

Rng = np.random.Generator
# (how often, rule) for each type; the weights were set by hand and not tuned.
Rules = tuple[tuple[float, Callable[[Rng], str]], ...]

ENDS = ("area_ends", "org_ends")  # what marks the end of a place or an institution
FLAGS = 8  # columns of `flags_of`
LISTS = {
    "LOC": ("countries", "provinces", "cities", "foreign_places", "regions", "nature", "sights"),
    "ORG": ("universities", "companies", "authorities", "parties", "armies", "teams", "media"),
    "PER": ("people", "foreigners"),
}


@cache
def lists() -> dict[str, tuple[str, ...]]:
    """The lists by name."""
    path = Path(cases.__file__).with_name("chinese_names.txt")
    rows = dict(line.split("\t") for line in path.read_text("utf-8").splitlines())
    return {name: tuple(dict.fromkeys(words.split())) for name, words in rows.items()}


def flags_of(characters: Sequence[int]) -> Tensor:
    """What the lists and Unicode say about characters, (C, 8) of 0 and 1.

    Columns: surname, in given names, in transliterations, last in a kind of place, last in a kind
    of institution, digit, other letter than Chinese, sign.
    """
    known = lists()
    last = [{word[-1] for word in known[name]} for name in ENDS]
    sets = [set(known["surnames"]), set(known["given"]), set(known["sounds"]), *last]
    rows = []
    for code in characters:
        c = chr(code)
        kind = unicodedata.category(c)
        rest = [kind == "Nd", kind[0] == "L" and kind != "Lo", kind[0] in "PSZ"]
        rows.append([c in s for s in sets] + rest)
    return torch.tensor(rows, dtype=torch.uint8)


def listed_names() -> dict[str, tuple[str, ...]]:
    """Whole names of each type that the lists hold, titles of rulers among them."""
    known = lists()
    found = {kind: [w for name in names for w in known[name]] for kind, names in LISTS.items()}
    for back in known["rulers_back"]:
        found["PER"] += [back, *(front + back for front in known["rulers_front"])]
    return {kind: tuple(dict.fromkeys(words)) for kind, words in found.items()}


def listed_tables() -> tuple[Tensor, Tensor]:
    """The listed names for a tagger: sorted numbers (N,) and their types (N, types) of 0 and 1."""
    types: dict[int, list[int]] = {}
    for column, words in enumerate(listed_names().values()):
        for word in words:
            codes = readable(word)[0]
            if 2 <= len(codes) <= LISTED:
                number = int(word_numbers(torch.tensor([codes]), len(codes)))
                types.setdefault(number, [0] * len(LISTS))[column] = 1
    numbers = sorted(types)
    return torch.tensor(numbers), torch.tensor([types[n] for n in numbers], dtype=torch.uint8)


def one(name: str, rng: Rng) -> str:
    """A word of a list."""
    words = lists()[name]
    return words[rng.integers(len(words))]


def some(name: str, rng: Rng, least: int, most: int) -> str:
    """A few words of a list, one behind the other."""
    return "".join(one(name, rng) for _ in range(rng.integers(least, most + 1)))


def chinese_person(rng: Rng) -> str:
    surname = one("compound" if rng.random() < 0.06 else "surnames", rng)
    # The first third of the list are the commonest surnames only by tradition; draw all alike.
    return surname + some("given", rng, 1, 2 if rng.random() < 0.75 else 1)


def foreign_person(rng: Rng) -> str:
    first = some("sounds", rng, 2, 4) if rng.random() < 0.6 else one("foreigners", rng)
    draw = rng.random()
    if draw < 0.45:
        return first
    second = some("sounds", rng, 2, 4)
    return f"{first}·{second}" if draw < 0.85 else f"{first}{second}"


def japanese_person(rng: Rng) -> str:
    return one("japanese", rng) + one("japanese_given", rng)


def ruler(rng: Rng) -> str:
    front = one("rulers_front", rng) if rng.random() < 0.6 else ""
    return front + one("rulers_back", rng)


def town(rng: Rng) -> str:
    """A place within China, at one to three levels."""
    draw = rng.random()
    if draw < 0.3:
        return one("cities", rng) + rng.choice(["市", "县", "区", "府", "城", "州"])
    small = (one("streets", rng) if rng.random() < 0.7 else some("given", rng, 1, 2)) + one(
        "street_ends", rng
    )
    if draw < 0.75:
        return small
    front = one("provinces", rng) + one("cities", rng) + "市"
    return front if draw < 0.85 else (one("cities", rng) + small)


def foreign_place(rng: Rng) -> str:
    """A transliterated place."""
    stem = some("sounds", rng, 2, 4)
    return stem if rng.random() < 0.4 else stem + one("area_ends", rng)


def institution(rng: Rng) -> str:
    """An institution: where it is, its name, what it does, what it is."""
    place = one(str(rng.choice(["cities", "provinces", "countries", "foreign_places"])), rng)
    front = one("org_fronts", rng) if rng.random() < 0.6 else some("sounds", rng, 2, 3)
    kind = one("org_kinds", rng) if rng.random() < 0.6 else ""
    end = one("org_ends", rng)
    draw = rng.random()
    if draw < 0.4:
        return place + kind + end
    return (place if draw < 0.6 else "") + front + kind + end


def listed(name: str) -> Callable[[Rng], str]:
    return lambda rng: one(name, rng)


RULES: dict[str, Rules] = {
    "PER": (
        (4, chinese_person),
        (3, foreign_person),
        (1, japanese_person),
        (0.6, ruler),
        (2, listed("people")),
        (1.5, listed("foreigners")),
    ),
    "LOC": (
        (2.5, listed("countries")),
        (1, listed("provinces")),
        (2, listed("cities")),
        (2, listed("foreign_places")),
        (0.6, listed("regions")),
        (0.8, listed("nature")),
        (0.7, listed("sights")),
        (1.5, town),
        (1.5, foreign_place),
    ),
    "ORG": (
        (1, listed("universities")),
        (1.5, listed("companies")),
        (1.2, listed("authorities")),
        (0.7, listed("parties")),
        (0.8, listed("armies")),
        (0.8, listed("teams")),
        (0.8, listed("media")),
        (3, institution),
    ),
}


def made_name(kind: str, rng: Rng) -> str:
    """A name of a type (`PER`, `LOC` or `ORG`)."""
    rules = RULES[kind]
    weights = np.array([weight for weight, _rule in rules])
    return rules[int(rng.choice(len(rules), p=weights / weights.sum()))][1](rng)
