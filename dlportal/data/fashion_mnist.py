"""Fashion-MNIST: 28 x 28 greyscale pictures of ten kinds of clothes.

Xiao et al. 2017, https://arxiv.org/abs/1708.07747
"""

import gzip
from pathlib import Path

import numpy as np

from dlportal.data.files import dataset_file
from dlportal.data.splits import Images, Splits, hold_out
from dlportal.messages import N_, InputError

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
VALIDATION = 0.1  # part of the training pictures
LIMIT = 1 << 27  # bytes a file may unpack to


def load(seed: int = 0, folder: Path | None = None) -> Splits[Images]:
    """Read Fashion-MNIST: 54,000 training, 6,000 validation and 10,000 test pictures.

    Upstream has no validation part; it is carved from the training part, 600 of each kind.

    Args:
        seed: Seed of the validation part.
        folder: A folder with the four `.gz` files to read instead.

    Raises:
        AssetError: The files are neither here nor to be had.
        InputError: A file in `folder` has another layout.
    """
    rest, test = _part("train", folder), _part("t10k", folder)
    kept, held = hold_out(rest.labels, VALIDATION, seed)
    return Splits(rest.take(kept), rest.take(held), test)


def _part(name: str, folder: Path | None) -> Images:
    names = f"{name}-images-idx3-ubyte.gz", f"{name}-labels-idx1-ubyte.gz"
    paths = [folder / n if folder else dataset_file("fashion_mnist", n) for n in names]
    images, labels = read_idx(paths[0]), read_idx(paths[1])
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise _unreadable(paths[0])
    return Images(images, labels.astype(np.int64))


def read_idx(path: Path) -> np.ndarray:
    """Read a gzipped IDX file of bytes, the format of MNIST and its relatives.

    Returns:
        uint8, with the shape that the file names.

    Raises:
        InputError: Not such a file.
    """
    try:
        with gzip.open(path) as file:
            content = file.read(LIMIT)
        axes = content[3]
        shape = tuple(int(n) for n in np.frombuffer(content, ">u4", axes, offset=4))
        values = np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise _unreadable(path) from error
    if content[:3] != b"\x00\x00\x08":
        raise _unreadable(path)
    return values


def _unreadable(path: Path) -> InputError:
    return InputError(
        N_("{file} is not a gzipped IDX file as Fashion-MNIST has them; get the original file."),
        file=str(path),
    )
