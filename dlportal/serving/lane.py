"""A lane: one worker thread, a bounded queue, and micro-batches.

Many visitors share one network and two cores. Letting every session compute at once makes all
of them slow and stalls the light pages; one lane that joins waiting inputs of the same case
into a batch is faster than unguarded threads and keeps the rest responsive.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any

from dlportal.messages import N_, UserError

BATCH = 8  # inputs that may share a forward pass
WINDOW = 0.005  # seconds to wait for others to join a batch
POLL = 0.05  # seconds between looks whether the visitor is still there


class Busy(UserError):
    """The queue is full: says how many wait and for about how long."""


class TookTooLong(UserError):
    """The work was not done within the time that the caller allowed."""


class Gone(Exception):
    """The visitor left while waiting; nobody needs an answer."""


@dataclass
class Job:
    group: Any  # jobs with an equal group (not None) may share a batch
    run: Callable[[Sequence[Any]], Sequence[Any]]  # maps the items of a batch to their results
    item: Any
    future: Future = field(default_factory=Future)
    queued: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Done:
    """A result with how long it waited, how long the batch took, and how many shared it."""

    value: Any
    waited: float
    seconds: float
    batch: int


class Lane:
    """Runs jobs one batch at a time, in order of arrival.

    Args:
        name: Of the worker thread.
        capacity: Jobs that may wait; one more is refused with `Busy`.
    """

    def __init__(self, name: str, capacity: int = 64) -> None:
        self.capacity = capacity
        self._jobs: deque[Job] = deque()
        self._ready = threading.Condition()
        self._recent = 0.1  # running mean of seconds a job, for the waiting time we quote
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def waiting(self) -> int:
        return len(self._jobs)

    def submit(
        self,
        run: Callable[[Sequence[Any]], Sequence[Any]],
        item: Any,
        group: Any = None,
        timeout: float = 30.0,
        gone: Callable[[], bool] | None = None,
    ) -> Done:
        """Queue a job and wait for it.

        Args:
            run: Gets a list of items (one, unless `group` is given) and returns their results.
            item: This job's item.
            group: Jobs of an equal group may run together.
            timeout: Seconds to wait at most.
            gone: Asked now and then; True withdraws the job.

        Raises:
            Busy: Too many jobs wait already.
            TookTooLong: Not done within `timeout`.
            Gone: `gone()` said so.
        """
        job = Job(group, run, item)
        with self._ready:
            if len(self._jobs) >= self.capacity:
                raise Busy(
                    N_(
                        "Many visitors at once: {n} are ahead, about {seconds:.0f} s. Try again then."
                    ),
                    n=len(self._jobs),
                    seconds=len(self._jobs) * self._recent,
                )
            self._jobs.append(job)
            self._ready.notify()
        return self._wait(job, timeout, gone)

    def _wait(self, job: Job, timeout: float, gone: Callable[[], bool] | None) -> Done:
        end = time.monotonic() + timeout
        while True:
            try:
                return job.future.result(timeout=min(POLL, max(0.0, end - time.monotonic())))
            except TimeoutError:
                if job.future.done():  # the work itself raised a TimeoutError
                    raise
                if gone is not None and gone():
                    job.future.cancel()
                    raise Gone from None
                if time.monotonic() >= end:
                    job.future.cancel()
                    raise TookTooLong(
                        N_("This took longer than {seconds:.0f} s and was stopped. Try again."),
                        seconds=timeout,
                    ) from None
            except CancelledError:
                raise Gone from None

    def _work(self) -> None:
        while True:
            batch = self._next_batch()
            live = [job for job in batch if job.future.set_running_or_notify_cancel()]
            if live:
                self._run(live)

    def _next_batch(self) -> list[Job]:
        """Take the first job and those that can join it within the window."""
        with self._ready:
            while not self._jobs:
                self._ready.wait()
            first = self._jobs.popleft()
            if first.group is None:
                return [first]
            batch = [first]
            end = time.monotonic() + WINDOW
            while len(batch) < BATCH:
                self._take_alike(batch)
                left = end - time.monotonic()
                if len(batch) >= BATCH or left <= 0:
                    break
                self._ready.wait(left)
            return batch

    def _take_alike(self, batch: list[Job]) -> None:
        for job in list(self._jobs):
            if len(batch) >= BATCH:
                return
            if job.group == batch[0].group:
                self._jobs.remove(job)
                batch.append(job)

    def _run(self, live: list[Job]) -> None:
        started = time.monotonic()
        try:
            values = live[0].run([job.item for job in live])
        except Exception as error:
            if len(live) > 1:  # one bad input must not spoil the others' answers
                for job in live:
                    self._run_alone(job)
                return
            live[0].future.set_exception(error)
            return
        seconds = time.monotonic() - started
        self._recent = 0.8 * self._recent + 0.2 * seconds / len(live)
        for job, value in zip(live, values, strict=True):
            job.future.set_result(Done(value, started - job.queued, seconds, len(live)))

    def _run_alone(self, job: Job) -> None:
        started = time.monotonic()
        try:
            (value,) = job.run([job.item])
        except Exception as error:
            job.future.set_exception(error)
            return
        seconds = time.monotonic() - started
        job.future.set_result(Done(value, started - job.queued, seconds, 1))
