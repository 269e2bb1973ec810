"""English text to phonemes by espeak-ng, and phonemes back to times in the sound."""

import re
import threading
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from dlportal.messages import N_, InputError
from dlportal.nets.piper import BOS, EOS
from dlportal.results import Phone

PLAIN = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": ", ", "—": ", ", "…": "..."})
SYMBOLS = set("€£¥$¢°§©®™×÷±²³½¼¾·•«»¿¡")  # that espeak-ng reads or leaves out
STRESS = "ˈˌ"
LONGEST_WORD = 60  # characters; espeak-ng silently drops the rest of an endless one


def clean(text: str) -> str:
    """Composed characters, typographic marks as ASCII, no control characters, no markup.

    espeak-ng would read `[[...]]` as phoneme codes.
    """
    text = unicodedata.normalize("NFC", text).translate(PLAIN)
    return re.sub(r"[\x00-\x1f\x7f\[\]]+", " ", text)


def check_sayable(text: str) -> None:
    """Raise `InputError` for what the voice cannot say: other scripts, emoji, endless words."""
    longest = max(map(len, text.split()), default=0)
    if longest > LONGEST_WORD:
        raise InputError(
            N_("A word has {n} characters; the voice reads up to {limit}. Put spaces in it."),
            n=longest,
            limit=LONGEST_WORD,
        )
    found: list[str] = []
    for character in clean(text):
        latin = character.isalpha() and "LATIN" in unicodedata.name(character, "")
        known = character.isascii() or character in SYMBOLS or character.isspace() or latin
        if not known and character.isprintable() and character not in found:
            found.append(character)
    if found:
        raise InputError(
            N_("The voice reads English and cannot say “{found}”. Take it out or write English."),
            found="".join(found[:6]) + ("…" if len(found) > 6 else ""),
        )


ESPEAK = threading.Lock()  # the library keeps its voice in global variables


@cache
def phonemiser() -> Any:
    from piper.phonemize_espeak import EspeakPhonemizer

    return EspeakPhonemizer()


def phonemise(text: str, voice: str) -> list[list[str]]:
    """Symbols of the phonetic alphabet, stress and punctuation, sentence by sentence."""
    with ESPEAK:
        return phonemiser().phonemize(voice, clean(text))


def place_phones(
    sentences: Sequence[Sequence[str]], places: np.ndarray, rate: int
) -> tuple[Phone, ...]:
    """Join symbols into speech sounds with their times.

    Stress marks go to the sound after them, length marks and accents to the sound before.

    Args:
        sentences: What was spoken.
        places: For each sample the place of the id being spoken, shape (time,), rising.
        rate: Hz.
    """
    symbols: list[str] = []
    for sentence in sentences:
        # Two ids each (the symbol and its pad), but for the end of the sentence.
        symbols += [s for symbol in (BOS, *sentence) for s in (symbol, symbol)] + [EOS]
    ends = np.searchsorted(places, np.arange(len(symbols)), side="right") / rate
    phones: list[Phone] = []
    stress, start, place = "", 0.0, 0
    while place < len(symbols):
        symbol, width = symbols[place], 1 if symbols[place] == EOS else 2
        end = float(ends[place + width - 1])
        place += width
        if symbol in STRESS:
            stress = symbol  # its time counts for the sound that follows
            continue
        joins = phones and (symbol == "ː" or unicodedata.category(symbol) == "Mn")
        if joins:
            last = phones.pop()
            phones.append(Phone(last.symbol + symbol, last.start, end))
        elif symbol not in (BOS, EOS):
            phones.append(Phone(stress + symbol, start, end))
        stress, start = "", end
    return tuple(phones)
