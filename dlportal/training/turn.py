"""A background training's own process: waits for its turn, and knows when to stop.

Imports no torch: a process that waits must not hold hundreds of megabytes.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dlportal.training.records import change, lock, records

POLL = 0.3  # seconds between looks at the line
NICENESS = 10  # a background training yields to the visitors


def take_turn(folder: Path) -> threading.Event | None:
    """Wait until the job in `folder` may run, and mark it as running.

    Returns:
        A switch that is set when the training shall stop: SIGTERM, SIGINT, or the server that
        started it is gone. None if the job was stopped before its turn.
    """
    yield_to_visitors()
    stopped = threading.Event()

    def stop(number: int, frame: Any) -> None:
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    watch_parent(stopped.set)
    while not stopped.is_set() and not (folder / "stop").exists():
        with lock():
            line = [r for r in records() if r.status in ("waiting", "running")]
            running = sum(record.status == "running" for record in line)
            waiting = [record for record in line if record.status == "waiting"]
            if running < limit() and waiting and waiting[-1].id == folder.name:
                change(folder, status="running")
                return stopped
        time.sleep(POLL)
    change(folder, status="stopped", ended=time.time())
    return None


def yield_to_visitors() -> None:
    """Take the processor only when nobody else wants it; a second call changes nothing."""
    if hasattr(os, "nice"):
        os.nice(max(0, NICENESS - os.nice(0)))


def limit() -> int:
    """How many trainings run at once (`DLPORTAL_TRAININGS`, 1 by default)."""
    return max(1, int(os.environ.get("DLPORTAL_TRAININGS", "1")))


def watch_parent(gone: Callable[[], None]) -> None:
    """Call `gone` once the process that started this one has ended."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        gone()

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()
