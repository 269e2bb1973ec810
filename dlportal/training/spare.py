"""A process that is ready to train before anyone has asked for it.

Starting Python, importing torch and reading a case's data take seconds, which a visitor who has
pressed a button would wait. So whoever opens a training's panel has a spare process started: it
gets ready, and waits a while for a job on its standard input. There is at most one, and only while
no training runs or waits: a process that waits for its turn must not hold hundreds of megabytes.

The server's side is `Spares`; `wait_for_job` is the process's own, and imports no torch before it
has to.
"""

import json
import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

LIFE = 180.0  # seconds that a spare waits for a job
SURE = 150.0  # seconds for which it is certainly still there
# What trainings import in their course; torchvision's transforms alone take a second.
MODULES = ("dlportal.commands.train", "torchvision.transforms", "sklearn.datasets")


class Spares:
    """The server's spare process, if there is one; its caller guards it against other threads.

    Attributes:
        wanted: Whether somebody waits: a server with visitors says so when it starts. A script
            or a test that draws a page has none.
    """

    wanted = False

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._case_id = ""
        self._started = 0.0

    def warm(self, case_id: str, entry: Sequence[str], environment: Mapping[str, str]) -> None:
        """See to it that a spare is ready, or gets ready, for this case.

        Args:
            case_id: The case.
            entry: The command that is `python -m dlportal`.
            environment: Of the process.
        """
        if self._alive() and self._case_id == case_id:
            return
        self.dismiss()
        self._child = subprocess.Popen(
            [*entry, "spare", case_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            start_new_session=True,
        )
        self._case_id, self._started = case_id, time.monotonic()

    def take(
        self, case_id: str, arguments: Sequence[str], log: Path
    ) -> "subprocess.Popen[bytes] | None":
        """Give the spare its job: the command line's arguments and where its output goes.

        Returns:
            The process; None if there is no spare for this case.
        """
        child = self._child
        if child is None or child.stdin is None or not self._alive() or self._case_id != case_id:
            return None
        self._child = None
        job = {"arguments": list(arguments), "log": str(log)}
        try:
            child.stdin.write(json.dumps(job).encode() + b"\n")
            child.stdin.close()
        except BrokenPipeError:  # it has just died
            return None
        return child

    def dismiss(self) -> None:
        """Send the spare away."""
        child, self._child = self._child, None
        if child is not None:
            if child.stdin is not None:
                child.stdin.close()
            child.kill()
            child.wait()

    def _alive(self) -> bool:
        sure = time.monotonic() - self._started < SURE
        return sure and self._child is not None and self._child.poll() is None


def wait_for_job(case_id: str) -> list[str] | None:
    """Get ready for a training of this case and wait for it.

    Returns:
        The command line's arguments; None when nobody wanted anything, or the server has gone.
    """
    patience = threading.Timer(LIFE, os._exit, (0,))
    patience.daemon = True
    patience.start()
    try:
        get_ready(case_id)
    except Exception:  # the training itself will say what is missing
        traceback.print_exc()
    line = sys.stdin.readline()
    patience.cancel()
    if not line:
        return None
    job = json.loads(line)
    with Path(job["log"]).open("wb") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    return list(job["arguments"])


def get_ready(case_id: str) -> None:
    """Import what a training needs, and let the case read its data."""
    from dlportal.training.turn import yield_to_visitors

    yield_to_visitors()
    for module in MODULES:
        import_module(module)
    from dlportal.case import Case, case_class

    found = case_class(case_id)
    if issubclass(found, Case):
        found.prepare()
