"""Pictures of other things, to measure whether a network marks what it was not trained on.

None of them is used to choose or to train anything.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dlportal.assets.samples import SAMPLES, sample_path
from dlportal.data import coco_mini
from dlportal.data.files import dataset_tree, is_available

PAGES, NOISY, CELLS = 100, 200, 200
PEOPLE = ("astronaut", "hopper")  # photographs that show people, and so what they wear
BLOOD = "bccd"


def strangers() -> dict[str, list[Image.Image]]:
    """Pictures by the name of their data; of data sets, those that are on this machine."""
    found = {
        "other_photographs": photographs(),
        "text_pages": [text_page(seed) for seed in range(PAGES)],
        "smooth_noise": [smooth_noise(seed) for seed in range(NOISY)],
    }
    if is_available(coco_mini.NAME):
        folder = dataset_tree(coco_mini.NAME, "images")
        found[coco_mini.NAME] = list(opened(sorted(folder.rglob("*.jpg"))))
    if is_available(BLOOD):
        folder = dataset_tree(BLOOD, "JPEGImages")
        found[BLOOD] = list(opened(sorted(folder.glob("*.jpg"))[:CELLS]))
    return found


def opened(paths: Sequence[Path]) -> Iterator[Image.Image]:
    for path in paths:
        with Image.open(path) as picture:
            yield picture.convert("RGB")


def photographs() -> list[Image.Image]:
    """Photographs that installed packages carry: a cat, a cup, coins, cells, a rocket ..."""
    return list(opened([sample_path(name) for name in SAMPLES if name not in PEOPLE]))


def text_page(seed: int = 0) -> Image.Image:
    """A page of made-up words, black on white, 480 × 640."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(12, 28))
    page = Image.new("L", (480, 640), int(rng.integers(235, 256)))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size)
    letters = np.array(list("etaoinshrdlucmfwypvbgkqjxz"))
    for top in range(30, 610, round(1.4 * size)):
        words = ["".join(rng.choice(letters, rng.integers(2, 10))) for _word in range(14)]
        line = " ".join(words)
        while pen.textlength(line, font) > 420:
            line = line.rsplit(" ", 1)[0]
        pen.text((30, top), line, 30, font)
    return page.convert("RGB")


def smooth_noise(seed: int = 0) -> Image.Image:
    """Smooth random colours, 96 × 96."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((96, 96), Image.Resampling.BICUBIC)
