"""How a prediction is run: loaded once, batched, bounded, timed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from dlportal.serving.lane import Busy, Gone, Lane, TookTooLong, cores
from dlportal.serving.models import Models, freeze_imports

__all__ = [
    "Answer",
    "Busy",
    "Gone",
    "TookTooLong",
    "answer",
    "compute",
    "freeze_imports",
    "get_case",
    "loaded_models",
]


MOST_WORKERS = 8  # of one lane


@dataclass(frozen=True)
class Answer:
    """A result, seconds of computing (of the whole batch) and of waiting, and the batch's size."""

    result: Any
    seconds: float
    waited: float = 0.0
    batch: int = 1


@cache
def loaded_models() -> Models:
    return Models()


@cache
def lane(name: str) -> Lane:
    """ "predict" for single predictions, "explain" for seconds of work."""
    from dlportal.device import pick_device

    # Batches share the cores; a graphics card takes one after the other.
    split = name == "predict" and pick_device().type == "cpu"
    return Lane(f"dlportal-{name}", workers=min(cores(), MOST_WORKERS) if split else 1)


def get_case(case_id: str, progress: Callable[[int, int], None] | None = None) -> Any:
    """The shared object of a case; loads it on first use.

    Raises:
        AssetError: Its pretrained weights can be neither found nor fetched.
        ValueError: No such case.
    """
    return loaded_models().get(case_id, progress)


def answer(
    case: Any, raw: Any, timeout: float = 30.0, gone: Callable[[], bool] | None = None
) -> Answer:
    """Predict one input through the shared lane.

    Raises:
        InputError: The input cannot be used.
        Busy, TookTooLong: The machine is.
        Gone: The visitor left.
    """
    case.check(raw)  # before it takes a place in the queue
    group = case if case.batches else None
    done = lane("predict").submit(case.predict_batch, raw, group, timeout, gone)
    return Answer(done.value, done.seconds, done.waited, done.batch)


def compute(
    function: Callable[[], Any], timeout: float = 120.0, gone: Callable[[], bool] | None = None
) -> Any:
    """Run seconds of work (an explanation, its check) in a lane of its own.

    Raises:
        Busy, TookTooLong: The machine is.
        Gone: The visitor left.
    """
    return lane("explain").submit(lambda _items: [function()], None, None, timeout, gone).value
