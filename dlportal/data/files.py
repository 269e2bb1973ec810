"""The files of the datasets: looked for in `DLPORTAL_DATA_DIR`, else downloaded, always checked.

`registry.toml` says for each dataset what it is, whose, under which licence, and the SHA-256 of
each file. None of these files is part of the project.
"""

import os
import tomllib
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dlportal.assets.asset import Asset, AssetError, Progress, WebFile
from dlportal.assets.cache import cache_dir, sha256_of
from dlportal.assets.fetching import NotFetched, fetch_files
from dlportal.messages import N_

REGISTRY = Path(__file__).with_name("registry.toml")


@dataclass(frozen=True)
class Tree:
    """A folder of many small files, checked by the hash of its list of hashes."""

    path: str
    manifest: str  # sha256 of "sha256  path\n" of each file, sorted by path
    count: int
    bytes: int


@dataclass(frozen=True)
class Dataset:
    """A public dataset. `licence_colour`: green is an open licence, amber an unclear one.

    `package` is the folder of an installed package that carries the files, or blank.
    """

    name: str
    title: str
    licence: str
    licence_colour: str
    address: str
    files: tuple[Asset, ...]
    trees: tuple[Tree, ...]
    package: str = ""

    @property
    def bytes(self) -> int:
        """Bytes of everything in it."""
        return sum(f.size for f in self.files) + sum(t.bytes for t in self.trees)

    @property
    def sha256(self) -> dict[str, str]:
        """The hash of each file (of a tree, that of its manifest), for receipts."""
        return {f.file: f.sha256 for f in self.files} | {t.path: t.manifest for t in self.trees}


def _dataset(name: str, row: dict[str, Any]) -> Dataset:
    files = tuple(
        Asset(
            name=f"{name}/{file['path']}",
            file=file["path"],
            sha256=file["sha256"],
            size=file["bytes"],
            licence=row["licence"],
            sources=tuple(WebFile(url) for url in file.get("urls", ())),
        )
        for file in row.get("files", ())
    )
    trees = tuple(Tree(**tree) for tree in row.get("trees", ()))
    about = {key: row[key] for key in ("title", "licence", "licence_colour", "address")}
    return Dataset(name=name, files=files, trees=trees, package=row.get("package", ""), **about)


DATASETS: dict[str, Dataset] = {
    name: _dataset(name, row) for name, row in tomllib.loads(REGISTRY.read_text("utf-8")).items()
}


def dataset_file(dataset: str, filename: str, progress: Progress | None = None) -> Path:
    """A file of a dataset, checked against its sha256.

    Args:
        dataset: A key of `DATASETS`.
        filename: Path inside the dataset's folder.
        progress: Called with bytes done and bytes in all while it is downloaded.

    Raises:
        AssetError: Not on this machine and not to be had, or not the file that was meant.
        ValueError: No such dataset, or no such file in it.
    """
    spec = _named(dataset)
    files = {asset.file: asset for asset in spec.files}
    if filename not in files:
        raise ValueError(f"{dataset} has no file {filename!r}; files: {', '.join(files)}")
    asset = files[filename]
    for local in (local_folder(dataset), package_folder(dataset)):
        if local and (local / filename).is_file():
            found = _hash(local / filename)
            if found != asset.sha256:
                raise altered(f"{dataset}/{filename}", asset.sha256, found)
            return local / filename
    try:
        return fetch_files(cache_dir() / "data" / dataset, (asset,), progress) / filename
    except NotFetched as error:
        raise not_here(dataset, filename) from error


def dataset_tree(dataset: str, folder: str) -> Path:
    """A folder of a dataset that is made of many files, checked as a whole.

    Raises:
        AssetError: Not in `DLPORTAL_DATA_DIR`, or not the files that were meant.
        ValueError: No such dataset, or no such folder in it.
    """
    trees = {tree.path: tree for tree in _named(dataset).trees}
    if folder not in trees:
        raise ValueError(f"{dataset} has no folder {folder!r}; folders: {', '.join(trees)}")
    local = local_folder(dataset)
    if local is None or not (local / folder).is_dir():
        raise not_here(dataset, folder)
    if (found := _manifest(local / folder)) != trees[folder].manifest:
        raise altered(f"{dataset}/{folder}", trees[folder].manifest, found)
    return local / folder


def get_dataset(dataset: str, progress: Progress | None = None) -> Path:
    """Get all files of a dataset; returns the folder that holds them. Raises like `dataset_file`."""
    spec = _named(dataset)
    if dataset == "pneumoniamnist":  # two files are known, and either will do
        from dlportal.data import pneumoniamnist

        return pneumoniamnist.find_file(progress).parent
    for place in (local_folder(dataset), package_folder(dataset)):
        if place and all((place / part).exists() for part in spec.sha256):
            folder = place
            break
    else:
        folder = cache_dir() / "data" / dataset
    done = 0
    for asset in spec.files:
        share = partial(_report, progress, done, spec.bytes) if progress else None
        path = dataset_file(dataset, asset.file, share)
        if not path.is_relative_to(folder):  # part of it lies in DLPORTAL_DATA_DIR, not all
            raise not_here(dataset, asset.file)
        done += asset.size
    for tree in spec.trees:
        dataset_tree(dataset, tree.path)
    return folder


def _report(progress: Progress, before: int, total: int, done: int, _of: int) -> None:
    progress(before + done, total)


def is_available(dataset: str) -> bool:
    """Whether all of a dataset lies on this machine (a quick look that hashes nothing)."""
    spec = _named(dataset)
    if dataset == "pneumoniamnist":
        from dlportal.data import pneumoniamnist

        return pneumoniamnist.present_file() is not None
    local, cached = local_folder(dataset), cache_dir() / "data" / dataset
    places = [place for place in (local, package_folder(dataset), cached) if place]
    return all(
        any(_has(place / asset.file, asset.size) for place in places) for asset in spec.files
    ) and all(local and _count(local / tree.path) == tree.count for tree in spec.trees)


def not_here(dataset: str, filename: str) -> AssetError:
    """The error for data that is neither on this machine nor to be downloaded."""
    return AssetError(
        N_(
            "The dataset {dataset} is not on this machine and could not be downloaded; get it "
            "from {address} and put it in a folder {dataset}/ (here {file} is missing), then set "
            "DLPORTAL_DATA_DIR to the folder above."
        ),
        dataset=dataset,
        address=_named(dataset).address,
        file=filename,
    )


def _named(dataset: str) -> Dataset:
    if dataset not in DATASETS:
        raise ValueError(f"no dataset {dataset!r}; datasets: {', '.join(DATASETS)}")
    return DATASETS[dataset]


def local_folder(dataset: str) -> Path | None:
    """The dataset's folder in `DLPORTAL_DATA_DIR`, if that is set."""
    root = os.environ.get("DLPORTAL_DATA_DIR")
    return Path(root).expanduser() / dataset if root else None


def package_folder(dataset: str) -> Path | None:
    """Where an installed package keeps the dataset's files; the package is not imported."""
    package, _slash, rest = _named(dataset).package.partition("/")
    spec = find_spec(package) if package else None
    return Path(spec.origin).parent / rest if spec and spec.origin else None


def altered(name: str, expected: str, found: str) -> AssetError:
    """The error for a file of a dataset that is not the one its numbers were measured on."""
    return AssetError(
        N_(
            "{name} in DLPORTAL_DATA_DIR is not what it should be (sha256 {found} instead of "
            "{expected}); put the original there, or remove it so that it is downloaded."
        ),
        name=name,
        expected=expected,
        found=found,
    )


def _hash(path: Path) -> str:
    stat = path.stat()
    return _hash_once(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1024)
def _hash_once(path: Path, size: int, changed: int) -> str:
    """Hash a file once a process; nothing is written into the visitor's own folder."""
    return sha256_of(path)


@lru_cache(maxsize=64)
def _manifest(folder: Path) -> str:
    files = sorted(
        (path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file()
    )
    lines = "".join(f"{sha256_of(path)}  {name}\n" for name, path in files)
    return sha256(lines.encode()).hexdigest()


def _has(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _count(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))
