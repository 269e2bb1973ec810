"""What the server adds to Streamlit's: it is ready before the first visitor, and says what to load."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from dlportal.ui import preload


def headers_of(content_type: str) -> dict[str, str]:
    """Response headers of a page of this type behind the middleware."""

    async def page(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", content_type.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    asyncio.run(preload.Preload(page)({"type": "http"}, receive, send))
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def test_pages_name_the_files_they_need() -> None:
    named = headers_of("text/html; charset=utf-8")["link"]
    for element in preload.ELEMENTS:
        assert f"./static/js/{element}." in named
    for font in preload.FONTS:
        assert f"./static/media/{font}." in named
    assert "link" not in headers_of("text/javascript")


def test_named_files_exist_once_and_are_not_named_by_streamlit() -> None:
    names = preload.needed(preload.ELEMENTS)
    index = (preload.STATIC / "index.html").read_text("utf-8")
    assert len(set(names)) == len(names) > len(preload.ELEMENTS)
    for name in names:
        assert (preload.STATIC / "static" / "js" / name).exists()
        assert name not in index


@pytest.mark.parametrize("module", ["dlportal.ui.gallery", "dlportal.ui.frame"])
def test_the_server_has_read_the_first_page_before_it_takes_visitors(module: str) -> None:
    """In a process of its own, since this one has imported everything; torch stays out."""
    code = (
        "import asyncio, sys\n"
        "from dlportal.ui.ready import ready\n"
        "async def start():\n"
        "    async with ready(None):\n"
        f"        assert {module!r} in sys.modules and 'torch' not in sys.modules\n"
        "asyncio.run(start())\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
