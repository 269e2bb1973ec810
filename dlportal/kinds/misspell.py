"""Typing mistakes as people make them, drawn from a seed."""

import random

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def neighbours() -> dict[str, str]:
    """Keys that a finger hits instead, on an English keyboard."""
    near: dict[str, str] = {}
    for r, row in enumerate(ROWS):
        for i, key in enumerate(row):
            around = row[max(0, i - 1) : i] + row[i + 1 : i + 2]
            for other in (r - 1, r + 1):
                if 0 <= other < len(ROWS):
                    around += ROWS[other][max(0, i - (other > r)) : i + 1 + (other < r)]
            near[key] = around
    return near


NEAR = neighbours()


def misspell(text: str, share: float, seed: int) -> str:
    """Mistype a share of the letters.

    Each letter is mistyped with probability `share`: a neighbouring key, left out, doubled, or
    swapped with the next letter, all equally likely. Spaces, digits and signs stay.

    Args:
        text: Any text; only the letters a to z are mistyped.
        share: In [0, 1].
        seed: The same seed, the same mistakes.
    """
    draw = random.Random(seed)
    letters = list(text)
    out: list[str] = []
    i = 0
    while i < len(letters):
        letter = letters[i]
        i += 1
        if letter.lower() not in NEAR or draw.random() >= share:
            out.append(letter)
            continue
        kind = draw.choice(("near", "drop", "double", "swap"))
        if kind == "near":
            wrong = draw.choice(NEAR[letter.lower()])
            out.append(wrong.upper() if letter.isupper() else wrong)
        elif kind == "double":
            out += [letter, letter]
        elif kind == "swap" and i < len(letters) and letters[i].lower() in NEAR:
            out += [letters[i], letter]
            i += 1
    return "".join(out)
