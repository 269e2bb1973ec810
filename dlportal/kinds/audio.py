"""Sound cases: decoding with limits, resampling, and hiding moments behind silence."""

import hashlib
import io
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from dlportal.cards import Limits
from dlportal.case import Case
from dlportal.messages import N_, InputError

FORMATS = ("WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "AIFF")  # libsndfile's names
RATES = (8_000, 96_000)  # Hz
CHANNELS = 2
SHORTEST = 0.1  # seconds
QUIETEST = 1e-3  # peak; -60 dB of full scale
PARTS = 40  # moments that can be hidden, at most
SHORTEST_PART = 0.2  # seconds; a shorter silence is heard over
FADE = 0.005  # seconds; a moment that is cut without a fade would click


@dataclass(frozen=True, repr=False, eq=False)
class Sound:
    """A mono recording: `samples` float32 in [-1, 1], shape (time,), at `rate` Hz."""

    samples: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    def __repr__(self) -> str:
        """Names the content too: caches tell recordings apart by this."""
        content = hashlib.sha256(np.ascontiguousarray(self.samples).tobytes()).hexdigest()
        return f"Sound({self.seconds:.2f} s, {self.rate} Hz, sha256 {content[:16]})"


def open_sound(data: bytes, limits: Limits) -> Sound:
    """Decode a recording; size, duration, rate and channels are checked before decoding.

    Raises:
        InputError: Empty, too large, too long, not a sound, damaged, not finite.
    """
    if not data:
        raise InputError(N_("The file is empty. Choose a WAV, FLAC, OGG or MP3 recording."))
    if len(data) > limits.bytes:
        raise InputError(
            N_("The recording has {n:.1f} MB; the limit is {limit:.0f} MB. Cut it shorter."),
            n=len(data) / 1e6,
            limit=limits.bytes / 1e6,
        )
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            check_header(file, limits)
            # A header may promise less than there is: never decode more than the limit.
            longest = int(limits.seconds * file.samplerate) + 1
            samples = file.read(frames=min(file.frames, longest), dtype="float32", always_2d=True)
            if len(samples) < min(file.frames, longest) or is_cut_off(data):
                raise InputError(DAMAGED)
            rate = file.samplerate
    except soundfile.LibsndfileError as error:
        wrong_type = error.code == 1  # SF_ERR_UNRECOGNISED_FORMAT
        raise InputError(NOT_A_SOUND if wrong_type else DAMAGED) from None
    if not np.isfinite(samples).all():
        raise InputError(N_("The recording holds values that are not numbers. Save it again."))
    mono = samples.mean(axis=1)
    return Sound(mono / max(1.0, float(np.abs(mono).max(initial=0.0))), rate)


NOT_A_SOUND = N_("This is not a recording we can read. Choose a WAV, FLAC, OGG or MP3 file.")
SILENT = N_("The recording is silent. Check the microphone, then speak louder or closer.")
DAMAGED = N_("The recording is damaged or cut off. Save it again and retry.")


def check_header(file: soundfile.SoundFile, limits: Limits) -> None:
    """Raise `InputError` for a recording that is too long or unusual, before it is decoded."""
    if file.format not in FORMATS:
        raise InputError(NOT_A_SOUND)
    if not RATES[0] <= file.samplerate <= RATES[1]:
        raise InputError(
            N_("The recording has {rate:,} samples a second; save it with {low:,} to {high:,}."),
            rate=file.samplerate,
            low=RATES[0],
            high=RATES[1],
        )
    if file.channels > CHANNELS:
        raise InputError(
            N_("The recording has {n} channels. Save it in mono or stereo."), n=file.channels
        )
    check_duration(file.frames / file.samplerate, limits)


def check_duration(seconds: float, limits: Limits) -> None:
    """Raise `InputError` for a recording that is too short or too long."""
    if seconds < SHORTEST:
        raise InputError(N_("The recording is shorter than a tenth of a second. Record it again."))
    if seconds > limits.seconds:
        raise InputError(
            N_("The recording lasts {duration}; the limit is {limit:.0f} s. Cut it shorter."),
            duration=show_duration(seconds),
            limit=limits.seconds,
        )


def show_duration(seconds: float) -> str:
    """A duration in a form that both languages read: `75 s`, `12 min`, `2.0 h`."""
    if seconds < 120:
        return f"{math.ceil(seconds)} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def is_cut_off(data: bytes) -> bool:
    """Whether a WAV file is shorter than its header says (libsndfile reads on in silence)."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return False
    promised = int.from_bytes(data[4:8], "little") + 8
    streamed = promised >= 0x7FFF_FF00  # programs that cannot seek write a huge size
    return not streamed and promised > len(data) + 1  # some leave out the padding byte


def resample(samples: np.ndarray, rate: int, wanted: int) -> Tensor:
    """Resample (time,) from `rate` to `wanted` Hz, band-limited."""
    x = torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))
    if rate == wanted:
        return x
    from torchaudio.functional import resample as band_limited  # heavy import

    return band_limited(x, rate, wanted)


@dataclass(frozen=True)
class TimeMasker:
    """Silences moments of one recording.

    `x` has shape (1, time) at `rate` Hz; it is cut into moments of equal length.
    """

    x: Tensor
    rate: int
    count: int

    @classmethod
    def of(cls, x: Tensor, rate: int) -> "TimeMasker":
        """Cut into at most `PARTS` moments of at least `SHORTEST_PART`."""
        seconds = x.shape[-1] / rate
        return cls(x, rate, max(2, min(PARTS, int(seconds / SHORTEST_PART))))

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.count,)

    @property
    def edges(self) -> np.ndarray:
        """Borders of the moments in seconds, shape (count + 1,)."""
        return np.linspace(0, self.x.shape[-1] / self.rate, self.count + 1)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(f"{a:.1f}–{b:.1f} s" for a, b in itertools.pairwise(self.edges))

    def render(self, keep: Tensor) -> Tensor:
        time = torch.arange(self.x.shape[-1], device=self.x.device)
        part = (time * self.count).div(self.x.shape[-1], rounding_mode="floor")
        gain = keep.to(self.x)[:, part]  # (M, time)
        width = 2 * int(FADE * self.rate) + 1
        faded = torch.nn.functional.avg_pool1d(
            gain.unsqueeze(1), width, stride=1, padding=width // 2, count_include_pad=False
        )
        return self.x * faded.squeeze(1)


class AudioCase(Case[Sound]):
    """A case whose input is a recording; `encode` gives (1, time) at `rate` Hz."""

    kind = "audio"
    rate: int = 16_000
    invitation: str = N_("Speak English")  # above the microphone

    def check(self, raw: Sound) -> None:
        if not isinstance(raw, Sound):
            raise InputError(NOT_A_SOUND)
        check_duration(raw.seconds, self.card.limits)
        if not np.isfinite(raw.samples).all():
            raise InputError(N_("The recording holds values that are not numbers. Save it again."))
        if np.abs(raw.samples - raw.samples.mean()).max() < QUIETEST:
            raise InputError(SILENT)

    def read(self, given: str) -> Sound:
        try:
            with Path(given).open("rb") as file:
                data = file.read(self.card.limits.bytes + 1)
        except (OSError, ValueError):  # ValueError: a NUL in the path
            shown = given if len(given) <= 80 else f"{given[:79]}…"
            raise InputError(N_("There is no readable file {path}."), path=shown) from None
        return self.open(data)

    def open(self, data: bytes) -> Sound:
        """Decode an uploaded or recorded file; raises `InputError` like `open_sound`."""
        return open_sound(data, self.card.limits)

    def encode(self, raw: Sound) -> Tensor:
        return resample(raw.samples, raw.rate, self.rate).unsqueeze(0)

    def collate(self, xs: Sequence[Tensor]) -> Tensor:
        """Pad with silence to the longest."""
        longest = max(x.shape[-1] for x in xs)
        return torch.cat([torch.nn.functional.pad(x, (0, longest - x.shape[-1])) for x in xs])

    def masker(self, raw: Sound) -> TimeMasker:
        return TimeMasker.of(self.encode(raw).to(self.device), self.rate)

    def literal(self, raw: Sound) -> str:
        return 'case.read("recording.wav")'
