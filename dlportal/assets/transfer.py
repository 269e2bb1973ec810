"""Bring a file here: in parts, checked, continued where it stopped, and never half there."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from dlportal.assets.asset import AssetError, Progress, megabytes
from dlportal.assets.cache import disk_full, explained, sha256_of
from dlportal.messages import N_

TRIES = 4  # connections for one file; each goes on where the last one stopped
PAUSE = 0.5  # seconds before the second connection, twice that before the third, ...


class Unreachable(Exception):
    """A source cannot be reached, or does not have the file; the next one is tried."""


class Interrupted(Exception):
    """The connection ended in the middle of a file."""


@dataclass(frozen=True)
class Stream:
    """Bytes on their way: where in the file they start, and how long the file is (0: unknown)."""

    start: int
    total: int
    chunks: Iterator[bytes]


# Opens an address from an offset; may start at 0 all the same. Raises Unreachable.
Opener = Callable[[str, int], AbstractContextManager[Stream]]


def download(
    url: str,
    target: Path,
    open_at: Opener,
    sha256: str | None = None,
    size: int = 0,
    progress: Progress | None = None,
) -> None:
    """Download a file and put it in place in one step.

    What arrived before an interruption stays in `<target>.partial` and is continued next time.

    Args:
        url: Address that `open_at` understands.
        target: Where the file goes; its folder is held by the caller (see `locked`).
        open_at: Opens the address.
        sha256: What the file must hash to, if known.
        size: Bytes, 0 if unknown.
        progress: Called with bytes done and bytes in all.

    Raises:
        Unreachable: The address cannot be opened.
        AssetError: Full disk, lasting interruption, or not the file that was meant.
    """
    partial = target.with_name(target.name + ".partial")
    continued = partial.exists()
    with explained(target.parent, size):
        _check_room(partial, size)
        _receive(url, partial, open_at, size, progress)
        found = sha256_of(partial) if sha256 else None
        if found != sha256 and continued:
            # The part left from before may belong to another file: once more, from nothing.
            partial.unlink()
            _receive(url, partial, open_at, size, progress)
            found = sha256_of(partial)
        if found != sha256:
            partial.unlink()
            raise wrong_hash(target.name, str(sha256), str(found))
        os.replace(partial, target)


def wrong_hash(file: str, expected: str, found: str) -> AssetError:
    """The error for a file that is not the one meant."""
    return AssetError(
        N_(
            "{file} is not the file it should be (sha256 {found} instead of {expected}) and was "
            "thrown away; try again, and if that gives the same, check the proxy or index in "
            "between."
        ),
        file=file,
        expected=expected,
        found=found,
    )


def _check_room(partial: Path, size: int) -> None:
    """Refuse before the first byte where the file cannot fit."""
    there = partial.stat().st_size if partial.exists() else 0
    if shutil.disk_usage(partial.parent).free < size - there:
        raise disk_full(partial.parent, size - there)


def _receive(
    url: str, partial: Path, open_at: Opener, size: int, progress: Progress | None
) -> None:
    """Fill the partial file, over several connections if need be."""
    total = size
    for attempt in range(TRIES):
        time.sleep(PAUSE * attempt)
        there = partial.stat().st_size if partial.exists() else 0
        if size and there >= size:
            return
        try:
            with open_at(url, there) as stream:
                total = stream.total or total
                _append(stream, partial, total, progress)
            done = partial.stat().st_size
            if not total or done >= total:
                return
        except Interrupted:
            continue
        except Unreachable:
            if not attempt:
                raise
    raise AssetError(
        N_(
            "The download of {file} was interrupted after {done} of {total}; try again, and it "
            "goes on from there."
        ),
        file=partial.name.removesuffix(".partial"),
        done=megabytes(partial.stat().st_size if partial.exists() else 0),
        total=megabytes(total),
    )


def _append(stream: Stream, partial: Path, total: int, progress: Progress | None) -> None:
    done = stream.start
    with partial.open("r+b" if done else "wb") as file:
        file.seek(done)
        file.truncate()
        for chunk in stream.chunks:
            file.write(chunk)
            done += len(chunk)
            if progress:
                progress(done, max(total, done))
