"""Photographs of ten kinds of clothes, 96 pixels on the longer side.

Clothing dataset (small), Grigorev et al. 2020, https://github.com/alexeygrigorev/clothing-dataset-small
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from dlportal.data.files import dataset_tree
from dlportal.data.splits import Images, Splits, hold_out
from dlportal.messages import N_, InputError

NAME = "clothing_small_96px"
CLASSES = (
    "dress",
    "hat",
    "longsleeve",
    "outwear",
    "pants",
    "shirt",
    "shoes",
    "shorts",
    "skirt",
    "t-shirt",
)
SIDE = 96  # pixels of the longer side, as the pictures were shrunk to
GROUND = (127, 127, 127)  # around a picture that is no square
VALIDATION = 0.1  # part of the training pictures
PICTURES = {".jpeg", ".jpg", ".png", ".webp"}
ALIKE = 0.95  # correlation of 16 × 16 grey copies from which two pictures are near-copies
COPY = 16  # pixels


def shrunk(picture: Image.Image) -> Image.Image:
    """The whole picture with a longer side of 96 pixels, as the data set was made."""
    width, height = picture.size
    longest = max(width, height)
    if longest == SIDE:
        return picture.convert("RGB")
    size = max(1, round(SIDE * width / longest)), max(1, round(SIDE * height / longest))
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=4.0)


def squared(picture: Image.Image) -> Image.Image:
    """The picture in the middle of a grey square."""
    side = max(picture.size)
    out = Image.new("RGB", (side, side), GROUND)
    out.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return out


def framed(picture: Image.Image) -> np.ndarray:
    """What is made of every picture, uint8 (96, 96, 3): shrunk, then put on a grey square."""
    return np.asarray(squared(shrunk(picture)))


def load(folder: Path | None = None, seed: int = 0) -> Splits[Images]:
    """Read the pictures: about 2,760 to train on, 307 for validation, 341 to test on.

    Upstream's validation folder is the test part here; a tenth of each class of its train folder
    is held out for validation.

    Args:
        folder: A folder with a folder of pictures for each class, all of them for the test part;
            or one with `train` and `validation` laid out so.
        seed: Seed of the validation part.

    Raises:
        AssetError: The data set is not here.
        InputError: `folder` is laid out otherwise.
    """
    if folder is None:
        places = dataset_tree(NAME, "train"), dataset_tree(NAME, "validation")
    elif (folder / "train").is_dir() and (folder / "validation").is_dir():
        places = folder / "train", folder / "validation"
    else:
        none = Images(np.zeros((0, SIDE, SIDE, 3), np.uint8), np.zeros(0, np.int64))
        return Splits(none, none, read_folder(folder))
    rest, test = (read_folder(place) for place in places)
    kept, held = hold_out(rest.labels, VALIDATION, seed)
    return Splits(rest.take(kept), rest.take(held), test)


def listed(folder: Path) -> list[tuple[Path, int]]:
    """Files of pictures and their classes.

    Raises:
        InputError: There are none.
    """
    places = {plain(name): index for index, name in enumerate(CLASSES)}
    found = [
        (path, places[plain(path.parent.name)])
        for path in sorted(folder.glob("*/*"))
        if plain(path.parent.name) in places and path.suffix.lower() in PICTURES
    ]
    if not found:
        raise InputError(
            N_("{path} has no folders named {classes} with pictures in them."),
            path=str(folder),
            classes=", ".join(CLASSES),
        )
    return found


def plain(name: str) -> str:
    """A folder's name without what people write differently: `T-Shirt` and `t_shirt`."""
    return "".join(c for c in name.lower() if c.isalpha())


def read_folder(folder: Path) -> Images:
    """Read a folder with one folder of pictures for each class.

    Raises:
        InputError: No pictures, or one that cannot be read.
    """
    files = listed(folder)
    images = np.stack([_read(path) for path, _label in files])
    return Images(images, np.array([label for _path, label in files], np.int64))


def _read(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as picture:
            return framed(ImageOps.exif_transpose(picture))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise InputError(
            N_("The picture is damaged or cut off. Save it again and retry.")
        ) from None


def novel(part: Images, others: Images) -> np.ndarray:
    """Which pictures of a part are no near-copies of others, (N,) bool."""
    if not len(others):
        return np.ones(len(part), bool)
    likeness = _small(part.images) @ _small(others.images).T
    return likeness.max(axis=1) < ALIKE


def _small(images: np.ndarray) -> np.ndarray:
    """16 × 16 grey copies as rows of zero mean and unit length, (N, 256)."""
    cell = SIDE // COPY
    grey = images.mean(axis=3).reshape(-1, COPY, cell, COPY, cell).mean(axis=(2, 4))
    rows = grey.reshape(len(grey), -1)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
