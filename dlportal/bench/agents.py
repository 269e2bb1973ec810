"""How soon an agent's episode appears, who waits for it, and whether the lander answers to keys.

*Episodes* and *the others*: a real server and visitors without browsers (websocket clients). One
asks for start after start that nobody has seen yet, so that every episode is played anew; another
looks at the gallery a few times a second, alone and meanwhile. Times are the server's.

*By keyboard*: a real browser holds a key on the lander's page; counted are the frames that the
page draws, from the key to the first new one and from one to the next.
"""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dlportal.bench.browser import missing_browser, open_browser, wait_settled
from dlportal.bench.load import look_around, quantile
from dlportal.bench.row import Row, bounded, skipped
from dlportal.bench.server import Server, serve
from dlportal.ui.websocket_client import Visitor

SUITE = "agents"
APPEARS_BAR = 2.0  # seconds, the slowest
OTHERS_BAR = 50.0  # milliseconds, the median
KEY_BAR = 500.0  # milliseconds from a key to the first new frame
FRAME_BAR = 50.0  # milliseconds between frames, the median
STALL_BAR = 200.0  # milliseconds, all but one frame in twenty
STARTS = 6
RUNS, PAUSE = 40, 0.2  # of the gallery; seconds between runs
HELD = 6.0  # seconds a key is held
# Page, world (its name on the page; "" where there is one) and how long an episode can be.
AGENTS = (
    ("classic_control", "CartPole", 500),
    ("classic_control", "Acrobot", 500),
    ("classic_control", "MountainCar", 200),
    ("classic_control", "Pendulum", 200),
    ("lunar_lander", "", 1000),
)
CANVAS = ".flight canvas"
# Every frame of the flight fills the visitor's ship once.
WATCH = """() => {
  const fill = CanvasRenderingContext2D.prototype.fill
  window.drawn = []
  CanvasRenderingContext2D.prototype.fill = function (...given) {
    if (this.canvas.closest(".flight")) window.drawn.push(performance.now())
    return fill.apply(this, given)
  }
}"""


def measure() -> Iterator[Row]:
    """All rows of this suite."""
    with serve() as server:
        for page, world, steps in AGENTS:
            with Visitor(server.port, page) as visitor:
                starts = settle(visitor, world)
                yield appears(visitor, page, world, steps, starts)
                yield others(visitor, page, world, starts, server.port)
        yield from by_keyboard(server)


def settle(visitor: Visitor, world: str) -> Iterator[int]:
    """Open the page and choose the world; returns starts that nobody has asked for."""
    visitor.run()
    if world:
        visitor.enter("world", string_array_value={"data": [world]})
    starts = itertools.count(1)
    visitor.enter("start", double_value=float(next(starts)))  # what is only loaded once
    return starts


def name_of(page: str, world: str) -> str:
    return f"{page} ({world})" if world else page


def appears(visitor: Visitor, page: str, world: str, steps: int, starts: Iterator[int]) -> Row:
    """From a new start to the new episode's picture."""
    times = []
    for start in itertools.islice(starts, STARTS):
        answer = visitor.enter("start", double_value=float(start))
        if not answer.drawn:
            raise RuntimeError(f"{name_of(page, world)}: no new picture after start {start}")
        times.append(answer.drawn)
    return bounded(
        SUITE,
        f"{name_of(page, world)}: from a new start to its episode",
        max(times),
        "s",
        "at most",
        APPEARS_BAR,
        f"slowest of {STARTS}, median {quantile(times, 0.5):.0f} ms; at most {steps} steps, and a "
        "random player's beside it",
    )


def others(visitor: Visitor, page: str, world: str, starts: Iterator[int], port: int) -> Row:
    """Runs of the gallery while episodes are played without a pause."""
    with Visitor(port) as light:
        for _run in range(3):
            light.run()
        alone = look_around(light, RUNS, PAUSE)
        with playing(visitor, starts) as played:
            beside = look_around(light, RUNS, PAUSE)
    return bounded(
        SUITE,
        f"gallery beside episodes of {name_of(page, world)}, median run",
        quantile(beside, 0.5),
        "ms",
        "at most",
        OTHERS_BAR,
        f"p95 {quantile(beside, 0.95):.0f} ms; alone {quantile(alone, 0.5):.0f} and "
        f"{quantile(alone, 0.95):.0f} ms; {RUNS} runs, {PAUSE:g} s apart, beside "
        f"{len(played)} episodes one after another",
    )


@contextmanager
def playing(visitor: Visitor, starts: Iterator[int]) -> Iterator[list[float]]:
    """Ask for one new start after another while the block runs; gives the times they took."""
    over, times = threading.Event(), list[float]()

    def play() -> None:
        while not over.is_set():
            times.append(visitor.enter("start", double_value=float(next(starts))).seconds)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield times
    finally:
        over.set()
        thread.join()


def by_keyboard(server: Server) -> Iterator[Row]:
    """A flight with the main engine's key held, in a real browser."""
    name = "lunar_lander by keyboard"
    if why := missing_browser():
        yield skipped(SUITE, name, why)
        return
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{server.address}/lunar_lander")
        wait_settled(page)
        answer, gaps = fly(page)
    yield bounded(
        SUITE,
        f"{name}: from the first key to the first new frame",
        answer,
        "ms",
        "at most",
        KEY_BAR,
        "one turn of ten steps is computed on the server in between",
    )
    frames = f"{len(gaps)} frames in {HELD:g} s with ↑ held"
    yield bounded(
        SUITE, f"{name}: frame, median", quantile(gaps, 0.5), "ms", "at most", FRAME_BAR, frames
    )
    yield bounded(
        SUITE, f"{name}: frame, p95", quantile(gaps, 0.95), "ms", "at most", STALL_BAR, frames
    )


def fly(page: Any) -> tuple[float, list[float]]:
    """Hold the main engine's key.

    Returns:
        Milliseconds until the first new frame, and seconds between frames.
    """
    page.evaluate(WATCH)
    canvas = page.locator(CANVAS)
    canvas.scroll_into_view_if_needed()
    canvas.focus()
    page.evaluate("() => { window.drawn.length = 0 }")
    pressed = page.evaluate("() => performance.now()")
    page.keyboard.down("ArrowUp")
    page.wait_for_function("() => window.drawn.length > 0")
    time.sleep(HELD)
    page.keyboard.up("ArrowUp")
    drawn = page.evaluate("() => window.drawn")
    gaps = [(after - before) / 1000 for before, after in itertools.pairwise(drawn)]
    return drawn[0] - pressed, gaps
