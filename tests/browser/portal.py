"""A running portal with a cache folder of its own, and tabs that watch their console."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlportal.assets import cache_dir
from dlportal.bench.browser import wait_settled
from dlportal.bench.server import Server, serve

PATIENCE = 240_000  # ms: a condition that holds at once is seen at once, even so
WIDE, NARROW = (1280, 900), (390, 844)
# Streamlit looks for its own endpoints below the page's address before it finds them.
KNOWN = re.compile(r"/[a-z_]+/_stcore/(health|host-config)$")


@contextmanager
def portal(folder: Path) -> Iterator[Server]:
    """A server whose trainings are its own, but whose weights and data are those already here."""
    for name in ("assets", "data"):
        (cache_dir() / name).mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(cache_dir() / name, target_is_directory=True)
    quiet = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
    with serve(environment={"DLPORTAL_CACHE_DIR": str(folder), **quiet}, log=folder / "log") as it:
        yield it


class Tab:
    """One visitor's tab.

    Args:
        browser: playwright's.
        server: The portal.
        locale: The browser's language.
        size: Of the window.
    """

    def __init__(
        self, browser: Any, server: Server, locale: str = "en-US", size: tuple[int, int] = WIDE
    ) -> None:
        self.server = server
        self.context = browser.new_context(
            locale=locale,
            viewport={"width": size[0], "height": size[1]},
            accept_downloads=True,
            reduced_motion="reduce",
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.complaints: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: Any) -> None:
        address = message.location.get("url", "")
        elsewhere = address.startswith("http") and not address.startswith(self.server.address)
        if message.type == "error" and not elsewhere and not KNOWN.search(address):
            self.complaints.append(f"{message.text} {address}")

    def open(self, path: str = "") -> None:
        """Go to a page and wait until it stands."""
        self.page.goto(f"{self.server.address}/{path}", wait_until="commit")
        self.settle()

    def settle(self) -> None:
        """Wait until the page is drawn and its script has ended."""
        wait_settled(self.page, PATIENCE / 1000)

    def text(self) -> str:
        return self.page.inner_text("[data-testid=stApp]")

    def button(self, name: str) -> Any:
        """A button by what it says."""
        return self.page.get_by_role("button", name=name, exact=True)

    def choose(self, name: str) -> None:
        """Press the choice of a segmented control or of pills that says exactly this."""
        group = self.page.locator("[data-testid=stButtonGroup]")
        # "Train" is not "Just trained", which stands above it once a training has ended.
        says = self.page.get_by_text(name, exact=True)
        group.get_by_role("radio").filter(has=says).first.click()

    def check(self) -> None:
        """No traceback, no complaint in the console."""
        assert self.page.locator("[data-testid=stException]").count() == 0
        assert "Traceback" not in self.text()
        assert not self.complaints, self.complaints

    def __enter__(self) -> "Tab":
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is not None:  # pytest shows it beside the failure
            print(f"{self.page.url}\n{self.text()}\n{self.complaints}")
        self.context.close()


# What a screen reader needs: a text (maybe empty) for every picture, a name for every control.
NAMELESS = """() => {
  const seen = e => e.getClientRects().length > 0;
  const name = e => (e.innerText || '').trim() || e.getAttribute('aria-label') || e.title
    || e.getAttribute('aria-labelledby') || (e.labels && e.labels.length) || e.placeholder;
  const bad = [];
  for (const e of document.querySelectorAll('img')) if (!e.hasAttribute('alt')) bad.push(e);
  for (const e of document.querySelectorAll('button, select, textarea, input:not([type=file])'))
    if (seen(e) && !name(e)) bad.push(e);
  return bad.map(e => e.outerHTML.slice(0, 160));
}"""
# How far the page can be scrolled sideways, in pixels.
SIDEWAYS = """() => Math.max(...[document.documentElement,
  ...document.querySelectorAll('[data-testid=stMain], [data-testid=stAppViewContainer]')]
  .map(e => e.scrollWidth - e.clientWidth))"""
