"""An LSTM that listens to a spoken digit, frame by frame: where recurrent networks are at home.

One speaker is kept out of the training altogether, so that the test tells known voices from a
new one.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.data import fsdd
from dlportal.labs.arch_insides import Gates, answers_so_far, read_steps
from dlportal.nets.log_mel import mel_filters, power_spectrum

RATE = fsdd.RATE
WINDOW, HOP = 256, 128  # samples: 32 ms, every 16 ms
BANDS = 32
LONGEST = 94  # frames: 1.5 s
QUIET = 30.0  # dB below the loudest frame: silence before and after is cut off
STRANGER = "nicolas"  # never heard in training
FRIEND = "jackson"  # one of the four known voices
CLASSES = 10


class SpokenLSTM(nn.Module):
    """Reads mel frames one after another; the state after the last one is asked.

    Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735
    """

    UNITS = 64

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(BANDS, self.UNITS, batch_first=True)
        biases: Tensor = self.lstm.bias_hh_l0  # type: ignore[assignment]
        nn.init.ones_(biases.data[self.UNITS : 2 * self.UNITS])  # forget little at first
        self.classify = nn.Linear(self.UNITS, CLASSES)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Frames (B, T, 32), padded at the end, and their numbers (B,) to logits (B, 10)."""
        states, _last = self.lstm(x)
        last = states[torch.arange(len(x), device=x.device), lengths - 1]
        return self.classify(last)


def frames(sound: np.ndarray) -> Tensor:
    """A recording at 8 kHz (time,) as log mel frames (T, 32), mean 0 and variance 1 over all.

    Silence at both ends is cut off, and what is longer than 1.5 s.
    """
    x = torch.from_numpy(np.ascontiguousarray(sound, dtype=np.float32))
    if len(x) < WINDOW:
        x = nn.functional.pad(x, (0, WINDOW - len(x)))
    power = power_spectrum(x, WINDOW, HOP).T @ mel_filters(RATE, WINDOW, BANDS)
    loud = 10 * (power.sum(dim=1) + 1e-10).log10()
    heard = (loud > loud.max() - QUIET).nonzero().flatten()
    power = power[int(heard[0]) : int(heard[-1]) + 1][:LONGEST]
    logs = (power + 1e-6).log()
    return (logs - logs.mean()) / (logs.std(correction=0) + 1e-5)


def batch_of(parts: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Frames of several recordings as (B, T, 32), padded with 0 at the end, and their numbers."""
    lengths = torch.tensor([len(part) for part in parts])
    return nn.utils.rnn.pad_sequence(parts, batch_first=True), lengths


@cache
def speech_parts() -> dict[str, tuple[Tensor, Tensor, Tensor]]:
    """`train`, `validation`, `test` (four known voices) and `new_voice`: frames, numbers, digits.

    Raises:
        AssetError: The recordings are not on this machine.
    """
    spoken = fsdd.load()
    known = np.array([speaker != STRANGER for speaker in spoken.speakers])
    test = spoken.index < fsdd.TEST
    held = ~test & (spoken.index < fsdd.TEST + fsdd.HELD)
    rows = {
        "train": known & ~test & ~held,
        "validation": known & held,
        "test": known & test,
        "new_voice": ~known,
    }
    heard = [frames(sound) for sound in spoken.sounds]
    found = {}
    for name, chosen in rows.items():
        picked = np.flatnonzero(chosen)
        x, lengths = batch_of([heard[row] for row in picked])
        found[name] = (x, lengths, torch.from_numpy(spoken.labels[picked]).long())
    return found


def means_and_spreads(x: Tensor, lengths: Tensor) -> np.ndarray:
    """What the plain baseline gets: mean and standard deviation of each band, (N, 64); no order."""
    rows = [part[:count] for part, count in zip(x, lengths)]
    return np.stack([torch.cat([r.mean(dim=0), r.std(dim=0, correction=0)]).numpy() for r in rows])


@dataclass(frozen=True)
class Heard:
    """A recording as the LSTM hears it.

    Attributes:
        frames: Log mel energies, (T, 32).
        gates: The LSTM's inside at every frame.
        chances: Probabilities of the ten digits if it ended after each frame, (T, 10).
    """

    frames: Tensor
    gates: Gates
    chances: Tensor


def listen(net: nn.Module, sound: np.ndarray) -> Heard:
    """Let the LSTM hear a recording at 8 kHz, (time,)."""
    x = frames(sound)
    gates = read_steps(net.lstm, x.to(next(net.parameters()).device))
    chances = answers_so_far(net, gates).cpu()
    return Heard(x, Gates(*(part.cpu() for part in vars(gates).values())), chances)
