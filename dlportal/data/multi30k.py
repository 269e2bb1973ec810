"""Multi30k: captions of pictures in English, translated into German and French.

Elliott et al. 2016, https://aclanthology.org/W16-3210/; the French of Elliott et al. 2017,
https://aclanthology.org/W17-4718/. Raw text, one sentence a line, the official split.
"""

import gzip
from pathlib import Path

from dlportal.data.files import dataset_file
from dlportal.data.pairs import Parallel
from dlportal.data.splits import Splits
from dlportal.messages import N_, InputError

LANGUAGES = ("en", "de", "fr")
PARTS = {"train": "train", "validation": "val", "test": "test_2016_flickr"}


def load(languages: tuple[str, ...] = LANGUAGES) -> Splits[Parallel]:
    """Read the captions in their official split.

    Raises:
        AssetError: The files are neither here nor to be had.
    """
    return Splits(**{part: load_part(part, languages) for part in PARTS})


def load_part(part: str, languages: tuple[str, ...] = LANGUAGES) -> Parallel:
    """Read one of `PARTS`; raises like `load`."""
    name = PARTS[part]
    return Parallel(
        {
            language: read_lines(dataset_file("multi30k", f"{name}.{language}.gz"))
            for language in languages
        }
    )


def read_lines(path: Path) -> tuple[str, ...]:
    """Sentences of a file, plain or gzip, one a line.

    Raises:
        InputError: Not such a file.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8")
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise InputError(
            N_("{file} cannot be read as a UTF-8 text file; check the path and the encoding."),
            file=str(path),
        ) from error
    lines = text.split("\n")
    return tuple(line.strip() for line in (lines[:-1] if not lines[-1] else lines))
