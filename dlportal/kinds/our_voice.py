"""The portal's own synthetic voice as a source of recordings for other cases."""

from dataclasses import dataclass, replace

import numpy as np

from dlportal.kinds.audio import Sound
from dlportal.results import Speech


@dataclass(frozen=True, repr=False, eq=False)
class Spoken(Sound):
    """What the synthesis case said, with `noise` as in `say`."""

    text: str
    noise: float


def say(text: str, noise: float = 0.0, speed: float = 1.0, seed: int | None = None) -> Spoken:
    """Let the synthesis case say a text.

    Args:
        text: English.
        noise: White noise to add, as a share of the speech's own loudness.
        speed: 1 is the voice's own.
        seed: Another seed, another reading.

    Raises:
        InputError: The voice cannot say it.
        AssetError: The voice cannot be had.
    """
    from dlportal.cases.speech_synthesis import Utterance
    from dlportal.nets.piper import DEFAULT
    from dlportal.serving import get_case

    manner = replace(DEFAULT, speed=speed, seed=DEFAULT.seed if seed is None else seed)
    spoken: Speech = get_case("speech_synthesis").predict(Utterance(text, manner))
    samples = spoken.samples
    if noise:
        loudness = noise * float(np.sqrt((samples**2).mean()))
        random = np.random.default_rng(0)
        samples = samples + loudness * random.standard_normal(len(samples), np.float32)
    peak = max(1.0, float(np.abs(samples).max()))
    return Spoken(samples / peak, spoken.rate, text, noise)
