"""Eight spoken English sentences with their transcripts, from the LJ Speech dataset.

Ito and Johnson 2017, https://keithito.com/LJ-Speech-Dataset/
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlportal.data.files import dataset_file
from dlportal.messages import N_, InputError


@dataclass(frozen=True)
class Clip:
    """A recording: what is said, and the sound, shape (time,), float32 in -1..1, at `rate` Hz."""

    id: str
    text: str
    sound: np.ndarray
    rate: int


def load(folder: Path | None = None) -> tuple[Clip, ...]:
    """Read the clips, 50 seconds in all. Too few to train on, so they are all test clips.

    Args:
        folder: A folder with `metadata.csv` and `wavs/` to read instead.

    Raises:
        AssetError: The files are neither here nor to be had.
        InputError: A file in `folder` has another layout.
    """
    import soundfile

    def path(name: str) -> Path:
        return folder / name if folder else dataset_file("ljspeech_mini", name)

    clips = []
    for name, text in _transcripts(path("metadata.csv")):
        wav = path(f"wavs/{name}.wav")
        try:
            sound, rate = soundfile.read(wav, dtype="float32")
        except (OSError, soundfile.SoundFileError) as error:
            raise InputError(
                N_("{file} is missing or not a WAV file; put it right and try again."),
                file=str(wav),
            ) from error
        clips.append(Clip(name, text, sound if sound.ndim == 1 else sound.mean(axis=1), rate))
    return tuple(clips)


def _transcripts(path: Path) -> list[tuple[str, str]]:
    """Ids and normalised texts (numbers and abbreviations spelt out)."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE))
        return [(Path(row[0]).name, row[2] or row[1]) for row in rows if row]
    except (OSError, UnicodeDecodeError, IndexError) as error:
        raise InputError(
            N_("{file} is not a list of `id|text|normalised text` lines; put it right."),
            file=str(path),
        ) from error
