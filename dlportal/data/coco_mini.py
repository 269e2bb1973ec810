"""COCO, the 27 validation pictures whose licences allow reuse: everyday scenes with marked objects.

Lin et al. 2014, https://arxiv.org/abs/1405.0312. Far too few to learn from.
"""

import csv
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from dlportal.data.files import dataset_file, dataset_tree
from dlportal.data.scene import Scene
from dlportal.messages import N_, InputError
from dlportal.training.detection_scores import Objects

NAME = "coco_openlicence_mini"
CLASSES = 80
PICTURES = {".jpg", ".jpeg", ".png", ".webp"}


def load(folder: Path | None = None) -> list[Scene]:
    """Read the pictures and their boxes.

    Args:
        folder: A folder laid out like the data set, to be read instead: pictures anywhere below
            `images/`, and for each one a text file in the same place below `labels_yolo/` (or
            `labels/`), with a line for each object: class 0-79, centre x, centre y, width and
            height as shares of the picture's sides. A picture without such a file has none.

    Raises:
        AssetError: The data set is not here.
        InputError: `folder` is laid out otherwise, or a file in it cannot be read.
    """
    if folder is None:
        dataset_tree(NAME, "labels_yolo")
        images = dataset_tree(NAME, "images")
        folder = images.parent
    images = folder / "images"
    labels = next((folder / n for n in ("labels_yolo", "labels") if (folder / n).is_dir()), None)
    paths = [p for p in sorted(images.rglob("*")) if p.suffix.lower() in PICTURES]
    if not paths or labels is None:
        raise InputError(
            N_("{path} needs pictures in images/ and their boxes as text in labels_yolo/."),
            path=str(folder),
        )
    return [scene(path, labels / path.relative_to(images).with_suffix(".txt")) for path in paths]


def scene(path: Path, marks: Path) -> Scene:
    """One picture with what its text file marks."""
    try:
        with Image.open(path) as picture:
            width, height = picture.size
        rows = np.loadtxt(marks, ndmin=2) if marks.exists() else np.zeros((0, 5))
    except (OSError, ValueError, UnidentifiedImageError) as error:
        raise unreadable(path, marks) from error
    if not rows.size:
        rows = np.zeros((0, 5))
    known = rows.shape[1] == 5 and np.isin(rows[:, 0], np.arange(CLASSES)).all()
    if not known or not ((rows[:, 1:] >= 0) & (rows[:, 1:] <= 1)).all():
        raise unreadable(path, marks)
    middle, half = rows[:, 1:3], rows[:, 3:5] / 2
    corners = np.hstack([middle - half, middle + half]) * [width, height, width, height]
    return Scene(path, (width, height), Objects.marked(corners, rows[:, 0].astype(np.int64)))


def unreadable(path: Path, marks: Path) -> InputError:
    return InputError(
        N_(
            "{picture} or its {text} cannot be read: a line is class 0-79, centre x, centre y, width, height, the last four as shares from 0 to 1."
        ),
        picture=path.name,
        text=marks.name,
    )


def credits() -> dict[str, str]:
    """Where each picture is from and its licence, by file stem.

    Raises:
        AssetError: The data set is not here.
    """
    with dataset_file(NAME, "ATTRIBUTION.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["image"]: f"[Flickr]({row['flickr_url']}), [{LICENCES[row['license_id']]}]"
            f"({row['license_url']}), COCO"
            for row in csv.DictReader(file)
        }


LICENCES = {"4": "CC BY 2.0", "5": "CC BY-SA 2.0"}
