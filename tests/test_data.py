"""Datasets: their files are found and checked, the parsers read them, the splits do not leak."""

import gzip
import hashlib
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dlportal.assets import Asset, AssetError, WebFile, transfer, web
from dlportal.assets.cache import cache_dir
from dlportal.data import (
    DATASETS,
    Dataset,
    dataset_file,
    dataset_tree,
    fashion_mnist,
    get_dataset,
    is_available,
    ljspeech_mini,
    pneumoniamnist,
    sst2,
)
from dlportal.data.files import Tree
from dlportal.data.splits import hold_out
from dlportal.messages import InputError

TOY = b"one\ntwo\n"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[str]:
    """A web server that has the toy dataset's file; gives its address."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web/lines.txt").write_bytes(TOY)
    handler = partial(Quiet, directory=str(tmp_path / "web"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/lines.txt"
    server.shutdown()
    server.server_close()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and an empty `DLPORTAL_DATA_DIR`; gives the latter."""
    monkeypatch.setenv("DLPORTAL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DLPORTAL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(transfer, "PAUSE", 0.0)
    monkeypatch.setattr(web, "TIMEOUT", 2.0)
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Register a dataset of one file for one test."""

    def add(*urls: str, trees: tuple[Tree, ...] = ()) -> None:
        sources = tuple(WebFile(url) for url in urls)
        file = Asset("toy/lines.txt", "lines.txt", digest(TOY), len(TOY), "CC0 1.0", sources)
        spec = Dataset("toy", "lines", "CC0 1.0", "green", "https://toy.example", (file,), trees)
        monkeypatch.setitem(DATASETS, "toy", spec)

    return add


def test_the_registry_is_complete() -> None:
    assert len(DATASETS) == 30
    for name, spec in DATASETS.items():
        assert spec.name == name and spec.title and spec.licence and spec.address
        assert spec.licence_colour in ("green", "amber")
        assert spec.sha256 and spec.bytes > 0
        assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in spec.sha256.values())
        for part in spec.sha256:
            assert not part.startswith("/") and ".." not in part
        for file in spec.files:
            assert all(isinstance(source, WebFile) for source in file.sources)
    amber = {n for n, s in DATASETS.items() if s.licence_colour == "amber"}
    assert amber == {"multi30k", "sp500", "sst2"}


def test_a_file_is_looked_for_in_the_data_folder_first(
    place: Path, toy: Any, upstream: str
) -> None:
    toy(upstream)
    (place / "toy").mkdir()
    (place / "toy/lines.txt").write_bytes(TOY)
    assert dataset_file("toy", "lines.txt") == place / "toy/lines.txt"
    assert get_dataset("toy") == place / "toy" and is_available("toy")
    assert not cache_dir().exists()  # nothing downloaded, and nothing written beside the file
    assert [path.name for path in (place / "toy").iterdir()] == ["lines.txt"]


def test_another_file_there_is_an_error_that_names_both_hashes(
    place: Path, toy: Any, upstream: str
) -> None:
    toy(upstream)
    (place / "toy").mkdir()
    (place / "toy/lines.txt").write_bytes(b"other\n")
    with pytest.raises(AssetError, match=f"{digest(b'other' + bytes([10]))}.*{digest(TOY)}"):
        dataset_file("toy", "lines.txt")


def test_else_it_is_downloaded_once_and_cached(place: Path, toy: Any, upstream: str) -> None:
    toy("http://127.0.0.1:9/lines.txt", upstream)
    assert not is_available("toy")
    steps: list[tuple[int, int]] = []
    folder = get_dataset("toy", lambda done, total: steps.append((done, total)))
    assert (folder / "lines.txt").read_bytes() == TOY and is_available("toy")
    assert folder == cache_dir() / "data/toy" and steps[-1] == (len(TOY), len(TOY))
    toy()  # no address any more
    assert dataset_file("toy", "lines.txt") == folder / "lines.txt"


@pytest.mark.parametrize("urls", [(), ("http://127.0.0.1:9/lines.txt",)])
def test_what_cannot_be_had_says_where_to_get_it(
    place: Path, toy: Any, urls: tuple[str, ...]
) -> None:
    toy(*urls)
    with pytest.raises(AssetError) as caught:
        dataset_file("toy", "lines.txt")
    text = str(caught.value)
    assert "https://toy.example" in text and "DLPORTAL_DATA_DIR" in text and "lines.txt" in text


def test_a_folder_of_many_files_is_checked_as_a_whole(place: Path, toy: Any) -> None:
    names = ("b/2.txt", "a.txt")
    for name in names:
        (place / "toy/many" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "toy/many" / name).write_bytes(name.encode())
    lines = "".join(f"{digest(n.encode())}  {n}\n" for n in sorted(names))
    toy(trees=(Tree("many", digest(lines.encode()), 2, 12),))
    assert dataset_tree("toy", "many") == place / "toy/many"
    toy(trees=(Tree("many", "0" * 64, 2, 12), Tree("none", "0" * 64, 1, 1)))
    with pytest.raises(AssetError, match=f"instead of {'0' * 64}"):
        dataset_tree("toy", "many")
    with pytest.raises(AssetError, match="not on this machine"):
        dataset_tree("toy", "none")


def test_unknown_names_are_answered_with_the_known_ones(toy: Any) -> None:
    toy()
    with pytest.raises(ValueError, match=r"datasets: .*sst2"):
        dataset_file("nothing", "train.tsv")
    for name in ("../secret", "/etc/passwd", "train.tsv"):
        with pytest.raises(ValueError, match=r"files: lines\.txt"):
            dataset_file("toy", name)
    with pytest.raises(ValueError, match="has no folder"):
        dataset_tree("toy", "lines.txt")


def test_holding_out_keeps_the_class_shares_and_repeats() -> None:
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    kept, held = hold_out(labels, 0.1, seed=3)
    assert sorted([*kept, *held]) == list(range(160))
    assert np.bincount(labels[held]).tolist() == [10, 5, 1]
    assert np.array_equal(held, hold_out(labels, 0.1, seed=3)[1])
    assert not np.array_equal(held, hold_out(labels, 0.1, seed=4)[1])


def test_sentences_do_not_leak_between_the_parts(tmp_path: Path) -> None:
    train = [f"film {n} is fine\t{n % 2}" for n in range(40)]
    train += ["Film 3 is fine !\t1", "cool\t1"]  # one repeats a sentence, one occurs in the test
    (tmp_path / "train.tsv").write_text("\n".join(train) + "\n", "utf-8")
    (tmp_path / "dev.tsv").write_text("cool ?\t1\nbad\t0\n", "utf-8")
    parts = sst2.load(folder=tmp_path)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (36, 4, 2)
    assert not set(parts.train.texts) & set(parts.validation.texts)
    assert parts.test.texts == ("cool ?", "bad") and parts.test.labels.tolist() == [1, 0]
    assert parts.validation.labels.tolist().count(1) == 2
    assert sst2.load(folder=tmp_path).validation.texts == parts.validation.texts


@pytest.mark.parametrize("line", ["no label", "text\t2", "text\t", "\t\t"])
def test_a_line_without_a_label_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "file.tsv").write_text(f"good\t1\n{line}\n", "utf-8")
    with pytest.raises(InputError, match=r"Line 2 of file\.tsv"):
        sst2.read(tmp_path / "file.tsv")
    with pytest.raises(InputError, match="cannot be read"):
        sst2.read(tmp_path / "none.tsv")


def idx(values: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    return gzip.compress(head + values.tobytes())


def test_idx_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, count in (("train", 50), ("t10k", 20)):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 10
        (tmp_path / f"{name}-images-idx3-ubyte.gz").write_bytes(idx(images))
        (tmp_path / f"{name}-labels-idx1-ubyte.gz").write_bytes(idx(labels))
    parts = fashion_mnist.load(folder=tmp_path)
    assert (len(parts.train), len(parts.test)) == (50, 20)  # 10 % of 5 a class rounds to none
    assert parts.test.images.dtype == np.uint8 and np.array_equal(parts.test.images, images)
    for content in (b"", b"not gzip", gzip.compress(b"\0\0\x08"), gzip.compress(b"x" * 100)):
        (tmp_path / "bad.gz").write_bytes(content)
        with pytest.raises(InputError, match="not a gzipped IDX file"):
            fashion_mnist.read_idx(tmp_path / "bad.gz")


def xrays(path: Path, order: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (12, 28, 28), dtype=np.uint8)
    labels = (np.arange(12, dtype=np.uint8) % 2)[:, None]
    np.savez(
        path,
        train_images=images[order],
        train_labels=labels[order],
        val_images=images[6:9],  # one of them is a training picture too
        val_labels=labels[6:9],
        test_images=images[9:],
        test_labels=labels[9:],
    )


def test_xrays_in_any_order_give_the_same_parts(tmp_path: Path) -> None:
    loaded = []
    for name, order in (("a", np.arange(7)), ("b", np.arange(7)[::-1])):
        (tmp_path / name).mkdir()
        xrays(tmp_path / name / pneumoniamnist.OFFICIAL, order)
        loaded.append(pneumoniamnist.load(tmp_path / name))
    first, second = loaded
    assert (len(first.train), len(first.validation), len(first.test)) == (6, 3, 3)
    assert np.array_equal(first.train.images, second.train.images)
    assert pneumoniamnist.content_hash(first) == pneumoniamnist.content_hash(second)
    assert first.train.labels.shape == (6,)


def test_other_files_are_not_taken_for_xrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "objects.npz", train_images=np.array([{"a": 1}], dtype=object))
    (tmp_path / "text.npz").write_text("not an archive")
    np.savez(tmp_path / "colour.npz", train_images=np.zeros((2, 28, 28, 3), np.uint8))
    for name in ("objects.npz", "text.npz", "colour.npz", "none.npz"):
        with pytest.raises(InputError, match=r"not an \.npz file in MedMNIST"):
            pneumoniamnist.read(tmp_path / name)


def test_xrays_are_not_taken_from_a_wrong_download(
    place: Path, upstream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pneumoniamnist, "ADDRESS", upstream)
    with pytest.raises(AssetError, match=pneumoniamnist.OFFICIAL_MD5):
        pneumoniamnist.load()
    assert not is_available("pneumoniamnist")
    monkeypatch.setattr(pneumoniamnist, "ADDRESS", "http://127.0.0.1:9/x.npz")
    with pytest.raises(AssetError, match="DLPORTAL_DATA_DIR"):
        get_dataset("pneumoniamnist")


def test_clips(tmp_path: Path) -> None:
    (tmp_path / "wavs").mkdir()
    soundfile.write(tmp_path / "wavs/c-1.wav", np.zeros((800, 2)), 8000)
    (tmp_path / "metadata.csv").write_text('c-1|No. "1".|number one.\n', "utf-8")
    (clip,) = ljspeech_mini.load(tmp_path)
    assert (clip.id, clip.text, clip.rate, clip.sound.shape) == ("c-1", "number one.", 8000, (800,))
    (tmp_path / "wavs/c-1.wav").write_bytes(b"no sound")
    with pytest.raises(InputError, match="not a WAV file"):
        ljspeech_mini.load(tmp_path)
    (tmp_path / "metadata.csv").write_text("c-1\n", "utf-8")
    with pytest.raises(InputError, match=r"id\|text"):
        ljspeech_mini.load(tmp_path)


@pytest.mark.data
@pytest.mark.parametrize("name", sorted(DATASETS))
def test_the_real_files_are_the_ones_registered(name: str) -> None:
    if not is_available(name):
        pytest.skip(f"{name} is not in DLPORTAL_DATA_DIR")
    assert get_dataset(name).is_dir()


@pytest.mark.data
def test_the_real_splits() -> None:
    reviews = sst2.load()
    assert [len(p) for p in (reviews.train, reviews.validation, reviews.test)] == [6220, 690, 872]
    parts = [set(p.texts) for p in (reviews.train, reviews.validation, reviews.test)]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])

    clothes = fashion_mnist.load()
    sizes = [len(p) for p in (clothes.train, clothes.validation, clothes.test)]
    assert sizes == [54000, 6000, 10000]
    assert np.bincount(clothes.validation.labels).tolist() == [600] * 10

    lungs = pneumoniamnist.load()
    assert [len(p) for p in (lungs.train, lungs.validation, lungs.test)] == [4698, 524, 624]
    pictures = [
        {i.tobytes() for i in p.images} for p in (lungs.train, lungs.validation, lungs.test)
    ]
    assert not (pictures[0] & pictures[1] or pictures[0] & pictures[2] or pictures[1] & pictures[2])
    assert np.bincount(lungs.test.labels).tolist() == [234, 390]

    clips = ljspeech_mini.load()
    assert len(clips) == 8 and {clip.rate for clip in clips} == {22050}
    assert sum(len(clip.sound) for clip in clips) / 22050 == pytest.approx(50.3, abs=0.1)
