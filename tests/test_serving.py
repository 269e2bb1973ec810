"""The lane batches, refuses, times out and lets go; the cache keeps its budget."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dlportal.messages import InputError
from dlportal.serving.lane import Busy, Gone, Lane, TookTooLong
from dlportal.serving.models import Models, budget_mb


def double(items):  # type: ignore[no-untyped-def]
    time.sleep(0.01)
    return [2 * item for item in items]


def test_results_go_to_their_askers_and_batches_form() -> None:
    lane = Lane("test")
    with ThreadPoolExecutor(24) as pool:
        done = list(pool.map(lambda i: lane.submit(double, i, group="a"), range(48)))
    assert [d.value for d in done] == [2 * i for i in range(48)]
    assert max(d.batch for d in done) > 1
    assert max(d.batch for d in done) <= 8


def test_several_workers_share_what_waits() -> None:
    lane = Lane("test", workers=3)
    running, most, guard = 0, 0, threading.Lock()

    def work(items):  # type: ignore[no-untyped-def]
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with guard:
            running -= 1
        return [2 * item for item in items]

    with ThreadPoolExecutor(24) as pool:
        done = list(pool.map(lambda i: lane.submit(work, i, group="a"), range(72)))
    assert [d.value for d in done] == [2 * i for i in range(72)]
    assert 1 < most <= 3
    assert 1 < max(d.batch for d in done) <= 8


def test_a_worker_that_waits_for_company_does_not_keep_others_waiting() -> None:
    """Two groups, two workers: the second group's job starts while the first one's is at work."""
    lane = Lane("test", workers=2)
    meet = threading.Barrier(2, timeout=5)

    def work(items):  # type: ignore[no-untyped-def]
        meet.wait()
        return items

    for _round in range(20):
        with ThreadPoolExecutor(2) as pool:
            assert [d.value for d in pool.map(lambda g: lane.submit(work, g, group=g), "ab")] == [
                "a",
                "b",
            ]


def test_threads_of_torch_are_as_before() -> None:
    torch = pytest.importorskip("torch")
    usual = torch.get_num_threads()
    seen = []

    def work(items):  # type: ignore[no-untyped-def]
        time.sleep(0.01)
        seen.append(torch.get_num_threads())
        return items

    lane = Lane("test", workers=2)
    assert lane.submit(work, 1).value == 1
    assert seen == [usual]  # alone: all of them
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda i: lane.submit(work, i), range(24)))
    assert max(1, usual // 2) in seen
    threads = []
    late = threading.Thread(target=lambda: threads.append(torch.get_num_threads()))
    late.start()
    late.join()
    assert threads == [usual] and torch.get_num_threads() == usual


def test_without_a_group_one_at_a_time() -> None:
    lane = Lane("test")
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda i: lane.submit(double, i), range(8)))
    assert {d.batch for d in done} == {1}


def test_groups_do_not_mix() -> None:
    lane = Lane("test")
    seen = []

    def note(items):  # type: ignore[no-untyped-def]
        seen.append(set(items))
        time.sleep(0.01)
        return items

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda i: lane.submit(note, "ab"[i % 2], group="ab"[i % 2]), range(32)))
    assert all(len(kinds) == 1 for kinds in seen)


def test_one_bad_input_spoils_only_its_own_answer() -> None:
    lane = Lane("test")

    def refuse(items):  # type: ignore[no-untyped-def]
        time.sleep(0.01)
        if 3 in items:
            raise InputError("three is wrong")
        return items

    def ask(i: int) -> object:
        try:
            return lane.submit(refuse, i, group="a").value
        except InputError:
            return "refused"

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(6))) == [0, 1, 2, "refused", 4, 5]


def test_full_queue_answers_at_once_with_the_position() -> None:
    lane = Lane("test", capacity=2)
    release = threading.Event()
    threads = [
        threading.Thread(target=lane.submit, args=(lambda items: [release.wait()], i))
        for i in range(3)
    ]
    threads[0].start()
    time.sleep(0.05)  # the first leaves the queue and runs
    for thread in threads[1:]:
        thread.start()
    while lane.waiting() < 2:
        time.sleep(0.005)
    started = time.monotonic()
    with pytest.raises(Busy, match="2 are ahead"):
        lane.submit(double, 9)
    assert time.monotonic() - started < 0.1
    release.set()
    for thread in threads:
        thread.join()


def test_timeout_and_leaving_withdraw_the_job() -> None:
    lane = Lane("test")
    release = threading.Event()
    blocker = threading.Thread(target=lane.submit, args=(lambda items: [release.wait()], 0))
    blocker.start()
    ran = []
    with pytest.raises(TookTooLong):
        lane.submit(lambda items: ran.append(1) or [1], 1, timeout=0.1)
    with pytest.raises(Gone):
        lane.submit(lambda items: ran.append(1) or [1], 1, gone=lambda: True)
    release.set()
    blocker.join()
    assert lane.submit(double, 4).value == 8
    assert not ran


def test_budget_must_be_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLPORTAL_MEMORY_MB", "lots")
    with pytest.raises(ValueError, match="lots"):
        budget_mb()


def test_least_recently_used_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    models = Models()
    monkeypatch.setattr(models, "_load", lambda case_id, progress: object())
    monkeypatch.setattr("dlportal.serving.models.resident_mb", lambda: 100.0 * len(models.loaded()))
    monkeypatch.setenv("DLPORTAL_MEMORY_MB", "250")
    first = models.get("a")
    models.get("b")
    assert models.get("a") is first
    models.get("c")
    assert models.loaded() == ["a", "c"]


def test_what_frees_nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"tiny": 2.0, "large": 100.0, "larger": 200.0}
    models = Models()
    loading: list[str] = []

    def load(case_id: str, progress: object) -> object:
        loading.append(case_id)
        return object()

    def resident() -> float:
        return sum(sizes[case_id] for case_id in {*models.loaded(), *loading[-1:]})

    monkeypatch.setattr(models, "_load", load)
    monkeypatch.setattr("dlportal.serving.models.resident_mb", resident)
    monkeypatch.setenv("DLPORTAL_MEMORY_MB", "250")
    for case_id in sizes:
        models.get(case_id)
    assert models.loaded() == ["tiny", "larger"]


def test_asked_together_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    models = Models()
    loads = []

    def load(case_id: str, progress: object) -> object:
        loads.append(case_id)
        time.sleep(0.05)
        return object()

    monkeypatch.setattr(models, "_load", load)
    with ThreadPoolExecutor(8) as pool:
        cases = set(pool.map(lambda _i: id(models.get("a")), range(8)))
    assert len(cases) == 1 and loads == ["a"]
