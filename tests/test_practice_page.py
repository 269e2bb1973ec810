"""The page of the practice lab: steps, trainings, table, links, panels."""

import csv
import io
import time
from typing import Any

import pytest
from visits import checked, click, text, visit

from dlportal.labs.practice_experiments import BEST, NAIVE
from dlportal.ui.practice_table import as_csv, table_row

PAGE = "practice_lab"
QUICK = {"data": "digits", "pictures": "300", "epochs": "1", "width": "4"}


def trained(at: Any) -> Any:
    """Press Start and wait for the end."""
    click(at, "practice_start")
    assert at.session_state["practice_running"].live.wait(120)
    return checked(at.run())


@pytest.mark.parametrize("part", ["data", "augment", "model", "train", "evaluate"])
def test_every_step_opens(part: str) -> None:
    at = visit(
        PAGE, part=part, flip="true", rotate="10", crop="1", batch_norm="true", dropout="0.2"
    )
    assert "Nothing has been trained yet" in text(at)


def test_a_training_fills_table_and_panels() -> None:
    at = trained(visit(PAGE, **QUICK, panel="explain"))
    running = at.session_state["practice_running"]
    assert running.live.state == "done" and list(running.outcomes) == [0]
    (row,) = at.session_state["practice_rows"]
    assert row["low"] < row["accuracy"] < row["high"] and row["test"] is None
    assert "Its most confident errors" in text(at)
    click(at, "open_test")
    assert row["test"].low < row["test"].value < row["test"].high
    assert "measured on it so far: 1" in text(at)
    at = trained(at)
    assert len(at.session_state["practice_rows"]) == 2
    click(at, "clear_table")
    assert at.session_state["practice_rows"] == []


@pytest.mark.parametrize("experiment", ["pair", "ablation", "folds", "sizes"])
def test_experiments_draw(experiment: str) -> None:
    at = trained(visit(PAGE, **QUICK, experiment=experiment, folds="3", part="evaluate"))
    running = at.session_state["practice_running"]
    assert len(at.session_state["practice_rows"]) == len(running.experiment.entries)
    at.session_state["shown"] = 1
    checked(at.run())
    if experiment == "folds":
        assert next(m.label for m in at.metric) == "Mean of 3 folds"
    at.session_state["panel"] = "code"
    checked(at.run())
    assert "accuracy" in at.code[0].value


def test_pause_step_stop() -> None:
    at = visit(PAGE, data="digits", pictures="1000", epochs="20", width="32", batch="16")
    click(at, "practice_start")
    live = at.session_state["practice_running"].live
    click(at, "practice_pause")
    assert live.state == "paused"
    time.sleep(0.3)
    before = len(live.frames)
    click(at, "practice_step")
    time.sleep(0.3)
    assert len(live.frames) == before + 1
    click(at, "practice_on")
    assert live.state == "running"
    click(at, "practice_stop")
    assert live.state == "stopped"
    checked(at.run())
    assert "Stopped" in text(at) and at.button(key="practice_start")


def test_presets_set_the_knobs() -> None:
    at = visit(PAGE)
    for key, recipe in (("preset_best", BEST), ("preset_naive", NAIVE)):
        click(at, key)
        assert {name: at.session_state[name] for name in recipe} == recipe


def test_a_link_carries_everything() -> None:
    settings = {
        "data": "digits",
        "pictures": "300",
        "scaling": "unit",
        "flip": "true",
        "rotate": "20",
        "crop": "2",
        "depth": "3",
        "width": "12",
        "batch_norm": "true",
        "batch": "32",
        "rate": "0.1",
        "schedule": "stairs",
        "warmup": "0.25",
        "epochs": "7",
        "dropout": "0.3",
        "decay": "0.001",
        "momentum": "0.5",
        "bf16": "true",
        "seed": "11",
        "experiment": "folds",
        "folds": "4",
        "part": "train",
        "shown": "2",
    }
    at = visit(PAGE, **settings)
    assert {k: at.query_params[k].lower() for k in settings} == settings


def test_a_training_that_fails_to_learn_says_so() -> None:
    at = trained(visit(PAGE, **QUICK | {"epochs": "2"}, scaling="raw", rate="0.5"))
    assert "learned nothing" in at.warning[0].value
    at = trained(
        visit(PAGE, **QUICK | {"epochs": "2", "width": "32"}, scaling="raw", rate="0.5", depth="4")
    )
    assert "blew up" in at.warning[0].value


def test_digits_stand_in_and_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlportal.labs.practice_data.is_available", lambda name: False)
    at = visit(PAGE)
    assert "Fashion-MNIST is not on this machine" in at.info[0].value
    assert "Fetch Fashion-MNIST" in at.button(key="fetch_data").label


def test_the_download_holds_every_setting() -> None:
    at = trained(visit(PAGE, **QUICK))
    shown = [table_row(1, row) for row in at.session_state["practice_rows"]]
    (read,) = csv.DictReader(io.StringIO(as_csv(shown)))
    assert read["Random seed"] == "0" and read["Pixels"] == "standardised"
    assert 0 < float(read["held-out accuracy"]) <= 1
