"""Twelve simultaneous visitors on one network, and one on a light page.

*Throughput*: twelve threads ask the same network for predictions as fast as they get them, through
the lane that the pages use, and, taking turns with that, each on its own without any guard.

*The light page*: a real server; twelve visitors (websocket clients, without browsers, in a process
of their own) run the page of the network again and again without a pause, and one more looks at
the gallery, as a person does, a few times a second. Counted is the time from asking for a run of
the gallery until its last message has arrived. The same visitor alone is the baseline.
"""

import multiprocessing
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from dlportal.assets import AssetError
from dlportal.bench.row import Row, bounded, compared, skipped
from dlportal.bench.server import serve
from dlportal.serving import answer, get_case
from dlportal.ui.websocket_client import Visitor

SUITE = "load"
CASE = "imagenet_classification"
VISITORS = 12
TURNS, TURN = 5, 6.0  # of each kind, seconds each
THROUGHPUT_BAR = 1.1
LIGHT_BAR = 30.0  # milliseconds
LIGHT_RUNS, PAUSE = 60, 0.25  # runs of the light page, seconds between them
# The code panel: the page's network answers at every run, and nothing else is computed.
HEAVY_QUERY = "panel=code"


def measure() -> Iterator[Row]:
    """All rows of this suite."""
    try:
        case = get_case(CASE)
    except (AssetError, OSError) as error:
        yield skipped(SUITE, CASE, str(error))
        return
    yield from throughput(case)
    yield from light_page()


def throughput(case: Any) -> Iterator[Row]:
    """Predictions per second through the lane, beside unguarded threads."""
    raws = [example.load() for example in case.examples()]
    batches: list[int] = []

    def guarded(raw: Any) -> None:
        batches.append(answer(case, raw).batch)

    kinds: list[Callable[[Any], Any]] = [guarded, case.predict]
    for kind in kinds:
        crowd(kind, raws, TURN / 3)
    batches.clear()
    rates: list[list[float]] = [[], []]
    waits: list[list[float]] = [[], []]
    for turn in range(TURNS):
        for index in (0, 1) if turn % 2 else (1, 0):
            seconds, count = crowd(kinds[index], raws, TURN)
            rates[index].append(count / TURN)
            waits[index] += seconds
    p50, p95 = ([quantile(part, q) for part in waits] for q in (0.5, 0.95))
    yield compared(
        SUITE,
        f"{VISITORS} threads on {CASE}, throughput",
        rates[0],
        "answers/s",
        f"{VISITORS} unguarded threads",
        rates[1],
        "at least",
        THROUGHPUT_BAR,
        f"{TURNS} turns of {TURN:g} s each, medians; mean batch "
        f"{statistics.mean(batches):.1f}; waiting p50 {p50[0]:.0f} ms, p95 {p95[0]:.0f} ms "
        f"(unguarded {p50[1]:.0f} and {p95[1]:.0f} ms)",
    )


def crowd(ask: Callable[[Any], Any], raws: list[Any], seconds: float) -> tuple[list[float], int]:
    """Let many threads ask for `seconds`.

    Returns:
        Seconds of every answer, and how many came in time.
    """
    times: list[float] = []
    end = time.perf_counter() + seconds

    def visitor(number: int) -> None:
        turn = number
        while (started := time.perf_counter()) < end:
            ask(raws[turn % len(raws)])
            if time.perf_counter() <= end:
                times.append(time.perf_counter() - started)
            turn += 1

    threads = [threading.Thread(target=visitor, args=(n,)) for n in range(VISITORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, len(times)


def quantile(seconds: list[float], q: float) -> float:
    """A quantile, in ms."""
    return 1000 * sorted(seconds)[min(len(seconds) - 1, int(q * len(seconds)))]


def light_page() -> Iterator[Row]:
    """Runs of the gallery, alone and beside twelve visitors on the network's page."""
    with ExitStack() as stack:
        server = stack.enter_context(serve())
        light = stack.enter_context(Visitor(server.port))
        light.run()  # what is only loaded once
        alone = look_around(light, LIGHT_RUNS, PAUSE)
        # Not in this process: the light visitor would wait for the others' Python.
        spawn = multiprocessing.get_context("spawn")
        entered, stop, runs = spawn.Event(), spawn.Event(), spawn.Value("i", 0)
        busy = spawn.Process(target=keep_busy, args=(server.port, entered, stop, runs), daemon=True)
        busy.start()
        if not entered.wait(120):
            raise RuntimeError("the twelve visitors were not in within two minutes")
        before, started = runs.value, time.perf_counter()
        crowded = look_around(light, LIGHT_RUNS, PAUSE)
        rate = (runs.value - before) / (time.perf_counter() - started)
        stop.set()
        busy.join()
    yield bounded(
        SUITE,
        f"gallery beside {VISITORS} visitors on {CASE}, median run",
        quantile(crowded, 0.5),
        "ms",
        "at most",
        LIGHT_BAR,
        f"p95 {quantile(crowded, 0.95):.0f} ms; alone {quantile(alone, 0.5):.0f} and "
        f"{quantile(alone, 0.95):.0f} ms; {len(crowded)} runs, {PAUSE:g} s apart; the visitors got "
        f"{rate:.1f} page runs/s; one server, websocket clients on the same machine",
    )


def look_around(visitor: Visitor, runs: int, pause: float) -> list[float]:
    """Seconds that each of `runs` runs of a visitor's page takes, `pause` seconds apart."""
    times = []
    for _run in range(runs):
        time.sleep(pause)
        times.append(visitor.run()[1])
    return times


def keep_busy(port: int, entered: Any, stop: Any, runs: Any) -> None:
    """Twelve visitors who run the network's page without a pause, in a process of their own.

    Args:
        port: Of the server.
        entered: Event that is set when all have seen the page once.
        stop: Event that ends it.
        runs: Shared counter of page runs.
    """
    with ExitStack() as stack:
        visitors = [stack.enter_context(Visitor(port, CASE, HEAVY_QUERY)) for _ in range(VISITORS)]
        visitors[0].run()  # loads the network

        def keep_running(visitor: Visitor) -> None:
            while not stop.is_set():
                visitor.run()
                with runs.get_lock():
                    runs.value += 1

        threads = [threading.Thread(target=keep_running, args=(v,)) for v in visitors]
        for thread in threads:
            thread.start()
        while runs.value < VISITORS and not stop.is_set():
            time.sleep(0.05)
        entered.set()
        for thread in threads:
            thread.join()
