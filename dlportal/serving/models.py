"""Loaded cases, shared by all visitors, within a memory budget.

`DLPORTAL_MEMORY_MB` bounds the resident memory of the process: when a newly loaded case takes
it over, those that were used least recently are let go.
"""

import ctypes
import gc
import logging
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

DEFAULT_MB = 1600  # leaves room under 2 GB for requests in flight
WORTHWHILE = 16  # MB that letting go of a case should free


def budget_mb() -> int:
    """The memory budget in MB.

    Raises:
        ValueError: `DLPORTAL_MEMORY_MB` is not a positive whole number.
    """
    text = os.environ.get("DLPORTAL_MEMORY_MB", str(DEFAULT_MB))
    if not text.isdigit() or int(text) == 0:
        raise ValueError(f"DLPORTAL_MEMORY_MB={text!r} is not a positive whole number of MB")
    return int(text)


def resident_mb() -> float:
    """Resident memory of this process in MB."""
    import psutil  # here: the gallery, which needs none of this, imports `serving` for its errors

    return psutil.Process().memory_info().rss / 1e6


def freeze() -> None:
    """Move what is imported out of the garbage collector's sight.

    Streamlit collects after every rerun; the 270,000 objects of torch and transformers would
    cost 140 ms each time.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


_frozen_modules = 0  # how many modules were loaded at the last freeze


def freeze_imports() -> None:
    """Freeze what was imported since the last time; called after every page, mostly for nothing.

    Without the thorough search of `freeze`, which the visitor who waits would pay for: garbage
    among what was imported long ago stays until a case is loaded.
    """
    global _frozen_modules
    if len(sys.modules) != _frozen_modules:
        _frozen_modules = len(sys.modules)
        gc.collect(1)
        gc.freeze()


def give_back_memory() -> None:
    """Collect garbage and hand freed pages back to the system (glibc keeps them otherwise)."""
    freeze()  # unfreezes first, so that cycles within evicted networks are found
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):  # not glibc: the allocator decides by itself
        log.debug("no malloc_trim on this system")


class Models:
    """Cases by id, least recently used first."""

    def __init__(self) -> None:
        self._cases: OrderedDict[str, Any] = OrderedDict()
        self._sizes: dict[str, float] = {}  # MB that each took when it was loaded
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, case_id: str, progress: Callable[[int, int], None] | None = None) -> Any:
        """Return a case, loading it (once, however many ask) if it is not here.

        Raises:
            AssetError: Its pretrained weights can be neither found nor fetched.
            ValueError: No such case.
        """
        with self._lock:
            if case_id in self._cases:
                self._cases.move_to_end(case_id)
                return self._cases[case_id]
            lock = self._locks.setdefault(case_id, threading.Lock())
        with lock:
            with self._lock:
                if case_id in self._cases:
                    self._cases.move_to_end(case_id)
                    return self._cases[case_id]
            before = resident_mb()
            case = self._load(case_id, progress)
            size = resident_mb() - before
            with self._lock:
                self._cases[case_id] = case
                self._sizes[case_id] = size
            self._make_room(case_id)
            return case

    def _load(self, case_id: str, progress: Callable[[int, int], None] | None) -> Any:
        from dlportal.assets import BUNDLES, fetch, fetch_bundle
        from dlportal.cards import load_card
        from dlportal.case import case_class

        card = load_card(case_id)
        for asset in card.assets:  # with progress here; the case then finds it in the cache
            (fetch_bundle if asset in BUNDLES else fetch)(asset, progress)
        build = case_class(case_id)
        freeze()  # after the imports and before the weights, which must stay collectable
        return build(card)

    def _make_room(self, keep: str) -> None:
        while resident_mb() > budget_mb():
            with self._lock:
                others = [case_id for case_id in self._cases if case_id != keep]
                # Letting go of a tiny network frees nothing and makes its next visitor wait.
                large = [case_id for case_id in others if self._sizes[case_id] >= WORTHWHILE]
                if not others:
                    break
                gone = (large or others)[0]
                del self._cases[gone]
            give_back_memory()
            log.info("let go of %s: %.0f MB resident", gone, resident_mb())

    def loaded(self) -> list[str]:
        """Ids of the loaded cases, least recently used first."""
        with self._lock:
            return list(self._cases)
