"""Picture cases: decoding with limits, and hiding pixels behind a blur."""

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from dlportal.cards import Limits
from dlportal.case import Case
from dlportal.explain.base import Differentiable
from dlportal.messages import N_, InputError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
SMALLEST = 8  # pixels a side


def open_picture(data: bytes, limits: Limits) -> Image.Image:
    """Decode a picture after checking its size; upright, RGB.

    Raises:
        InputError: Empty, too large, not a picture, damaged.
    """
    if not data:
        raise InputError(N_("The file is empty. Choose a PNG, JPEG or WebP picture."))
    if len(data) > limits.bytes:
        raise InputError(
            N_("The file has {n:.1f} MB; the limit is {limit:.0f} MB. Save it smaller."),
            n=len(data) / 1e6,
            limit=limits.bytes / 1e6,
        )
    try:
        # Pillow warns about a decompression bomb at a limit of its own; ours is checked below,
        # before any pixel is decoded.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
        check_size(picture.size, limits)
        picture.load()
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise InputError(
            N_("This is not a picture we can read. Choose a PNG, JPEG or WebP file.")
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError):
        raise InputError(
            N_("The picture is damaged or cut off. Save it again and retry.")
        ) from None
    return ImageOps.exif_transpose(picture).convert("RGB")


def read_picture(given: str, limits: Limits) -> Image.Image:
    """Decode the picture in a file.

    Raises:
        InputError: No such file, or `open_picture` refuses it.
    """
    path = Path(given)
    try:
        if path.stat().st_size > limits.bytes:
            data = path.open("rb").read(limits.bytes + 1)
        else:
            data = path.read_bytes()
    except (OSError, ValueError):  # ValueError: a null character in the name
        name = given[:80].encode("unicode_escape").decode()
        raise InputError(N_("There is no readable file {path}."), path=name) from None
    return open_picture(data, limits)


def check_size(size: tuple[int, int], limits: Limits) -> None:
    """Raise `InputError` for a picture with too many or too few pixels."""
    width, height = size
    if width * height > limits.pixels:
        raise InputError(
            N_("The picture is {w}×{h}; the limit is {limit:.0f} million pixels. Shrink it."),
            w=width,
            h=height,
            limit=limits.pixels / 1e6,
        )
    if min(size) < SMALLEST:
        raise InputError(
            N_("The picture is {w}×{h}; it needs at least {least} pixels a side."),
            w=width,
            h=height,
            least=SMALLEST,
        )


@dataclass(frozen=True)
class PixelMasker:
    """Hides pixels of one picture behind a blurred copy of it.

    `x` and `blurred` are encoded pictures, shape (1, C, H, W).
    """

    x: Tensor
    blurred: Tensor
    parts: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.x.shape[-2:])

    def render(self, keep: Tensor) -> Tensor:
        keep = keep.to(self.x).unsqueeze(1)  # (M, 1, H, W)
        return self.blurred + keep * (self.x - self.blurred)


class ImageCase(Case[Image.Image]):
    """A case whose input is a picture (PIL, RGB or L)."""

    kind = "image"
    grid = True
    blur_sigma: float = 10.0  # pixels; strong enough that the blurred picture says little

    def check(self, raw: Image.Image) -> None:
        if not isinstance(raw, Image.Image):
            raise InputError(
                N_("This is not a picture we can read. Choose a PNG, JPEG or WebP file.")
            )
        check_size(raw.size, self.card.limits)

    def read(self, given: str) -> Image.Image:
        return read_picture(given, self.card.limits)

    def blur(self, x: Tensor) -> Tensor:
        size = 2 * int(2 * self.blur_sigma) + 1
        largest = 2 * (min(x.shape[-2:]) // 2) - 1  # reflection needs a kernel within the picture
        size = min(size, largest)
        return gaussian_blur(x, [size, size], [self.blur_sigma, self.blur_sigma])

    def masker(self, raw: Image.Image) -> PixelMasker:
        x = self.encode(raw).to(self.device)
        return PixelMasker(x, self.blur(x))

    def differentiable(self, raw: Image.Image) -> Differentiable:
        x = self.encode(raw).to(self.device)

        def reduce(attribution: Tensor) -> np.ndarray:
            return attribution.sum(dim=1)[0].float().cpu().numpy()

        return Differentiable(x, self.blur(x), self.net_forward(), reduce)

    def net_forward(self) -> Callable[[Tensor], Tensor]:
        return self.net

    def literal(self, raw: Image.Image) -> str:
        return 'case.read("picture.png")'


def to_tensor(picture: Image.Image) -> Tensor:
    """Picture to float32 in [0, 1], shape (1, C, H, W)."""
    array = np.asarray(picture, dtype=np.float32) / 255.0
    if array.ndim == 2:
        array = array[..., None]
    return torch.from_numpy(array).permute(2, 0, 1).unsqueeze(0).contiguous()
