"""Every case opened one after another in one process, as a day of visitors does to a server."""

import importlib
import threading
from collections.abc import Iterator
from typing import Self

from dlportal.assets import AssetError
from dlportal.bench.row import Row, bounded, skipped
from dlportal.cards import case_ids
from dlportal.case import Case, case_class
from dlportal.serving import get_case, loaded_models
from dlportal.serving.models import budget_mb, resident_mb

SUITE = "memory"
ROOM = 300  # MB above the budget that requests in flight may take
MOST = 2000  # MB; hosts have 2.7 GB
# What a server has loaded besides the cases.
INTERFACE = ("dlportal.ui.page", "dlportal.ui.panels", "plotly.graph_objects", "pandas")


class Peak:
    """The largest resident memory while the block runs, in MB, looked up 50 times a second."""

    def __init__(self) -> None:
        self.largest = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.largest = max(self.largest, resident_mb())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()
        self.largest = max(self.largest, resident_mb())


def measure() -> Iterator[Row]:
    """Resident memory after each case, and the largest at any time beside the budget."""
    for name in INTERFACE:
        importlib.import_module(name)
    budget, largest, settled = budget_mb(), 0.0, 0.0
    for case_id in [*case_ids(), *case_ids()]:  # twice: what was let go comes back
        try:
            with Peak() as peak:
                open_and_ask(case_id)
        except (AssetError, OSError) as error:
            yield skipped(SUITE, case_id, str(error))
            continue
        after = resident_mb()
        largest, settled = max(largest, peak.largest), max(settled, after)
        note = f"{peak.largest:.0f} MB on the way; loaded: {', '.join(loaded_models().loaded())}"
        yield Row(SUITE, f"{case_id} opened and asked", after, "MB", note=note)
    yield bounded(
        SUITE,
        "all cases opened twice, largest resident memory",
        settled,
        "MB",
        "at most",
        budget + ROOM,
        f"after each answer; budget {budget} MB",
    )
    yield bounded(
        SUITE,
        "all cases opened twice, largest while loading",
        largest,
        "MB",
        "at most",
        MOST,
        "at any time",
    )


def open_and_ask(case_id: str) -> None:
    """Open a case and let it answer once, as its page does."""
    case = get_case(case_id)
    if issubclass(case_class(case_id), Case):
        case.predict(case.examples()[0].load())
    else:
        for _frame in case.run():
            pass
