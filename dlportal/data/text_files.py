"""Text files of datasets, read line by line."""

from collections.abc import Callable
from pathlib import Path

from dlportal.data.files import dataset_file
from dlportal.data.splits import Splits, Texts, novel_rows
from dlportal.messages import N_, InputError

PARTS = ("train.tsv", "dev.tsv", "test.tsv")


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, without their ends.

    Only line feeds part lines: texts may hold other separators, such as U+2028.

    Raises:
        InputError: Not readable, or another encoding.
    """
    try:
        return path.read_text("utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            N_("{file} cannot be read as a UTF-8 text file; check the path and the encoding."),
            file=str(path),
        ) from error


def load_parts(name: str, read: Callable[[Path], Texts], folder: Path | None) -> Splits[Texts]:
    """Read a dataset that lies in `train.tsv`, `dev.tsv` and `test.tsv`, in its official split.

    A training text that occurs twice, or in another part too, is dropped.

    Args:
        name: Of the dataset.
        read: Reads one of the files.
        folder: A folder with the three files to read instead.

    Raises:
        AssetError: The files are neither here nor to be had.
        InputError: A file in `folder` has another layout.
    """
    paths = [folder / part if folder else dataset_file(name, part) for part in PARTS]
    train, dev, test = map(read, paths)
    return Splits(train.take(novel_rows(train.texts, (*dev.texts, *test.texts))), dev, test)
