"""Other voices, rooms and microphones from a few recordings: random changes of spectra.

A batch of log power spectra goes in, pictures for the network come out. The vocal tract's
length is changed by warping the frequency axis of the spectral envelope (Jaitly and Hinton 2013,
https://www.cs.toronto.edu/~ndjaitly/jaitly-icml13.pdf), the pitch of the voice by warping what
is left when the envelope is taken out; masks after Park et al. 2019,
https://arxiv.org/abs/1904.08779 (SpecAugment).
"""

import math
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from dlportal.nets.digit_ear import BANDS, COLUMNS, HOP, RATE, mel_powers, picture

MARGIN = 0.2  # share of the word's length that is kept before and after it
SOURCE = 96  # columns with both margins
SMOOTHEST = 24  # cosines that make up the spectral envelope


def uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=generator)


@dataclass(frozen=True)
class Voices:
    """How far voices are changed.

    Attributes:
        tract: Largest change of the vocal tract's length, as a logarithm.
        pitch: Largest change of the pitch, as a logarithm.
        cut: How far the word's borders move, as a share of its length.
        uneven: How unevenly time is stretched, at most (below 0.3 it never runs backwards).
        colour: Spread of the microphone's and the room's colour, dB.
        echo: Share of the recordings that get an echo.
        noise: Lowest and highest distance between speech and noise, dB.
        bands: Widest stripe of bands that is silenced.
        columns: Widest stripe of columns that is silenced.
        patchy: Share of the recordings of which only patches are left.
    """

    tract: float = 0.18
    pitch: float = 0.4
    cut: float = 0.1
    uneven: float = 0.1
    colour: float = 3.0
    echo: float = 0.3
    noise: tuple[float, float] = (5.0, 60.0)
    bands: int = 5
    columns: int = 6
    patchy: float = 0.1

    def __call__(self, logs: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures (B, 1, 40, 64) of log power (B, 129, 96), each changed differently."""
        logs = self.in_time(logs.float(), generator)
        powers = mel_powers(self.in_pitch(logs, generator))
        powers = self.in_a_room(powers, generator)
        return self.masked(picture(self.in_noise(powers, generator)), generator)

    def in_time(self, logs: Tensor, generator: torch.Generator) -> Tensor:
        """Other borders and an uneven pace: (B, 129, 96) to (B, 129, 64)."""
        n = len(logs)
        word = SOURCE / (1 + 2 * MARGIN)
        start, end = (
            edge + uniform(n, -self.cut, self.cut, generator) * word
            for edge in (MARGIN * word, (1 + MARGIN) * word)
        )
        u = torch.linspace(0, 1, COLUMNS).expand(n, -1)
        bend = uniform(n, -self.uneven, self.uneven, generator)[:, None]
        u = u + bend * torch.sin(math.pi * u) + bend / 3 * torch.sin(2 * math.pi * u)
        return lerp(logs, start[:, None] + (end - 1 - start)[:, None] * u, dim=2)

    def in_pitch(self, logs: Tensor, generator: torch.Generator) -> Tensor:
        """A longer or shorter vocal tract and a higher or lower voice; keeps its shape."""
        n, bins, _columns = logs.shape
        envelope = torch.einsum("gf,nft->ngt", smoother(bins), logs)
        at = torch.arange(bins, dtype=torch.float32)[None]
        tract, pitch = (
            at * uniform(n, -most, most, generator).exp()[:, None]
            for most in (self.tract, self.pitch)
        )
        return lerp(envelope, tract, dim=1) + lerp(logs - envelope, pitch, dim=1)

    def in_a_room(self, powers: Tensor, generator: torch.Generator) -> Tensor:
        """A microphone's colour and, for some, an echo that dies away."""
        n = len(powers)
        powers = powers * colours(n, self.colour, generator)[:, :, None]
        seconds = uniform(n, 0.1, 0.5, generator)  # until the echo has lost 60 dB
        age = torch.arange(16) * HOP / RATE
        tail = 10 ** (-6 * age / seconds[:, None])
        level = 10 ** (-uniform(n, 0.5, 2.5, generator)) * (
            torch.rand(n, generator=generator) < self.echo
        )
        tail[:, 1:] *= level[:, None]
        tail[:, 0] = 1
        flat = F.pad(powers, (15, 0)).transpose(0, 1)  # (bands, B, columns + 15)
        return F.conv1d(flat, tail.flip(1)[:, None], groups=n).transpose(0, 1)

    def in_noise(self, powers: Tensor, generator: torch.Generator) -> Tensor:
        """Steady noise of a random colour."""
        n = len(powers)
        distance = uniform(n, *self.noise, generator)
        level = powers.mean(dim=(1, 2)) * 10 ** (-distance / 10)
        colour = colours(n, 2 * self.colour, generator)
        colour = colour / colour.mean(dim=1, keepdim=True)
        # A band's energy is the sum of a few squared Gaussians: more of them in wide bands.
        grains = -torch.rand(4, *powers.shape, generator=generator).clamp(min=1e-6).log()
        return powers + level[:, None, None] * colour[:, :, None] * grains.mean(dim=0)

    def masked(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Silence a stripe of bands, a stripe of columns, or all but patches."""
        n = len(x)
        bands, columns = torch.arange(BANDS)[None], torch.arange(COLUMNS)[None]
        keep = torch.ones(n, 1, BANDS, COLUMNS)
        for at, widest, size, dim in (
            (bands, self.bands, BANDS, 3),
            (columns, self.columns, COLUMNS, 2),
        ):
            width = uniform(n, 0, widest + 1, generator).floor()
            start = (uniform(n, 0, 1, generator) * (size - width)).floor()
            outside = (at < start[:, None]) | (at >= (start + width)[:, None])
            keep = keep * outside.float().unsqueeze(1).unsqueeze(dim)
        coarse = torch.randn(n, 1, 6, 8, generator=generator)
        field = F.interpolate(coarse, (BANDS, COLUMNS), mode="bicubic", align_corners=False)
        share = uniform(n, 0.0, 0.7, generator)
        limits = torch.stack([f.quantile(s) for f, s in zip(field.flatten(1), share)])
        patches = (field >= limits.view(n, 1, 1, 1)).float()
        whole = torch.rand(n, generator=generator) >= self.patchy
        return x * keep * torch.where(whole.view(n, 1, 1, 1), torch.ones(()), patches)


def foreign(logs: Tensor, generator: torch.Generator) -> Tensor:
    """Sounds that are no digits, made of digits: (B, 129, 96) log power to the same shape.

    Played backwards; the beginning of one and the end of another; two in the time of one; a
    steady sound with one digit's average spectrum.
    """
    n, _bins, columns = logs.shape
    x = logs.float()
    other = x[torch.randperm(n, generator=generator)]
    place = torch.arange(columns)
    border = (columns * uniform(n, 0.4, 0.6, generator))[:, None, None]
    steady = x.mean(dim=2, keepdim=True).expand_as(x)
    kinds = torch.stack(
        [
            x.flip(2),
            torch.where(place < border, x, other.flip(2)),
            torch.where(place < border, other, x.roll(int(columns * 0.3), 2)),
            torch.cat([x[:, :, ::2], other[:, :, ::2]], dim=2),
            steady,
        ]
    )
    chosen = torch.randint(len(kinds), (n,), generator=generator)
    return kinds[chosen, torch.arange(n)]


@cache
def smoother(bins: int) -> Tensor:
    """The matrix (bins, bins) that leaves the slow part of a spectrum: its first cosines."""
    order = torch.arange(SMOOTHEST)[:, None]
    basis = torch.cos(math.pi * order * (torch.arange(bins) + 0.5) / bins)
    basis = basis / basis.norm(dim=1, keepdim=True)
    return basis.T @ basis


def lerp(x: Tensor, at: Tensor, dim: int) -> Tensor:
    """Values of (B, F, T) at fractional places (B, N) along an axis; the ends continue."""
    size = x.shape[dim]
    at = at.clamp(0, size - 1)
    left = at.floor().long()
    right = (left + 1).clamp(max=size - 1)
    other = 3 - dim  # the axis that stays

    def take(index: Tensor) -> Tensor:
        shape = [len(x), at.shape[1], at.shape[1]]
        shape[other] = x.shape[other]
        return torch.gather(x, dim, index.unsqueeze(other).expand(*shape))

    return torch.lerp(take(left), take(right), (at - left).unsqueeze(other))


def colours(n: int, spread: float, generator: torch.Generator) -> Tensor:
    """Smooth random filters: factors on the power of each band, (n, 40)."""
    order = torch.arange(1, 5)[:, None]
    waves = torch.cos(math.pi * order * (torch.arange(BANDS) + 0.5) / BANDS) / order.sqrt()
    decibels = spread * torch.randn(n, 4, generator=generator) @ waves
    return 10 ** (decibels / 10)
