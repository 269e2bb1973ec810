"""How soon a training's first chart stands in a browser that has nothing cached.

The browser itself takes the time: from the press of the button to the first frame in which one of
the charts that are drawn in place looks different.
"""

import statistics
from collections.abc import Iterator
from typing import Any

from dlportal.bench.browser import missing_browser, open_browser, wait_settled
from dlportal.bench.row import Row, bounded, skipped
from dlportal.bench.server import Server

BAR = 1.0  # seconds
ROUNDS = 3
MOST = 60_000  # milliseconds to wait for a chart
# A page, its settings in the link, and the key of the button that starts its training.
PRESSED = (
    ("regularization_lab", "t=0", "play"),
    ("practice_lab", "part=train", "practice_start"),
    ("optimizer_race", "panel=trust&steps=400", "sweep_start"),
)
CLOCK = """() => {
  const charts = () => [...document.querySelectorAll('[data-testid=stElementContainer] *')]
    .flatMap(e => [...(e.shadowRoot?.querySelectorAll('svg.chart') || [])])
    .map(chart => chart.innerHTML).join()
  const before = charts()
  window.drawnAfter = null
  document.addEventListener('click', () => {
    const pressed = performance.now()
    const look = () => {
      if (charts() === before) requestAnimationFrame(look)
      else window.drawnAfter = (performance.now() - pressed) / 1000
    }
    look()
  }, { capture: true, once: true })
}"""


def rows(suite: str, server: Server) -> Iterator[Row]:
    """A row for each laboratory that has such a button."""
    missing = missing_browser()
    if missing:
        yield skipped(suite, "first chart in a browser with nothing cached", missing)
        return
    with open_browser() as browser:
        for page, query, button in PRESSED:
            found = [first_chart(browser, server, page, query, button) for _n in range(ROUNDS)]
            yield bounded(
                suite,
                f"{page}: from the button to the first chart, browser with nothing cached",
                statistics.median(found),
                "s",
                "at most",
                BAR,
                f"button {button}; Chromium; median of {ROUNDS} fresh contexts, "
                f"{min(found):.2f}-{max(found):.2f} s",
            )


def first_chart(browser: Any, server: Server, page: str, query: str, button: str) -> float:
    """Seconds from the press of a button until a chart looks different."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        tab = context.new_page()
        tab.goto(f"{server.address}/{page}?{query}", wait_until="commit")
        start = tab.locator(f".st-key-{button} button")
        start.wait_for(timeout=MOST)
        wait_settled(tab)
        tab.evaluate(CLOCK)
        start.click()
        tab.wait_for_function("() => window.drawnAfter !== null", timeout=MOST)
        return float(tab.evaluate("window.drawnAfter"))
    finally:
        context.close()
