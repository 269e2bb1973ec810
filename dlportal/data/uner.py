"""UNER, Chinese (simplified): sentences of Wikipedia with persons, places and organisations.

Mayhew et al. 2024, https://aclanthology.org/2024.naacl-long.243/
The tokens are words of the treebank that the sentences come from, not characters.
"""

from pathlib import Path

from dlportal.data.conll import Tagged, read_conll
from dlportal.data.files import dataset_file
from dlportal.data.splits import Splits

FILES = tuple(f"zh_gsdsimp-ud-{part}.iob2" for part in ("train", "dev", "test"))
TYPES = ("LOC", "ORG", "PER")
WORD, TAG = 1, 2  # columns; the others are the word's number and the annotators' marks


def load(folder: Path | None = None) -> Splits[Tagged]:
    """Read the three official parts.

    Args:
        folder: A folder with the three files to read instead.

    Raises:
        AssetError: The files are neither here nor to be had.
        InputError: A file in `folder` has another layout.
    """
    paths = [folder / name if folder else dataset_file("uner_zh_gsdsimp", name) for name in FILES]
    train, validation, test = (read_conll(path, WORD, TAG) for path in paths)
    return Splits(train, validation, test)


def read(path: Path) -> Tagged:
    """Read one file: laid out like UNER (a number, a word, its tag, marks), or word and tag.

    Raises:
        InputError: It has neither layout.
    """
    return read_conll(path, WORD, TAG) if numbered(path) else read_conll(path)


def numbered(path: Path) -> bool:
    """Whether the first line that is no comment begins with a number and has more columns."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False  # read_conll says so
    row = next((line.split() for line in lines if line.strip() and line[:2] != "# "), [])
    return len(row) > TAG and row[0].isdigit()
