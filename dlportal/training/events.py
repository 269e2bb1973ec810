"""What a training tells while it runs, and how it is stopped."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal


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
    """A running training: its folder for checkpoints, its listener, its stop switch.

    `cancel()` may be called from any thread or from a signal handler.
    """

    def __init__(
        self,
        folder: Path,
        listen: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        self.folder = folder
        self.started = time.monotonic()
        self.facts: dict[str, Any] = {}  # for the receipt: sizes, thresholds, anything found
        self.constants: dict[str, Any] = {}  # for the card: temperature, feature means ...
        self.curve: list[Event] = []  # epoch events, for the receipt
        self._listen = listen
        self._cancel = cancel or threading.Event()

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
