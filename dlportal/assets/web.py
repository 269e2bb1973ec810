"""Open addresses of the web and of the model hub."""

import http.client
import os
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import dlportal
from dlportal.assets.asset import HubFile
from dlportal.assets.transfer import Interrupted, Stream, Unreachable

CHUNK = 1 << 18  # bytes
TIMEOUT = 20.0  # seconds without a byte
KNOCK = 3.0  # seconds to find out whether the hub can be reached
REMEMBER = 60.0  # seconds that this answer holds

_hub_seen: tuple[float, str, bool] = (-REMEMBER, "", False)  # when, endpoint, answer


@contextmanager
def open_web(url: str, offset: int = 0) -> Iterator[Stream]:
    """Open an address with the proxies and certificates of the environment.

    Raises:
        Unreachable: No connection, or the server does not give the file.
        Interrupted: The connection ended too early.
    """
    headers = {"User-Agent": f"dlportal/{dlportal.__version__}", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    request = urllib.request.Request(url, headers=headers)
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT, context=_certificates())
    except urllib.error.HTTPError as error:
        if error.code == 416 and offset:  # nothing after the offset: the part is of another file
            with open_web(url, 0) as stream:
                yield stream
            return
        raise Unreachable(f"{url}: {error}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{url}: {error}") from error
    with answer:
        start = offset if answer.status == 206 else 0
        length = int(answer.headers.get("Content-Length") or 0)
        yield Stream(start, start + length if length else 0, _chunks(answer))


def _chunks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while chunk := answer.read(CHUNK):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise Interrupted(str(error)) from error


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    """The system's certificates, and those that the environment names for pip or requests."""
    context = ssl.create_default_context()
    for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        path = Path(os.environ.get(name) or "/nonexistent")
        if path.exists():
            context.load_verify_locations(
                cafile=str(path) if path.is_file() else None,
                capath=str(path) if path.is_dir() else None,
            )
    return context


def hub_url(source: HubFile) -> str:
    """Address of a hub file (honours `HF_ENDPOINT`)."""
    from huggingface_hub import hf_hub_url

    return hf_hub_url(source.repo, source.path, revision=source.revision)


def hub_copy(source: HubFile) -> Path | None:
    """The file in huggingface_hub's own cache, if it is there."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(source.repo, source.path, revision=source.revision)
    return Path(found) if isinstance(found, str) else None


def hub_reachable() -> bool:
    """Whether the hub answers within three seconds; asked at most once a minute."""
    global _hub_seen
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE or os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "TRUE"}:
        return False
    endpoint = os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
    when, where, answer = _hub_seen
    if where == endpoint and time.monotonic() - when < REMEMBER:
        return answer
    _hub_seen = (time.monotonic(), endpoint, answers(endpoint))
    return _hub_seen[2]


def answers(url: str) -> bool:
    """Whether a server answers in time; in a thread, since a name look-up has no time limit."""
    answers: list[bool] = []
    knock = threading.Thread(target=lambda: answers.append(_head(url)), daemon=True)
    knock.start()
    knock.join(KNOCK + 0.5)
    return bool(answers) and answers[0]


def _head(url: str) -> bool:
    request = urllib.request.Request(url, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=KNOCK, context=_certificates()).close()
    except urllib.error.HTTPError:
        return True  # it answered, if only to say no to this page
    except (OSError, http.client.HTTPException, ValueError):
        return False
    return True
