"""The command line: documents, exit codes, one line for a wrong call; trainings in line."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file, save_file
from toy_case import Toy, register

from dlportal.cards import all_cards
from dlportal.case import Settings
from dlportal.cli import main
from dlportal.kinds.table import TableCase
from dlportal.training import background
from dlportal.training.spare import Spares

HERE = Path(__file__).resolve().parent
Call = Callable[..., Any]


def environment(cache: Path, **more: str) -> dict[str, str]:
    keep = {**os.environ, "DLPORTAL_CACHE_DIR": str(cache), "PYTHONPATH": str(HERE.parent), **more}
    return {**keep, "OMP_WAIT_POLICY": "PASSIVE"}


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> Iterator[Call]:
    """Run the command line on the toy registry."""
    monkeypatch.setenv("DLPORTAL_CACHE_DIR", str(tmp_path / "cache"))
    register(tmp_path / "models", monkeypatch.setattr)

    def run(*arguments: Any) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Done(int(end.value.code or 0), out, err)

    yield run
    all_cards.cache_clear()


def document(done: Done) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def wrong(done: Done, *words: str, code: int = 2) -> None:
    """One line on stderr that says what is wrong, nothing on stdout."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_a_case_from_training_to_card(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "toy"
    found = document(call("train", "toy", "--budget", "full", "--seed", 3, "--json"))
    assert found["accuracy"] > 0.9 and found["shipped"] and not found["about"]["stopped"]
    assert sorted(p.name for p in folder.iterdir()) == [
        "card.json",
        "case.toml",
        "golden.safetensors",
        "receipt.json",
        "weights.safetensors",
    ]
    card = json.loads((folder / "card.json").read_text())
    assert card["constants"]["temperature"] == 2.0
    assert set(card["sha256"]) == {
        "weights.safetensors",
        "golden.safetensors",
        "receipt.json",
    }
    receipt = json.loads((folder / "receipt.json").read_text())
    assert receipt["command"] == "python -m dlportal train toy --budget full --seed 3"
    assert len(receipt["curve"]) == 5 and receipt["curve"][0]["metrics"]["accuracy"] > 0
    golden = load_file(folder / "golden.safetensors")
    weights = load_file(folder / "weights.safetensors")
    expected = weights["weight"].astype(np.float32) @ golden["input"][0] + weights["bias"]
    assert golden["output"][0] == pytest.approx(expected, abs=1e-5)
    # The receipt's command repeats the training, also where other weights shipped before.
    before = (folder / "weights.safetensors").read_bytes()
    save_file({"weight": np.zeros((5, 5), np.float16)}, folder / "weights.safetensors")
    document(call("train", "toy", "--budget", "full", "--seed", 3, "--json"))
    assert (folder / "weights.safetensors").read_bytes() == before
    one = document(call("predict", "toy", "3,3,3,3", "--json"))
    assert one["result"]["scores"][0]["label"]["id"] == "high"
    (tmp_path / "rows.txt").write_text("3,3,3,3\n\n0,0,0,0\n" * 5)
    many = document(call("predict", "toy", "--lines", tmp_path / "rows.txt", "--json"))
    assert len(many) == 10
    measured = document(call("evaluate", "toy", "--json"))
    assert measured["n"] == 200 and measured["split"] == "test"
    assert measured["metrics"]["accuracy"]["low"] <= measured["metrics"]["accuracy"]["value"]
    assert measured["baseline"]["accuracy"]["value"] == 0.5
    share = measured["metrics"]["faithful_share"]
    assert share["model"] == "any method" and 0 <= share["low"] <= share["value"] <= 1
    few = document(call("evaluate", "toy", "--limit", 7, "--json"))
    assert few["n"] == 7 and "faithful_share" not in few["metrics"]
    listed = document(call("list", "--json"))
    assert {row["id"]: row["metric"] and row["metric"]["name"] for row in listed} == {
        "toy": "accuracy",
        "toy_lab": None,
    }
    written = json.loads((folder / "card.json").read_text())["measured_at"]
    time.sleep(1.1)
    document(call("evaluate", "toy", "--write", "--json"))
    again = json.loads((folder / "card.json").read_text())
    assert again["measured_at"] > written and again["constants"] == card["constants"]


def test_train_elsewhere_leaves_the_registry_alone(call: Call, tmp_path: Path) -> None:
    document(call("train", "toy", "--out", tmp_path / "out", "--json"))
    assert (tmp_path / "out" / "weights.safetensors").exists()
    assert [p.name for p in (tmp_path / "models" / "toy").iterdir()] == ["case.toml"]


def test_events_are_written_as_lines(call: Call, tmp_path: Path) -> None:
    document(call("train", "toy", "--events", tmp_path / "events.jsonl", "--json"))
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["kind"] for event in events].count("epoch") == 5
    assert events[-1]["kind"] == "done"


def test_a_lab_runs_with_settings(call: Call) -> None:
    found = document(call("predict", "toy_lab", "rate=0.25", "kind=slow", "--json"))
    assert found["result"] == {"type": "Frame", "step": 2, "height": 0.0625}


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("predict", "nope", "x"), ("no case 'nope'", "toy")),
        (("predict", "toy_lab", "speed=1"), ("speed=1", "rate=0.5")),
        (("predict", "toy_lab", "rate=7"), ("between",)),
        (("predict", "toy_lab", "rate=quick"), ("number",)),
        (("predict", "toy_lab", "kind=odd"), ("fast, slow",)),
        (("evaluate", "toy_lab"), ("toy_lab", "predict")),
        (("train", "toy_lab"), ("toy_lab", "predict")),
        (("train", "toy", "--budget", "huge"), ("quick",)),
        (("evaluate", "toy", "--limit", "0"), ("0",)),
        (("evaluate", "toy", "--write", "--limit", "5"), ("--write",)),
        (("evaluate", "toy", "--data", "/nowhere"), ("/nowhere",)),
        (("frobnicate",), ("frobnicate",)),
        (("fetch",), ("--all",)),
        (("bench", "--suite", "nope"), ("startup",)),
        (("predict", "toy", "--lines", "/nowhere"), ("/nowhere",)),
    ],
)
def test_a_wrong_call_is_one_line_and_code_2(call: Call, arguments: tuple, words: tuple) -> None:
    wrong(call(*arguments, "--json") if arguments[0] != "frobnicate" else call(*arguments), *words)


def test_wrong_inputs_are_one_line_and_code_2(call: Call) -> None:
    assert call("train", "toy", "--budget", "full").returncode == 0
    wrong(call("predict", "toy", "1,2,3"), "3 numbers")
    wrong(call("predict", "toy", "a,b"), "numbers")
    wrong(call("predict", "toy", "nan,1,1,1"), "not a number")
    wrong(call("predict", "toy"), "Give an input")


def test_a_case_knows_what_it_can() -> None:
    assert Toy.can("train") and Toy.can("evaluate") and not TableCase.can("train")
    assert not TableCase.can("evaluate")


def test_explain_gives_the_map_and_its_quality(call: Call, tmp_path: Path) -> None:
    assert call("train", "toy", "--budget", "full").returncode == 0
    out = tmp_path / "map.npy"
    arguments = ("explain", "toy", "3,3,3,3", "--method", "shapley_sampling", "--seconds", 0.2)
    found = document(call(*arguments, "--target", "low", "--out", out, "--json"))
    assert found["label"] == "low" and found["target"] == 0
    assert found["parts"] == ["a", "b", "c", "d"] and np.load(out).shape == (4,)
    assert found["faithfulness"]["verdict"] in ("better", "mixed", "unreliable")
    assert "verdict" in call(*arguments).stdout
    wrong(call("explain", "toy", "3,3,3,3", "--method", "guess"), "shapley_sampling")
    wrong(call(*arguments, "--target", "middle"), "low, high")
    wrong(call(*arguments, "--out", tmp_path / "map.png"), ".npy")


def test_failed_work_is_code_1(call: Call) -> None:
    wrong(call("train", "toy", "--seed", 666), "the toy broke", code=1)


def test_interrupted_training_goes_on(call: Call, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    document(call("train", "toy", "--out", whole, "--json", "--seed", 5))
    out = tmp_path / "broken"
    command = [sys.executable, str(HERE / "toy_case.py"), str(tmp_path / "models")]
    process = subprocess.Popen(
        [*command, "train", "toy", "--out", str(out), "--seed", "5"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tmp_path / "cache", TOY_PAUSE="0.1"),
    )
    assert process.stderr is not None
    for line in process.stderr:  # the second epoch has ended
        if "epoch 2/" in line:
            break
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=60)
    assert process.returncode == 1 and "Traceback" not in str(rest)
    found = document(call("train", "toy", "--out", out, "--json", "--seed", 5))
    assert not found["about"]["stopped"]
    assert (out / "weights.safetensors").read_bytes() == (
        whole / "weights.safetensors"
    ).read_bytes()


# Background trainings


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Background trainings of the toy, in a line of their own."""
    monkeypatch.setenv("DLPORTAL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TOY_PAUSE", "0.01")
    entry = [sys.executable, str(HERE / "toy_case.py"), str(tmp_path / "models")]
    monkeypatch.setattr(background, "ENTRY", entry)
    monkeypatch.setattr(Spares, "wanted", True)


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def status(job_id: str) -> str:
    return next(job for job in background.jobs() if job.id == job_id).status


def job(job_id: str) -> background.Job:
    return next(job for job in background.jobs() if job.id == job_id)


def test_jobs_run_one_after_another(line: None) -> None:
    first = background.start("toy", Settings("quick", 1))
    second = background.start("toy", Settings("quick", 2))
    assert [j.id for j in background.jobs("toy")] == [second.id, first.id]
    assert background.jobs("other") == []
    assert job(second.id).position == 1
    until(lambda: status(first.id) == "running" or status(first.id) == "done")
    assert status(second.id) == "waiting" or status(first.id) == "done"
    until(lambda: status(second.id) == "done")
    done = job(second.id)
    assert done.result()["accuracy"] > 0.9
    assert done.events()[-1].kind == "done" and done.weights is not None
    first_end = json.loads((job(first.id).folder / "job.json").read_text())["ended"]
    second_events = [e for e in done.events() if e.kind == "epoch"]
    assert len(second_events) == 5
    assert json.loads((done.folder / "job.json").read_text())["ended"] > first_end


def test_a_spare_process_takes_the_job(line: None) -> None:
    """It learns what a process that starts with the job learns, and its output is in the log."""
    plain = background.start("toy", Settings("quick", 3))
    until(lambda: status(plain.id) == "done")
    background.warm("toy")
    spare = background._spares._child
    background.warm("toy")
    assert background._spares._child is spare, "one is enough"
    other = background.start("toy", Settings("quick", 3))
    assert background._spares._child is None
    assert background._children[other.id] is spare
    background.warm("toy")
    assert background._spares._child is None, "none while a training runs"
    until(lambda: status(other.id) == "done")
    assert job(other.id).weights.read_bytes() == job(plain.id).weights.read_bytes()
    assert (job(other.id).folder / "log.txt").exists()
    assert spare.wait(60) == 0


def test_a_spare_that_cannot_serve_is_no_loss(line: None) -> None:
    background.warm("toy_lab")
    wrong = background._spares._child
    first = background.start("toy", Settings("quick", 1))
    assert background._children[first.id] is not wrong, "it is ready for another case"
    until(lambda: status(first.id) == "done")
    background.warm("toy")
    assert wrong.wait(60) is not None, "sent away for the one that is wanted"
    dead = background._spares._child
    dead.kill()
    dead.wait()
    second = background.start("toy", Settings("quick", 1))
    until(lambda: status(second.id) == "done")


def test_a_spare_leaves_with_its_server(line: None, tmp_path: Path) -> None:
    code = (
        "from dlportal.training import background; background._spares.wanted = True; "
        f"background.ENTRY = {background.ENTRY!r}; background.warm('toy'); "
        "print(background._spares._child.pid)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    until(lambda: not psutil.pid_exists(int(done.stdout)) or zombie(int(done.stdout)))


def zombie(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_job_stops_with_the_best_so_far(line: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_PAUSE", "0.2")
    started = background.start("toy", Settings())
    waiting = background.start("toy", Settings("quick", 1))
    until(lambda: any(e.kind == "epoch" for e in job(started.id).events()))
    job(waiting.id).stop()
    job(started.id).stop()
    until(lambda: status(started.id) == "stopped")
    until(lambda: status(waiting.id) == "stopped")
    assert job(started.id).weights is not None
    assert job(started.id).result()["about"]["stopped"]
    assert job(started.id).events()[-1].kind == "stopped"


def standing(job_id: str) -> int:
    """Steps done of a training that holds: no more come for ten batches' time."""

    def still() -> int | None:
        before = job(job_id).events()[-1].step
        time.sleep(0.5)
        return before if job(job_id).events()[-1].step == before else None

    return until(still)


def test_a_job_pauses_steps_and_goes_on(line: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds where it was asked to, goes single steps, and learns what it learns without."""
    monkeypatch.setenv("TOY_PAUSE", "0.05")
    plain = background.start("toy", Settings("quick", 3))
    until(lambda: status(plain.id) == "done")
    started = background.start("toy", Settings("quick", 3))
    job(started.id).pause()
    assert not job(started.id).paused, "a training that waits for its turn cannot be paused"
    until(lambda: job(started.id).events())
    job(started.id).pause()
    at = standing(started.id)
    assert job(started.id).paused and 0 < at < 50
    for n in (1, 2, 3):
        job(started.id).step()
        until(lambda n=n: job(started.id).events()[-1].step == at + n)
    assert standing(started.id) == at + 3
    job(started.id).go_on()
    until(lambda: status(started.id) == "done")
    held, free = (job(j.id).events()[-1].seconds for j in (started, plain))
    assert held < free + 1, "the time it held does not count"
    assert job(started.id).weights.read_bytes() == job(plain.id).weights.read_bytes()


def test_a_paused_job_can_be_stopped(line: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_PAUSE", "0.05")
    started = background.start("toy", Settings())
    until(lambda: any(e.kind == "epoch" for e in job(started.id).events()))
    job(started.id).pause()
    at = standing(started.id)
    job(started.id).stop()
    until(lambda: status(started.id) == "stopped")
    assert job(started.id).events()[-2].step == at, "no batch came after"
    assert job(started.id).weights is not None


def test_a_failed_job_says_why(line: None) -> None:
    failed = background.start("toy", Settings("quick", 666))
    until(lambda: status(failed.id) == "failed")
    assert "the toy broke" in job(failed.id).text


def test_a_killed_job_does_not_block_the_line(line: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_PAUSE", "0.5")
    killed = background.start("toy", Settings())
    until(lambda: status(killed.id) == "running")
    monkeypatch.setenv("TOY_PAUSE", "0")
    following = background.start("toy", Settings("quick", 1))
    record = background.read_record(killed.folder)
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    until(lambda: status(killed.id) == "failed")
    until(lambda: status(following.id) == "done")


def test_a_reused_process_id_is_not_the_job(line: None, tmp_path: Path) -> None:
    folder = background.jobs_dir() / "old"
    folder.mkdir()
    record = background.Record("old", "toy", "quick", 0, 1.0, "running", os.getpid(), 12345.0)
    background.write_record(folder, record)
    assert status("old") == "failed"


def test_the_line_has_an_end(line: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "LINE", 0)
    with pytest.raises(background.LineFull):
        background.start("toy", Settings())


def test_the_record_survives_a_restart_of_the_server(line: None, tmp_path: Path) -> None:
    script = (
        "import sys, time; from dlportal.training import background; "
        f"background.ENTRY = {background.ENTRY!r}; from dlportal.case import Settings; "
        "print(background.start('toy', Settings()).id, flush=True); time.sleep(60)"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(tmp_path / "cache", TOY_PAUSE="0.3"),
    )
    assert server.stdout is not None
    job_id = server.stdout.readline().strip()
    until(lambda: any(e.kind == "epoch" for e in job(job_id).events()))
    server.kill()
    server.wait()
    until(lambda: status(job_id) == "stopped")  # nobody is left to look at it
    assert job(job_id).weights is not None
