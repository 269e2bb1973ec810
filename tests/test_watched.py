"""Work with a bar: what was found is kept, and nobody works for a visitor who left."""

import threading
from typing import Any

import pytest

from dlportal.serving import Gone
from dlportal.ui import watched as module
from dlportal.ui.watched import Store, Watch, watched


def test_a_store_forgets_what_was_used_longest_ago() -> None:
    store = Store(2)
    store.keep("a", 1)
    store.keep("b", 2)
    assert store.get("a") == 1
    store.keep("c", 3)
    assert (store.get("a"), store.get("b"), store.get("c")) == (1, None, 3)


def test_a_result_is_worked_out_once() -> None:
    store, calls = Store(4), []

    def work(progress: Any) -> str:
        progress(1, 2)
        calls.append(1)
        return "map"

    assert [watched(store, ("k",), work, "Computing") for _ in range(3)] == ["map"] * 3
    assert len(calls) == 1


def test_a_watch_tells_how_far_the_work_is_and_never_more_than_all() -> None:
    watch = Watch()
    watch(1, 4)
    assert watch.share == 0.25
    watch(9, 4)
    assert watch.share == 1.0


def test_work_ends_when_the_visitor_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is interrupted while it waits; the worker gives up at its next report."""
    begun, left, ended = threading.Event(), threading.Event(), threading.Event()

    def work(progress: Any) -> None:
        begun.set()
        left.wait(30)
        try:
            progress(1, 2)
        except Gone:
            ended.set()
            raise

    monkeypatch.setattr(module, "has_left", lambda: begun.is_set)
    store = Store(4)
    with pytest.raises(Gone):
        watched(store, ("k",), work, "Computing")
    left.set()
    assert ended.wait(30)
    assert store.get(("k",)) is None


def test_an_error_of_the_work_reaches_the_page_and_is_not_kept() -> None:
    def work(progress: Any) -> None:
        raise ValueError("no map")

    store = Store(4)
    with pytest.raises(ValueError, match="no map"):
        watched(store, ("k",), work, "Computing")
    assert store.get(("k",)) is None
