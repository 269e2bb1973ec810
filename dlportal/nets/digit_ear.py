"""From a recording of one word to the picture that the digit network sees, and back to sound.

A word is cut out by its loudness, its time is stretched to a fixed number of columns (so that
slow and fast speakers look alike), and its energy is shown in decibels below the loudest cell.
"""

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import pad

from dlportal.nets.log_mel import mel_filters

RATE = 8000  # Hz
WINDOW, HOP = 256, 64  # samples: 32 ms, every 8 ms
BINS = WINDOW // 2 + 1
BANDS, COLUMNS = 40, 64  # of the picture
EMPHASIS = 0.95  # of the difference between neighbouring samples (a pre-emphasis filter)
DEPTH = 55.0  # dB from the loudest cell to what counts as silence
QUIET = 45.0  # dB below the loudest moment: silence around the word
ABOVE_NOISE = 6.0  # dB above a steady noise a word must stand
STEADY = 0.35  # share of the frames that are about as quiet as the quietest where noise is steady
SALIENT = 25.0  # dB below the loudest moment: a word must come this close
PAUSE, SHORTEST = 0.3, 0.06  # seconds: between two words; of one sound that counts
NOTHING = 1e-10  # power; keeps logarithms finite


@dataclass(frozen=True)
class Span:
    """A stretch of speech in frames of the spectrum; `end` is the first one after it."""

    start: int
    end: int

    @property
    def seconds(self) -> float:
        return (self.end - self.start) * HOP / RATE


def spectrum(x: Tensor) -> Tensor:
    """Complex spectrum (129, frames) of a sound (time,) at 8 kHz, without its mean."""
    if len(x) < WINDOW:
        x = pad(x, (0, WINDOW - len(x)))
    return torch.stft(
        x - x.mean(),
        WINDOW,
        HOP,
        window=torch.hann_window(WINDOW),
        pad_mode="constant",
        return_complex=True,
    )


def sound_of(spectra: Tensor, length: int) -> Tensor:
    """The sound (time,) of a complex spectrum: the inverse of `spectrum`, up to the mean."""
    return torch.istft(spectra, WINDOW, HOP, window=torch.hann_window(WINDOW), length=length)


def log_power(spectra: Tensor) -> Tensor:
    """Natural logarithm of the energy, shaped like the spectrum."""
    return (spectra.abs().square() + NOTHING).log()


def loudness(logs: Tensor) -> Tensor:
    """Level of each frame in dB, of log power (129, frames): (2, frames).

    As it is, and with high pitches raised: the hiss of "six" is faint beside its vowel.
    """
    plain = mel_filters(RATE, WINDOW, BANDS).T @ logs.exp()
    powers = torch.stack([plain, mel_powers(logs.unsqueeze(0))[0]])
    return 10 * (powers.sum(dim=1) + NOTHING).log10()


def stands_out(loud: Tensor) -> Tensor:
    """Which frames (frames,) are louder than silence and than a steady noise."""
    peak = float(loud.max())
    limit = peak - QUIET
    noise = float(loud.quantile(0.1)) + ABOVE_NOISE
    if float((loud < noise).float().mean()) > STEADY:  # else the quietest frames are speech
        limit = max(limit, noise)
    return loud > limit


def words_in(loud: Tensor) -> list[Span]:
    """Stretches of speech, from the levels of each frame: (2, frames) dB; a pause parts two words."""
    heard = stands_out(loud[0]) | stands_out(loud[1])
    spans: list[Span] = []
    for frame in heard.nonzero().flatten().tolist():
        if spans and (frame - spans[-1].end) * HOP / RATE < PAUSE:
            spans[-1] = Span(spans[-1].start, frame + 1)
        else:
            spans.append(Span(frame, frame + 1))
    faint = loud.max(dim=1).values - SALIENT
    return [
        span
        for span in spans
        if span.seconds >= SHORTEST
        and bool((loud[:, span.start : span.end].amax(dim=1) > faint).any())
    ]


def stretch(logs: Tensor, start: float, end: float, columns: int) -> Tensor:
    """Frames from `start` to `end` of (129, frames), resampled to (129, columns).

    What lies outside the recording is silence.
    """
    at = torch.linspace(start, end - 1, columns)
    inside = (at >= 0) & (at <= logs.shape[-1] - 1)
    low = at.clamp(0, logs.shape[-1] - 1)
    left = low.floor().long()
    right = (left + 1).clamp(max=logs.shape[-1] - 1)
    mixed = torch.lerp(logs[:, left], logs[:, right], low - left)
    return torch.where(inside, mixed, math.log(NOTHING))


@cache
def emphasis() -> Tensor:
    """Factors (129, 1) that raise high pitches, as ears do: else hisses would be lost in voices."""
    turn = math.pi * torch.arange(BINS) / (BINS - 1)
    return (1 + EMPHASIS**2 - 2 * EMPHASIS * turn.cos())[:, None]


def mel_powers(logs: Tensor) -> Tensor:
    """Energy in mel bands (B, 40, columns) of log power (B, 129, columns), high ones raised."""
    raised = logs.exp() * emphasis().to(logs)
    return torch.einsum("fb,nft->nbt", mel_filters(RATE, WINDOW, BANDS).to(logs), raised)


def picture(powers: Tensor) -> Tensor:
    """What the network sees: (B, 40, columns) energies to (B, 1, 40, columns) in [0, 1].

    1 is the loudest cell, 0 is 55 dB or more below it.
    """
    decibels = 10 * (powers + NOTHING).log10()
    top = decibels.amax(dim=(1, 2), keepdim=True)
    return (1 + (decibels - top) / DEPTH).clamp(0, 1).unsqueeze(1)


def see(logs: Tensor, span: Span) -> Tensor:
    """The picture (1, 1, 40, 64) of one word in a recording's log power (129, frames)."""
    return picture(mel_powers(stretch(logs, span.start, span.end, COLUMNS).unsqueeze(0)))


def gains(keep: Tensor, span: Span, frames: int) -> Tensor:
    """What a mask over the picture means for the spectrum: (40, 64) to (129, frames).

    Everything before and after the word is silenced.
    """
    filters = mel_filters(RATE, WINDOW, BANDS)
    shares = filters / filters.sum(dim=1, keepdim=True).clamp(min=1e-6)  # (129, bands)
    columns = torch.linspace(0, keep.shape[1] - 1, span.end - span.start).round().long()
    out = torch.zeros(BINS, frames)
    out[:, span.start : span.end] = shares @ keep[:, columns]
    return out
