"""The four English voices of Flite, a small speech synthesiser.

Black and Lenzo 2001, http://www.cmuflite.org; the voices (Kominek and Black 2004, CMU Arctic, and
an older one) were cut out of recordings of three men and a woman. It is a program of the system,
not a Python package, and only a full training needs it.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

import soundfile

from dlportal.assets import AssetError
from dlportal.kinds.audio import Sound
from dlportal.messages import N_

VOICES = ("awb", "kal16", "rms", "slt")  # a Scot, two US men, a US woman; all at 16 kHz
PATIENCE = 60.0  # seconds for one text, which takes a tenth of one


def flite_says(text: str, voice: str, speed: float = 1.0) -> Sound:
    """Let one of the voices say a text.

    Args:
        text: English.
        voice: One of `VOICES`.
        speed: 1 is the voice's own.

    Raises:
        AssetError: Flite is not installed, or failed.
        ValueError: No such voice.
    """
    if voice not in VOICES:
        raise ValueError(f"no voice {voice!r}; voices: {', '.join(VOICES)}")
    program = shutil.which("flite")
    if program is None:
        raise AssetError(
            N_("This training needs the program Flite (on Debian: apt-get install flite).")
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "said.wav")
        pace = f"duration_stretch={1 / speed:.4f}"
        command = [program, "-voice", voice, "--setf", pace, "-t", text, "-o", str(path)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
            samples, rate = soundfile.read(path, dtype="float32")
        except (OSError, subprocess.SubprocessError, soundfile.SoundFileError) as error:
            raise AssetError(N_("Flite could not say “{text}”."), text=text) from error
    return Sound(samples, rate)
