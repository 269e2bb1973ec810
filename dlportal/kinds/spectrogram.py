"""Parts of a sound that can be hidden where they lie on a grid of time and pitch."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class CellMasker:
    """Silences cells of one spectrogram, whose silence is 0.

    `x` is the encoded picture, shape (1, 1, bands, columns).
    """

    x: Tensor
    parts: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.x.shape[-2:])

    def render(self, keep: Tensor) -> Tensor:
        return self.x * keep.to(self.x).unsqueeze(1)
