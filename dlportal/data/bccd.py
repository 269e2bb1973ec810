"""BCCD: 364 photographs of blood smears, with boxes around red cells, white cells and platelets.

Shenggan Cheng and contributors 2017-2019, https://github.com/Shenggan/BCCD_Dataset, from pictures by
cosmicad and akshaylamba. Laid out as Pascal VOC. Many red cells are not marked, mostly those cut off
by the border or hidden by others.
"""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from dlportal.data.files import dataset_tree
from dlportal.data.scene import Scene
from dlportal.messages import N_, InputError
from dlportal.training.detection_scores import Objects

NAME = "bccd"
KINDS = ("RBC", "WBC", "Platelets")  # as the files call them, in the network's order
PARTS = {"train": "train", "validation": "val", "test": "test"}
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
MOST = 4_000_000  # bytes of an XML file that is read


def load(split: str, folder: Path | None = None) -> list[Scene]:
    """Read the pictures of one part and their boxes.

    Args:
        split: "train" (205 pictures), "validation" (87) or "test" (72).
        folder: A folder laid out like the data set, to be read instead: `JPEGImages/`, for each
            picture an XML file in `Annotations/`, and `ImageSets/Main/` with a text file for each
            part that names its pictures; without that folder all pictures are read.

    Raises:
        AssetError: The data set is not here.
        InputError: No such part; `folder` is laid out otherwise, or a file cannot be read.
    """
    if split not in PARTS:
        known = ", ".join(PARTS)
        raise InputError(N_("No split {split}. Choose from: {known}."), split=split, known=known)
    if folder is None:
        folder = dataset_tree(NAME, "JPEGImages").parent
        for part in ("Annotations", "ImageSets"):
            dataset_tree(NAME, part)
    pictures = {
        p.stem: p for p in sorted((folder / "JPEGImages").glob("*")) if p.suffix.lower() in SUFFIXES
    }
    if not pictures or not (folder / "Annotations").is_dir():
        raise InputError(
            N_("{path} needs pictures in JPEGImages/ and their boxes as XML in Annotations/."),
            path=str(folder),
        )
    stems = listed(folder, split) or list(pictures)
    if missing := [stem for stem in stems if stem not in pictures]:
        raise InputError(
            N_("{path} lists {name}, but JPEGImages/ has no such picture."),
            path=f"ImageSets/Main/{PARTS[split]}.txt",
            name=missing[0],
        )
    return [scene(pictures[stem], folder / "Annotations" / f"{stem}.xml") for stem in stems]


def listed(folder: Path, split: str) -> list[str]:
    """The names of a part's pictures; none where the folder has no lists.

    Raises:
        InputError: It has lists, but not of this part.
    """
    lists = folder / "ImageSets" / "Main"
    if not lists.is_dir():
        return []
    try:
        return (lists / f"{PARTS[split]}.txt").read_text("utf-8").split()
    except (OSError, UnicodeDecodeError):
        raise InputError(
            N_("{path} has no readable ImageSets/Main/{name}.txt."),
            path=str(folder),
            name=PARTS[split],
        ) from None


def scene(path: Path, marks: Path) -> Scene:
    """One picture with what its XML file marks; boxes without an area are left out.

    The file's name counts: the one written in the XML is wrong here and there.
    """
    try:
        with Image.open(path) as picture:
            size = picture.size
        if marks.stat().st_size > MOST:
            raise ValueError(f"{marks.name} is too large")
        root = ElementTree.fromstring(marks.read_bytes())
        found = [mark(one) for one in root.iter("object")]
    except (OSError, ValueError, ElementTree.ParseError, UnidentifiedImageError) as error:
        raise InputError(
            N_(
                "{picture} or its {text} cannot be read: an object needs a name ({known}) and a bndbox of four numbers."
            ),
            picture=path.name,
            text=marks.name,
            known=", ".join(KINDS),
        ) from error
    rows = np.array(found, np.float64).reshape(-1, 5)
    corners = np.clip(rows[:, :4], 0, [*size, *size])
    solid = (corners[:, 2:] > corners[:, :2]).all(axis=1)
    return Scene(path, size, Objects.marked(corners[solid], rows[solid, 4].astype(np.int64)))


def mark(one: ElementTree.Element) -> list[float]:
    """Left, top, right, bottom and kind of an `object` element.

    Raises:
        ValueError: A part is missing, another kind, or not a number.
    """
    kind = KINDS.index((one.findtext("name") or "").strip())
    sides = [float(one.findtext(f"bndbox/{n}") or "") for n in ("xmin", "ymin", "xmax", "ymax")]
    if not np.isfinite(sides).all():
        raise ValueError("not finite")
    return [*sides, kind]
