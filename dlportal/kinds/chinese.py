"""Chinese texts: one spelling for all widths and cases, and a check that it is Chinese at all."""

import re
import unicodedata
from functools import lru_cache

from dlportal.messages import N_, InputError

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff〇]")
PIECE = re.compile(r"[A-Za-z0-9]+|\S")
FEWEST = 2  # Chinese characters


def check_chinese(text: str) -> None:
    """Refuse a text in which fewer than two letters, or fewer than a third, are Chinese.

    Titles may well hold Latin names and formulas, so a third is enough.

    Raises:
        InputError: No letters, or too few Chinese ones.
    """
    letters = "".join(filter(str.isalpha, text))
    if not letters:
        raise InputError(N_("There is no word in this text. Type a title in Chinese."))
    chinese = len(HAN.findall(letters))
    if chinese < FEWEST or 3 * chinese < len(letters):
        raise InputError(N_("This model reads Chinese only. Type a title in Chinese characters."))


@lru_cache(maxsize=256)  # a text is checked, then read
def plain(text: str) -> str:
    """Half width and lower case, without spaces: how the networks read a text."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def pieces(text: str) -> list[str]:
    """What a text is made of for a reader: single characters, and Latin words or numbers whole."""
    return PIECE.findall(text)
