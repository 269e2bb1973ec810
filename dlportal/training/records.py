"""The records of background trainings: `job.json` in each job's folder."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import psutil
from filelock import FileLock

from dlportal.assets import cache_dir

Status = Literal["waiting", "running", "done", "stopped", "failed"]


@dataclass(frozen=True)
class Record:
    """`job.json`. `pid_started` (seconds since 1970) tells a reused process id apart."""

    id: str
    case_id: str
    budget: Literal["quick", "full"]
    seed: int
    created: float
    status: Status = "waiting"
    pid: int = 0
    pid_started: float = 0.0
    ended: float = 0.0
    text: str = ""
    part: str = ""


def jobs_dir() -> Path:
    """Folder of all jobs."""
    folder = cache_dir() / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def lock() -> FileLock:
    """Guards every change of a `job.json`, across processes."""
    return FileLock(jobs_dir() / ".lock", is_singleton=True)  # the same object: re-entrant


def records() -> list[Record]:
    """All records, newest first; those whose process has vanished are marked as ended."""
    found = []
    for path in jobs_dir().glob("*/job.json"):
        record = read_record(path.parent)
        if record is not None:
            found.append(settle(record, path.parent))
    return sorted(found, key=lambda record: record.created, reverse=True)


def settle(record: Record, folder: Path) -> Record:
    """Close the record of a process that is gone without a word (killed, or a restart)."""
    starting = record.pid == 0 and time.time() - record.created < 30
    if record.status not in ("waiting", "running") or starting or alive(record):
        return record
    with lock():
        again = read_record(folder)  # it may have written its last word meanwhile
        if again is None or again.status not in ("waiting", "running"):
            return again or record
        if (folder / "stop").exists():
            return change(folder, status="stopped", ended=time.time())
        return change(folder, status="failed", ended=time.time(), text=last_line(folder))


def alive(record: Record) -> bool:
    """Whether the record's process still runs (and the id was not given to another one)."""
    try:
        process = psutil.Process(record.pid)
        same = abs(process.create_time() - record.pid_started) < 1.0
        return record.pid > 0 and same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, psutil.AccessDenied, ValueError):
        return False


def last_line(folder: Path) -> str:
    """The last line of a job's log."""
    try:
        lines = (folder / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")


def read_record(folder: Path) -> Record | None:
    """A job's record, or None where the folder was just removed."""
    try:
        return Record(**json.loads((folder / "job.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def write_record(folder: Path, record: Record) -> None:
    partial = folder / "job.json.partial"
    partial.write_text(json.dumps(asdict(record)), encoding="utf-8")
    partial.replace(folder / "job.json")


def change(folder: Path, **fields: Any) -> Record:
    """Change fields of a record, under the lock."""
    with lock():
        record = read_record(folder)
        if record is None:
            raise ValueError(f"{folder} is not a job")
        record = Record(**{**asdict(record), **fields})
        write_record(folder, record)
        return record
