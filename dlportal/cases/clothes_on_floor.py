"""Clothes drawn by us in colour, as if they lay on a wooden floor."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from dlportal.cases.drawn_clothes import DRESS, FINE, T_SHIRT, Shape
from dlportal.results import Label

Colour = tuple[int, int, int]

WIDE, TALL = 300, 400  # pixels
FLOOR = (198, 176, 148)
# Shapes by colour (0 the cloth's, 1 the second one) and corners, in per cent of the width.
TOP: list[Shape] = [(0, T_SHIRT[0][1]), (1, T_SHIRT[1][1])]
GOWN: list[Shape] = [(0, DRESS[0][1]), (1, [(38.5, 37), (61.5, 37), (62, 42), (38, 42)])]
PANTS: list[Shape] = [
    (0, [(30, 6), (70, 6), (75, 95), (57, 95), (50, 36), (43, 95), (25, 95)]),
    (1, [(30, 6), (70, 6), (70.5, 11), (29.5, 11)]),
]
SHORTS: list[Shape] = [
    (0, [(24, 20), (76, 20), (86, 74), (57, 78), (50, 48), (43, 78), (14, 74)]),
    (1, [(24, 20), (76, 20), (77, 27), (23, 27)]),
]
SKIRT: list[Shape] = [
    (0, [(33, 14), (67, 14), (86, 84), (14, 84)]),
    (1, [(33, 14), (67, 14), (68, 20), (32, 20)]),
]
RIGHT_ARM = [(68, 12), (80, 22), (96, 76), (85, 80), (71, 42)]
LEFT_ARM = [(29, 42), (15, 80), (4, 76), (20, 22)]
LONG_SLEEVE: list[Shape] = [
    (0, [(32, 12), (42, 16), (58, 16), *RIGHT_ARM, (70, 88), (30, 88), *LEFT_ARM]),
    (1, [(42, 14), (58, 14), (54, 20), (46, 20)]),
]
CROWN = [(26, 58), (30, 30), (42, 22), (58, 22), (70, 30), (74, 58)]
HAT: list[Shape] = [
    (0, [(6, 66), *CROWN, (94, 66), (72, 76), (28, 76)]),
    (1, [(27, 50), (73, 50), (74, 58), (26, 58)]),
]
# The class of each drawing, its name, its two colours, its shapes.
DRAWINGS: dict[str, tuple[str, Label, Colour, Colour, list[Shape]]] = {
    "drawn_t_shirt": ("t-shirt", Label("", "Drawn T-shirt", "画的T恤"), (38, 92, 150), (28, 66, 112), TOP),
    "drawn_long_sleeve": ("longsleeve", Label("", "Drawn long sleeve", "画的长袖衫"), (150, 52, 52), (112, 36, 38), LONG_SLEEVE),
    "drawn_pants": ("pants", Label("", "Drawn pants", "画的长裤"), (52, 66, 98), (38, 48, 74), PANTS),
    "drawn_shorts": ("shorts", Label("", "Drawn shorts", "画的短裤"), (120, 116, 84), (92, 88, 62), SHORTS),
    "drawn_skirt": ("skirt", Label("", "Drawn skirt", "画的半身裙"), (44, 44, 50), (24, 24, 28), SKIRT),
    "drawn_dress": ("dress", Label("", "Drawn dress", "画的连衣裙"), (170, 70, 110), (128, 46, 80), GOWN),
    "drawn_hat": ("hat", Label("", "Drawn hat", "画的帽子"), (196, 168, 118), (70, 50, 40), HAT),
}  # fmt: skip


def draw(name: str) -> Image.Image:
    """One of `DRAWINGS`, 300 × 400: cloth with folds and a shadow, light from the upper left."""
    rng = np.random.default_rng(sorted(DRAWINGS).index(name))
    _truth, _label, first, second, shapes = DRAWINGS[name]
    y, x = np.mgrid[0 : 1 : TALL * 1j, 0 : 1 : WIDE * 1j]
    boards = 10.0 * (np.floor(5 * x) % 2) + 16 * smooth(rng, (100, 7))
    picture = np.array(FLOOR) + boards[..., None] + rng.normal(0, 3, (TALL, WIDE, 1))
    shadow = np.asarray(cover(shapes[0][1], 8).filter(ImageFilter.GaussianBlur(9)), float) / 255
    picture *= 1 - 0.45 * shadow[..., None]
    folds = 1 + 0.28 * smooth(rng, (9, 6)) + 0.1 * smooth(rng, (40, 30))
    for which, corners in shapes:
        share = np.asarray(cover(corners), float)[..., None] / 255
        thread = rng.normal(0, 4, (TALL, WIDE, 1))
        cloth = np.array((first, second)[which]) * folds[..., None] + thread
        picture = picture * (1 - share) + cloth * share
    light = 1.06 - 0.1 * (x + y)
    return Image.fromarray((picture * light[..., None]).clip(0, 255).astype(np.uint8))


def cover(corners: list[tuple[float, float]], moved: float = 0.0) -> Image.Image:
    """A shape as grey levels, 300 × 400, white inside; `moved` half-pixels right and down."""
    large = Image.new("L", (WIDE * FINE, TALL * FINE))
    side = 0.86 * WIDE * FINE
    left, top = 0.07 * WIDE * FINE + 2 * moved, (TALL * FINE - side) / 2 + 2 * moved
    points = [(left + x * side / 100, top + y * side / 100) for x, y in corners]
    ImageDraw.Draw(large).polygon(points, 255)
    small = large.resize((WIDE, TALL), Image.Resampling.BOX)
    return small.filter(ImageFilter.GaussianBlur(0.8))


def smooth(rng: np.random.Generator, cells: tuple[int, int]) -> np.ndarray:
    """Smooth noise, (400, 300), about -1 to 1."""
    coarse = Image.fromarray(rng.uniform(-1, 1, cells).astype(np.float32))
    return np.asarray(coarse.resize((WIDE, TALL), Image.Resampling.BICUBIC))
