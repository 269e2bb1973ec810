"""The pictures of the architecture tour: Fashion-MNIST, and scikit-learn's digits as a stand-in.

The digits come with scikit-learn, so that the tour is whole where Fashion-MNIST cannot be had.
"""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from dlportal.data import fashion_mnist
from dlportal.data.splits import Images, Splits, hold_out
from dlportal.labs.arch_nets import SIDE
from dlportal.messages import N_
from dlportal.results import Label

CLOTHES = tuple(
    Label(id_, en, zh)
    for id_, en, zh in (
        ("tshirt", "T-shirt", "T 恤"),
        ("trouser", "trousers", "长裤"),
        ("pullover", "pullover", "套头衫"),
        ("dress", "dress", "连衣裙"),
        ("coat", "coat", "外套"),
        ("sandal", "sandal", "凉鞋"),
        ("shirt", "shirt", "衬衫"),
        ("sneaker", "sneaker", "运动鞋"),
        ("bag", "bag", "包"),
        ("boot", "ankle boot", "短靴"),
    )
)
DIGITS = tuple(Label(str(n), str(n), str(n)) for n in range(10))
LABELS = {"fashion": CLOTHES, "digits": DIGITS}
DATA = {"fashion": "fashion_mnist", "digits": "sklearn_digits"}  # as named on the card
HELD = 0.2  # of the digits for the test, and as many of the rest for validation
DRAWN = N_("Drawn by us. Shapes with less detail than the photographs the nets learned from.")


@cache
def digits() -> Splits[Images]:
    """scikit-learn's 1,797 digits of 8 × 8 pixels, enlarged to 24 × 24 with a border of 2.

    Alpaydin and Kaynak 1998, https://doi.org/10.24432/C50P49
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    images = np.stack([_enlarge(image) for image in found.images])
    whole = Images(images, found.target.astype(np.int64))
    kept, held = hold_out(whole.labels, HELD, seed=0)
    rest, test = whole.take(kept), whole.take(held)
    kept, held = hold_out(rest.labels, HELD, seed=1)
    return Splits(rest.take(kept), rest.take(held), test)


def _enlarge(image: np.ndarray) -> np.ndarray:
    """One digit (8, 8) in 0-16 to uint8 (28, 28) in 0-255."""
    grey = Image.fromarray(np.clip(image * 16, 0, 255).astype(np.uint8))
    large = np.asarray(grey.resize((24, 24), Image.Resampling.BILINEAR))
    return np.pad(large, 2)


def load(task: str, folder: Path | None = None) -> Splits[Images]:
    """The three parts of a task's pictures; `folder` holds other files like Fashion-MNIST's.

    Raises:
        AssetError: Fashion-MNIST is neither here nor to be had.
        InputError: A file in `folder` has another layout.
    """
    return fashion_mnist.load(folder=folder) if task == "fashion" else digits()


def tensors(part: Images) -> tuple[Tensor, Tensor]:
    """Pictures (N, 1, 28, 28) in [0, 1] and classes (N,)."""
    return torch.from_numpy(part.images.copy()).float().div(255).unsqueeze(1), torch.from_numpy(
        part.labels.copy()
    )


def shrink(picture: Image.Image) -> Image.Image:
    """Any picture as the nets want it: the middle square, grey, 28 × 28, bright on black.

    A picture whose border is brighter than half, such as a photograph on white, is inverted.
    """
    grey = picture.convert("L")
    if grey.size == (SIDE, SIDE):
        return grey
    side = min(grey.size)
    left, top = (grey.width - side) // 2, (grey.height - side) // 2
    small = grey.crop((left, top, left + side, top + side)).resize(
        (SIDE, SIDE), Image.Resampling.BOX
    )
    pixels = np.asarray(small)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return Image.fromarray(255 - pixels) if border.mean() > 127 else small


# Outlines in a square of 28: enough to recognise, and nobody's photograph.
OUTLINES: dict[str, list[list[tuple[float, float]]]] = {
    "tshirt": [
        [
            *((9, 3), (12, 5), (16, 5), (19, 3), (26, 8), (23, 13), (20, 11), (20, 26)),
            *((8, 26), (8, 11), (5, 13), (2, 8)),
        ]
    ],
    "trouser": [[(9, 1), (19, 1), (21, 27), (16, 27), (14, 8), (12, 27), (7, 27)]],
    "bag": [[(3, 11), (25, 11), (26, 25), (2, 25)]],
    "boot": [[(12, 2), (21, 2), (22, 25), (2, 25), (3, 19), (12, 16)]],
}


def drawing(name: str) -> Image.Image:
    """One of our drawings, grey, 28 × 28."""
    factor = 8
    large = Image.new("L", (SIDE * factor, SIDE * factor))
    pen = ImageDraw.Draw(large)
    for outline in OUTLINES[name]:
        pen.polygon([(x * factor, y * factor) for x, y in outline], fill=185)
    if name == "bag":
        box = (9 * factor, 3 * factor, 19 * factor, 19 * factor)
        pen.arc(box, 180, 360, fill=185, width=factor + 4)
    return large.resize((SIDE, SIDE), Image.Resampling.BOX)
