"""A blood smear drawn by code: nobody's blood, and every cell in it is known."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from dlportal.training.detection_scores import Objects

SIZE = (640, 480)
FINER = 2  # drawn so many times larger, then averaged
GROUND = (206, 214, 208)
RED, PALE = (190, 148, 142), (214, 196, 188)
PLASM, NUCLEUS = (186, 168, 205), (92, 62, 150)
GRAIN = (118, 92, 170)
RBC, WBC, PLATELET = range(3)
COUNTS = {WBC: 1, RBC: 14, PLATELET: 4}
RADII = {WBC: (84, 98), RBC: (44, 56), PLATELET: (15, 21)}  # pixels
APART = 0.86  # of the sum of radii that must lie between two middles: cells overlap a little


@dataclass(frozen=True)
class Cell:
    """A cell: its kind, its middle and half its width and height in pixels."""

    kind: int
    x: float
    y: float
    rx: float
    ry: float

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom, cut at the picture's border."""
        left, right = max(0.0, self.x - self.rx), min(float(SIZE[0]), self.x + self.rx)
        top, bottom = max(0.0, self.y - self.ry), min(float(SIZE[1]), self.y + self.ry)
        return left, top, right, bottom


def draw_smear(seed: int = 0) -> tuple[Image.Image, Objects]:
    """A smear of 640 × 480 pixels and all its cells."""
    rng = np.random.default_rng(seed)
    cells = placed(rng)
    large = Image.new("RGB", (FINER * SIZE[0], FINER * SIZE[1]), GROUND)
    for cell in cells:
        DRAWN[cell.kind](large, cell, rng)
    picture = large.filter(ImageFilter.GaussianBlur(2.5)).resize(SIZE, Image.Resampling.BOX)
    pixels = np.asarray(picture, np.float64)
    # The lamp lights the middle more, and the camera adds noise.
    y, x = np.mgrid[-1 : 1 : SIZE[1] * 1j, -1 : 1 : SIZE[0] * 1j]
    light = 1.03 - 0.08 * (x**2 + y**2)
    pixels = pixels * light[..., None] + rng.normal(0, 3, pixels.shape)
    marks = Objects.marked(np.array([c.corners for c in cells]), np.array([c.kind for c in cells]))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), marks


def placed(rng: np.random.Generator) -> list[Cell]:
    """Cells at random places that hardly overlap, at least two thirds of each in the picture."""
    cells: list[Cell] = []
    for kind, count in COUNTS.items():
        wanted, tries = len(cells) + count, 0
        while len(cells) < wanted and tries < 4000:
            tries += 1
            r = rng.uniform(*RADII[kind])
            squeeze = rng.uniform(0.88, 1.12)
            edge = r / 3
            x, y = (rng.uniform(edge, n - edge) for n in SIZE)
            near = any(np.hypot(x - c.x, y - c.y) < APART * (r + (c.rx + c.ry) / 2) for c in cells)
            if not near:
                cells.append(Cell(kind, x, y, r * squeeze, r / squeeze))
    return cells


def oval(picture: Image.Image, x: float, y: float, rx: float, ry: float, colour: tuple) -> None:
    """A filled ellipse, in pixels of the finished picture."""
    box = [FINER * n for n in (x - rx, y - ry, x + rx, y + ry)]
    ImageDraw.Draw(picture).ellipse(box, fill=colour)


def shade(colour: tuple[int, int, int], rng: np.random.Generator, by: float) -> tuple:
    """A colour a little darker or lighter."""
    factor = 1 + rng.uniform(-by, by)
    return tuple(int(np.clip(c * factor, 0, 255)) for c in colour)


def red_cell(picture: Image.Image, cell: Cell, rng: np.random.Generator) -> None:
    """A disc with a pale middle."""
    red = shade(RED, rng, 0.06)
    rim = tuple(int(0.9 * c) for c in red)
    oval(picture, cell.x, cell.y, cell.rx, cell.ry, rim)
    oval(picture, cell.x, cell.y, cell.rx - 3, cell.ry - 3, red)
    size = rng.uniform(0.3, 0.5)
    for share in np.linspace(1, 0.4, 8):  # the middle fades in
        mixed = tuple(
            int(p + (r - p) * (share - 0.4) / 0.6) for r, p in zip(red, PALE, strict=True)
        )
        oval(picture, cell.x, cell.y, share * size * cell.rx, share * size * cell.ry, mixed)


def white_cell(picture: Image.Image, cell: Cell, rng: np.random.Generator) -> None:
    """A large round cell with a nucleus of three or four lobes."""
    oval(picture, cell.x, cell.y, cell.rx, cell.ry, shade(PLASM, rng, 0.03))
    lobes = int(rng.integers(3, 5))
    start = rng.uniform(0, 2 * np.pi)
    for lobe in range(lobes):
        angle = start + 1.35 * lobe
        x = cell.x + 0.4 * cell.rx * np.cos(angle)
        y = cell.y + 0.4 * cell.ry * np.sin(angle)
        r = rng.uniform(0.3, 0.38)
        oval(picture, x, y, r * cell.rx, r * cell.ry, shade(NUCLEUS, rng, 0.1))
    for _ in range(60):  # grains
        angle, out = rng.uniform(0, 2 * np.pi), 0.9 * np.sqrt(rng.uniform())
        x, y = cell.x + out * cell.rx * np.cos(angle), cell.y + out * cell.ry * np.sin(angle)
        oval(picture, x, y, 2, 2, shade(NUCLEUS, rng, 0.3))


def platelet(picture: Image.Image, cell: Cell, rng: np.random.Generator) -> None:
    """A small violet fleck."""
    oval(picture, cell.x, cell.y, cell.rx, cell.ry, shade(PLASM, rng, 0.05))
    for _ in range(5):
        x = cell.x + rng.uniform(-0.35, 0.35) * cell.rx
        y = cell.y + rng.uniform(-0.35, 0.35) * cell.ry
        oval(picture, x, y, 0.5 * cell.rx, 0.5 * cell.ry, shade(GRAIN, rng, 0.12))


DRAWN = {RBC: red_cell, WBC: white_cell, PLATELET: platelet}
