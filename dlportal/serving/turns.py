"""Turns: work that goes on for seconds and shows itself meanwhile, such as writing token by token.

It cannot go through a lane, because its results come one by one in the visitor's own thread. So
only a few may be at it at once; the others wait in order and are told how many are ahead.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dlportal.messages import N_
from dlportal.serving.lane import Busy

POLL = 0.1  # seconds between looks


class Turns:
    """A few places, and an orderly line for them.

    Args:
        places: How many may be at it at once.
        capacity: How many may wait; one more is refused.
    """

    def __init__(self, places: int = 2, capacity: int = 16) -> None:
        self.places, self.capacity = places, capacity
        self._line: list[object] = []
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, told: Callable[[int], None] | None = None) -> Iterator[None]:
        """Wait for a place and hold it.

        Args:
            told: Called while waiting with how many are ahead; may raise to give up.

        Raises:
            Busy: Too many wait already.
        """
        ticket = object()
        with self._lock:
            waiting = len(self._line) - self.places
            if waiting >= self.capacity:
                raise Busy(
                    N_("{n} visitors are waiting to write already. Try again in a minute."),
                    n=waiting,
                )
            self._line.append(ticket)
        try:
            while (ahead := self._line.index(ticket) - self.places + 1) > 0:
                if told is not None:
                    told(ahead)
                time.sleep(POLL)
            yield
        finally:
            with self._lock:
                self._line.remove(ticket)
