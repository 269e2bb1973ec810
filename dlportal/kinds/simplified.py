"""Chinese in simplified characters, one character for each traditional one, by OpenCC.

The other direction would have to guess (发 is 發 or 髮); this one seldom does.
"""

from functools import cache, lru_cache
from typing import Any

UNSURE = "乾"  # stands for two: dry, and the first of the eight trigrams


@cache
def converter() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


@lru_cache(maxsize=16_384)
def one(character: str) -> str:
    """The simplified form of a character, or itself where there is none that fonts usually have."""
    if not "\u3400" <= character <= "\u9fff" or character == UNSURE:
        return character
    found: str = converter().convert(character)
    return found if found <= "\uffff" else character


def simplified(text: str) -> str:
    """A text with its traditional characters written as simplified ones; as long as it was."""
    return "".join(map(one, text))
