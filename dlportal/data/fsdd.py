"""Spoken digits: 2,500 recordings of zero to nine by five men.

Jackson et al., Free Spoken Digit Dataset, https://github.com/Jakobovski/free-spoken-digit-dataset
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlportal.data.files import dataset_tree
from dlportal.messages import N_, InputError

RATE = 8000  # Hz
TEST = 5  # recordings 0-4 of each speaker and digit are the official test
HELD = 5  # and 5-9 are held out of the rest for validation


@dataclass(frozen=True)
class Spoken:
    """Recordings: sounds (time,) float32 in [-1, 1] at 8 kHz, digits (N,), who says them.

    `index` is the number in the file's name, by which the parts are told apart.
    """

    sounds: tuple[np.ndarray, ...]
    labels: np.ndarray
    speakers: tuple[str, ...]
    index: np.ndarray

    def __len__(self) -> int:
        return len(self.sounds)

    def take(self, rows: np.ndarray) -> "Spoken":
        """The rows with these indices, in this order."""
        return Spoken(
            tuple(self.sounds[row] for row in rows),
            self.labels[rows],
            tuple(self.speakers[row] for row in rows),
            self.index[rows],
        )


def one(digit: int, speaker: str, index: int) -> np.ndarray:
    """A single recording, (time,) float32 at 8 kHz.

    Raises:
        AssetError: The dataset is not on this machine.
    """
    import soundfile

    folder = dataset_tree("fsdd", "recordings")
    sound, _rate = soundfile.read(folder / f"{digit}_{speaker}_{index}.wav", dtype="float32")
    return sound


def load(folder: Path | None = None) -> Spoken:
    """Read all recordings, sorted by file name.

    Args:
        folder: A folder with `{digit}_{speaker}_{index}.wav` files to read instead.

    Raises:
        AssetError: The dataset is not on this machine.
        InputError: A file has another name, is no sound, or is not at 8 kHz.
    """
    import soundfile

    paths = sorted((folder or dataset_tree("fsdd", "recordings")).glob("*.wav"))
    sounds, labels, speakers, index = [], [], [], []
    for path in paths:
        try:
            digit, speaker, number = path.stem.split("_")
            label, place = int(digit), int(number)
            sound, rate = soundfile.read(path, dtype="float32")
        except (ValueError, OSError, soundfile.SoundFileError) as error:
            raise InputError(
                N_("{file} is not a recording named digit_speaker_number.wav; put it right."),
                file=path.name,
            ) from error
        if rate != RATE or not 0 <= label <= 9:
            raise InputError(
                N_("{file} is not a recording named digit_speaker_number.wav; put it right."),
                file=path.name,
            )
        sounds.append(sound if sound.ndim == 1 else sound.mean(axis=1))
        labels.append(label)
        speakers.append(speaker)
        index.append(place)
    return Spoken(tuple(sounds), np.array(labels), tuple(speakers), np.array(index))
