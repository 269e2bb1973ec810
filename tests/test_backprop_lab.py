"""Every formula on the page equals torch, and the script gives the page's numbers."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlportal.case import InputError, load_case
from dlportal.cases.backprop_lab import TRAINING, fitting, weight_of
from dlportal.labs.backprop_data import DATA, INPUTS, OUTPUTS, POINTS
from dlportal.labs.backprop_depth import all_depths
from dlportal.labs.backprop_formulas import (
    backward_sum,
    delta,
    forward_sum,
    loss_by_hand,
    output_gradient,
    updated,
    weight_gradients,
)
from dlportal.labs.backprop_net import ACTIVATIONS, INITS, Pass, Training
from dlportal.labs.backprop_paths import (
    LIMIT,
    STEP,
    STEPS,
    Weight,
    check_gradients,
    gradient_of,
    parameter_names,
    paths_of,
    value_of,
)

ROOT = Path(__file__).resolve().parent.parent
LAB = load_case("backprop_lab")
CHOICES = [
    {"data": data, "activation": activation, "loss": loss, "layers": layers, "seed": seed}
    for seed, (data, layers) in enumerate(zip(DATA, (2, 1, 4, 3, 2)))
    for activation in ACTIVATIONS
    for loss in ("cross_entropy", "mse")
]
BENDS: dict[str, Any] = {
    r"\frac{e^z-e^{-z}}{e^z+e^{-z}}": lambda z: (
        (torch.exp(z) - torch.exp(-z)) / (torch.exp(z) + torch.exp(-z))
    ),
    r"\frac{1}{1+e^{-z}}": lambda z: 1 / (1 + torch.exp(-z)),
    r"\max(0, z)": lambda z: torch.clamp(z, min=0),
    r"\max(0.1\,z, z)": lambda z: torch.maximum(0.1 * z, z),
    "z": lambda z: z,
}
SLOPES: dict[str, Any] = {
    r"1-h^2": lambda z, h: 1 - h**2,
    r"h\,(1-h)": lambda z, h: h * (1 - h),
    r"1 \text{ if } z>0 \text{ else } 0": lambda z, h: (z > 0).double(),
    r"1 \text{ if } z>0 \text{ else } 0.1": lambda z, h: torch.where(z > 0, 1.0, 0.1),
    "1": lambda z, h: torch.ones_like(z),
}


def ids(settings: dict[str, Any]) -> str:
    return "-".join(map(str, settings.values()))


def look(step: int = 7, **settings: Any) -> tuple[Training, Pass]:
    training = LAB.training(**settings)
    return training, training.look(step)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_bends_and_slopes_are_torchs(name: str) -> None:
    """The written formulas of σ and σ' equal the torch module and its autograd."""
    bend = ACTIVATIONS[name]
    z = torch.linspace(-4, 4, 201, dtype=torch.float64) + 1e-3
    z.requires_grad_()
    h = bend.module()(z)
    (slope,) = torch.autograd.grad(h.sum(), z)
    torch.testing.assert_close(BENDS[bend.formula](z), h)
    torch.testing.assert_close(SLOPES[bend.slope_formula](z, h).double(), slope)
    np.testing.assert_allclose(bend.slope(z.detach().numpy()), slope.numpy(), rtol=1e-12)


@pytest.mark.parametrize("settings", CHOICES, ids=ids)
def test_every_number_equals_its_formula(settings: dict[str, Any]) -> None:
    _training, step = look(**settings)
    close = pytest.approx
    for layer in range(1, step.layers + 1):
        for unit in range(1, len(step.z[layer - 1]) + 1):
            z = forward_sum(step, layer, unit).total
            assert z == close(step.z[layer - 1][unit - 1], rel=1e-12, abs=1e-12)
            if layer < step.layers:
                bend = BENDS[ACTIVATIONS[settings["activation"]].formula]
                h = bend(torch.tensor(z, dtype=torch.float64)).item()
                assert h == close(step.h[layer][unit - 1], rel=1e-12, abs=1e-12)
                back = backward_sum(step, layer, unit).total
                assert back == close(step.dh[layer][unit - 1], rel=1e-10, abs=1e-14)
                d = delta(step, layer, unit, settings["activation"])
                assert d == close(step.dz[layer - 1][unit - 1], rel=1e-10, abs=1e-14)
        np.testing.assert_allclose(
            weight_gradients(step, layer), step.dw[layer - 1], rtol=1e-10, atol=1e-14
        )
        np.testing.assert_allclose(step.db[layer - 1], step.dz[layer - 1], rtol=1e-12)
        rate = 0.1
        for old, gradient, new in (
            (step.w, step.dw, step.new_w),
            (step.b, step.db, step.new_b),
        ):
            expected = updated(old[layer - 1], gradient[layer - 1], rate)
            np.testing.assert_allclose(expected, new[layer - 1], rtol=1e-12, atol=1e-15)
    z, many = torch.from_numpy(step.z[-1]), len(step.target) > 1
    softmax = many and settings["loss"] == "cross_entropy"
    p = z.exp() / z.exp().sum() if softmax else 1 / (1 + torch.exp(-z))
    np.testing.assert_allclose(step.h[-1], p.numpy(), rtol=1e-12)
    assert loss_by_hand(step, settings["loss"]) == close(step.loss, rel=1e-10)
    np.testing.assert_allclose(
        output_gradient(step, settings["loss"]), step.dz[-1], rtol=1e-9, atol=1e-15
    )


@pytest.mark.parametrize("settings", CHOICES, ids=ids)
def test_paths_add_up_to_autograd(settings: dict[str, Any]) -> None:
    _training, step = look(**settings)
    for weight in parameter_names(step)[::5]:
        paths = paths_of(step, weight, settings["activation"])
        total = sum(path.product for path in paths)
        assert total == pytest.approx(gradient_of(step, weight), rel=1e-9, abs=1e-14)
        expected = np.prod([len(z) for z in step.z[weight.layer :]], dtype=int)
        assert len(paths) == expected
        assert all(len(p.factors) == 2 * len(p.units) for p in paths)


@pytest.mark.parametrize("settings", CHOICES, ids=ids)
@pytest.mark.parametrize("init", INITS)
def test_numeric_gradient_agrees(settings: dict[str, Any], init: str) -> None:
    for at in (0, 40):
        training, step = look(at, **settings, init=init)
        if step.blown_up:
            assert at and init == "large" and settings["activation"] == "linear"
            continue
        check = check_gradients(training, step)
        assert check.largest < LIMIT
        assert init == "zeros" or check.kinked.mean() < 0.1
        assert len(check.names) == len(check.exact) == len(check.numeric)
        for weight, exact in list(zip(check.names, check.exact))[::7]:
            assert exact == gradient_of(step, weight)


def test_numeric_gradient_by_one_weight_moved() -> None:
    """The batched check does what its formula says."""
    training, step = look(3)
    check = check_gradients(training, step)
    training.look(2)  # now the net itself stands at step 3
    flat = training.parameters()
    x, t = training.x[step.example], training.target[step.example]
    for n in (0, 5, 17, len(flat) - 1):
        losses = []
        for sign in (1, -1):
            moved = flat.clone()
            moved[n] += sign * STEP
            torch.nn.utils.vector_to_parameters(moved, training.net.parameters())
            with torch.no_grad():
                z = training.net(x)
            losses.append(torch.nn.functional.binary_cross_entropy_with_logits(z, t).item())
        assert (losses[0] - losses[1]) / (2 * STEP) == pytest.approx(check.numeric[n], abs=1e-9)
        assert value_of(step, check.names[n]) == flat[n].item()


def test_epsilon_has_a_best_size() -> None:
    """Too large bends, too small drowns in rounding."""
    training, step = look(3)
    curve = check_gradients(training, step).curve
    assert len(curve) == len(STEPS)
    assert curve[0] > 100 * curve.min() and curve[-1] > 100 * curve.min()


@pytest.mark.parametrize("data", list(DATA))
def test_data(data: str) -> None:
    x, label = DATA[data](POINTS, 0.1, 3)
    again, _label = DATA[data](POINTS, 0.1, 3)
    other, _label = DATA[data](POINTS, 0.1, 4)
    assert x.dtype == torch.float64 and x.shape == (POINTS, INPUTS[data])
    assert torch.equal(x, again) and not torch.equal(x, other)
    classes = max(2, OUTPUTS[data])
    assert label.unique().tolist() == list(range(classes))
    assert label.bincount().min() > POINTS / classes / 2


def test_going_back_and_forth_changes_nothing() -> None:
    straight = LAB.training().look(130)
    training = LAB.training()
    for step in (130, 3, 77, 0, 130):
        seen = training.look(step)
    assert seen.loss == straight.loss and seen.mean_loss == straight.mean_loss
    for a, b in zip(seen.w, straight.w):
        np.testing.assert_array_equal(a, b)
    *_before, last = LAB.run(t=130)
    assert last.loss == straight.loss
    with pytest.raises(ValueError, match="2000"):
        training.look(2001)


def test_answers_are_those_of_the_step_shown() -> None:
    training = LAB.training(data="digits")
    for at in (40, 3):
        step = training.look(at)
        training.look(99)  # the net itself has moved on
        p = training.answers(step, training.x)
        np.testing.assert_allclose(p[step.example], step.h[-1], rtol=1e-12)
        assert (p.argmax(1) == training.label.numpy()).mean() == step.accuracy
    assert training.look(3) is step


def test_weights_shown_are_the_next_steps_weights() -> None:
    training = LAB.training()
    first, second = training.look(0), training.look(1)
    for new, w in zip(first.new_w, second.w):
        np.testing.assert_array_equal(new, w)
    assert first.loss_after < first.loss


@pytest.mark.parametrize(
    ("settings", "least"),
    [
        ({"units": 8}, 0.9),
        ({"data": "circles", "units": 4}, 0.95),
        ({"data": "spiral", "units": 8}, 0.9),
        ({"data": "digits", "layers": 1, "units": 4}, 0.85),
    ],
)
def test_it_learns(settings: dict[str, Any], least: float) -> None:
    training, step = look(2000, **settings)
    assert step.accuracy >= least
    steps, losses = training.curve(2000)
    assert steps[0] == 0 and steps[-1] == 2000 and losses[-1] == step.mean_loss
    assert losses[-1] < 0.5 * losses[0]


def test_zero_weights_never_come_apart() -> None:
    """All hidden units of a layer stay alike: why the first weights are random."""
    _training, step = look(300, init="zeros", activation="sigmoid")
    for w in step.w:
        np.testing.assert_allclose(w - w[0], 0, atol=1e-12)


@pytest.mark.parametrize(
    "settings",
    [
        {"t": 30},
        {"data": "digits", "t": 5, "w_layer": 3, "w_to": 3, "w_from": 2},
        {"data": "digits", "t": 5, "loss": "mse", "w_layer": 2, "w_to": 2, "w_from": 0},
        {"data": "spiral", "activation": "relu", "init": "he", "layers": 3, "units": 6, "t": 12},
        {"data": "xor", "activation": "sigmoid", "init": "large", "loss": "mse", "t": 0},
        {"data": "circles", "activation": "leaky_relu", "init": "small", "t": 3, "noise": 0.0},
        {"activation": "linear", "init": "zeros", "t": 3, "rate": 0.5, "seed": 12},
    ],
    ids=ids,
)
def test_the_script_gives_the_same_numbers(settings: dict[str, Any]) -> None:
    out = subprocess.run(
        [sys.executable, "-c", LAB.code(**settings)], capture_output=True, text=True, check=True
    )
    lines = [line.rsplit(" ", 1) for line in out.stdout.splitlines()]
    printed = {name: float(value) for name, value in lines if name[0] not in "zp"}
    *_before, step = LAB.run(**settings)
    gradient = gradient_of(step, weight_of(LAB.settings(settings)))
    close = pytest.approx
    assert printed["all examples"] == close(step.mean_loss, rel=1e-12)
    assert printed["loss"] == close(step.loss, rel=1e-12)
    assert printed["after"] == close(step.loss_after, rel=1e-9)
    assert printed["autograd"] == close(gradient, rel=1e-10, abs=1e-15)
    assert printed["by hand"] == close(gradient, rel=1e-9, abs=1e-15)
    assert printed["numeric"] == close(gradient, abs=LIMIT)
    zs = [list(map(float, line.split()[1:])) for line in out.stdout.splitlines() if line[0] == "z"]
    for printed_z, z in zip(zs, step.z, strict=True):
        np.testing.assert_allclose(printed_z, z, rtol=1e-12)


def test_gradients_vanish_explode_and_arrive() -> None:
    depths = all_depths(30, 32, "moons", "cross_entropy", 0)
    assert depths.verdict(("sigmoid", "xavier")) == "vanishes"
    assert depths.verdict(("tanh", "small")) == "vanishes"
    assert depths.verdict(("tanh", "xavier")) == "arrives"
    assert depths.verdict(("relu", "he")) == "arrives"
    assert depths.verdict(("relu", "large")) == "explodes"
    assert all(len(norms) == 30 for norms in depths.norms.values())
    shallow = all_depths(2, 32, "moons", "cross_entropy", 0)
    assert shallow.verdict(("sigmoid", "xavier")) == "arrives"


def test_places_move_into_the_network() -> None:
    s = fitting(LAB.settings({"layers": 4, "units": 8, "w_layer": 5, "w_to": 8, "w_from": 16}))
    assert (s["w_layer"], s["w_to"], s["w_from"]) == (5, 1, 8)
    s = LAB.settings({"layers": 1, "phase": 10, "w_layer": 5, "w_to": 8, "w_from": 16})
    assert (s["phase"], s["w_layer"], s["w_to"], s["w_from"]) == (4, 2, 1, 3)
    assert weight_of(s) == Weight(2, 1, 3)
    assert set(TRAINING) < {knob.name for knob in LAB.knobs}


def test_wrong_settings_are_named() -> None:
    with pytest.raises(ValueError, match="activation"):
        LAB.settings({"speed": 3})
    with pytest.raises(InputError, match="units is 99"):
        LAB.settings({"units": 99})
    with pytest.raises(InputError, match="spiral"):
        LAB.settings({"data": "faces"})


def test_a_step_is_quick() -> None:
    """Ten times under what a visitor may wait, so that drawing has the rest.

    Counted in this thread: others of the process may still be busy with what earlier tests began.
    """
    training = LAB.training(layers=4, units=8, data="digits")
    training.look(0)
    took = []
    for step in range(1, 12):
        start = time.thread_time()
        check_gradients(training, training.look(step))
        took.append(time.thread_time() - start)
    assert min(took) < 0.15  # the others may have waited for a busy machine
