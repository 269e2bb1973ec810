"""Ten thousand handwritten digits of MNIST's training part, 28 × 28 grey pixels, and its test part.

LeCun et al. 1998, https://doi.org/10.1109/5.726791
"""

import numpy as np

from dlportal.data.fashion_mnist import read_idx
from dlportal.data.files import dataset_file
from dlportal.data.splits import Images, Splits, hold_out

NAME = "mnist_10k"
VALIDATION = 0.1  # part of the training pictures


def load(seed: int = 0) -> Splits[Images]:
    """Read the digits: 9,000 training, 1,000 validation and 10,000 test pictures.

    Raises:
        AssetError: The files are neither here nor to be had.
    """
    rest, test = _part("train10k"), _part("t10k")
    kept, held = hold_out(rest.labels, VALIDATION, seed)
    return Splits(rest.take(kept), rest.take(held), test)


def _part(name: str) -> Images:
    images, labels = (
        read_idx(dataset_file(NAME, f"{name}-{what}-ubyte.gz"))
        for what in ("images-idx3", "labels-idx1")
    )
    return Images(images, labels.astype(np.int64))
