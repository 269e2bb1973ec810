"""Digits read by synthetic voices: five more speakers to learn from, beside few men."""

from collections.abc import Callable, Mapping

import numpy as np

from dlportal.cases.spoken_digits import NAMES
from dlportal.data import fsdd
from dlportal.data.fsdd import Spoken
from dlportal.kinds import flite
from dlportal.kinds.audio import Sound, resample
from dlportal.kinds.our_voice import say
from dlportal.messages import N_
from dlportal.training.events import Event, Run

PACE = (0.7, 1.35)  # slowest and fastest reading; 1 is the voice's own
OURS = "joe"
LOUDEST = 0.5  # sample

Reader = Callable[[str, float, int], Sound]  # of a text, at a pace, with a seed


def our_reader(text: str, speed: float, seed: int) -> Sound:
    return say(text, speed=speed, seed=seed)


def flite_reader(voice: str) -> Reader:
    def read(text: str, speed: float, _seed: int) -> Sound:
        return flite.flite_says(text, voice, speed)

    return read


READERS: Mapping[str, Reader] = {
    OURS: our_reader,
    **{voice: flite_reader(voice) for voice in flite.VOICES},
}


def readings(counts: Mapping[str, int], seed: int, run: Run) -> Spoken:
    """Each digit so many times by each voice, every time at another pace and with another seed.

    All belong to the training: their numbers begin where those of the validation end. Fewer,
    but one of each digit at least, where `run` is stopped.

    Args:
        counts: Readings of each digit, by voice (of `READERS`).
        seed: Another seed, other paces.
        run: Is told of it, and can stop it.

    Raises:
        AssetError: A voice cannot be had.
    """
    run.emit(Event("message", text=N_("Synthetic voices read the digits.")))
    rng = np.random.default_rng(seed)
    sounds: list[np.ndarray] = []
    labels, speakers, index = [], [], []
    for voice, count in counts.items():
        for reading in range(count):
            if sounds and run.cancelled():
                break
            for digit, name in enumerate(NAMES):
                # Without a full stop it falls less at the end.
                text = f"{name}." if reading % 2 else name
                pace, number = float(rng.uniform(*PACE)), int(rng.integers(2**31))
                sound = READERS[voice](text, pace, number)
                samples = resample(sound.samples, sound.rate, fsdd.RATE).numpy()
                sounds.append((LOUDEST * samples / np.abs(samples).max()).astype(np.float32))
                labels.append(digit)
                speakers.append(voice)
                index.append(fsdd.TEST + fsdd.HELD + reading)
    return Spoken(
        tuple(sounds), np.array(labels, np.int64), tuple(speakers), np.array(index, np.int64)
    )
