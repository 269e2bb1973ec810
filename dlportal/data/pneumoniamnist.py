"""PneumoniaMNIST: 28 x 28 chest X-rays of children, with and without pneumonia.

Yang et al. 2023, https://doi.org/10.1038/s41597-022-01721-8 (MedMNIST v2); the pictures are
from Kermany et al. 2018, https://doi.org/10.1016/j.cell.2018.02.010. Not for clinical use.
"""

import zipfile
from hashlib import md5, sha256
from pathlib import Path

import numpy as np

from dlportal.assets.asset import Progress
from dlportal.assets.cache import cache_dir, locked
from dlportal.assets.transfer import Unreachable, download, wrong_hash
from dlportal.assets.web import open_web
from dlportal.data.files import altered, local_folder, not_here
from dlportal.data.splits import Images, Splits
from dlportal.messages import N_, InputError

CLASSES = ("normal", "pneumonia")
NAME = "pneumoniamnist"
REBUILT = "pneumoniamnist_rebuilt.npz"  # the same pictures, the training part in another order
OFFICIAL = "pneumoniamnist.npz"
ADDRESS = f"https://zenodo.org/records/10519652/files/{OFFICIAL}?download=1"
OFFICIAL_MD5 = "28209eda62fecd6e6a2d98b1501bb15f"  # as published; its sha256 is not
CONTENT = "7f1b999088cc2e40b1feef9282f0b867794a498d05a04d21c22456d3544c122d"


def load(folder: Path | None = None) -> Splits[Images]:
    """Read the official splits.

    Training pictures that occur in `validation` too are dropped (10 of 4,708; none occurs in
    `test`). Each part is put in the order of its pixels, so that both known files of this
    dataset, which order the training part differently, give the same result.

    Args:
        folder: A folder with one of the two `.npz` files to read instead.

    Raises:
        AssetError: The file is neither here nor to be had, or is another.
        InputError: A file in `folder` has another layout.
    """
    if folder:
        path = next((folder / n for n in (REBUILT, OFFICIAL) if (folder / n).exists()), folder)
        parts = read(path)
    else:
        path = find_file()
        parts = read(path)
        if (found := content_hash(parts)) != CONTENT:
            raise altered(f"{NAME}/{path.name}", CONTENT, found)
    seen = {image.tobytes() for image in parts.validation.images}
    novel = [row for row, image in enumerate(parts.train.images) if image.tobytes() not in seen]
    return Splits(parts.train.take(np.array(novel)), parts.validation, parts.test)


def read(path: Path) -> Splits[Images]:
    """Read an `.npz` file in MedMNIST's layout; nothing in it is unpickled.

    Raises:
        InputError: Not such a file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return Splits(*(_part(file, name) for name in ("train", "val", "test")))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            N_("{file} is not an .npz file in MedMNIST's layout; get the original file."),
            file=str(path),
        ) from error


def content_hash(parts: Splits[Images]) -> str:
    """SHA-256 of pictures and labels, whichever file they came from."""
    total = sha256()
    for part in (parts.train, parts.validation, parts.test):
        total.update(part.images.tobytes() + part.labels.astype("<i8").tobytes())
    return total.hexdigest()


def _part(file: np.lib.npyio.NpzFile, name: str) -> Images:
    images, labels = file[f"{name}_images"], file[f"{name}_labels"].ravel()
    if images.dtype != np.uint8 or images.shape != (len(labels), 28, 28):
        raise ValueError(f"{name}: {images.dtype} {images.shape}")
    order = np.lexsort((labels, *images.reshape(len(images), -1).T[::-1]))
    return Images(np.ascontiguousarray(images[order]), labels[order].astype(np.int64))


def present_file() -> Path | None:
    """Whichever of the two files lies on this machine."""
    places = [place for place in (local_folder(NAME), cache_dir() / "data" / NAME) if place]
    paths = [place / name for place in places for name in (REBUILT, OFFICIAL)]
    return next((path for path in paths if path.is_file()), None)


def find_file(progress: Progress | None = None) -> Path:
    """Whichever of the two files is here; else the official one is downloaded.

    Raises:
        AssetError: Neither here nor to be had.
    """
    if path := present_file():
        return path
    path = cache_dir() / "data" / NAME / OFFICIAL
    with locked(path.parent):
        if not path.exists():
            try:
                download(ADDRESS, path, open_web, progress=progress)
            except Unreachable as error:
                raise not_here(NAME, OFFICIAL) from error
        found = md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        if found != OFFICIAL_MD5:
            path.unlink()
            raise wrong_hash(OFFICIAL, OFFICIAL_MD5, found)
    return path
