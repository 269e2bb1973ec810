"""`train`: in this terminal (resumable, Ctrl-C safe) or as a background job."""

import contextlib
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dlportal.cards import load_card
from dlportal.case import Settings
from dlportal.commands.evaluate import summarise, table
from dlportal.messages import UserError
from dlportal.training.events import Event, Run
from dlportal.training.pause import Brake
from dlportal.training.receipts import write_json
from dlportal.training.recipe import Trained, checkpoint_folder, compare, train_case, trainable
from dlportal.training.records import change


def train_here(
    case_id: str,
    settings: Settings,
    out: Path | None = None,
    events: Path | None = None,
    fresh: bool = False,
) -> tuple[dict[str, Any], str, int]:
    """Train in this process.

    Args:
        case_id: The case.
        settings: Budget and seed.
        out: Write there; by default a full training goes into `models/`, a quick one into the
            cache.
        events: Append every event here as a line of JSON.
        fresh: Whether to forget the checkpoint of an interrupted training.

    Returns:
        The document for `--json`, the text, and the exit code: 1 if the training was stopped
        before it could be stored.
    """
    trainable(case_id)  # fails before anything is set up
    folder = checkpoint_folder(case_id, settings)
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(bar())]
        if events is not None:
            listeners.append(stack.enter_context(writer(events)))

        def tell(event: Event) -> None:
            for listen in listeners:
                listen(event)

        run = Run(folder, tell)
        stack.enter_context(stopped_by(run, signal.SIGINT, signal.SIGTERM))
        trained = train_case(case_id, settings, run, out)
        finish(run)
    card = load_card(case_id)
    document = {"case": case_id, "budget": settings.budget, "seed": settings.seed}
    document |= {"folder": str(trained.folder), **compare(card, run)}
    if run.cancelled():
        return document, stopped_text(trained, settings, out), 1
    if trained.evaluation is not None:
        document["evaluation"] = summarise(trained.evaluation)
        text = table(trained.evaluation) + f"\nwritten to {trained.folder}"
    else:
        text = "\n".join(
            [
                *(
                    f"  validation {k}: {v:.4g}"
                    for k, v in document.items()
                    if isinstance(v, float)
                ),
                f"written to {trained.folder}",
            ]
        )
    if trained.folder != folder:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        for checkpoint in folder.glob("*.pt"):  # a finished training is not taken up again
            checkpoint.unlink()
    return document, text, 0


def stopped_text(trained: Trained, settings: Settings, out: Path | None) -> str:
    kept = (
        ""
        if settings.budget == "full" and out is None
        else f" The best so far is in {trained.folder}."
    )
    return f"Stopped.{kept} Run the same command again to go on from the last whole epoch."


def finish(run: Run) -> None:
    """Send the last event of a training."""
    last = run.curve[-1] if run.curve else Event("message")
    run.emit(
        Event(
            "stopped" if run.cancelled() else "done",
            step=last.step,
            steps=last.steps,
            epoch=last.epoch,
            epochs=last.epochs,
            metrics=last.metrics,
            seconds=run.seconds,
            eta=0.0,
        )
    )


def train_job(case_id: str, settings: Settings, folder: Path, stopped: threading.Event) -> int:
    """A background job whose turn has come; leaves its result in `folder`."""
    with writer(folder / "events.jsonl") as listen:
        run = Run(folder / "checkpoints", listen, stopped, Brake(folder))
        try:
            train_case(case_id, settings, run, out=folder / "out")
        except Exception as error:
            traceback.print_exc()  # into the job's log
            known = isinstance(error, UserError)
            text = str(error) if known else f"{type(error).__name__}: {error}"
            listen(Event("failed", seconds=run.seconds, text=text))
            change(folder, status="failed", ended=time.time(), text=text)
            return 1
        write_json(compare(load_card(case_id), run), folder / "result.json")
        finish(run)
        change(folder, status="stopped" if run.cancelled() else "done", ended=time.time())
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return 0


@contextlib.contextmanager
def stopped_by(run: Run, *signals: signal.Signals) -> Iterator[None]:
    """Let signals stop a training gently; a second Ctrl-C ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers can only be set in the main thread
        return

    def stop(number: int, frame: Any) -> None:
        if run.cancelled() and number == signal.SIGINT:
            raise KeyboardInterrupt
        print("Stopping after this step; Ctrl-C again ends at once.", file=sys.stderr)
        run.cancel()

    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def writer(path: Path) -> Iterator[Callable[[Event], None]]:
    """Append events to a file, a line each, readable at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", buffering=1) as file:

        def write(event: Event) -> None:
            file.write(event.to_json() + "\n")

        yield write


@contextlib.contextmanager
def bar() -> Iterator[Callable[[Event], None]]:
    """A progress bar on stderr where that is a terminal, else a line an epoch."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    meter = tqdm(disable=not terminal, unit="step", file=sys.stderr, leave=False)

    def show(event: Event) -> None:
        if event.steps:
            meter.total = event.steps
        meter.update(event.step - meter.n)
        numbers = " ".join(f"{name} {value:.4g}" for name, value in event.metrics.items())
        if event.kind == "step" and event.loss is not None:
            meter.set_postfix_str(f"loss {event.loss:.4g}", refresh=False)
        elif event.kind == "epoch":
            place = f"epoch {event.epoch}/{event.epochs}" if event.epochs else f"step {event.step}"
            loss = "" if event.loss is None else f"loss {event.loss:.4g} "
            tqdm.write(f"{place} {loss}{numbers} {event.text}".rstrip(), file=sys.stderr)
        elif event.kind == "message":
            tqdm.write(event.text, file=sys.stderr)

    try:
        yield show
    finally:
        meter.close()
