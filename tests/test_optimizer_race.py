"""The race is deterministic, its formulas are torch's, and its script gives the same numbers."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlportal.case import InputError, load_case
from dlportal.cases.optimizer_race import OPTIMIZERS, SURFACES, Race, build

TRACKS = [*SURFACES, "net"]
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


def test_rules_are_torchs() -> None:
    """The formulas on the page, worked out by hand for three steps, equal torch.optim."""
    s = {k.name: k.default for k in load_case("optimizer_race").knobs}
    gradients = [0.5, -0.2, 0.3]
    eta, beta, rho, b1, b2 = s["rate"], s["beta"], s["rho"], s["beta1"], s["beta2"]
    by_hand = {name: 1.0 for name in OPTIMIZERS}
    v = acc = sq = m = s2 = 0.0
    for t, g in enumerate(gradients, 1):
        by_hand["sgd"] -= eta * g
        v = beta * v + g
        by_hand["momentum"] -= eta * v
        acc += g * g
        by_hand["adagrad"] -= eta * g / (acc**0.5 + 1e-10)
        sq = rho * sq + (1 - rho) * g * g
        by_hand["rmsprop"] -= eta * g / (sq**0.5 + 1e-8)
        m, s2 = b1 * m + (1 - b1) * g, b2 * s2 + (1 - b2) * g * g
        by_hand["adam"] -= eta * (m / (1 - b1**t)) / ((s2 / (1 - b2**t)) ** 0.5 + 1e-8)
    for name in OPTIMIZERS:
        theta = torch.tensor([1.0], requires_grad=True)
        optimizer = build(name, [theta], s)
        for g in gradients:
            theta.grad = torch.tensor([g])
            optimizer.step()
        assert theta.item() == pytest.approx(by_hand[name], abs=1e-6), name


@pytest.mark.parametrize(
    "settings",
    [
        {"track": "ravine", "noise": 0.3, "nesterov": True},
        {"track": "net", "steps": 40, "noise": 0.2},
    ],
)
def test_the_script_gives_the_same_numbers(settings: dict[str, Any]) -> None:
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
