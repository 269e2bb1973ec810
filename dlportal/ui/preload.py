"""Tells the browser with the page itself which parts of Streamlit's frontend it will need.

Streamlit's browser side loads the code of a widget when the first one arrives, and a file only
after the one that imports it: the gallery's four kinds of element take twenty-five requests, one
after another, while nothing is on the page. Named in a `Link` header
(https://html.spec.whatwg.org/multipage/links.html#link-type-modulepreload) they come beside the
large files, before the server is even asked for the page.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = Path(streamlit.__file__).parent / "static"
# What stands on every page (buttons, chips) and in the gallery (search, the component of tiles).
ELEMENTS = ("ButtonGroup", "Button", "TextInput", "BidiComponent")
FONTS = ("MaterialSymbols-Rounded", "SourceSerifVariable-Roman")
IMPORT = re.compile(r"""(?:from|import)\s*["']\./([\w.\-]+\.js)["']""")


class Preload:
    """ASGI middleware: adds the header to every HTML page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.links = ", ".join(links())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_links(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("link", self.links)
            await send(message)

        await self.app(scope, receive, with_links)


def links() -> Iterator[str]:
    """Values of the header; addresses relative to the page, as in Streamlit's own `index.html`."""
    for name in needed(ELEMENTS):
        yield f"<./static/js/{name}>; rel=modulepreload; crossorigin"
    for font in FONTS:
        for path in sorted(STATIC.glob(f"static/media/{font}.*woff2")):
            yield f"<./static/media/{path.name}>; rel=preload; as=font; crossorigin"


@cache
def needed(elements: Sequence[str]) -> list[str]:
    """File names of the elements' code and of all it imports, less what `index.html` names."""
    known = set(re.findall(r"static/js/([\w.\-]+\.js)", (STATIC / "index.html").read_text("utf-8")))
    waiting = [path.name for e in elements for path in STATIC.glob(f"static/js/{e}.*.js")]
    found: list[str] = []
    while waiting:
        name = waiting.pop(0)
        path = STATIC / "static" / "js" / name
        if name in known or name in found or not path.exists():
            continue
        found.append(name)
        waiting.extend(IMPORT.findall(path.read_text("utf-8")))
    return found
