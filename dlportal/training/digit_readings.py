"""Digits read by the portal's own voice: one more speaker to learn from, beside few men."""

import numpy as np

from dlportal.cases.spoken_digits import NAMES
from dlportal.data import fsdd
from dlportal.data.fsdd import Spoken
from dlportal.kinds.audio import resample
from dlportal.kinds.our_voice import say
from dlportal.messages import N_
from dlportal.training.events import Event, Run

PACE = (0.7, 1.35)  # slowest and fastest reading; 1 is the voice's own
SPEAKER = "joe"
LOUDEST = 0.5  # sample


def our_readings(count: int, seed: int, run: Run) -> Spoken:
    """Each digit `count` times, every time at another pace and with another seed.

    All belong to the training: their numbers begin where those of the validation end. Fewer,
    but one at least, where `run` is stopped.

    Raises:
        AssetError: The voice cannot be had.
    """
    run.emit(Event("message", text=N_("The portal's own voice reads the digits.")))
    rng = np.random.default_rng(seed)
    sounds, labels, index = [], [], []
    for reading in range(count):
        for digit, name in enumerate(NAMES):
            # Without a full stop it falls less at the end.
            text = f"{name}." if reading % 2 else name
            sound = say(text, speed=float(rng.uniform(*PACE)), seed=int(rng.integers(2**31)))
            samples = resample(sound.samples, sound.rate, fsdd.RATE).numpy()
            sounds.append((LOUDEST * samples / np.abs(samples).max()).astype(np.float32))
            labels.append(digit)
            index.append(fsdd.TEST + fsdd.HELD + reading)
        if run.cancelled():
            break
    return Spoken(
        tuple(sounds),
        np.array(labels, np.int64),
        (SPEAKER,) * len(labels),
        np.array(index, np.int64),
    )
