"""Seconds of work that a visitor watches: a bar while it runs, and a store of what was found.

`st.cache_data` would record the bar as part of the result, so results lie in a store of our own,
which all visitors share.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import streamlit as st

from dlportal.case import Progress
from dlportal.serving import Gone, compute
from dlportal.ui.visitor import has_left
from dlportal.ui.words import duration

T = TypeVar("T")

PATIENCE = 0.6  # seconds before a bar appears: what is done by then needs none
TIMEOUT = 300.0  # seconds; who watches a bar waits longer than who sees none


class Store:
    """The results used last, shared by all visitors.

    Args:
        size: Results that are kept at most.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Any:
        """What was kept under a key, or None."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: Hashable, value: Any) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self.size:
                self._kept.popitem(last=False)


class Watch:
    """How far work has come. The page's thread reads it, the worker's writes it.

    As a `Progress` it gives up, by raising `Gone`, once nobody watches any more.
    """

    def __init__(self) -> None:
        self.share = 0.0
        self.left = threading.Event()

    def __call__(self, done: int, expected: int) -> None:
        if self.left.is_set():
            raise Gone
        self.share = min(1.0, done / max(1, expected))


def watched(store: Store, key: Hashable, work: Callable[[Progress], T], words: str) -> T:
    """Look a result up, or work it out in the lane for long work, with a bar after a moment.

    A visitor who asks for something else meanwhile, or leaves, ends the work.

    Args:
        store: Where results are kept.
        key: What the result depends on, nothing else.
        work: Gets the progress to report to; not None.
        words: Beside the bar: what is being done.

    Raises:
        Busy, TookTooLong: The machine is.
        Gone: The visitor left.
    """
    found = store.get(key)
    if found is not None:
        return found  # type: ignore[no-any-return]
    watch, gone, place = Watch(), has_left(), st.empty()
    started = time.monotonic()

    def run() -> T:
        watch(0, 1)
        found = store.get(key)  # another visitor may have asked for the same in the meantime
        return work(watch) if found is None else found

    def look() -> bool:
        seconds = time.monotonic() - started
        if seconds > PATIENCE:
            # This is also where Streamlit interrupts a page whose visitor wants something else.
            place.progress(watch.share, text=f"{words} · {duration(seconds)}")
        return gone()

    try:
        result: T = compute(run, timeout=TIMEOUT, gone=look)
    finally:
        watch.left.set()
        place.empty()
    store.keep(key, result)
    return result
