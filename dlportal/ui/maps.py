"""Attribution maps laid over a grey photograph, and their legend."""

import numpy as np
from PIL import Image, ImageDraw

from dlportal.ui.theme import UNSIGNED, Palette


def ramp(colors: tuple[str, ...], position: np.ndarray) -> np.ndarray:
    """Interpolate hex colours at positions in [0, 1]; returns uint8 (..., 3)."""
    stops = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colors], dtype=float)
    places = np.linspace(0, 1, len(colors))
    out = [np.interp(position, places, stops[:, channel]) for channel in range(3)]
    return np.stack(out, axis=-1).astype(np.uint8)


def scale(values: np.ndarray, signed: bool) -> np.ndarray:
    """Scale a map to [0, 1] (unsigned) or [-1, 1] (signed), robust to a few extreme pixels."""
    limit = float(np.quantile(np.abs(values), 0.995)) or float(np.abs(values).max())
    if limit == 0:
        return np.zeros_like(values, dtype=float)
    return np.clip(values / limit, -1.0 if signed else 0.0, 1.0)


def overlay(picture: Image.Image, values: np.ndarray, signed: bool, colors: Palette) -> Image.Image:
    """Colour what mattered; the photograph turns grey so that colour means attribution.

    Args:
        picture: What the network saw.
        values: Attribution map, shape (H, W) of any resolution.
        signed: Blue against and orange in favour, or dark to bright.
        colors: Theme.
    """
    side = 560
    width, height = picture.size
    factor = side / max(width, height)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    smooth = Image.Resampling.BILINEAR if max(width, height) > 64 else Image.Resampling.NEAREST
    grey = np.asarray(picture.convert("L").resize(size, smooth), dtype=float)
    image = Image.fromarray(scale(values, signed).astype(np.float32))
    v = np.asarray(image.resize(size, Image.Resampling.BILINEAR), dtype=float)
    if signed:
        alpha = np.clip((np.abs(v) - 0.08) * 1.7, 0, 0.86)
        tint = ramp(colors.signed, (v + 1) / 2)
    else:
        alpha = np.clip((v - 0.14) * 1.5, 0, 0.86)
        tint = ramp(UNSIGNED, v)
    mixed = grey[..., None] * (1 - alpha[..., None]) + tint * alpha[..., None]
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8))


def outlined(picture: Image.Image, box: tuple[float, float, float, float] | None) -> Image.Image:
    """The box that a map is about, as a white line on a dark one.

    Args:
        picture: A drawn map.
        box: Left, top, right, bottom as shares of the picture; None draws nothing.
    """
    if box is None:
        return picture
    out = picture.copy()
    pen = ImageDraw.Draw(out)
    left, top, right, bottom = (
        round(share * (side - 1)) for share, side in zip(box, out.size * 2, strict=True)
    )
    for color, inset, width in (("#12191B", 0, 6), ("#FFFFFF", 2, 2)):
        pen.rectangle(
            (left + inset, top + inset, max(left, right - inset), max(top, bottom - inset)),
            outline=color,
            width=width,
        )
    return out


def legend_strip(signed: bool, colors: Palette) -> Image.Image:
    """A thin strip of the colours, to stand between two words."""
    position = np.linspace(0, 1, 240)[None, :].repeat(10, axis=0)
    return Image.fromarray(ramp(colors.signed if signed else UNSIGNED, position))


def enlarge(picture: Image.Image, side: int = 560) -> Image.Image:
    """A small picture with visible pixels; a large one as it is."""
    width, height = picture.size
    if max(width, height) >= 200:
        return picture
    factor = max(1, side // max(width, height))
    return picture.resize((width * factor, height * factor), Image.Resampling.NEAREST)
