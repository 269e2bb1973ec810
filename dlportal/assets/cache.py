"""Where fetched files lie, and whether a file there is the right one."""

import errno
import hashlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from dlportal.assets.asset import AssetError, megabytes, short_path
from dlportal.messages import N_

STAMPS = ".verified.json"  # file name -> [sha256, size, mtime in ns] of files hashed before
FULL = (errno.ENOSPC, errno.EDQUOT)


def cache_dir() -> Path:
    """Folder of everything fetched: `DLPORTAL_CACHE_DIR`, else the platform's own place."""
    if given := os.environ.get("DLPORTAL_CACHE_DIR"):
        return Path(given).expanduser()
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "dlportal"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "dlportal"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/dlportal"
    return Path.home() / ".cache/dlportal"


def sha256_of(path: Path) -> str:
    """The file's SHA-256, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_right(path: Path, sha256: str, size: int) -> bool:
    """Whether the file is there and is the one meant; a file is hashed once, not every time."""
    try:
        stat = path.stat()
    except OSError:
        return False
    if stat.st_size != size:
        return False
    stamp: list[str | int] = [sha256, size, stat.st_mtime_ns]
    if _read_stamps(path.parent).get(path.name) == stamp:
        return True
    if sha256_of(path) != sha256:
        return False
    _write_stamp(path, stamp)
    return True


def _read_stamps(folder: Path) -> dict[str, list[str | int]]:
    try:
        return json.loads((folder / STAMPS).read_text("utf-8"))
    except (OSError, ValueError):  # not there, or half written: the files are hashed again
        return {}


def _write_stamp(path: Path, stamp: list[str | int]) -> None:
    stamps = _read_stamps(path.parent) | {path.name: stamp}
    with suppress(OSError):  # a read-only folder: the file is hashed again next time
        replace_with(path.parent / STAMPS, json.dumps(stamps, indent=1).encode())


def replace_with(path: Path, content: bytes) -> None:
    """Write a file so that others see the old or the new content, never a part.

    Raises:
        OSError: The folder cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.partial")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for writing, against other threads and other processes.

    The system lets go of the lock when a process dies.

    Raises:
        AssetError: The folder cannot be made or written.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # One object a call: a shared FileLock would count, not exclude, threads.
        lock = FileLock(folder / ".lock", thread_local=False, is_singleton=False)
        lock.acquire(poll_interval=0.1)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def explained(folder: Path, needed: int = 0) -> Iterator[None]:
    """Turn the disk's own errors into a sentence that says what to do.

    Raises:
        AssetError: The disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise disk_full(folder, needed) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise AssetError(
                N_(
                    "The cache folder {folder} cannot be written; make it writable, or set "
                    "DLPORTAL_CACHE_DIR to a folder that is."
                ),
                folder=short_path(folder),
            ) from error
        raise


def disk_full(folder: Path, needed: int) -> AssetError:
    """The error for a disk without room for `needed` bytes (0 where that is unknown)."""
    if not needed:
        return AssetError(
            N_(
                "The disk of {folder} is full; free some space, or set DLPORTAL_CACHE_DIR to a "
                "folder on another disk, and try again."
            ),
            folder=short_path(folder),
        )
    return AssetError(
        N_(
            "The disk of {folder} is full: {needed} are needed; free some space, or set "
            "DLPORTAL_CACHE_DIR to a folder on another disk, and try again."
        ),
        folder=short_path(folder),
        needed=megabytes(needed),
    )
