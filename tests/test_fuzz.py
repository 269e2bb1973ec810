"""Random and damaged files: an answer or an `InputError`, never another exception.

Seeded, so a failure repeats. Valid files of every format are damaged in four ways: bytes
changed, a piece cut out, the end cut off, a piece of another file put in.
"""

import io
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import soundfile
from PIL import Image

from dlportal.cards import Limits
from dlportal.data.fraud_csv import read_payments
from dlportal.kinds.audio import open_sound
from dlportal.kinds.image import FORMATS, open_picture
from dlportal.messages import InputError

ROUNDS = 150  # damaged copies of every file
NOISE = 200  # files of random bytes
SMALL = Limits(bytes=300_000, pixels=200_000, seconds=3, rows=200, columns=30)
SOUNDS = {"WAV": "PCM_16", "FLAC": "PCM_16", "OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}
CSV = (
    "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD\n"
    + "".join(f"{i},2018-04-01 12:{i:02d}:00,{i % 5},{i % 7},{i}.50,{i % 2}\n" for i in range(40))
).encode()


def pictures() -> dict[str, bytes]:
    """A small picture in every format that is read, and a few of their odd kinds."""
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8))
    files = {}
    for form in FORMATS:
        out = io.BytesIO()
        picture.save(out, form)
        files[form] = out.getvalue()
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    for name, mode, more in (("JPEG", "CMYK", {"exif": exif}), ("PNG", "P", {}), ("GIF", "P", {})):
        out = io.BytesIO()
        frames = {"save_all": True, "append_images": [picture] * 2} if name == "GIF" else {}
        picture.convert(mode).save(out, name, **more, **frames)
        files[f"{name}_{mode}"] = out.getvalue()
    return files


def sounds() -> dict[str, bytes]:
    """A second of two tones in every format that is read."""
    time = np.arange(16_000) / 16_000
    wave = 0.3 * np.stack([np.sin(880 * np.pi * time), np.sin(1320 * np.pi * time)], axis=1)
    files = {}
    for form, kind in SOUNDS.items():
        out = io.BytesIO()
        soundfile.write(out, wave, 16_000, format=form, subtype=kind)
        files[form] = out.getvalue()
    return files


def damage(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """One damaged copy."""
    out = bytearray(data)
    # Half of the damage hits the header, where the sizes stand.
    start = int(rng.integers(0, min(len(out), 64) if rng.random() < 0.5 else len(out)))
    length = int(rng.integers(1, 200))
    kind = rng.integers(0, 4)
    if kind == 0:
        for place in rng.integers(start, min(len(out), start + length), rng.integers(1, 8)):
            out[place] = int(rng.choice([0, 0x7F, 0x80, 0xFF, rng.integers(0, 256)]))
    elif kind == 1:
        del out[start : start + length]
    elif kind == 2:
        del out[start:]
    else:
        out[start : start + length] = other[:length]
    return bytes(out)


def try_to_read(read: Callable[[bytes, Limits], object], data: bytes, what: str) -> bool:
    """Read; True if it was refused with one sentence, anything else must not be raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read(data, SMALL)
        except InputError as error:
            assert 10 < len(str(error)) < 400 and "\n" not in str(error), what
            return True
        except BaseException as error:
            raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error
    return False


READERS: dict[str, tuple[Callable, Callable[[], dict[str, bytes]]]] = {
    "picture": (open_picture, pictures),
    "sound": (open_sound, sounds),
    "csv": (read_payments, lambda: {"CSV": CSV}),
}


@pytest.mark.parametrize("kind", READERS)
def test_random_bytes_are_refused(kind: str) -> None:
    read, make = READERS[kind]
    heads = [data[:24] for data in make().values()]
    for seed in range(NOISE):
        rng = np.random.default_rng(seed)
        noise = rng.bytes(int(rng.integers(0, 3000)))
        head = heads[seed % len(heads)] if seed % 2 else b""
        assert try_to_read(read, head + noise, f"{kind}, seed {seed}") or kind == "csv"


@pytest.mark.parametrize("kind", READERS)
def test_damaged_files_are_read_or_refused(kind: str) -> None:
    read, make = READERS[kind]
    files = make()
    refused = total = 0
    for name, data in files.items():
        assert not try_to_read(read, data, name)  # whole, it is read
        for seed in range(ROUNDS):
            rng = np.random.default_rng(seed)
            other = files[str(rng.choice(list(files)))]
            refused += try_to_read(read, damage(data, other, rng), f"{name}, seed {seed}")
            total += 1
    assert 0 < refused <= total


@pytest.mark.parametrize("kind", READERS)
def test_nothing_and_too_much_are_refused(kind: str) -> None:
    read, make = READERS[kind]
    for data in (b"", b"\n" * 300, b" ", next(iter(make().values())) + bytes(SMALL.bytes)):
        assert try_to_read(read, data, f"{kind}, {len(data)} bytes")
