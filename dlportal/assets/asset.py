"""What an asset is: one file that this project did not make, and where it can be had."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dlportal.messages import UserError

Progress = Callable[[int, int], None]  # bytes done, bytes in all (0 where unknown)


class AssetError(UserError):
    """A file can be neither found nor fetched: says why, and what to do."""


@dataclass(frozen=True)
class HubFile:
    """A file in a hub repository, at a revision that does not move."""

    repo: str
    revision: str
    path: str


@dataclass(frozen=True)
class WebFile:
    """A file at its own address."""

    url: str


@dataclass(frozen=True)
class PackageMember:
    """A file inside a wheel or source archive of the package index pip uses.

    The archive is only read, like any zip or tar; the package is never installed or imported.
    """

    project: str
    archive: str  # the archive's file name
    member: str  # the path inside it


Source = HubFile | WebFile | PackageMember


@dataclass(frozen=True)
class Asset:
    """One file. `name` is unique; `sha256` and `size` (bytes) say which file exactly."""

    name: str
    file: str
    sha256: str
    size: int
    licence: str
    sources: tuple[Source, ...]

    @property
    def folder(self) -> str:
        """Folder of the cache that holds the file (shared by the files of a bundle)."""
        return self.name.partition("/")[0]


@dataclass(frozen=True)
class Bundle:
    """Files that are used together, kept in one folder."""

    name: str
    assets: tuple[Asset, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(asset.size for asset in self.assets)

    @property
    def licence(self) -> str:
        """The licence, the same for all files."""
        return self.assets[0].licence


def megabytes(size: int) -> str:
    """Bytes for people: `83.5 MB`, `4.1 kB`."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def short_path(path: Path) -> str:
    """A path for people: `~` instead of the home folder."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)
