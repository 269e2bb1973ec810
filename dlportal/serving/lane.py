"""A lane: a bounded queue, micro-batches, and a worker thread for each core.

Many visitors share one network and two cores. Letting every session compute at once makes all
of them slow and stalls the light pages. A lane joins waiting inputs of the same case into
batches. While several batches run, each keeps to its share of the cores: a small network on two
cores spends half its time waiting for itself, two of them with a core each do not (1.8 times the
answers of unguarded threads on the case with 1000 classes). An input that comes alone gets all.
"""

import logging
import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dlportal.messages import N_, UserError

BATCH = 8  # inputs that may share a forward pass
WINDOW = 0.005  # seconds to wait for others to join a batch
POLL = 0.2  # seconds between looks whether the visitor is still there
NICER = 5  # by how much workers let the threads that draw pages go first

log = logging.getLogger(__name__)


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
    """Runs jobs in order of arrival, as many batches at a time as it has workers.

    Args:
        name: Of the worker threads.
        capacity: Jobs that may wait; one more is refused with `Busy`.
        workers: Batches that may run at a time.
    """

    def __init__(self, name: str, capacity: int = 64, workers: int = 1) -> None:
        self.capacity = capacity
        self.workers = workers
        self._jobs: deque[Job] = deque()
        self._ready = threading.Condition()
        self._busy = 0  # workers that have a batch
        self._recent = 0.1  # running mean of seconds a job, for the waiting time we quote
        for number in range(workers):
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

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
                    seconds=len(self._jobs) * self._recent / self.workers,
                )
            self._jobs.append(job)
            # All: a worker that waits for company may not be the one that this job needs.
            self._ready.notify_all()
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
        step_back()
        while True:
            batch = self._next_batch()
            live = [job for job in batch if job.future.set_running_or_notify_cancel()]
            if live:
                with torch_threads(self._parts()):
                    self._run(live)
            with self._ready:
                self._busy -= 1

    def _parts(self) -> int:
        """Into how many parts the cores are split: a batch that is alone gets all of them."""
        alone = self._busy == 1 and not self._jobs
        return 1 if alone else self.workers

    def _next_batch(self) -> list[Job]:
        """Take the first job and those that can join it within the window."""
        with self._ready:
            while not self._jobs:
                self._ready.wait()
            self._busy += 1
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
        """Let jobs join, and leave the idle workers their part of them."""
        alike = [job for job in self._jobs if job.group == batch[0].group]
        idle = 1 + self.workers - self._busy  # this one and those without a batch
        fair = math.ceil((len(batch) + len(alike)) / idle)
        for job in alike[: max(0, min(BATCH, fair) - len(batch))]:
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


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def torch_threads(parts: int) -> Iterator[None]:
    """Let this thread's torch operations use one of so many parts of the usual threads."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    from dlportal.device import THREADS

    torch.set_num_threads(max(1, THREADS // parts))
    try:
        yield
    finally:
        # Threads that start later take over what was set last, wherever it was.
        torch.set_num_threads(THREADS)


def step_back() -> None:
    """Give this thread a lower priority, where threads have one of their own (Linux)."""
    if sys.platform != "linux":
        return
    me = threading.get_native_id()
    try:
        os.setpriority(os.PRIO_PROCESS, me, min(19, os.getpriority(os.PRIO_PROCESS, me) + NICER))
    except OSError as error:  # some containers forbid it
        log.debug("no lower priority for a worker: %s", error)
