"""Clothes drawn by us, as a shop would show them: grey on white."""

from PIL import Image, ImageDraw

from dlportal.results import Label

SIDE, FINE = 280, 4  # drawn four times as large, then averaged: smooth edges

Shape = tuple[int, list[tuple[float, float]]]  # grey level and corners, in per cent of the side

T_SHIRT: list[Shape] = [
    (
        110,
        [
            (30, 12),
            (42, 16),
            (58, 16),
            (70, 12),
            (92, 30),
            (82, 44),
            (72, 38),
            (71, 90),
            (29, 90),
            (28, 38),
            (18, 44),
            (8, 30),
        ],
    ),
    (255, [(42, 14), (58, 14), (54, 21), (46, 21)]),
]
TROUSER: list[Shape] = [
    (90, [(32, 5), (68, 5), (72, 95), (56, 95), (50, 34), (44, 95), (28, 95)]),
]
DRESS: list[Shape] = [
    (
        120,
        [
            (40, 4),
            (44, 14),
            (56, 14),
            (60, 4),
            (64, 6),
            (61, 38),
            (74, 96),
            (26, 96),
            (39, 38),
            (36, 6),
        ],
    ),
]
BAG: list[Shape] = [
    (80, [(30, 45), (36, 20), (64, 20), (70, 45), (63, 45), (59, 27), (41, 27), (37, 45)]),
    (110, [(8, 42), (92, 42), (96, 86), (4, 86)]),
    (60, [(8, 42), (92, 42), (93, 50), (7, 50)]),
]
ANKLE_BOOT: list[Shape] = [
    (90, [(36, 8), (74, 8), (76, 50), (78, 84), (6, 84), (8, 66), (30, 56), (38, 40)]),
    (40, [(6, 84), (78, 84), (78, 92), (62, 92), (62, 88), (6, 88)]),
]
SNEAKER: list[Shape] = [
    (100, [(60, 34), (82, 30), (94, 48), (95, 62), (5, 62), (7, 54), (30, 50), (46, 42)]),
    (190, [(4, 62), (96, 62), (95, 70), (6, 70)]),
]
STAR: list[Shape] = [
    (
        100,
        [
            (50, 4),
            (61, 38),
            (97, 38),
            (68, 59),
            (79, 94),
            (50, 72),
            (21, 94),
            (32, 59),
            (3, 38),
            (39, 38),
        ],
    ),
]

SHAPES = {
    "t_shirt": T_SHIRT,
    "trouser": TROUSER,
    "dress": DRESS,
    "bag": BAG,
    "ankle_boot": ANKLE_BOOT,
    "sneaker": SNEAKER,
    "star": STAR,
}
# What the page offers: a name, and the kind it is meant to be ("" where it is none).
DRAWINGS: dict[str, tuple[Label, str]] = {
    "t_shirt": (Label("t_shirt", "T-shirt", "T恤"), "t_shirt"),
    "trouser": (Label("trouser", "Trouser", "裤子"), "trouser"),
    "dress": (Label("dress", "Dress", "连衣裙"), "dress"),
    "bag": (Label("bag", "Bag", "包"), "bag"),
    "ankle_boot": (Label("ankle_boot", "Ankle boot", "短靴"), "ankle_boot"),
    "sneaker": (Label("sneaker", "Sneaker", "运动鞋"), "sneaker"),
    "star": (Label("star", "A star", "一颗星"), ""),
}


def draw(name: str) -> Image.Image:
    """One of `SHAPES`, 280 × 280, grey on white."""
    large = Image.new("L", (SIDE * FINE, SIDE * FINE), 255)
    pen = ImageDraw.Draw(large)
    for grey, corners in SHAPES[name]:
        pen.polygon([(x * SIDE * FINE / 100, y * SIDE * FINE / 100) for x, y in corners], grey)
    return large.resize((SIDE, SIDE), Image.Resampling.BOX)
