"""What a training tells while it runs, and how it is paused and stopped."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from dlportal.training.pause import STEPS, Brake


@dataclass(frozen=True)
class Event:
    """One report of a training.

    `step` of `steps` counts batches (or environment steps) over the whole training, `epoch` of
    `epochs` passes over the data (0 and 0 where there are none). `seconds` since the start,
    `eta` seconds left. `metrics` holds validation figures where they were just measured.
    """

    kind: Literal["step", "epoch", "message", "done", "stopped", "failed"]
    step: int = 0
    steps: int = 0
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    rate: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    eta: float | None = None
    text: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "Event":
        return cls(**json.loads(line))


class Run:
    """A running training: its folder for checkpoints, its listener, its stop switch, its brake.

    `cancel()` may be called from any thread or from a signal handler. Without a brake it cannot
    be paused.
    """

    def __init__(
        self,
        folder: Path,
        listen: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
        brake: Brake | None = None,
    ) -> None:
        self.folder = folder
        self.started = time.monotonic()
        self.facts: dict[str, Any] = {}  # for the receipt: sizes, thresholds, anything found
        self.constants: dict[str, Any] = {}  # for the card: temperature, feature means ...
        self.curve: list[Event] = []  # epoch events, for the receipt
        self._listen = listen
        self._cancel = cancel or threading.Event()
        self._brake = brake

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def emit(self, event: Event) -> None:
        if event.kind == "epoch":
            self.curve.append(event)
        if self._listen is not None:
            self._listen(event)

    def cancel(self) -> None:
        self._cancel.set()

    def cancelled(self) -> bool:
        return self._cancel.is_set()

    def hold(self, steps: int, tell: Callable[[], None]) -> float:
        """Wait here while the training is paused; call it after each batch.

        Args:
            steps: Batches of the whole training; a single step is a hundredth of them.
            tell: Reports how far it is, before a wait.

        Returns:
            Seconds waited; they do not count in `seconds`.
        """
        if self._brake is None:
            return 0.0
        waited = self._brake.hold(max(1, round(steps / STEPS)), self.cancelled, tell)
        self.started += waited
        return waited
