"""The page of the optimizer race: networks race beside the page, rates are swept, links carry all."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from visits import charts, checked, click, labels, text, visit

from dlportal.case import load_case
from dlportal.labs.live import Live, in_turn
from dlportal.labs.race_optimizers import OPTIMIZERS
from dlportal.labs.race_sweep import RATES
from dlportal.ui import race_net, race_sweep

PAGE = "optimizer_race"


@pytest.fixture(autouse=True)
def no_run_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stop what a test has started: a thread that computes while Python ends would abort it."""
    runs: list[Live] = []

    def started(*args: Any) -> Live:
        runs.append(Live(*args))
        return runs[-1]

    for module in (race_net, race_sweep):
        monkeypatch.setattr(module, "Live", started)
    yield
    for run in runs:
        run.stop()
    with in_turn():
        pass


def until(at: Any, holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Run the page again, as the browser does, until a condition holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, text(at)
        time.sleep(0.05)
        checked(at.run())


def standing(live: Live) -> int:
    """How many frames a paused run has, once the one that it was at is done."""
    with in_turn():
        pass
    time.sleep(0.2)
    return len(live.frames)


def test_a_network_race_pauses_steps_goes_on_and_stops() -> None:
    at = visit(PAGE, track="net", steps="400")
    click(at, "race_pause")
    live = at.session_state["net_race"].live
    assert live.state == "paused"
    seen = standing(live)
    click(at, "race_step")
    until(at, lambda: len(live.frames) == seen + 1)
    assert standing(live) == seen + 1, "one step is one step"
    assert f"Step {live.frames[-1].step} of 400" in text(checked(at.run()))
    click(at, "race_on")
    until(at, lambda: len(live.frames) > seen + 2)
    click(at, "race_stop")
    assert live.wait(5) and live.state == "stopped"
    checked(at.run())
    assert "Again" in labels(at)
    click(at, "race_again")
    assert at.session_state["net_race"].live is not live


def test_the_numbers_drawn_are_the_runs() -> None:
    at = visit(PAGE, track="net", steps="40", seed="7")
    until(at, lambda: "Again" in labels(at))
    *_frames, race = load_case("optimizer_race").run(track="net", steps=40, seed=7)
    shown = [value for _name, value in charts(at)[0]["numbers"]]
    assert shown == [f"{race.losses[name][-1]:.3f}" for name in race.losses]
    drawn = charts(at)[0]["layers"][4]["y"]
    np.testing.assert_allclose(drawn, race.losses["adam"], atol=1e-4)


def test_another_setting_puts_a_new_race_on_the_track() -> None:
    at = visit(PAGE, track="net", steps="40")
    first = at.session_state["net_race"].live
    at.session_state["rate"] = 0.1
    checked(at.run())
    second = at.session_state["net_race"].live
    assert second is not first and first.wait(5)


def test_without_fashion_mnist_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlportal.labs.race_nets.usable", lambda data: "digits")
    monkeypatch.setattr(race_net, "usable", lambda data: "digits")
    at = visit(PAGE, track="fashion", steps="20")
    assert "digits stand in" in at.info[0].value
    until(at, lambda: "Again" in labels(at))
    assert at.query_params["track"] == "fashion", "the link keeps what was asked for"


def test_the_sweep_fills_its_map_and_can_be_stopped() -> None:
    at = visit(PAGE, track="net", steps="20", panel="trust")
    assert "sweep" not in at.query_params
    click(at, "sweep_start")
    assert at.query_params["sweep"] == "True"
    click(at, "sweep_pause")
    live = at.session_state["sweep_run"].live
    seen = standing(live)
    click(at, "sweep_step")
    until(at, lambda: len(live.frames) == seen + 1)
    click(at, "sweep_on")
    until(at, lambda: not live.active)
    checked(at.run())
    assert {(c.name, c.rate) for c in live.frames} == {
        (n, r) for n in OPTIMIZERS for r in range(len(RATES))
    }
    heat = charts(at)[1]["layers"][0]["z"]
    lost = [(c.name, c.rate) for c in live.frames if c.diverged]
    assert sum(value is None for row in heat for value in row) == len(lost)
    at.session_state["noise"] = 0.5
    checked(at.run())
    assert at.session_state["sweep_run"] is None, "another race, another map"
    assert "sweep" not in at.query_params


def test_a_link_starts_the_sweep_and_stop_ends_it() -> None:
    at = visit(PAGE, track="regression", kappa="200", steps="400", panel="trust", sweep="true")
    live = at.session_state["sweep_run"].live
    click(at, "sweep_stop")
    assert live.wait(10) and live.state == "stopped"


def test_the_regression_shows_its_closed_form() -> None:
    at = visit(PAGE, track="regression", kappa="200", seed="3")
    assert "w^*" in text(at) and "= 200$$" in text(at)
    assert r"\eta = 2/\lambda_{\max} = 0.4" in text(at)


def test_the_rules_run_beside_torchs_on_the_page() -> None:
    at = visit(PAGE, track="ravine", check="true", nesterov="true", decay="0.01")
    words = text(at)
    assert words.count("from torch.optim's") == 5
    assert "g + \\beta v" in words and "\\lambda" in words
    assert sum("def adam(" in block.value for block in at.code) == 1


def test_a_link_carries_everything() -> None:
    given = {
        "track": "regression",
        "kappa": "300",
        "rate": "0.2",
        "noise": "0.1",
        "steps": "60",
        "seed": "5",
        "beta": "0.8",
        "nesterov": "true",
        "rho": "0.9",
        "beta1": "0.8",
        "beta2": "0.99",
        "eps_power": "-4",
        "decay": "0.01",
        "factor_adam": "2.0",
        "check": "true",
    }
    at = visit(PAGE, **given)
    assert {k: at.query_params[k].lower() for k in given} == given
    assert {k: str(at.session_state[k]).lower() for k in given} == given
