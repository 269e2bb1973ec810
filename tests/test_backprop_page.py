"""The page of the backpropagation lab: steps, views, links, and what it writes."""

import re

import pytest
from visits import checked, click, text, visit

from dlportal.case import load_case
from dlportal.labs.backprop_paths import Weight, gradient_of
from dlportal.ui.backprop_numbers import brief, num
from dlportal.ui.backprop_places import handles, layer_pixels, unit_pixels

PAGE = "backprop_lab"


def test_next_walks_through_all_phases_and_into_the_next_step() -> None:
    at = visit(PAGE)
    seen = []
    for _phase in range(7):
        seen.append((at.session_state["t"], at.session_state["phase"], at.session_state["view"]))
        click(at, "phase_next")
    assert seen == [(0, p, "values" if p <= 2 else "gradients") for p in range(7)]
    assert (at.session_state["t"], at.session_state["phase"]) == (1, 0)
    click(at, "phase_back")
    assert (at.session_state["t"], at.session_state["phase"]) == (0, 6)
    click(at, "steps_100")
    assert at.session_state["t"] == 100 and at.query_params["t"] == "100"
    click(at, "start_over")
    assert (at.session_state["t"], at.session_state["phase"]) == (0, 0)
    assert "t" not in at.query_params


def test_the_numbers_of_a_step_stand_on_the_page() -> None:
    step = next(iter(load_case("backprop_lab").run()))
    forward = text(visit(PAGE, phase="0"))
    for z, h in zip(step.z[0], step.h[1]):
        assert num(float(z)) in forward and num(float(h)) in forward
    back = text(visit(PAGE, phase="5", view="gradients"))
    for d in step.dz[0]:
        assert num(float(d)) in back


@pytest.mark.parametrize("weight", [Weight(1, 2, 1), Weight(2, 3, 0), Weight(3, 1, 2)])
def test_written_paths_add_up(weight: Weight) -> None:
    at = visit(
        PAGE,
        view="paths",
        w_layer=str(weight.layer),
        w_to=str(weight.to),
        w_from=str(weight.source),
    )
    step = next(iter(load_case("backprop_lab").run()))
    lines = next(str(m.value) for m in at.markdown if str(m.value).startswith("- $\\underset"))
    products = [float(line.rsplit("= ", 1)[1].rstrip("$")) for line in lines.splitlines()]
    assert len(products) == {1: 3, 2: 1, 3: 1}[weight.layer]
    assert sum(products) == pytest.approx(gradient_of(step, weight), rel=5e-4)
    for line, written in zip(lines.splitlines(), products):
        value = 1.0
        for factor in re.findall(r"\}\{\(?(-?[\d.]+)\)?\}", line):
            value *= float(factor)
        assert value == pytest.approx(written, abs=2e-3)


def test_a_link_carries_everything() -> None:
    settings = {
        "data": "xor",
        "layers": "3",
        "units": "5",
        "activation": "relu",
        "loss": "mse",
        "rate": "0.2",
        "init": "he",
        "noise": "0.2",
        "seed": "4",
        "t": "12",
        "phase": "6",
        "view": "paths",
        "numbers": "true",
        "w_layer": "2",
        "w_to": "4",
        "w_from": "5",
        "deep": "12",
        "wide": "16",
        "deep_activation": "relu",
    }
    at = visit(PAGE, **settings)
    assert {k: at.query_params[k].lower() for k in settings} == settings
    assert {k: str(at.session_state[k]).lower() for k in settings} == settings


@pytest.mark.parametrize("view", ["values", "gradients", "paths"])
@pytest.mark.parametrize("data", ["spiral", "digits"])
def test_large_networks_in_every_phase(data: str, view: str) -> None:
    at = visit(PAGE, data=data, view=view, layers="4", units="8", numbers="true", t="30")
    for phase in (0, 4, 5, 7, 10):
        at.session_state["phase"] = phase
        checked(at.run())


def test_a_smaller_network_takes_phase_and_weight_along() -> None:
    at = visit(PAGE, layers="4", units="8", phase="10", w_layer="5", w_from="8", view="paths")
    at.session_state["layers"], at.session_state["units"] = 1, 2
    checked(at.run())
    state = at.session_state
    assert (state["phase"], state["w_layer"], state["w_from"]) == (4, 2, 2)


def test_a_training_that_blows_up_says_so() -> None:
    at = visit(PAGE, activation="linear", init="large", layers="4", units="8", rate="2.0", t="200")
    assert "blown up" in at.warning[0].value
    click(at, "start_over")
    assert not at.warning


@pytest.mark.parametrize("sizes", [(2, 3, 3, 1), (2, 2, 1), (2, 3, 3, 3, 3, 1), (16, 4, 3)])
def test_numbers_on_lines_do_not_touch(sizes: tuple[int, ...]) -> None:
    """Not even on a narrow screen: 24 by 12 pixels each."""
    places = handles(sizes)
    for a, (xa, ya) in places.items():
        for b, (xb, yb) in places.items():
            if a != b and a.layer == b.layer and sizes[a.layer - 1] * sizes[a.layer] <= 12:
                wide = abs(xa - xb) * layer_pixels(len(sizes) - 1) / 24
                high = abs(ya - yb) * unit_pixels(max(sizes)) / 12
                assert max(wide, high) >= 1, (a, b)


def test_brief_numbers() -> None:
    shown = {0.0: "0.00", -0.5: "−0.50", 0.0031: "0.003", 12.34: "12.3", 1e-7: "1e−7", 4e5: "4e5"}
    assert {value: brief(value) for value in shown} == shown
    assert brief(float("nan")) == "–"
    assert num(-0.00942) == "-0.00942" and num(1.5e-9) == r"1.50\cdot10^{-9}"
