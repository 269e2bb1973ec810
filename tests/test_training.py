"""The training loop, metrics, calibration, weights on disk."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn import metrics as sk
from torch import Tensor, nn

from dlportal.training import calibration, metrics, pause
from dlportal.training.batches import Shuffled
from dlportal.training.entities import entity_f1
from dlportal.training.events import Event, Run
from dlportal.training.fit import Diverged, Plan, fit, seed_everything
from dlportal.training.schedules import SCHEDULES, get_schedule
from dlportal.training.store import load_weights, save_weights


def small_net() -> nn.Module:
    seed_everything(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(128, 3),
    )


def pictures(n: int = 96) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(n) % 3
    x = torch.randn(n, 1, 8, 8, generator=generator)
    x[:, 0, :4, :4] += labels[:, None, None]
    return x, labels


def loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return F.cross_entropy(net(batch[0]), batch[1])


def validator(x: Tensor, labels: Tensor):
    def validate(net: nn.Module) -> dict[str, float]:
        return {"accuracy": metrics.accuracy(labels, net(x).argmax(1))}

    return validate


def train(folder: Path, epochs: int = 6, stop_after: int | None = None, **plan) -> tuple:
    """Train the small net; `stop_after` cancels once that many epochs are done."""
    x, labels = pictures()
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if event.kind == "epoch" and len(run.curve) == stop_after:
            run.cancel()

    run = Run(folder, listen)
    settings = {"epochs": epochs, "rate": 1e-2, "bf16": False, "seed": 3, **plan}
    batches = Shuffled((x, labels), 16, seed=3, augment=noisy)
    net = fit(small_net(), batches, loss, validator(x, labels), Plan(**settings), run)
    return net, run, events


def noisy(x: Tensor, generator: torch.Generator) -> Tensor:
    return x + 0.1 * torch.randn(x.shape, generator=generator)


def test_overfits_one_batch(tmp_path: Path) -> None:
    x, labels = pictures(12)
    plan = Plan(epochs=80, rate=2e-2, weight_decay=0.0)
    net = small_net()
    net[5] = nn.Identity()
    fit(net, lambda epoch: [(x, labels)], loss, validator(x, labels), plan, Run(tmp_path))
    assert metrics.accuracy(labels, net(x).argmax(1)) == 1.0


def test_resumed_run_equals_uninterrupted(tmp_path: Path) -> None:
    whole, _, _ = train(tmp_path / "whole")
    train(tmp_path / "broken", stop_after=2)
    resumed, run, events = train(tmp_path / "broken")
    assert any(event.kind == "message" for event in events)
    assert [event.epoch for event in run.curve] == [1, 2, 3, 4, 5, 6]
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_stop_in_the_middle_of_an_epoch_resumes_the_same(tmp_path: Path) -> None:
    whole, _, _ = train(tmp_path / "whole", epochs=3)
    x, labels = pictures()
    run = Run(tmp_path / "broken")
    count = 0

    def counted(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        nonlocal count
        count += 1
        if count == 9:  # 6 steps an epoch
            run.cancel()
        return loss(net, batch)

    plan = Plan(epochs=3, rate=1e-2, bf16=False, seed=3)
    batches = Shuffled((x, labels), 16, seed=3, augment=noisy)
    fit(small_net(), batches, counted, validator(x, labels), plan, run)
    resumed, _, _ = train(tmp_path / "broken", epochs=3)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_another_plan_does_not_take_up_the_checkpoint(tmp_path: Path) -> None:
    train(tmp_path, stop_after=2)
    _, _, events = train(tmp_path, weight_decay=0.5)
    assert not any(event.kind == "message" for event in events)


def test_cancelled_from_another_thread(tmp_path: Path) -> None:
    x, labels = pictures()
    run = Run(tmp_path)
    threading.Timer(0.5, run.cancel).start()
    start = time.monotonic()
    plan = Plan(epochs=100_000, rate=1e-3)
    fit(small_net(), Shuffled((x, labels), 16), loss, validator(x, labels), plan, run)
    assert time.monotonic() - start < 5


def test_the_brake_holds_for_single_steps(tmp_path: Path) -> None:
    """A step is a hundredth of the batches; what was asked for before the pause is not taken."""
    told: list[int] = []
    brake = pause.Brake(tmp_path)
    off, on = threading.Event(), pause.Wish(paused=True, steps=1)
    pause.write_wish(tmp_path, pause.Wish(paused=False, steps=1))
    assert brake.hold(3, off.is_set, lambda: told.append(0)) == 0.0
    pause.write_wish(tmp_path, on)
    release = threading.Timer(0.3, pause.write_wish, [tmp_path, pause.Wish(True, 2)])
    release.start()
    assert brake.hold(3, off.is_set, lambda: told.append(1)) >= 0.2
    assert [brake.hold(3, off.is_set, lambda: told.append(2)) for _batch in range(2)] == [0, 0]
    threading.Timer(0.2, off.set).start()
    assert brake.hold(3, off.is_set, lambda: told.append(3)) >= 0.1
    assert told == [1, 3] and brake.held >= 0.3


@pytest.mark.parametrize("others", [False, True])
def test_no_pause_is_for_ever(
    others: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on by itself, sooner where others wait, and the page can see it."""
    monkeypatch.setattr(pause, "others_wait", lambda: others)
    monkeypatch.setattr(pause, "SHARED", 0.1)
    monkeypatch.setattr(pause, "LONGEST", 0.4)
    pause.write_wish(tmp_path, pause.Wish(paused=True))
    waited = pause.Brake(tmp_path).hold(1, lambda: False, lambda: None)
    assert (0.1 < waited < 0.35) if others else (waited > 0.4)
    assert not pause.read_wish(tmp_path).paused


def test_progress_comes_at_a_readable_pace(tmp_path: Path) -> None:
    x, labels = pictures()
    events: list[Event] = []
    run = Run(tmp_path, events.append)
    threading.Timer(1.5, run.cancel).start()
    plan = Plan(epochs=100_000, rate=1e-3)
    batches = Shuffled((x.repeat(20, 1, 1, 1), labels.repeat(20)), 16)
    fit(small_net(), batches, loss, validator(x, labels), plan, run)
    steps = [event for event in events if event.kind == "step"]
    assert 3 <= len(steps) <= 16
    assert all(event.loss is not None and event.eta is not None for event in steps)


def test_stops_early_and_returns_the_best(tmp_path: Path) -> None:
    scores = iter([0.5, 0.9, 0.4, 0.3, 0.2, 0.1])
    seen: list[Tensor] = []

    def validate(net: nn.Module) -> dict[str, float]:
        seen.append(net[0].weight.clone())
        return {"accuracy": next(scores)}

    x, labels = pictures()
    plan = Plan(epochs=6, rate=1e-2, patience=2)
    net = fit(small_net(), Shuffled((x, labels), 16), loss, validate, plan, Run(tmp_path))
    assert len(seen) == 4
    assert torch.equal(net[0].weight, seen[1])


def test_divergence_is_one_clear_sentence(tmp_path: Path) -> None:
    x, labels = pictures()
    with pytest.raises(Diverged, match="Lower the learning rate"):
        fit(
            small_net(),
            Shuffled((x, labels), 16),
            lambda net, batch: loss(net, batch) * float("nan"),
            validator(x, labels),
            Plan(epochs=1, rate=1e-2),
            Run(tmp_path),
        )


def test_frozen_parameters_stay_and_factors_slow_down(tmp_path: Path) -> None:
    x, labels = pictures()
    net = small_net()
    net[0].requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    plan = Plan(epochs=1, rate=1e-2, factors={"6.": 0.0})
    fit(net, Shuffled((x, labels), 16), loss, validator(x, labels), plan, Run(tmp_path))
    assert torch.equal(net[0].weight, before["0.weight"])
    assert torch.equal(net[6].weight, before["6.weight"])
    assert not torch.equal(net[1].weight, before["1.weight"])


def test_the_caller_keeps_its_random_numbers(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    x, labels = pictures()
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.Dropout())
    torch.manual_seed(5)
    plan = Plan(epochs=1, rate=1e-2)
    fit(net, Shuffled((x, labels), 16), loss, validator(x, labels), plan, Run(tmp_path))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_rise_and_stay_positive(name: str) -> None:
    factors = [get_schedule(name)(step, 100, 10) for step in range(100)]
    assert max(factors) == pytest.approx(1.0) and min(factors) > 0
    assert factors[:10] == sorted(factors[:10])


def test_unknown_schedule_names_the_valid_ones() -> None:
    with pytest.raises(ValueError, match="cosine, linear, constant"):
        get_schedule("sine")


def test_weights_round_trip_in_half(tmp_path: Path) -> None:
    net = small_net()
    save_weights(net, tmp_path / "w.safetensors")
    other = small_net()
    with torch.no_grad():
        other[0].weight.zero_()
    load_weights(other, tmp_path / "w.safetensors")
    assert other[0].weight.dtype == torch.float32
    assert torch.equal(other[0].weight, net[0].weight.half().float())


def test_tied_weights_are_stored_once(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(10, 4)
            self.head = nn.Linear(4, 10, bias=False)
            self.head.weight = self.embedding.weight

    save_weights(Tied(), tmp_path / "w.safetensors", half=False)
    assert (tmp_path / "w.safetensors").stat().st_size < 300
    net = load_weights(Tied(), tmp_path / "w.safetensors")
    assert net.head.weight is net.embedding.weight


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    save_weights({"0.weight": torch.zeros(8, 1, 3, 3)}, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"missing \['0.bias'"):
        load_weights(small_net(), tmp_path / "w.safetensors")
    load_weights(small_net(), tmp_path / "w.safetensors", strict=False)


def test_large_values_are_not_stored_as_infinity(tmp_path: Path) -> None:
    net = nn.Linear(1, 1)
    with torch.no_grad():
        net.weight.fill_(1e6)
    save_weights(net, tmp_path / "w.safetensors")
    assert load_weights(nn.Linear(1, 1), tmp_path / "w.safetensors").weight.item() == 1e6


# Metrics


def labels_and_scores(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    scores = np.round(1 / (1 + np.exp(-(labels + rng.normal(0, 1, n)))), 2)  # with ties
    return labels, scores


def test_metrics_agree_with_sklearn() -> None:
    labels, scores = labels_and_scores()
    rng = np.random.default_rng(1)
    truth, guess = rng.integers(0, 5, 300), rng.integers(0, 5, 300)
    decided = (scores > 0.6).astype(int)
    pairs = [
        (metrics.accuracy(truth, guess), sk.accuracy_score(truth, guess)),
        (metrics.balanced_accuracy(truth, guess), sk.balanced_accuracy_score(truth, guess)),
        (metrics.macro_f1(truth, guess), sk.f1_score(truth, guess, average="macro")),
        (metrics.sensitivity(labels, decided), sk.recall_score(labels, decided)),
        (metrics.specificity(labels, decided), sk.recall_score(labels, decided, pos_label=0)),
        (metrics.precision(labels, decided), sk.precision_score(labels, decided)),
        (metrics.f1(labels, decided), sk.f1_score(labels, decided)),
        (metrics.auc(labels, scores), sk.roc_auc_score(labels, scores)),
        (metrics.average_precision(labels, scores), sk.average_precision_score(labels, scores)),
        (metrics.log_loss(labels, scores), sk.log_loss(labels, scores)),
        (metrics.brier(labels, scores), sk.brier_score_loss(labels, scores)),
        (metrics.rmse(labels, scores), sk.root_mean_squared_error(labels, scores)),
        (metrics.mae(labels, scores), sk.mean_absolute_error(labels, scores)),
        (metrics.r2(labels, scores), sk.r2_score(labels, scores)),
    ]
    for ours, theirs in pairs:
        assert ours == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize(
    "metric, reference",
    [
        (metrics.auc, sk.roc_auc_score),
        (metrics.average_precision, sk.average_precision_score),
        (metrics.rmse, sk.root_mean_squared_error),
    ],
)
def test_fast_bootstrap_agrees_with_a_loop(metric, reference) -> None:
    labels, scores = labels_and_scores()
    _, low, high = metrics.interval(metric, labels, scores, n=2000)
    _, low2, high2 = metrics.interval(reference, labels, scores, n=500)
    assert low == pytest.approx(low2, abs=0.01)
    assert high == pytest.approx(high2, abs=0.01)


def test_accuracy_interval_is_fast_and_right() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 10, 60_000)
    guess = np.where(rng.random(60_000) < 0.9, truth, (truth + 1) % 10)
    start = time.monotonic()
    value, low, high = metrics.interval(metrics.accuracy, truth, guess)
    assert time.monotonic() - start < 0.5
    exact = metrics.exact_interval(int((truth == guess).sum()), 60_000)
    assert (low, high) == pytest.approx(exact, abs=5e-4) and low < value < high


def test_exact_interval_at_the_edges() -> None:
    assert metrics.exact_interval(0, 0) == (0.0, 1.0)
    assert metrics.exact_interval(0, 10) == pytest.approx((0.0, 0.3085), abs=1e-4)
    assert metrics.exact_interval(10, 10) == pytest.approx((0.6915, 1.0), abs=1e-4)


def test_ranking_of_one_class_is_an_error() -> None:
    with pytest.raises(ValueError, match="both classes"):
        metrics.auc([1, 1], [0.2, 0.3])


def test_resamples_with_nothing_to_share_do_not_count() -> None:
    counts = np.array([[1, 1, 1], [0, 0, 0]])  # of names found, guessed and there
    with np.errstate(all="raise"):
        value, low, high = metrics.interval(entity_f1, counts)
    assert value == low == high == 1.0


def test_resamples_without_one_class_do_not_count() -> None:
    value, low, high = metrics.interval(metrics.auc, [0, 0, 1], [0.1, 0.2, 0.9])
    assert value == low == high == 1.0


def test_measured_fills_a_card_metric() -> None:
    labels, scores = labels_and_scores()
    metric = metrics.measured("auc", "toy", "test", metrics.auc, labels, scores, command="x")
    assert metric.key == "auc@toy" and metric.n == 400 and metric.low < metric.value < metric.high


# Calibration


def test_temperature_is_found_again() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (5000, 3))
    p = calibration.softmax(honest)
    labels = np.array([rng.choice(3, p=row) for row in p])
    assert calibration.fit_temperature(3 * honest, labels) == pytest.approx(3.0, rel=0.05)
    with torch.inference_mode():
        binary = calibration.fit_temperature(
            2 * honest[:, 0], rng.random(5000) < 1 / (1 + np.exp(-honest[:, 0]))
        )
    assert binary == pytest.approx(2.0, rel=0.06)


def test_calibration_improves_an_overconfident_net() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (4000, 3))
    labels = np.array([rng.choice(3, p=row) for row in calibration.softmax(honest)])
    found = calibration.calibrate(
        4 * honest[:2000], labels[:2000], 4 * honest[2000:], labels[2000:]
    )
    assert found.ece_after < 0.03 < found.ece_before
    assert sum(found.after.count) == 2000


def test_perfectly_separated_logits_keep_a_finite_temperature() -> None:
    logits = np.array([[5.0, -5.0], [-5.0, 5.0]] * 20)
    assert calibration.fit_temperature(logits, np.array([0, 1] * 20)) >= 0.05


def test_ece_of_a_coin() -> None:
    assert metrics.ece([0, 1] * 50, np.full(100, 0.5)) == pytest.approx(0.0)
    assert metrics.ece([0, 1] * 50, np.full(100, 0.9)) == pytest.approx(0.4)
