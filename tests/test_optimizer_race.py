"""The race is deterministic, its formulas are torch's, and its script gives the same numbers."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlportal.case import InputError, load_case
from dlportal.cases.optimizer_race import OPTIMIZERS, Race
from dlportal.labs.race_nets import race_nets
from dlportal.labs.race_optimizers import build
from dlportal.labs.race_rules import CODE, FORMULAS, IDEAS, constants, source
from dlportal.labs.race_surfaces import (
    SURFACES,
    optimum,
    race_surface,
    regression,
    regression_data,
    surface_of,
)
from dlportal.labs.race_sweep import RATES, Cell, best, latest, run_alone

TRACKS = [*SURFACES, "regression", "net"]
ROOT = Path(__file__).resolve().parent.parent


def finished(**settings: Any) -> Race:
    *_frames, last = load_case("optimizer_race").run(**settings)
    return last


@pytest.mark.parametrize("track", TRACKS)
def test_same_seed_same_race(track: str) -> None:
    first = finished(track=track, steps=40, noise=0.2, seed=3)
    again = finished(track=track, steps=40, noise=0.2, seed=3)
    other = finished(track=track, steps=40, noise=0.2, seed=4)
    for name in OPTIMIZERS:
        np.testing.assert_array_equal(first.losses[name], again.losses[name])
        assert not np.array_equal(first.losses[name], other.losses[name])
        assert len(first.losses[name]) == 41


@pytest.mark.parametrize("track", list(SURFACES))
def test_all_start_alike_and_minima_are_zero(track: str) -> None:
    race = finished(track=track, steps=20)
    assert len({race.losses[name][0] for name in OPTIMIZERS}) == 1
    surface = SURFACES[track]
    for x, y in surface.minima:
        assert surface.loss(torch.tensor(x), torch.tensor(y)).item() == pytest.approx(0, abs=1e-6)
    x, y = torch.rand(2, 1000) * 6 - 3
    assert (surface.loss(x, y) >= 0).all()


def test_the_net_learns() -> None:
    race = finished(track="net", steps=300, rate=0.03)
    assert race.accuracy["adam"] > 0.95
    assert race.losses["adam"][-1] < 0.5 * race.losses["adam"][0]


def defaults(**given: Any) -> dict[str, Any]:
    return load_case("optimizer_race").settings(given)


RULE_SETTINGS = [
    {},
    {"decay": 0.05, "rate": 0.01},
    {"beta": 0.5, "nesterov": True, "decay": 0.02},
    {"beta": 0.0, "nesterov": True},
    {"rho": 0.8, "beta1": 0.5, "beta2": 0.95, "eps_power": -2},
    {"eps_power": -1, "decay": 0.1, "factor_adam": 3.0, "factor_sgd": 0.2},
]


@pytest.mark.parametrize("given", RULE_SETTINGS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_our_five_lines_are_torchs(name: str, given: dict[str, Any]) -> None:
    """500 steps with noisy gradients of many parameters, in float64 and float32."""
    s = defaults(**given)
    for dtype, tolerance in ((torch.float64, 1e-11), (torch.float32, 2e-5)):
        random = torch.Generator().manual_seed(1)
        start = torch.randn(7, 3, generator=random, dtype=dtype)
        theirs = start.clone().requires_grad_()
        ours, state = start.clone(), {}
        optimizer = build(name, [theirs], s)
        eta = s["rate"] * s[f"factor_{name}"]
        for _step in range(500):
            noise = torch.randn(7, 3, generator=random, dtype=dtype)
            theirs.grad = torch.sin(3 * theirs.detach()) + noise
            ours = CODE[name](ours, torch.sin(3 * ours) + noise, state, eta, **constants(name, s))
            optimizer.step()
        torch.testing.assert_close(ours, theirs.detach(), rtol=tolerance, atol=tolerance)


def test_rules_are_five_lines_with_formula_and_words() -> None:
    assert set(CODE) == set(FORMULAS) == set(IDEAS) == set(OPTIMIZERS)
    for name in OPTIMIZERS:
        head, *body = source(name).splitlines()
        assert head.startswith(f"def {name}(") and len(body) <= 5


@pytest.mark.parametrize("track", ["ravine", "regression"])
def test_our_lines_take_the_same_path(track: str) -> None:
    s = defaults(track=track, noise=0.2, decay=0.01)
    for name in OPTIMIZERS:
        _losses, theirs = race_surface(surface_of(s), name, s)
        _losses, ours = race_surface(surface_of(s), name, s, own=True)
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kappa", [1, 50, 1000])
def test_the_regressions_closed_form(kappa: int) -> None:
    x, y = regression_data(kappa, 4)
    best_w = torch.linalg.lstsq(x, y[:, None]).solution[:, 0]
    known = optimum(kappa, 4)
    np.testing.assert_allclose(known.w, best_w.numpy(), rtol=1e-8)
    assert torch.linalg.cond(x.T @ x).item() == pytest.approx(kappa, rel=1e-6)
    assert known.kappa == pytest.approx(kappa, rel=1e-6)
    steepness = torch.linalg.eigvalsh(x.T @ x / len(x)).flip(0)
    np.testing.assert_allclose(known.curvatures, steepness.numpy(), rtol=1e-8)
    by_hand = torch.linalg.inv(x.T @ x) @ x.T @ y
    np.testing.assert_allclose(known.w, by_hand.numpy(), rtol=1e-8)
    loss = regression(kappa, 4).loss
    assert loss(*best_w).item() == pytest.approx(0, abs=1e-12)
    u, v = torch.randn(2, 50, dtype=torch.float64)
    straight = ((torch.stack([u, v], 1) @ x.T - y) ** 2).mean(1) / 2 - known.loss
    torch.testing.assert_close(loss(u, v), straight)
    assert (straight >= 0).all()


def test_sgd_obeys_the_regressions_bounds() -> None:
    """It diverges just above 2/λ_max, and at its best rate shrinks as (κ - 1)/(κ + 1) says."""
    known = optimum(50, 0)
    for rate, diverges in ((1.02 * known.limit, True), (0.98 * known.limit, False)):
        s = defaults(track="regression", steps=400) | {"rate": rate}
        losses, _path = race_surface(surface_of(s), "sgd", s)
        assert (losses[-1] > losses[0]) == diverges
    s = defaults(track="regression", steps=200) | {"rate": known.best_rate}
    _losses, path = race_surface(surface_of(s), "sgd", s)
    far = np.linalg.norm(path - known.w, axis=1)
    assert (far[150] / far[50]) ** (1 / 100) == pytest.approx(known.best_factor, abs=1e-3)


def test_the_sweep_marks_what_diverged_and_finds_the_best_rate() -> None:
    s = defaults(track="regression", steps=100)
    limit = optimum(s["kappa"], s["seed"]).limit
    cells = latest([cell for rate in range(len(RATES)) for cell in run_alone("sgd", rate, s)])
    assert {cell.step for cell in cells} == {100}
    s["rate"] = RATES[4]
    losses, _path = race_surface(surface_of(s), "sgd", s)
    assert cells[4].loss == losses[-1] and cells[4].start == losses[0]
    assert [cell.diverged for cell in cells] == [rate > limit for rate in RATES]
    found = best(cells, "sgd")
    assert found is not None and found.loss == min(c.loss for c in cells if not c.diverged)
    assert best([Cell("sgd", 16, 100, float("nan"), 1.0)], "sgd") is None


def test_the_sweep_runs_every_optimizer_at_every_rate() -> None:
    cells = list(load_case("optimizer_race").sweep(track="net", steps=40))
    runs = {(c.name, c.rate): c for c in latest(cells)}
    assert set(runs) == {(n, k) for n in OPTIMIZERS for k in range(17)}
    assert {c.step for c in runs.values()} == {40} and len(cells) == 2 * len(runs)
    assert RATES[6] == pytest.approx(0.01)
    raced = finished(track="net", steps=40, rate=0.01).losses["adam"]
    assert runs[("adam", 6)].loss == raced[-1]


def test_fashion_learns_with_the_same_batches(one_thread: None) -> None:
    race = finished(track="fashion", steps=120, rate=0.005)
    assert list(race.at) == [*range(121)]
    assert len({race.losses[name][0] for name in OPTIMIZERS}) == 1
    assert race.accuracy["adam"] > 0.6 and race.accuracy["adam"] > race.accuracy["sgd"]
    *_looks, alone = race_nets(defaults(track="fashion", steps=120, rate=0.005), ("adam",), 120)
    assert alone.losses["adam"] == race.losses["adam"][-1], "alone it runs as beside the others"


def test_digits_stand_in_for_fashion_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlportal.labs.race_nets.usable", lambda data: "digits")
    race = finished(track="fashion", steps=200, rate=0.01)
    assert race.accuracy["adam"] > 0.8


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    "settings",
    [
        {"track": "ravine", "noise": 0.3, "nesterov": True},
        {"track": "regression", "kappa": 300, "seed": 5, "decay": 0.01, "eps_power": -3},
        {"track": "net", "steps": 40, "noise": 0.2, "seed": 3},
        {"track": "fashion", "steps": 40, "rate": 0.01, "factor_sgd": 5.0},
        {"track": "fashion", "steps": 20, "noise": 0.1},
    ],
)
def test_the_script_gives_the_same_numbers(settings: dict[str, Any], one_thread: None) -> None:
    code = load_case("optimizer_race").code(**settings)
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    printed = dict(line.split() for line in out.stdout.splitlines())
    race = finished(**settings)
    for name in OPTIMIZERS:
        assert float(printed[name]) == pytest.approx(race.losses[name][-1], rel=1e-5), name


def test_wrong_settings_are_named() -> None:
    with pytest.raises(ValueError, match="track"):
        finished(speed=3)
    with pytest.raises(InputError, match="rate is 9"):
        finished(rate=9)
    with pytest.raises(InputError, match="saddle"):
        finished(track="moon")
