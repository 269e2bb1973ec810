"""How quick the laboratories are: a step, the first picture of a training, its updates, the others.

A real server and visitors without browsers (websocket clients) that press the pages' own buttons
and run again the fragments that ask for it, as a browser does. Times are the server's: from
asking until the last message of an answer, or until the first changed picture, has arrived. What
a browser with nothing cached adds to that, `first_chart.py` measures.

*The others*: the gallery, run a few times a second by another visitor while this one trains,
beside the same visitor with nobody training; they take turns.
"""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dlportal.bench import first_chart
from dlportal.bench.load import look_around, quantile
from dlportal.bench.row import Row, bounded, compared
from dlportal.bench.server import serve
from dlportal.ui.websocket_client import Answer, Visitor

SUITE = "labs"
STEP_BAR = 150.0  # milliseconds
FIRST_BAR = 1.0  # seconds
RATE_BAR = 2.0  # updates a second
OTHERS_BAR = 2.0
STEPS = 20
WATCHED = 5.0  # seconds
TURNS, RUNS, PAUSE = 3, 12, 0.2  # of the gallery, alone and beside; seconds between runs
MOST = 60.0  # seconds to wait for a picture


@dataclass(frozen=True)
class Lab:
    """A page with a training, and the keys of its buttons.

    `pause` is "" where a training moves only when asked: there `step` is always possible, and
    `start` is a button for many steps at once. `fresh` is pressed before `start` where the lab
    remembers what it has computed. `reading` is how many seconds a visitor looks at the page before
    pressing `start`; a page that trains in a process of its own has one get ready meanwhile.
    """

    page: str
    query: str
    start: str
    pause: str
    step: str
    stop: str
    note: str = ""
    fresh: str = ""
    reading: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.page} ({self.note})" if self.note else self.page


LABS = (
    Lab("backprop_lab", "", "steps_100", "", "phase_next", "start_over", fresh="new_seed"),
    Lab(
        "optimizer_race",
        "track=net&steps=400",
        "race_again",
        "race_pause",
        "race_step",
        "race_stop",
        "small network",
    ),
    Lab(
        "optimizer_race",
        "track=fashion&steps=400",
        "race_again",
        "race_pause",
        "race_step",
        "race_stop",
        "pictures",
    ),
    Lab(
        "optimizer_race",
        "panel=trust&steps=400",
        "sweep_start",
        "sweep_pause",
        "sweep_step",
        "sweep_stop",
        "all learning rates",
    ),
    Lab("regularization_lab", "epochs=400&t=0", "new_seed", "play", "one_step", "stop"),
    Lab(
        "practice_lab",
        "",
        "practice_start",
        "practice_pause",
        "practice_step",
        "practice_stop",
    ),
    Lab(
        "architecture_tour",
        "panel=train",
        "train_start",
        "train_pause",
        "train_step",
        "train_stop",
        reading=15.0,
    ),
)


def measure() -> Iterator[Row]:
    """All rows of this suite."""
    with serve() as server:
        yield from first_chart.rows(SUITE, server)
        for lab in LABS:
            yield from rows_of(lab, server.port)


def rows_of(lab: Lab, port: int) -> Iterator[Row]:
    """Four rows of a lab; of one that moves only when asked, three."""
    with Visitor(port, lab.page, lab.query) as visitor:
        visitor.run()
        settle(visitor, lab)
        draw_first(visitor, lab)  # what is only loaded once
        settle(visitor, lab)
        yield bounded(
            SUITE,
            f"{lab.name}: from the button to the first new picture",
            draw_first(visitor, lab),
            "s",
            "at most",
            FIRST_BAR,
            f"button {lab.start}",
        )
        if lab.pause:
            yield bounded(
                SUITE,
                f"{lab.name}: updates a second while it trains",
                updates(visitor),
                "/s",
                "at least",
                RATE_BAR,
                f"runs with a changed picture in {WATCHED:g} s",
            )
            # Anew: a quick machine may be near the end, and there must be steps left to take.
            settle(visitor, lab)
            draw_first(visitor, lab)
            visitor.click(lab.pause)
        times = steps(visitor, lab)
        yield bounded(
            SUITE,
            f"{lab.name}: answer to a step",
            quantile(times, 0.5),
            "ms",
            "at most",
            STEP_BAR,
            f"median of {STEPS}; p95 {quantile(times, 0.95):.0f} ms; until the new picture",
        )
        visitor.click(lab.stop)
        yield others(visitor, lab, port)
        settle(visitor, lab)


def settle(visitor: Visitor, lab: Lab) -> None:
    """Stop what runs, and wait until the page stands still.

    Raises:
        RuntimeError: It goes on.
    """
    if lab.stop in visitor.buttons and visitor.timers:
        visitor.click(lab.stop)
    end = time.perf_counter() + MOST
    while visitor.tick() is not None:
        if time.perf_counter() > end:
            raise RuntimeError(f"{lab.name}: the training does not stop")
        time.sleep(0.1)


def draw_first(visitor: Visitor, lab: Lab) -> float:
    """Seconds from pressing start until a changed picture has come."""
    if lab.fresh:
        visitor.click(lab.fresh)
    time.sleep(lab.reading)
    return until_drawn(visitor, lab, lab.start)


def until_drawn(visitor: Visitor, lab: Lab, button: str) -> float:
    """Seconds from pressing a button until a changed picture has come, at once or with a later
    run that the page's timer asks for.

    Raises:
        RuntimeError: None came.
    """
    started = time.perf_counter()
    answer: Answer | None = visitor.click(button)
    asked = started
    while answer is None or not answer.drawn:
        if time.perf_counter() > started + MOST:
            raise RuntimeError(f"{lab.name}: no new picture after {button} within {MOST:.0f} s")
        time.sleep(min([*visitor.timers.values(), 0.5]))
        asked = time.perf_counter()
        answer = visitor.tick()
    return asked - started + answer.drawn


def updates(visitor: Visitor) -> float:
    """Runs a second with a changed picture, while the page's own timer asks for them."""
    started, changed = time.perf_counter(), 0
    while time.perf_counter() < started + WATCHED:
        asked = time.perf_counter()
        answer = visitor.tick()
        if answer is None:
            break
        changed += answer.drawn > 0
        interval = min([*visitor.timers.values(), 0.5])
        time.sleep(max(0.0, asked + interval - time.perf_counter()))
    return changed / (time.perf_counter() - started)


def steps(visitor: Visitor, lab: Lab) -> list[float]:
    """Seconds of single steps, each until its picture has come."""
    times = []
    for _step in range(STEPS):
        time.sleep(PAUSE)
        times.append(until_drawn(visitor, lab, lab.step))
    return times


def others(visitor: Visitor, lab: Lab, port: int) -> Row:
    """Runs of the gallery beside a training, and without."""
    alone: list[float] = []
    beside: list[float] = []
    with Visitor(port) as light:
        for _run in range(3):
            light.run()
        for _turn in range(TURNS):
            settle(visitor, lab)
            alone += look_around(light, RUNS, PAUSE)
            with training(visitor, lab):
                beside += look_around(light, RUNS, PAUSE)
    return compared(
        SUITE,
        f"gallery beside a training in {lab.name}, median run",
        [1000 * seconds for seconds in beside],
        "ms",
        "nobody trains",
        [1000 * seconds for seconds in alone],
        "at most",
        OTHERS_BAR,
        f"{TURNS} turns of {RUNS} runs, {PAUSE:g} s apart; p95 {quantile(beside, 0.95):.0f} and "
        f"{quantile(alone, 0.95):.0f} ms; mean {1000 * statistics.mean(beside):.0f} and "
        f"{1000 * statistics.mean(alone):.0f} ms",
    )


@contextmanager
def training(visitor: Visitor, lab: Lab) -> Iterator[None]:
    """Train while the block runs: watch, and start again where it ends."""
    over = threading.Event()

    def train() -> None:
        while not over.is_set():
            asked = time.perf_counter()
            if visitor.tick() is None:
                if lab.start not in visitor.buttons:
                    visitor.run()
                visitor.click(lab.start if lab.pause else lab.step)
            interval = min([*visitor.timers.values(), 0.4])
            over.wait(max(0.0, asked + interval - time.perf_counter()))

    thread = threading.Thread(target=train)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
