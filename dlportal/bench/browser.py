"""A real browser for measurements and tests: Chromium through playwright, where both are here."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ARGUMENTS = [
    "--no-sandbox",  # containers run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# The page is drawn, its script has ended, and nothing on it is still a grey placeholder.
SETTLED = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  return app && app.dataset.testScriptState === 'notRunning' && document.querySelector('h1')
    && !document.querySelector('[data-testid=stSkeleton]')
    && !document.querySelector('[data-stale=true]')
    && [...document.images].every(image => image.complete);
}"""


def missing_browser() -> str:
    """Why there is no browser to use; empty where there is one."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "playwright is not installed (requirements-dev.txt)"
    if find_chromium() is None:
        return f"no chromium: install it, or set DLPORTAL_CHROMIUM; looked for {', '.join(NAMES)}"
    return ""


def find_chromium() -> str | None:
    """The browser's path: `DLPORTAL_CHROMIUM`, else the first of the usual names."""
    wanted = os.environ.get("DLPORTAL_CHROMIUM")
    return wanted or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def open_browser() -> Iterator[Any]:
    """A running Chromium, as playwright's `Browser`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def wait_settled(page: Any, seconds: float = 120.0) -> None:
    """Wait until a page is drawn and its script has ended."""
    page.wait_for_function(SETTLED, timeout=1000 * seconds)
