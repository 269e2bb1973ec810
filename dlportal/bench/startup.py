"""How soon a page stands, and how much memory an idle server takes, beside a bare Streamlit app.

Every value comes from a server process of its own with a cold start and a fresh browser context
(nothing cached); the bare app's are measured in between. Without a browser the time is counted
from the first message over the websocket to the title's, or the last, message.
"""

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from dlportal.bench.browser import missing_browser, open_browser, wait_settled
from dlportal.bench.row import Row, compared
from dlportal.bench.server import ROOT, Server, bare_app, serve
from dlportal.cards import case_ids
from dlportal.ui.websocket_client import Visitor

SUITE = "startup"
ROUNDS = 5
PAGE_ROUNDS = 3  # of each case page
HOME_BAR, TITLE_BAR = 1.3, 1.5
IDLE = 1.0  # seconds after the visitor has left


class Start(NamedTuple):
    """Seconds to the title and to the whole page, and idle memory in MB."""

    title: float
    whole: float
    memory: float


# Opens a page of a fresh server: (server, page, whether to wait for all of it).
Look = Callable[[Server, str, bool], tuple[float, float]]


def measure() -> Iterator[Row]:
    """All rows of this suite."""
    missing = missing_browser()
    how = f"websocket, not a browser: {missing}" if missing else "Chromium, nothing cached"
    with ExitStack() as stack:
        bare = bare_app(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        look = websocket_look if missing else browser_look(stack)
        cold(bare, "", look)  # the first start reads files from the disk and warms the browser
        starts = defaultdict(list)
        for _round in range(ROUNDS):
            starts["bare"].append(cold(bare, "", look))
            starts["home"].append(cold(ROOT, "", look))
        yield from home_rows(starts["bare"], starts["home"], how)
        yield from title_rows(bare, look, how)


def browser_look(stack: ExitStack) -> Look:
    browser = stack.enter_context(open_browser())

    def look(server: Server, page: str, to_the_end: bool) -> tuple[float, float]:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        tab = context.new_page()
        started = time.perf_counter()
        tab.goto(f"{server.address}/{page}", wait_until="commit")
        # Looked up at every frame; waiting for a selector would look twice a second.
        tab.wait_for_function("() => document.querySelector('h1')?.innerText", timeout=120_000)
        title = time.perf_counter() - started
        if to_the_end:
            wait_settled(tab)
        whole = time.perf_counter() - started
        context.close()
        return title, whole

    return look


def websocket_look(server: Server, page: str, to_the_end: bool) -> tuple[float, float]:
    with Visitor(server.port, page) as visitor:
        return visitor.run()


def cold(folder: Path, page: str, look: Look, to_the_end: bool = True) -> Start:
    """Open one page of a server that has just started."""
    with serve(folder) as server:
        title, whole = look(server, page, to_the_end)
        if to_the_end:
            time.sleep(IDLE)
        return Start(title, whole, server.resident_mb())


def home_rows(bare: list[Start], home: list[Start], how: str) -> Iterator[Row]:
    for name, unit, field in (
        ("gallery, first render on a cold server", "s", "whole"),
        ("gallery, idle memory of the server after a visit", "MB", "memory"),
    ):
        yield compared(
            SUITE,
            name,
            [getattr(start, field) for start in home],
            unit,
            "bare two-line app",
            [getattr(start, field) for start in bare],
            "at most",
            HOME_BAR,
            f"median of {ROUNDS} cold starts; {how}",
        )


def title_rows(bare: Path, look: Look, how: str) -> Iterator[Row]:
    """The title of every case page, each opened by a deep link to a server that just started."""
    pages = [case_id for case_id in case_ids() if (ROOT / "pages" / f"{case_id}.py").exists()]
    titles = defaultdict(list)
    for _round in range(PAGE_ROUNDS):
        for page in pages:
            # A bare start beside every page: the machine is never equally busy for long.
            titles["bare"].append(cold(bare, "", look, to_the_end=False).title)
            titles[page].append(cold(ROOT, page, look, to_the_end=False).title)
    for page in pages:
        yield compared(
            SUITE,
            f"{page}, title by a deep link to a cold server",
            titles[page],
            "s",
            "title of the bare app",
            titles["bare"],
            "at most",
            TITLE_BAR,
            f"median of {PAGE_ROUNDS} cold starts; {how}",
        )
