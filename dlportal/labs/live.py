"""A lab's run in a thread of its own: it can be watched, paused, stepped and stopped.

All such runs of the process take turns, frame by frame, on one core at a low priority. So two
visitors who train at once each get half, a paused run takes nothing, and pages stay quick.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Literal, TypeVar

from dlportal.messages import UserError
from dlportal.serving.lane import cores, step_back, torch_threads

Frame = TypeVar("Frame")
State = Literal["running", "paused", "done", "stopped", "failed"]
UNSEEN = 120.0  # seconds after which a run that nobody looks at stops
PATIENCE = 0.1  # seconds that a step is waited for: it is shown at once if it is there by then
POLL = 0.5  # seconds between looks whether anybody is there

log = logging.getLogger(__name__)


class InTurn:
    """A lock that is given in the order in which it was asked for."""

    def __init__(self) -> None:
        self._line: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        ticket = object()
        with self._changed:
            self._line.append(ticket)
            self._changed.wait_for(lambda: self._line[0] is ticket)
        try:
            yield
        finally:
            with self._changed:
                self._line.popleft()
                self._changed.notify_all()


in_turn = InTurn()


class Live(Generic[Frame]):
    """A run that has begun.

    Args:
        frames: The run; the next frame is computed when the one before has been taken.
        gone: Asked now and then; True stops the run.
        pace: Seconds from one frame to the next at least, so that an eye can follow.

    Attributes:
        frames: Everything computed so far; only ever appended to.
        seconds: Of computing so far.
        error: What ended it, if it failed for a reason that a visitor can put right.
    """

    def __init__(
        self,
        frames: Iterator[Frame],
        gone: Callable[[], bool] | None = None,
        pace: float = 0.0,
    ) -> None:
        self.frames: list[Frame] = []
        self.seconds = 0.0
        self.error: UserError | None = None
        self._source, self._gone, self._pace = frames, gone, pace
        self._changed = threading.Condition()
        self._state: State = "running"
        self._allowed = 0  # steps that a paused run may still take
        self._looked = time.monotonic()
        threading.Thread(target=self._work, name="dlportal-live", daemon=True).start()

    @property
    def state(self) -> State:
        return self._state

    @property
    def active(self) -> bool:
        """Whether frames may still come."""
        return self._state in ("running", "paused")

    def look(self) -> list[Frame]:
        """All frames so far, for somebody who watches."""
        self._looked = time.monotonic()
        return self.frames[:]

    def pause(self) -> None:
        self._become("paused")

    def go_on(self) -> None:
        self._become("running")

    def stop(self) -> None:
        self._become("stopped")

    def step(self, patience: float = PATIENCE) -> None:
        """Let a paused run compute one frame; wait for it, but no longer than `patience` seconds."""
        with self._changed:
            before = len(self.frames)
            self._allowed += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: len(self.frames) > before or not self.active, patience)

    def first(self, patience: float) -> None:
        """Wait for the first frame, but no longer than `patience` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self.frames) or not self.active, patience)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended; False if it has not within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.active, timeout)

    def _become(self, state: State) -> None:
        with self._changed:
            if self.active:
                self._state, self._allowed = state, 0
                self._changed.notify_all()

    def _work(self) -> None:
        step_back()
        try:
            while self._may_go():
                if not self._advance():
                    self._become("done")
                self._rest()
        except UserError as error:
            self.error = error
            self._become("failed")
        except Exception:
            log.exception("a live run broke off")
            self._become("failed")

    def _rest(self) -> None:
        """Wait as long as the pace wants, unless somebody pauses or stops it."""
        with self._changed:
            self._changed.wait_for(lambda: self._state != "running", self._pace)

    def _may_go(self) -> bool:
        """Wait while paused; False once it shall end."""
        with self._changed:
            while True:
                if self._state == "running" and not self._left():
                    return True
                if self._state == "paused" and self._allowed:
                    self._allowed -= 1
                    return True
                if not self.active or self._left():
                    self._become("stopped")
                    return False
                self._changed.wait(POLL)

    def _left(self) -> bool:
        unseen = time.monotonic() - self._looked > UNSEEN
        return unseen or (self._gone is not None and self._gone())

    def _advance(self) -> bool:
        """Compute a frame; False after the last one."""
        with in_turn(), torch_threads(cores()):
            started = time.monotonic()
            frame = next(self._source, None)
            self.seconds += time.monotonic() - started
        if frame is None:
            return False
        with self._changed:
            self.frames.append(frame)
            self._changed.notify_all()
        return True
