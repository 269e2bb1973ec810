"""WNUT17: new and rare names in tweets and comments, six types.

Derczynski et al. 2017, https://aclanthology.org/W17-4418/
"""

from pathlib import Path

from dlportal.data.conll import Tagged, read_conll
from dlportal.data.files import dataset_file
from dlportal.data.splits import Splits

FILES = ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated")
TYPES = ("corporation", "creative-work", "group", "location", "person", "product")


def load(folder: Path | None = None) -> Splits[Tagged]:
    """Read the three official parts: tweets of 2010, comments on videos, and a mixture.

    Args:
        folder: A folder with the three files to read instead.

    Raises:
        AssetError: The files are neither here nor to be had.
        InputError: A file in `folder` has another layout.
    """
    paths = [folder / name if folder else dataset_file("wnut17", name) for name in FILES]
    train, validation, test = (read_conll(path) for path in paths)
    return Splits(train, validation, test)
