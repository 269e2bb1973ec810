"""A background training's pause: what its page asks for, and how the training holds.

`pause.json` in the job's folder is the wish: hold or not, and how many single steps were asked for
since the job began. That number only ever grows, so no step is lost or taken twice, and a page
that is drawn again, or another tab, finds the wish as it is.

Imports no torch: it belongs to the training's side that waits.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from dlportal.training.records import records

STEPS = 100  # single steps of a whole training: one is a hundredth of its batches
POLL = 0.05  # seconds between looks at the wish
LONGEST = 1800.0  # seconds that a training may hold in all; then it goes on by itself
SHARED = 120.0  # the same while another training waits for its turn


@dataclass(frozen=True)
class Wish:
    """What the page asks for: `steps` counts single steps since the job began."""

    paused: bool = False
    steps: int = 0


def read_wish(folder: Path) -> Wish:
    """The wish for the job in `folder`; nobody has asked for anything at first."""
    try:
        return Wish(**json.loads((folder / "pause.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Wish()


def write_wish(folder: Path, wish: Wish) -> None:
    partial = folder / "pause.json.partial"
    partial.write_text(json.dumps(asdict(wish)), encoding="utf-8")
    partial.replace(folder / "pause.json")


def others_wait() -> bool:
    """Whether another training waits for its turn."""
    return any(record.status == "waiting" for record in records())


class Brake:
    """The training's side.

    Args:
        folder: The job's.

    Attributes:
        held: Seconds it has waited so far.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held = 0.0
        self._taken = 0  # single steps
        self._free = 0  # batches left of the present step

    def hold(self, stride: int, cancelled: Callable[[], bool], tell: Callable[[], None]) -> float:
        """Wait after a batch as long as the page wants.

        Args:
            stride: Batches of a single step, at least 1.
            cancelled: Ends the waiting.
            tell: Called once before the waiting, so that the page shows where it stands.

        Returns:
            Seconds waited.
        """
        if self._free:
            self._free -= 1
            return 0.0
        wish = read_wish(self.folder)
        if not wish.paused:
            self._taken = wish.steps
            return 0.0
        if wish.steps <= self._taken:
            tell()
        before = self.held
        while wish.paused and wish.steps <= self._taken and not cancelled():
            if self._too_long():
                write_wish(self.folder, Wish(False, wish.steps))
                break
            started = time.monotonic()
            time.sleep(POLL)
            self.held += time.monotonic() - started
            wish = read_wish(self.folder)
        if wish.paused and wish.steps > self._taken:
            self._taken += 1
            self._free = stride - 1
        return self.held - before

    def _too_long(self) -> bool:
        return self.held > LONGEST or (self.held > SHARED and others_wait())
