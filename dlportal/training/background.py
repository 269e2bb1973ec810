"""Trainings in processes of their own: one at a time, the next ones wait in line.

A job is a folder in the cache (`jobs/<id>/`): `job.json` says what and how far, `events.jsonl` is
the child's progress, `log.txt` its output, `out/` what it made. So a training outlives page
reruns and a browser's reload, and its record outlives a restart of the server. The child takes
its own turn (`turn.py`), holds while it is paused (`pause.py`), and stops with the best so far
when the server that started it has gone.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from dlportal.case import Settings
from dlportal.messages import N_, UserError
from dlportal.training.events import Event
from dlportal.training.pause import Wish, read_wish, write_wish
from dlportal.training.records import (
    Record,
    Status,
    alive,
    change,
    jobs_dir,
    lock,
    read_record,
    records,
    write_record,
)
from dlportal.training.spare import Spares

ENTRY = [sys.executable, "-m", "dlportal"]
KEPT = 20  # finished jobs whose folders stay
LINE = 5  # jobs that may wait
PATIENCE = 0.1  # seconds that a single step is waited for: it is shown at once if it is there
ENVIRONMENT = {
    # A child that spins while it waits for its threads takes the processor from the visitors.
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
    # glibc: giving memory back to the kernel after each batch took a third of the time.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "20000000000",
    "PYTHONUNBUFFERED": "1",
}

_children: dict[str, subprocess.Popen[bytes]] = {}  # ours: they must be waited for
_read: dict[str, tuple[int, list[Event]]] = {}  # bytes of events.jsonl read so far
_guard = threading.RLock()
_spares = Spares()


class LineFull(UserError):
    """Too many trainings wait already."""


@dataclass(frozen=True)
class Job:
    """A training as it was when it was looked up; ask `jobs()` again for news."""

    id: str
    case_id: str
    settings: Settings
    status: Status
    position: int  # trainings that run or wait before this one; 0 unless it waits
    created: float
    folder: Path
    text: str = ""  # why it failed

    def events(self) -> list[Event]:
        """Everything reported so far, oldest first."""
        return read_events(self.id, self.folder / "events.jsonl")

    def stop(self) -> None:
        """Ask the training to stop; it keeps the best so far."""
        (self.folder / "stop").touch()  # for a child that has not set its signal handler yet
        record = read_record(self.folder)
        if record is not None and alive(record):
            os.kill(record.pid, signal.SIGTERM)

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop and has not ended yet."""
        return self.status in ("waiting", "running") and (self.folder / "stop").exists()

    @property
    def paused(self) -> bool:
        """Whether it shall hold; it does so after the batch at hand."""
        return self.status == "running" and read_wish(self.folder).paused

    def pause(self) -> None:
        """Ask the training to hold after this batch. It keeps its turn, but not for ever:
        see `pause.LONGEST` and `pause.SHARED`."""
        self._wish(paused=True)

    def go_on(self) -> None:
        """Let a paused training run again."""
        self._wish(paused=False)

    def step(self, patience: float = PATIENCE) -> None:
        """Let a paused training make a hundredth of its batches; wait for its next report, but no
        longer than `patience` seconds."""
        before = self._written()
        self._wish(paused=True, more=1)
        self.hear(patience, before)

    def hear(self, patience: float, before: int = 0) -> None:
        """Wait until more than `before` bytes of news have come, at most `patience` seconds."""
        end = time.monotonic() + patience
        while time.monotonic() < end and self._written() == before:
            time.sleep(0.02)

    def _written(self) -> int:
        events = self.folder / "events.jsonl"
        return events.stat().st_size if events.exists() else 0

    def _wish(self, paused: bool, more: int = 0) -> None:
        if self.status == "running":
            with _guard:
                write_wish(self.folder, Wish(paused, read_wish(self.folder).steps + more))

    def result(self) -> dict[str, Any]:
        """Validation metrics of the trained network by name, `shipped` (the same of the shipped
        weights) and `about` (split, seconds, stopped); empty while it runs or if it failed."""
        path = self.folder / "result.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    @property
    def weights(self) -> Path | None:
        """The trained weights, once there are any."""
        path = self.folder / "out" / "weights.safetensors"
        return path if path.exists() else None


def start(case_id: str, settings: Settings) -> Job:
    """Put a training in line; it starts by itself when its turn comes.

    Raises:
        LineFull: Too many wait already.
    """
    with _guard, lock():
        waiting = sum(record.status == "waiting" for record in records())
        if waiting >= LINE:
            raise LineFull(
                N_("{n} trainings are waiting already. Try again in a few minutes."), n=waiting
            )
        now = time.time()
        job_id = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now)) + "-" + secrets.token_hex(3)
        record = Record(job_id, case_id, settings.budget, settings.seed, now, part=settings.part)
        folder = jobs_dir() / job_id
        folder.mkdir()
        write_record(folder, record)
        child = spawn(folder, record)
        _children[job_id] = child
        try:
            pid_started = psutil.Process(child.pid).create_time()
        except psutil.NoSuchProcess:  # it failed at once; its log says why
            pid_started = 0.0
        change(folder, pid=child.pid, pid_started=pid_started)
        prune()
    return next(job for job in jobs(case_id) if job.id == job_id)


def warm(case_id: str) -> None:
    """Have a process get ready for a training of this case, unless one runs or waits."""
    with _guard:
        if _spares.wanted and not any(
            record.status in ("waiting", "running") for record in records()
        ):
            _spares.warm(case_id, ENTRY, environment())


def spawn(folder: Path, record: Record) -> subprocess.Popen[bytes]:
    """Start the child, or give the job to the process that is ready for it.

    A session of its own keeps the terminal's Ctrl-C away from it.
    """
    arguments = ["train", record.case_id, "--budget", record.budget, "--seed", str(record.seed)]
    arguments += ["--job", str(folder)]
    if record.part:
        arguments += ["--part", record.part]
    child = _spares.take(record.case_id, arguments, folder / "log.txt")
    if child is not None:
        return child
    with (folder / "log.txt").open("wb") as log:
        return subprocess.Popen(
            [*ENTRY, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(),
            start_new_session=True,
        )


def environment() -> dict[str, str]:
    """Of a training's process."""
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH", "")]))
    return {**threads(), **os.environ, **ENVIRONMENT, "PYTHONPATH": path}


def threads() -> dict[str, str]:
    """All processors but one: the last is the visitors'. Threads that share a busy processor
    wait for each other, and a training gets slower than with one thread less."""
    return {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 2) - 1))}


def jobs(case_id: str | None = None) -> list[Job]:
    """All known trainings (of one case), newest first."""
    with _guard:
        for child in _children.values():
            child.poll()  # a child that ended must not stay a zombie
    found = records()
    line = [record for record in reversed(found) if record.status in ("running", "waiting")]
    out = []
    for record in found:
        if case_id is None or record.case_id == case_id:
            waits = record.status == "waiting"
            ahead = sum(r.status == "running" or r.created < record.created for r in line)
            out.append(
                Job(
                    record.id,
                    record.case_id,
                    Settings(record.budget, record.seed, record.part),
                    record.status,
                    ahead if waits else 0,
                    record.created,
                    jobs_dir() / record.id,
                    record.text,
                )
            )
    return out


def prune() -> None:
    """Remove the folders of all but the newest finished jobs."""
    finished = [r for r in records() if r.status not in ("waiting", "running")]
    for record in finished[KEPT:]:
        shutil.rmtree(jobs_dir() / record.id, ignore_errors=True)
        _children.pop(record.id, None)
        _read.pop(record.id, None)


def read_events(job_id: str, path: Path) -> list[Event]:
    """Parse what was appended since the last look; half a line waits for the next."""
    with _guard:
        offset, events = _read.get(job_id, (0, []))
        try:
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        events = events + [Event.from_json(line) for line in whole.decode().splitlines()]
        _read[job_id] = (offset + len(whole), events)
        return list(events)
