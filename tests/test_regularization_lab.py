"""The lab is deterministic, its formulas are torch's, its script gives the same numbers."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dlportal.case import InputError, load_case
from dlportal.cases.regularization_lab import TRAINING
from dlportal.labs.regularization_compare import Comparison, interval, rivals, row
from dlportal.labs.regularization_data import TASKS, jitter, parts, shift, shift_and_flip
from dlportal.labs.regularization_net import EVERY, METHODS, Dropout, Outcome, Trial, shrink

ROOT = Path(__file__).resolve().parent.parent
OFF = dict.fromkeys(METHODS, False)
ON = dict.fromkeys(METHODS, True)


def settings(**given: Any) -> dict[str, Any]:
    """What a training needs: no remedy unless given."""
    s = load_case("regularization_lab").settings(OFF | given)
    return {name: s[name] for name in TRAINING}


def trained(**given: Any) -> Trial:
    trial = Trial(settings(**given))
    while not trial.finished:
        trial.advance()
    return trial


@pytest.mark.parametrize("remedies", [OFF, ON], ids=["none", "all"])
@pytest.mark.parametrize("data", ["moons", "circles", "digits"])
def test_same_seed_same_numbers(data: str, remedies: dict[str, bool]) -> None:
    given = {"data": data, "epochs": 20, "seed": 3, **remedies}
    first, again, other = trained(**given), trained(**given), trained(**given | {"seed": 4})
    assert len(first.frames) == 20 // EVERY + 1
    for a, b in zip(first.frames, again.frames):
        assert (a.train_loss, a.val_loss, a.norm) == (b.train_loss, b.val_loss, b.norm)
        np.testing.assert_array_equal(a.picture, b.picture)
    assert first.frames[-1].val_loss != other.frames[-1].val_loss


def test_visitors_do_not_disturb_each_other() -> None:
    """Two trainings in turns, with torch's global generator in use: the same numbers."""
    alone = trained(epochs=20, dropout=True, augment=True)
    both = [Trial(settings(epochs=20, dropout=True, augment=True, seed=k)) for k in (0, 1)]
    while not both[0].finished:
        torch.manual_seed(9)
        for trial in both:
            trial.advance()
    assert both[0].frames[-1].val_loss == alone.frames[-1].val_loss


def test_all_remedies_start_alike_with_the_same_batches() -> None:
    first = {name: Trial(settings(**{name: True})) for name in METHODS}
    start = {trial.frames[0].norm for trial in first.values()}
    assert len(start) == 1
    for trial in first.values():
        trial.advance()
    last = [trial.last[0].tolist() for trial in first.values()]
    assert all(batch == last[0] for batch in last)


def test_it_overfits_and_the_remedies_close_the_gap() -> None:
    """What the page says happens: at its own settings, not at any."""
    plain = trained(epochs=200)
    end = plain.frames[-1]
    assert end.train_accuracy > 0.95 and end.gap > 1.0
    assert end.val_loss > 2 * min(frame.val_loss for frame in plain.frames)
    assert plain.stop is not None and plain.best < plain.stop
    for name in METHODS:
        trial = trained(epochs=200, **{name: True})
        kept = trial.frames[trial.kept_frame(len(trial.frames) - 1)]
        assert kept.gap < 0.8 * end.gap, name


def test_too_much_is_noticed() -> None:
    strong = trained(l1=True, l1_strength=1.0, l2=True, decay=5.0, epochs=60)
    assert strong.learns_nothing(len(strong.frames) - 1)
    assert not trained(epochs=60).learns_nothing(30)


def test_labels_are_wrong_as_often_as_asked() -> None:
    p = parts("moons", 400, 0.2, 0.3, 5)
    truth = TASKS["moons"].draw(1600, 0.2, 5)[1]
    assert p.wrong.double().mean().item() == pytest.approx(0.3, abs=0.07)
    assert (p.y != truth[:400]).equal(p.wrong)
    assert (p.val_y != truth[400:600]).double().mean().item() == pytest.approx(0.3, abs=0.1)
    assert p.test_y.equal(truth[600:])
    digits = parts("digits", 200, 0.0, 0.4, 5)
    assert len(digits.test_y) == 1000 and set(digits.y.tolist()) == set(range(10))
    rows = torch.cat([digits.x, digits.val_x, digits.test_x])
    assert len(rows.unique(dim=0)) > 0.98 * len(rows), "parts overlap"


# Each formula of the page, worked out by hand, against torch.


def test_l1_step_is_torchs_soft_threshold() -> None:
    w = torch.randn(50, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    by_hand = w.sign() * (w.abs() - 0.1).clamp(min=0)
    torch.testing.assert_close(nn.functional.softshrink(w, 0.1), by_hand)
    mine = w.clone()
    shrink([mine], 0.1)
    torch.testing.assert_close(mine, by_hand)
    assert (mine == 0).any() and (mine != 0).any()


def test_l1_by_its_own_step_zeroes_and_through_the_gradient_does_not() -> None:
    step, slope = (
        trained(l1=True, l1_way=way, epochs=100).frames[-1] for way in ("threshold", "gradient")
    )
    assert step.zero > 0.5 and slope.zero == 0
    plain = trained(epochs=100).frames[-1]
    assert plain.zero == 0 and slope.norm < plain.norm


def test_l1_through_the_gradient_is_the_penalised_loss() -> None:
    trial = Trial(settings(l1=True, l1_way="gradient", l1_strength=0.2))
    batch = torch.arange(20)
    z = trial.net(trial.parts.x[batch])
    loss = nn.functional.cross_entropy(z, trial.parts.y[batch])
    (loss + 0.2 * sum(w.abs().sum() for w in trial.weights)).backward()
    expected = [w.grad.clone() for w in trial.weights if w.grad is not None]
    trial.step(batch)
    assert len(expected) == 3
    for w, grad in zip(trial.weights, expected):
        torch.testing.assert_close(w.grad, grad)


def test_l2_is_the_share_on_the_page_before_adams_step() -> None:
    with_decay, without = (Trial(settings(l2=on, decay=3.0, rate=0.01)) for on in (True, False))
    for w in without.weights:
        with torch.no_grad():
            w.mul_(1 - 0.01 * 3.0)  # the formula
    # The gradient is that of the weights before they shrink.
    batch = torch.arange(20)
    p = with_decay.parts
    loss = nn.functional.cross_entropy(with_decay.net(p.x[batch]), p.y[batch])
    loss.backward()
    for a, b in zip(with_decay.net.parameters(), without.net.parameters()):
        b.grad = a.grad.clone() if a.grad is not None else None
    with_decay.optimizer.step()
    without.optimizer.step()
    for a, b in zip(with_decay.net.parameters(), without.net.parameters()):
        torch.testing.assert_close(a, b)


def test_dropout_is_torchs() -> None:
    x = torch.rand(400, 50, dtype=torch.float64) + 0.1
    mine = Dropout(0.3, torch.Generator().manual_seed(1))
    y = mine(x)
    torch.testing.assert_close(y, torch.where(mine.kept, x / (1 - 0.3), 0.0))  # the formula
    torchs = nn.functional.dropout(x, 0.3)
    torch.testing.assert_close(torchs, torch.where(torchs != 0, x / (1 - 0.3), 0.0))
    assert mine.kept.double().mean().item() == pytest.approx(0.7, abs=0.02)
    assert mine.eval()(x) is x


def test_batch_norm_is_the_formula_of_the_page() -> None:
    trial = trained(batchnorm=True, epochs=20)
    linear, norm = trial.net[0], trial.net[1]
    z = linear(trial.parts.x[:20])
    mean, var = z.mean(0), z.var(0, correction=0)
    by_hand = norm.weight * (z - mean) / (var + norm.eps).sqrt() + norm.bias
    torch.testing.assert_close(norm.train()(z), by_hand)
    spread = trial.frames[-1].spread
    assert spread is not None
    np.testing.assert_allclose(spread[1, 0], norm.bias.detach().numpy(), atol=1e-9)
    np.testing.assert_allclose(spread[1, 1], norm.weight.detach().abs().numpy(), rtol=1e-3)


def test_early_stopping_keeps_the_minimum_and_waits_as_long_as_it_says() -> None:
    trial = trained(early=True, patience=20)
    losses = [frame.val_loss for frame in trial.frames]
    assert trial.stop is not None
    assert (trial.stop - trial.best) * EVERY == 20
    assert losses[trial.best] == min(losses[: trial.stop + 1])
    assert trial.kept_frame(trial.stop - 1) == trial.stop - 1
    assert trial.kept_frame(len(losses) - 1) == trial.best
    outcome = trial.outcome()
    assert outcome.epoch == trial.best * EVERY
    trial.net.load_state_dict(trial.best_state)
    z = trial.net.eval()(trial.parts.test_x)
    right = (z.argmax(1) == trial.parts.test_y).double().mean().item()
    assert outcome.test_accuracy == right


def test_augmentation_does_what_the_page_says() -> None:
    g = torch.Generator().manual_seed(0)
    moved = jitter(torch.zeros(4000, 2, dtype=torch.float64), 0.6, g)
    assert moved.std().item() == pytest.approx(0.3, rel=0.05)
    x = torch.zeros(2000, 64, dtype=torch.float64)
    x[:, 3 * 8 + 2] = 1.0  # one bright pixel
    places = shift(x, 1.0, g).reshape(-1, 8, 8).nonzero()
    assert len(places) == 2000
    assert set(places[:, 1].tolist()) == {2, 3, 4} and set(places[:, 2].tolist()) == {1, 2, 3}
    few = shift(x, 0.2, g)
    # A ninth of the moved ones stay by chance.
    assert (few != x).any(1).double().mean().item() == pytest.approx(0.2 * 8 / 9, abs=0.03)
    mirrored = shift_and_flip(x, 1.0, g).reshape(-1, 8, 8).nonzero()[:, 2]
    assert (mirrored >= 4).double().mean().item() == pytest.approx(0.5, abs=0.05)


def test_loss_and_gap_are_those_of_the_page() -> None:
    frame = trained(epochs=20).frames[-1]
    trial = trained(epochs=20)
    p, net = trial.parts, trial.net.eval()
    with torch.no_grad():
        loss = [
            -net(x).softmax(1)[torch.arange(len(y)), y].log().mean().item()
            for x, y in ((p.x, p.y), (p.val_x, p.val_y))
        ]
    assert frame.train_loss == pytest.approx(loss[0], rel=1e-9)
    assert frame.gap == pytest.approx(loss[1] - loss[0], rel=1e-9)


SCRIPTS: list[dict[str, Any]] = [
    {**OFF, "epochs": 40},
    {**OFF, "l1": True, "l2": True, "epochs": 40, "seed": 2},
    {**OFF, "l1": True, "l1_way": "gradient", "data": "circles", "epochs": 40},
    {**ON, "epochs": 100, "patience": 20, "seed": 7},
    {**OFF, "augment": True, "dropout": True, "data": "digits", "epochs": 20},
]


def printed(code: str) -> dict[str, float]:
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name: float(value) for name, value in map(str.split, out.stdout.splitlines())}


def check_script(given: dict[str, Any]) -> None:
    got = printed(load_case("regularization_lab").code(**given))
    outcome = Trial(settings(**given)).finish()
    frame = outcome.frame
    assert got["training"] == pytest.approx(frame.train_loss, rel=1e-6)
    assert got["validation"] == pytest.approx(frame.val_loss, rel=1e-6)
    assert got["zero"] == pytest.approx(frame.zero, abs=1e-9)
    assert got["norm"] == pytest.approx(frame.norm, rel=1e-6)
    assert got["test"] == outcome.test_accuracy


@pytest.mark.parametrize("given", SCRIPTS)
def test_the_script_gives_the_same_numbers(given: dict[str, Any]) -> None:
    check_script(given)


@pytest.mark.data
def test_clothes_where_they_can_be_had() -> None:
    given = {**OFF, "augment": True, "data": "clothes", "epochs": 20}
    assert trained(**given).frames[-1].picture.shape == (16, 14, 14)
    check_script(given)


def test_the_comparison_is_the_runs_one_by_one() -> None:
    s = settings(epochs=20, l1=True, dropout=True)
    comparison = Comparison({**s, "runs": 3})
    assert list(comparison.rivals) == ["none", *METHODS, "chosen"] and comparison.total == 24
    while comparison.done < comparison.total:
        comparison.advance(0.05)
    rows = {r.name: r for r in comparison.rows()}
    single = [Trial({**s, "seed": k}).finish().test_accuracy for k in range(3)]
    assert rows["chosen"].accuracy.value == pytest.approx(np.mean(single))
    base = [Trial({**s, **OFF, "seed": k}).finish().test_accuracy for k in range(3)]
    gains = np.subtract(single, base)
    assert rows["chosen"].gain.value == pytest.approx(gains.mean())
    assert "chosen" not in rivals(settings(l1=True)) and "chosen" not in rivals(settings())


def test_intervals_are_students() -> None:
    from scipy.stats import t

    values = [0.1, 0.4, 0.2, 0.5]
    low, high = t.interval(0.95, 3, np.mean(values), np.std(values, ddof=1) / 2)
    got = interval(values)
    assert (got.value, got.low, got.high) == pytest.approx((0.3, low, high))
    assert np.isnan(interval([1.0]).low)
    frame = Trial(settings()).frames[0]
    outcomes = {k: [Outcome(0, frame, v) for v in k] for k in ((0.9, 0.91, 0.92), (0.7, 0.9, 0.8))}
    a, b = outcomes.values()
    base = [0.8, 0.81, 0.82]
    assert row("x", a, base).verdict == "better" and row("x", b, base).verdict == "open"
    assert row("x", a, [0.99, 0.995, 0.999]).verdict == "worse"
    assert row("x", a[:1], base[:1]).verdict == "open", "one seed proves nothing"


def test_wrong_settings_are_named() -> None:
    with pytest.raises(ValueError, match="decay"):
        settings(speed=3)
    with pytest.raises(InputError, match="rate is 9"):
        settings(rate=9)
    with pytest.raises(InputError, match="moons"):
        settings(data="sun")
    # Odd numbers in a link: whole batches and whole frames.
    odd = load_case("regularization_lab").settings({"points": 59, "epochs": 33, "t": 5})
    assert (odd["points"], odd["epochs"], odd["t"]) == (40, 32, 4)


def test_run_ends_where_the_link_says() -> None:
    frames = list(load_case("regularization_lab").run(t=12))
    assert [frame.epoch for frame in frames] == list(range(0, 13, EVERY))
