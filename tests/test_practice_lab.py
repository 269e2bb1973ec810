"""Every formula on the page equals torch, and the script gives the page's numbers."""

import math
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlportal.bench import practice
from dlportal.case import InputError, load_case
from dlportal.labs import practice_formulas as formulas
from dlportal.labs.live import InTurn, Live
from dlportal.labs.practice_data import LABELS, folds, load, scaling_of, subset, usable
from dlportal.labs.practice_experiments import BEST, FAST, NAIVE, WITHOUT, Frame
from dlportal.labs.practice_looks import numbers_of, rates, sheet, variants
from dlportal.labs.practice_net import Dropout, build, describe
from dlportal.labs.practice_training import Training, augmentation, make_optimizer
from dlportal.messages import UserError

ROOT = Path(__file__).resolve().parent.parent
LAB = load_case("practice_lab")
SMALL = {"data": "digits", "pictures": "300", "epochs": 2, "width": 4}
ALL_ON = {
    "scaling": "standard",
    "flip": True,
    "rotate": 15,
    "crop": 1,
    "batch_norm": True,
    "dropout": 0.3,
    "decay": 0.001,
    "warmup": 0.2,
}


def settings(**given: Any) -> dict[str, Any]:
    return LAB.settings({**SMALL, **given})


def frames(**given: Any) -> list[Frame]:
    return list(LAB.run(**{**SMALL, **given}))


# The formulas on the page.


def test_scalings_are_torchs() -> None:
    x = torch.randint(0, 256, (50, 1, 8, 8), dtype=torch.uint8)
    ours = scaling_of("unit", x)(x.float())
    np.testing.assert_allclose(ours.numpy(), formulas.unit(x.numpy()), rtol=1e-6)
    ours = scaling_of("standard", x)(x.float())
    np.testing.assert_allclose(ours.numpy(), formulas.standard(x.numpy()), atol=1e-5)
    double = x.double()
    expected = (double - double.mean()) / double.std(correction=0)
    np.testing.assert_allclose(formulas.standard(x.numpy()), expected.numpy(), atol=1e-12)
    assert torch.equal(scaling_of("raw", x)(x.float()), x.float())


def test_flips_rotations_and_crops_are_what_is_written() -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.rand(4, 1, 8, 8)
    mirror = augmentation(settings(flip=True), 8)
    assert mirror is not None and mirror.flip == 0.5
    always = type(mirror)(0.0, 0.0, 0.0, 0.0, 1.0)
    torch.testing.assert_close(always(x, g), x.flip(-1), atol=1e-5, rtol=0)
    move = augmentation(settings(rotate=30, crop=2), 8)
    assert move is not None
    found = move(x, torch.Generator().manual_seed(3))
    draws = [2 * torch.rand(4, generator=g) - 1 for g in [torch.Generator().manual_seed(3)] * 7]
    angle, right, down = draws[0] * math.radians(30), draws[4] * 2, draws[6] * 2  # pixels
    for n in range(4):
        expected = by_hand(x[n, 0], float(angle[n]), float(right[n]), float(down[n]))
        torch.testing.assert_close(found[n, 0], expected, atol=1e-4, rtol=0)
    quarter = by_hand(x[0, 0], math.pi / 2, 0.0, 0.0)
    torch.testing.assert_close(quarter, torch.rot90(x[0, 0]), atol=1e-4, rtol=0)
    window = by_hand(x[0, 0], 0.0, 1.0, 0.0)
    torch.testing.assert_close(window[:, :-1], x[0, 0][:, 1:], atol=1e-5, rtol=0)
    assert augmentation(settings(), 8) is None


def by_hand(picture: torch.Tensor, angle: float, right: float, down: float) -> torch.Tensor:
    """Turn about the middle by the written matrix, move the window by so many pixels, and look
    up each value between its four neighbours; beyond the edge the border repeats."""
    side, out = len(picture), torch.empty_like(picture)
    middle = (side - 1) / 2
    for i in range(side):
        for j in range(side):
            u, v = j - middle, i - middle
            column = math.cos(angle) * u - math.sin(angle) * v + middle + right
            row = math.sin(angle) * u + math.cos(angle) * v + middle + down
            column, row = (min(max(c, 0.0), side - 1.0) for c in (column, row))
            i0, j0 = min(int(row), side - 2), min(int(column), side - 2)
            a, b = row - i0, column - j0
            top = (1 - b) * picture[i0, j0] + b * picture[i0, j0 + 1]
            bottom = (1 - b) * picture[i0 + 1, j0] + b * picture[i0 + 1, j0 + 1]
            out[i, j] = (1 - a) * top + a * bottom
    return out


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("side", [8, 28])
def test_layer_table_is_the_network(side: int, depth: int, batch_norm: bool) -> None:
    net = build(side, depth, 4, batch_norm, 0.2, 0)
    layers = list(describe(net, side))
    assert sum(n.parameters for n in layers) == sum(p.numel() for p in net.parameters())
    before, size = 1, side
    for layer in layers:
        if layer.kind == "Conv2d":
            assert layer.parameters == formulas.convolution(before, layer.shape[0], not batch_norm)
            before = layer.shape[0]
        elif layer.kind == "MaxPool2d":
            size = formulas.pooled(size)
            assert layer.shape == (before, size, size)
    assert layers[-1].shape == (10,)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_what_an_output_sees_is_found_by_gradient(depth: int) -> None:
    """The receptive field in the table is how far the gradient reaches."""
    net = build(28, depth, 4, False, 0.0, 0)
    layers = list(describe(net, 28))
    last = max(i for i, layer in enumerate(layers) if layer.kind in ("Conv2d", "MaxPool2d"))
    body = nn.Sequential(*[nn.Identity() if isinstance(m, nn.ReLU) else m for m in net[: last + 1]])
    for layer in body:
        if isinstance(layer, nn.Conv2d):
            nn.init.ones_(layer.weight)
    # Average pooling passes the gradient to all four, as max pooling might.
    body = nn.Sequential(*[nn.AvgPool2d(2) if isinstance(m, nn.MaxPool2d) else m for m in body])
    x = torch.rand(1, 1, 28, 28, requires_grad=True)
    y = body(x)
    y[0, 0, y.shape[2] // 2, y.shape[3] // 2].backward()
    assert x.grad is not None
    columns = (x.grad[0, 0].abs().sum(0) > 0).sum().item()
    assert columns == layers[last].sees


def test_batch_norm_is_torchs() -> None:
    h = torch.randn(64, 1, 3, 3, dtype=torch.float64)
    norm = nn.BatchNorm2d(1).double()
    with torch.no_grad():
        norm.weight.fill_(1.7)
        norm.bias.fill_(-0.3)
    found = formulas.batch_norm(h.numpy(), 1.7, -0.3, norm.eps)
    np.testing.assert_allclose(found, norm(h).detach().numpy(), atol=1e-10)


def test_loss_is_torchs() -> None:
    z, target = torch.randn(32, 10, dtype=torch.float64), torch.randint(0, 10, (32,))
    expected = F.cross_entropy(z, target).item()
    assert formulas.cross_entropy(z.numpy(), target.numpy()) == pytest.approx(expected, rel=1e-9)


def test_update_is_torchs() -> None:
    """Three steps by hand equal `torch.optim.SGD` with momentum and weight decay."""
    s = settings(momentum=0.8, decay=0.01, rate=0.1)
    layer = nn.Linear(1, 1)
    with torch.no_grad():
        layer.weight.fill_(0.5)
        layer.bias.fill_(0.25)
    optimizer = make_optimizer(layer, s)
    theta, v, bias, bias_v = 0.5, 0.0, 0.25, 0.0
    for gradient in (0.3, -0.7, 0.2):
        layer.weight.grad = torch.full((1, 1), gradient)
        layer.bias.grad = torch.full((1,), gradient)
        optimizer.step()
        theta, v = formulas.update(theta, v, gradient, 0.1, 0.8, 0.01)
        bias, bias_v = formulas.update(bias, bias_v, gradient, 0.1, 0.8, 0.0)  # never decays
    assert layer.weight.item() == pytest.approx(theta, rel=1e-5)
    assert layer.bias.item() == pytest.approx(bias, rel=1e-5)


def test_dropout_is_what_is_written() -> None:
    h = torch.rand(200, 50)
    layer = Dropout(0.3, torch.Generator().manual_seed(4)).train()
    kept = torch.rand(h.shape, generator=torch.Generator().manual_seed(4)) >= 0.3
    found = layer(h)
    np.testing.assert_allclose(found, formulas.dropout(h.numpy(), kept.numpy(), 0.3), rtol=1e-6)
    torch.manual_seed(0)
    reference = F.dropout(h, 0.3)
    for y in (found, reference):  # the same share of zeros, the same factor
        assert (y == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)
        torch.testing.assert_close(y[y != 0], (h / 0.7)[y != 0])
    assert torch.equal(layer.eval()(h), h)


@pytest.mark.parametrize("warmup", [0.0, 0.2])
@pytest.mark.parametrize("kind", ["constant", "stairs", "cosine"])
def test_schedules_are_torchs(kind: str, warmup: float) -> None:
    """The drawn line, the formula, and torch's own schedulers."""
    s = settings(schedule=kind, warmup=warmup, rate=0.2, epochs=5)
    drawn = rates(s)
    steps, rise = len(drawn), round(warmup * len(drawn))
    training = Training(s)
    np.testing.assert_allclose(drawn, [training.rate(t) for t in range(steps)])
    written = [formulas.rate(kind, t, steps, rise, 0.2) for t in range(steps)]
    np.testing.assert_allclose(drawn, written, rtol=1e-9)
    np.testing.assert_allclose(drawn, torchs(kind, steps, rise, 0.2), rtol=1e-6, atol=1e-12)


def torchs(kind: str, steps: int, rise: int, peak: float) -> list[float]:
    """The same rates by `torch.optim.lr_scheduler`."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=peak)
    module, rest = torch.optim.lr_scheduler, steps - rise
    later: Any = {
        "constant": lambda: module.ConstantLR(optimizer, 1.0),
        "stairs": lambda: module.MultiStepLR(
            optimizer, [math.ceil(rest / 2), math.ceil(rest * 0.75)], 0.1
        ),
        "cosine": lambda: module.CosineAnnealingLR(optimizer, rest),
    }[kind]()
    scheduler = later
    if rise:
        warm = module.LinearLR(optimizer, 1 / rise, 1.0, max(1, rise - 1))
        scheduler = module.SequentialLR(optimizer, [warm, later], [rise])
    found = []
    for _step in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_class_scores_are_counts_of_torch() -> None:
    g = torch.Generator().manual_seed(1)
    truth = torch.randint(0, 4, (300,), generator=g)
    wrong = torch.randint(0, 4, (300,), generator=g)
    said = torch.where(torch.rand(300, generator=g) < 0.7, truth, wrong)
    scores = formulas.class_scores(truth.numpy(), said.numpy(), 4)
    for c, score in enumerate(scores):
        hits = ((truth == c) & (said == c)).sum().item()
        precision = hits / (said == c).sum().item()
        recall = hits / (truth == c).sum().item()
        assert score.precision.value == pytest.approx(precision)
        assert score.recall.value == pytest.approx(recall)
        f1 = 2 * precision * recall / (precision + recall)
        assert score.f1.value == pytest.approx(f1)
        for b in (score.precision, score.recall, score.f1):
            assert 0 <= b.low < b.value < b.high <= 1
    accuracy = (truth == said).float().mean().item()
    assert formulas.proportion(int((truth == said).sum()), 300).value == pytest.approx(accuracy)


def test_a_class_that_never_occurs_has_no_score() -> None:
    score = formulas.class_scores(np.array([0, 1]), np.array([0, 1]), 3)[2]
    assert (score.precision.value, score.recall.low, score.recall.high) == (0.0, 0.0, 1.0)


def test_mean_of_folds() -> None:
    found = [0.8, 0.82, 0.79, 0.85, 0.81]
    x = torch.tensor(found, dtype=torch.float64)
    bounds = formulas.fold_mean(found)
    half = 2.7764451 * x.std().item() / 5**0.5  # t(0.975, 4)
    assert bounds.value == pytest.approx(x.mean().item())
    assert bounds.high - bounds.value == pytest.approx(half, rel=1e-6)


# Data.


def test_folds_hold_out_every_picture_once() -> None:
    parts = folds(103, 5)
    assert len(parts) == 5
    assert sorted(torch.cat([out for _kept, out in parts]).tolist()) == list(range(103))
    for kept, out in parts:
        assert not set(kept.tolist()) & set(out.tolist()) and len(kept) + len(out) == 103


def test_digits_parts_do_not_overlap() -> None:
    digits = load("digits")
    assert [len(p) for p in (digits.train, digits.validation, digits.test)] == [1000, 397, 400]
    assert digits.side == 8 and int(digits.train.images.max()) == 255
    assert all(set(p.labels.tolist()) == set(range(10)) for p in (digits.validation, digits.test))


def test_a_larger_subset_holds_the_smaller() -> None:
    part = load("digits").train
    assert torch.equal(subset(part, 500, 3).images[:200], subset(part, 200, 3).images)
    assert not torch.equal(subset(part, 200, 4).labels, subset(part, 200, 3).labels)


def test_digits_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlportal.labs.practice_data.is_available", lambda name: False)
    assert usable("fashion_mnist") == "digits"
    assert LAB.settings({})["data"] == "digits"


@pytest.mark.data
def test_fashion_mnist_parts() -> None:
    clothes = load("fashion_mnist")
    sizes = [len(p) for p in (clothes.train, clothes.validation, clothes.test)]
    assert sizes == [54_000, 2_000, 10_000] and clothes.side == 28
    assert LAB.settings({})["data"] == "fashion_mnist"
    frame = next(LAB.run(pictures="300"))
    assert frame.moment.step == 1 and len(LABELS["fashion_mnist"]) == 10


def test_what_scaling_is_for() -> None:
    """Raw pixels give a much larger first gradient: a common rate kills the units or blows up."""
    raw, unit, standard = numbers_of(settings())
    assert raw.gradient > 20 * standard.gradient
    assert (unit.low, unit.high) == (0.0, 1.0) and abs(standard.mean) < 0.2
    *_some, dead = frames(scaling="raw", rate=0.5)
    assert dead.outcome is not None and dead.outcome.learned_nothing
    *_some, last = frames(scaling="raw", rate=0.5, depth=4, width=32)
    assert last.outcome is not None and last.outcome.blown_up
    assert last.moment.step < last.moment.steps
    *_some, good = frames(scaling="standard", epochs=5)
    assert good.outcome is not None and not good.outcome.learned_nothing


def test_previews() -> None:
    rows = variants(settings(flip=True, rotate=20, crop=1))
    still = variants(settings())
    assert rows.shape == (6, 8, 8, 8) and np.array_equal(rows[0], still[0])
    assert not np.array_equal(rows[0], rows[1]) and np.array_equal(still[0], still[1])
    assert sheet(rows, 2).shape == (2 * 58, 2 * 78, 4)


# Trainings.


@pytest.mark.parametrize("given", [{}, ALL_ON])
def test_same_seed_same_numbers(given: dict[str, Any]) -> None:
    """Whatever else draws random numbers in this process meanwhile."""
    first = frames(**given)
    torch.manual_seed(9)
    again, other = frames(**given), frames(**given, seed=1)
    assert [f.moment for f in first] == [f.moment for f in again]
    assert [f.moment.loss for f in first] != [f.moment.loss for f in other]


def test_it_learns() -> None:
    *_some, last = frames(pictures="1000", epochs=6, batch_norm=True)
    assert last.outcome is not None and last.outcome.accuracy > 0.9


@pytest.mark.parametrize("experiment", ["one", "pair", "ablation", "folds", "sizes"])
def test_experiments(experiment: str) -> None:
    run = LAB.experiment(**SMALL, experiment=experiment, folds=3)
    seen = list(run.run())
    outcomes = [f.outcome for f in seen if f.outcome is not None]
    counts = {"one": 1, "pair": 2, "ablation": len(WITHOUT) + 2, "folds": 3, "sizes": 5}
    assert len(outcomes) == len(run.entries) == counts[experiment]
    assert all(0 <= o.accuracy <= 1 and len(o.truth) == len(o.predicted) for o in outcomes)
    if experiment == "sizes":
        assert [o.pictures for o in outcomes] == [18, 37, 75, 150, 300]
    if experiment == "folds":
        assert [len(o.truth) for o in outcomes] == [100, 100, 100]
    if experiment == "pair":
        done = [0.0, 0.0]
        for frame in seen:  # side by side: neither is ever a step ahead of its turn
            assert done[frame.run] <= done[1 - frame.run] or done[1 - frame.run] == 1
            done[frame.run] = frame.moment.step / frame.moment.steps
        assert outcomes[0].settings.items() >= (NAIVE | {"seed": 0}).items()
        assert outcomes[1].settings.items() >= (BEST | {"seed": 0}).items()


def test_best_practice_beats_naive() -> None:
    outcomes = [
        f.outcome for f in frames(pictures="1000", epochs=5, experiment="pair") if f.outcome
    ]
    naive, best = sorted(outcomes, key=lambda o: o.name == "best practice")
    assert best.accuracy > naive.accuracy + 0.02


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ({}, 0),
        ({**ALL_ON, "schedule": "stairs"}, 0),
        ({"experiment": "pair"}, 1),
        ({"experiment": "folds", "folds": 3, "schedule": "constant"}, 2),
        ({"experiment": "sizes", "bf16": True}, 1),
        ({"scaling": "raw", "rate": 0.5, "depth": 4, "width": 32}, 0),
    ],
)
def test_the_script_gives_the_same_numbers(given: dict[str, Any], number: int) -> None:
    code = LAB.code(number, **{**SMALL, **given})
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        mine = [f for f in frames(**given) if f.run == number]
    finally:
        torch.set_num_threads(threads)
    lines = [line.split() for line in out.stdout.splitlines()]
    printed = [float(words[2]) for words in lines if words[0] == "loss"]
    expected = [f.moment.loss for f in mine]
    np.testing.assert_allclose(printed, expected, rtol=1e-5)
    outcome = mine[-1].outcome
    assert outcome is not None
    assert float(lines[-1][1]) == pytest.approx(outcome.accuracy, abs=1e-6)


def test_wrong_settings_are_named() -> None:
    with pytest.raises(ValueError, match="schedule"):
        LAB.settings({"speed": 3})
    with pytest.raises(InputError, match="rate is 9"):
        LAB.settings({"rate": 9})
    with pytest.raises(InputError, match="cosine"):
        LAB.settings({"schedule": "sine"})


@pytest.mark.data
def test_the_bench_times_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a low goal: both reach it, and both start from the same weights."""
    monkeypatch.setattr(practice, "GOAL", 0.5)
    s = LAB.settings({**FAST, "width": 4})
    for side in (practice.lab_seconds, practice.plain_seconds):
        seconds, pictures = side(s)
        assert 0 < seconds < 120 and 0 < pictures <= 54_000
    picture, label = practice.Clothes(load("fashion_mnist").train, s)[0]
    assert picture.shape == (1, 28, 28) and 0 <= label < 10


@pytest.mark.data
def test_both_sides_scale_alike() -> None:
    part = load("fashion_mnist").train
    s = LAB.settings({**FAST, "flip": False, "crop": 0})
    theirs = torch.stack([practice.Clothes(part, s)[n][0] for n in range(5)])
    ours = scaling_of("standard", part.images)(part.images[:5].float())
    torch.testing.assert_close(theirs, ours, atol=1e-5, rtol=1e-5)


# Runs in a thread of their own.


def counting(n: int, pause: float = 0.0) -> Iterator[int]:
    for number in range(n):
        time.sleep(pause)
        yield number


def until(condition: Any, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_a_run_goes_to_its_end() -> None:
    live = Live(counting(50))
    assert live.wait(10) and live.state == "done" and live.look() == list(range(50))


def test_pause_step_go_on_stop() -> None:
    live = Live(counting(10_000, 0.002))
    until(lambda: len(live.frames) > 3)
    live.pause()
    time.sleep(0.05)
    held = len(live.frames)
    time.sleep(0.1)
    assert len(live.frames) == held and live.state == "paused"
    live.step()
    until(lambda: len(live.frames) == held + 1)
    time.sleep(0.05)
    assert len(live.frames) == held + 1
    live.go_on()
    until(lambda: len(live.frames) > held + 5)
    live.stop()
    time.sleep(0.05)
    end = len(live.frames)
    time.sleep(0.05)
    assert live.state == "stopped" and len(live.frames) == end < 10_000
    live.go_on()  # what has ended stays so
    assert live.state == "stopped"


def test_a_run_stops_when_its_visitor_has_left() -> None:
    left = threading.Event()
    live = Live(counting(100_000, 0.002), left.is_set)
    until(lambda: len(live.frames) > 3)
    left.set()
    assert live.wait(5) and live.state == "stopped"


def test_a_run_that_nobody_looks_at_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlportal.labs.live.UNSEEN", 0.2)
    live = Live(counting(100_000, 0.002))
    assert live.wait(5) and live.state == "stopped"


def test_failures_are_kept() -> None:
    def breaking() -> Iterator[int]:
        yield 1
        raise UserError("Too hot.")

    live = Live(breaking())
    assert live.wait(5) and live.state == "failed" and str(live.error) == "Too hot."

    def bug() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    live = Live(bug())
    assert live.wait(5) and live.state == "failed" and live.error is None


def test_two_runs_share_the_core_evenly() -> None:
    first, second = Live(counting(100_000, 0.002)), Live(counting(100_000, 0.002))
    until(lambda: len(first.frames) + len(second.frames) > 200, 20)
    first.stop()
    second.stop()
    a, b = len(first.frames), len(second.frames)
    assert 0.5 < a / b < 2


def test_turns_are_given_in_order() -> None:
    in_turn, order = InTurn(), []

    def work(number: int) -> None:
        with in_turn():
            order.append(number)

    with in_turn():
        threads = []
        for number in range(5):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            until(lambda n=number: len(in_turn._line) == n + 2)
    for thread in threads:
        thread.join()
    assert order == list(range(5))
