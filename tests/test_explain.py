"""Explanations find planted causes, add up, survive threads, and are measured honestly."""

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from planted import (
    PATCH,
    ROW,
    SENTENCE,
    BoxCase,
    ConstantCase,
    LinearTable,
    PictureCase,
    WordCase,
    planted_card,
    red_picture,
)

from dlportal.explain import EXPLAINERS, explainers_for, get_explainer
from dlportal.explain.base import Explainer, Explanation
from dlportal.explain.faithfulness import measure, ranks, shares
from dlportal.explain.random_maps import random_maps
from dlportal.explain.sanity import randomised, similarity, weight_randomisation
from dlportal.messages import InputError

CASES: dict[str, tuple[Any, Any]] = {
    "picture": (PictureCase(planted_card("picture")), red_picture()),
    "text": (WordCase(planted_card("text")), SENTENCE),
    "table": (LinearTable(planted_card("table")), ROW),
}
PAIRS = [
    pytest.param(kind, method.name, id=f"{kind}-{method.name}")
    for kind, (case, _raw) in CASES.items()
    for method in explainers_for(case)
]


@pytest.fixture(scope="module")
def constant() -> ConstantCase:
    return ConstantCase(planted_card("constant"))


def explained(kind: str, name: str, **knobs: Any) -> tuple[Any, Any, Explanation]:
    case, raw = CASES[kind]
    return case, raw, get_explainer(name).explain(case, raw, 0, **knobs)


def test_every_explainer_serves_a_kind() -> None:
    assert {param.values[1] for param in PAIRS} == set(EXPLAINERS) - {"d_rise"}
    fits = {kind: [m.name for m in explainers_for(case)] for kind, (case, _raw) in CASES.items()}
    pictures = ["grad_cam", "occlusion", "rise", "integrated_gradients", "smooth_grad"]
    lists = ["leave_one_out", "shapley_sampling", "integrated_gradients"]
    assert fits == {"picture": pictures, "text": lists, "table": lists}


def test_boxes_are_explained_by_d_rise() -> None:
    """Instead of RISE, with the same masks: it finds the planted patch."""
    case, raw = BoxCase(planted_card("box")), red_picture()
    names = [method.name for method in explainers_for(case)]
    assert "d_rise" in names and "rise" not in names
    values = get_explainer("d_rise").explain(case, raw, 0).values
    assert values[PATCH].mean() > 3 * np.abs(values).mean()


@pytest.mark.parametrize("method", EXPLAINERS.values(), ids=list(EXPLAINERS))
def test_contract(method: Explainer) -> None:
    assert isinstance(method, Explainer)
    assert EXPLAINERS[method.name] is method
    assert method.title and method.about.endswith(".") and method.paper.startswith("https://")
    knobs: Any = method.knobs
    for knob in knobs:
        if knob.choices:
            assert knob.default in knob.choices and len(knob.choices) == len(knob.choice_labels)
        else:
            assert knob.low is not None and knob.high is not None and knob.step
            assert knob.low <= knob.default <= knob.high


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_finds_the_planted_cause(kind: str, name: str) -> None:
    case, raw, found = explained(kind, name)
    assert found.values.shape == case.masker(raw).shape
    assert np.isfinite(found.values).all() and found.evaluations > 0 and found.method == name
    if kind == "picture":
        top = found.values >= np.quantile(found.values, 0.98)
        inside = np.zeros_like(top)
        rows, columns = PATCH
        # The coarse maps reach half a window or cell over the patch's border.
        inside[rows.start - 6 : rows.stop + 6, columns.start - 6 : columns.stop + 6] = True
        assert (top & inside).sum() >= 0.9 * top.sum()
    elif kind == "text":
        assert found.parts == tuple(SENTENCE.split())
        good = np.array([part == "good" for part in found.parts])
        assert found.values[good].min() > 0.1
        assert np.abs(found.values[~good]).max() < 1e-5
    else:
        assert found.values.argmax() == 1 and found.values.argmin() == 3
    if not found.signed:
        assert found.values.min() >= 0


@pytest.mark.parametrize("name", ["integrated_gradients", "shapley_sampling"])
def test_exact_on_a_linear_network(name: str) -> None:
    case, raw, found = explained("table", name)
    expected = (case.weights[0] * torch.from_numpy(raw)).numpy()
    assert np.allclose(found.values, expected, atol=1e-4)
    assert found.residual == pytest.approx(0, abs=1e-4)
    assert found.total == pytest.approx(expected.sum(), abs=1e-4)


def test_leave_one_out_is_exact_on_logits() -> None:
    case, raw, found = explained("table", "leave_one_out", output="logit")
    assert np.allclose(found.values, (case.weights[0] * torch.from_numpy(raw)).numpy(), atol=1e-5)


def test_leave_one_out_window() -> None:
    case, raw, found = explained("table", "leave_one_out", output="logit", window=5)
    single = (case.weights[0] * torch.from_numpy(raw)).numpy()
    first, second = single[:5].sum(), single[1:].sum()  # the two runs of five columns
    expected = [first, *[(first + second) / 2] * 4, second]
    assert np.allclose(found.values, expected, atol=1e-5)


def test_integrated_gradients_equals_captum() -> None:
    from captum.attr import IntegratedGradients

    case, raw, found = explained("picture", "integrated_gradients", steps=40)
    view = case.differentiable(raw)
    theirs = IntegratedGradients(view.forward).attribute(
        view.x, view.baseline, target=0, n_steps=40
    )
    assert np.abs(found.values - view.reduce(theirs)).max() < 1e-5


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_faithful_map_is_clearly_better(kind: str, name: str) -> None:
    case, raw, found = explained(kind, name)
    quality = measure(case, raw, found, seconds=math.inf)
    assert quality.verdict == "better"
    for trace in (quality.insertion, quality.deletion):
        assert trace.low <= trace.difference <= trace.high
        assert trace.wins >= 0.95 * len(trace.random_areas) and len(trace.random_areas) >= 20
        assert trace.x.shape == trace.y.shape == trace.random_mean.shape
        assert (trace.random_low <= trace.random_high).all()
    # Both curves join the hidden and the whole input.
    assert quality.insertion.y[0] == pytest.approx(quality.deletion.y[-1])
    assert quality.insertion.y[-1] == pytest.approx(quality.deletion.y[0])


@pytest.mark.parametrize("kind", CASES)
def test_opposite_map_is_unreliable(kind: str) -> None:
    case, raw, found = explained(kind, "integrated_gradients")
    wrong = Explanation(-found.values, True, 0, "opposite")
    assert measure(case, raw, wrong).verdict == "unreliable"


@pytest.mark.parametrize("method", explainers_for(CASES["picture"][0]), ids=lambda m: m.name)
def test_constant_network_is_unreliable(method: Explainer, constant: ConstantCase) -> None:
    found = method.explain(constant, red_picture(), 0)
    quality = measure(constant, red_picture(), found)
    assert quality.verdict == "unreliable"
    assert quality.insertion.wins == quality.deletion.wins == 0


def test_random_maps_seldom_win() -> None:
    """The opponents are fair: maps drawn like them are "better" about as rarely as promised."""
    case, raw, found = explained("picture", "occlusion")
    better = 0
    for values in random_maps(found.values, 40, seed=99):
        quality = measure(case, raw, Explanation(values, True, 0, "random"), seconds=0.0)
        better += quality.verdict == "better"
    assert better <= 5


def test_time_budget_sets_the_steps() -> None:
    case, raw, found = explained("picture", "grad_cam")
    hasty = measure(case, raw, found, seconds=0.0)
    patient = measure(case, raw, found, seconds=math.inf, maps=25)
    assert len(hasty.insertion.x) == 9 and hasty.maps == 20
    assert len(patient.insertion.x) == 33 and patient.maps == 25
    assert patient.samples > hasty.samples
    assert len(measure(case, raw, found, seconds=0.0, steps=12).insertion.x) == 13


def test_measuring_repeats_itself() -> None:
    case, raw, found = explained("picture", "grad_cam")
    a, b = (measure(case, raw, found, seconds=math.inf, seed=3) for _ in range(2))
    assert np.array_equal(a.insertion.random_areas, b.insertion.random_areas)


def test_few_parts_cannot_be_decided() -> None:
    from dlportal.case import Example
    from dlportal.explain.report import can_be_explained
    from dlportal.results import Label

    case: Any = LinearTable(planted_card("table"))
    case.columns = ("a", "b")
    case.net = torch.nn.Linear(2, 2).requires_grad_(False)
    row = np.array([1.0, 2.0])
    found = get_explainer("shapley_sampling").explain(case, row, 0)
    quality = measure(case, row, found)
    assert quality.maps == 2 and not quality.decidable and quality.verdict != "better"
    assert not can_be_explained(case, Example("row", Label("row", "row", "row"), lambda: row))


def test_random_maps_are_as_smooth_as_the_map() -> None:
    def roughness(values: np.ndarray) -> float:
        return float(np.square(np.diff(values, axis=0)).mean() / values.var())

    _case, _raw, found = explained("picture", "grad_cam")
    drawn = [roughness(values) for values in random_maps(found.values, 20, seed=0)]
    assert 0.5 < np.mean(drawn) / roughness(found.values) < 2
    white = np.random.default_rng(0).standard_normal((48, 48))
    assert roughness(white) > 10 * np.mean(drawn)


def test_ranks_and_shares() -> None:
    rank = ranks(np.array([0.1, 5.0, -2.0]), seed=0)
    assert np.allclose(rank, [1 / 3, 0, 2 / 3])
    assert np.allclose(shares(32, 4), [0, 0.25, 0.5, 0.75, 1])
    ties = ranks(np.zeros((16, 16)), seed=0)
    assert sorted(ties.ravel()) == pytest.approx([i / 256 for i in range(256)])


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_four_threads_share_one_network(kind: str, name: str) -> None:
    case, raw = CASES[kind]
    alone = [get_explainer(name).explain(case, raw, target) for target in (0, 1)]

    def again(i: int) -> bool:
        found = get_explainer(name).explain(case, raw, i % 2)
        return np.allclose(found.values, alone[i % 2].values, atol=1e-6)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(again, range(16)))
    assert all(p.grad is None and not p.requires_grad for p in case.net.parameters())


class GaveUp(Exception):
    pass


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_progress_rises_and_can_give_up(kind: str, name: str) -> None:
    case, raw = CASES[kind]
    reports: list[tuple[int, int]] = []
    found = get_explainer(name).explain(
        case, raw, 0, progress=lambda done, total: reports.append((done, total))
    )
    assert reports == sorted(reports) and reports[-1][0] == found.evaluations
    assert reports[-1][0] == reports[-1][1]

    def stop(done: int, total: int) -> None:
        raise GaveUp

    with pytest.raises(GaveUp):
        get_explainer(name).explain(case, raw, 0, progress=stop)
    with pytest.raises(GaveUp):
        measure(case, raw, found, progress=stop)


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_wrong_calls_name_what_is_valid(kind: str, name: str) -> None:
    case, raw = CASES[kind]
    method = get_explainer(name)
    with pytest.raises(ValueError, match="no knob 'speed'"):
        method.explain(case, raw, 0, speed=3)
    with pytest.raises(ValueError, match="no output 7; outputs: 0 to 1"):
        method.explain(case, raw, 7)
    knobs: Any = method.knobs
    for knob in knobs:
        bad: Any = "nonsense" if knob.choices else knob.high + 1
        with pytest.raises(ValueError, match=str(knob.choices[0] if knob.choices else knob.high)):
            method.explain(case, raw, 0, **{knob.name: bad})  # type: ignore[arg-type]


def test_wrong_measurements() -> None:
    case, raw, found = explained("picture", "grad_cam")
    with pytest.raises(ValueError, match="at least 20"):
        measure(case, raw, found, maps=5)
    with pytest.raises(ValueError, match="shape"):
        measure(case, raw, Explanation(np.zeros((3, 3)), True, 0, "x"))
    with pytest.raises(ValueError, match="grad_cam"):
        get_explainer("lime")
    with pytest.raises(ValueError, match="cannot explain"):
        get_explainer("grad_cam").explain(*CASES["table"], 0)


def test_similarity() -> None:
    a = np.array([1.0, -2.0, 3.0, 0.5])
    assert similarity(a, -a) == pytest.approx(1)
    assert similarity(a, 1 / a) == pytest.approx(-1)
    assert similarity(a, np.ones(4)) == 0


@pytest.mark.parametrize("name", ["integrated_gradients", "shapley_sampling"])
def test_randomised_weights_change_the_map(name: str) -> None:
    case, raw = CASES["table"]
    before = case.net.weight.clone()
    sanity = weight_randomisation(case, raw, get_explainer(name), 0, seed=1)
    assert sanity.similarity < 0.9
    assert torch.equal(case.net.weight, before)
    other: Any = randomised(case, seed=1).net.weight
    assert torch.equal(other.flatten().sort().values, before.flatten().sort().values)
    assert not other.requires_grad


def test_report_judges_every_method_and_chance() -> None:
    from dlportal.case import Example
    from dlportal.explain.report import RANDOM, measure_methods
    from dlportal.results import Label

    case, raw = CASES["picture"]
    example = Example("red", Label("red", "red", "红"), lambda: raw)
    methods = [get_explainer("grad_cam"), get_explainer("smooth_grad")]
    done: list[int] = []
    rows = measure_methods(case, [example], methods, lambda n, _total: done.append(n))
    assert [row.method for row in rows] == ["grad_cam", "smooth_grad", RANDOM]
    assert done == [1, 2, 3]
    assert [row.quality.verdict == "better" for row in rows] == [True, True, False]
    assert all(row.target == 0 and len(row.quality.insertion.x) == 17 for row in rows)
    assert rows[0].gain > 0.1 > rows[2].gain


def test_shares_of_believable_maps_go_on_the_card_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from dlportal.cards import Measured
    from dlportal.case import Evaluation, Example
    from dlportal.explain.report import with_faithful_shares
    from dlportal.results import Label

    case, raw = CASES["picture"]
    inputs = {"red": raw, "again": raw, "refused": "no picture"}
    examples = [
        Example(name, Label(name, name, name), lambda value=value: value)  # type: ignore[misc]
        for name, value in inputs.items()
    ]

    def check(value: object) -> None:
        if isinstance(value, str):
            raise InputError("refused")

    monkeypatch.setattr(case, "examples", lambda: examples, raising=False)
    monkeypatch.setattr(case, "check", check)
    plain = Evaluation(case.card.id, "test", 3, 1.0, Measured(case=case.card.id))
    found = with_faithful_shares(case, plain)
    shares = {m.model: m for m in found.measured.metrics}
    assert next(iter(shares)) == "any method" and set(shares) > {"Grad-CAM", "Occlusion"}
    assert shares["Grad-CAM"].value == 1 and all(m.n == 2 for m in shares.values())
    (chance,) = found.measured.baselines
    assert chance.model == "a random map" and chance.value == 0 and chance.high < 1
    assert found.seconds > plain.seconds
    assert with_faithful_shares(case, found) is found


def test_a_page_opens_with_a_method_that_the_card_can_vouch_for() -> None:
    from dlportal.cards import Metric
    from dlportal.explain.track_record import TrackRecord, first_choice, track_record

    names = ("grad_cam", "occlusion", "integrated_gradients")
    methods = [get_explainer(name) for name in names]
    grad_cam, occlusion, gradients = methods
    bare = planted_card("picture")

    def card(*shares: tuple[Explainer, float, str]) -> Any:
        found = [
            Metric(name="faithful_share", data=data, value=share, n=8, model=method.title)
            for method, share, data in shares
        ]
        return bare.model_copy(
            update={"measured": bare.measured.model_copy(update={"metrics": found})}
        )

    assert first_choice(bare, methods) is grad_cam and track_record(bare, grad_cam) is None
    clear = card((grad_cam, 0.125, "d"), (occlusion, 0.25, "d"), (gradients, 1.0, "d"))
    assert first_choice(clear, methods) is gradients
    # One input less than the best is no difference, and the quick ones come first.
    close = card((grad_cam, 0.125, "d"), (occlusion, 0.875, "d"), (gradients, 1.0, "d"))
    assert first_choice(close, methods) is occlusion
    twice = card((grad_cam, 0.5, "d"), (grad_cam, 1.0, "e"), (occlusion, 0.25, "d"))
    assert first_choice(twice, methods) is grad_cam
    assert track_record(twice, grad_cam) == TrackRecord(12, 16)
    with pytest.raises(ValueError, match="no methods"):
        first_choice(bare, [])


def test_random_masks_do_not_depend_on_the_batch_size() -> None:
    from dlportal.explain.rise import random_masks

    few, many = (torch.cat(list(random_masks((20, 30), 7, 64, size))) for size in (8, 64))
    assert torch.equal(few, many) and few.shape == (64, 20, 30)
    assert few.mean() == pytest.approx(0.5)
