"""Sounds that are no digits, for measuring whether the digit network marks them."""

import logging
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from dlportal.assets import AssetError
from dlportal.data import is_available, ljspeech_mini
from dlportal.kinds.audio import Sound, resample
from dlportal.kinds.our_voice import say
from dlportal.messages import InputError
from dlportal.nets import digit_ear as ear

if TYPE_CHECKING:
    from dlportal.cases.spoken_digits import SpokenDigits

log = logging.getLogger(__name__)

# Words that sound like no digit; said by the portal's voice they must be marked.
OTHERS = (
    "hello water music garden yellow table window people mother happy paper coffee orange"
    " doctor river summer winter monkey banana pencil butter carpet dollar engine finger guitar"
    " hammer island jacket kitchen lemon market needle ocean palace rabbit silver tiger uncle"
    " village yes please thank stop cat dog house tree green blue black bread milk book door"
    " light school street bird horse"
)
WORDS = tuple(OTHERS.split())


def other_sources() -> list[tuple[str, list[Sound]]]:
    """Sounds that are no digits: words of the synthetic voice, a real reader, noises."""
    sources = [("noises", noises())]
    try:
        sources.append(("other_words", [say(f"{word}.") for word in WORDS]))
    except AssetError as error:
        log.warning("other words were not measured: %s", error)
    if is_available("ljspeech_mini"):
        sources.append(("ljspeech_mini", cut_reading()))
    return sources


def seen(case: "SpokenDigits", sound: Sound) -> Tensor | None:
    """The picture of a sound, cut like a word; None where it is refused."""
    spectra = ear.spectrum(resample(sound.samples, sound.rate, ear.RATE))
    try:
        return ear.see(ear.log_power(spectra), case.word(sound, spectra))
    except InputError:
        return None


def noises(count: int = 60) -> list[Sound]:
    """Bursts of white, pink and humming noise of a quarter to three quarters of a second."""
    rng = np.random.default_rng(0)
    out = []
    for index in range(count):
        n = int(ear.RATE * rng.uniform(0.25, 0.75))
        spectrum = np.fft.rfft(rng.standard_normal(n))
        hertz = np.fft.rfftfreq(n, 1 / ear.RATE)
        if index % 3 == 1:
            spectrum = spectrum / np.sqrt(np.maximum(hertz, 20))
        if index % 3 == 2:
            middle = rng.uniform(100, 3000)
            spectrum = spectrum / (1 + ((hertz - middle) / 60) ** 2)
        burst = np.fft.irfft(spectrum, n) * np.hanning(n)
        sound = np.pad(burst / np.abs(burst).max() * 0.5, ear.RATE // 5)
        out.append(
            Sound((sound + 1e-4 * rng.standard_normal(len(sound))).astype(np.float32), ear.RATE)
        )
    return out


def cut_reading(seconds: float = 0.45) -> list[Sound]:
    """Pieces of a reader's sentences, as long as a digit, where they are loud."""
    out = []
    for clip in ljspeech_mini.load():
        size = int(seconds * clip.rate)
        for start in range(size, len(clip.sound) - size, 2 * size):
            piece = clip.sound[start : start + size]
            if np.sqrt((piece**2).mean()) > 0.5 * np.sqrt((clip.sound**2).mean()):
                out.append(Sound(np.pad(piece * np.hanning(size) ** 0.25, size // 2), clip.rate))
    return out
