"""The page of the regularization lab: trains as one looks, pauses, steps, compares, links."""

from typing import Any

import pytest
from visits import charts, checked, click, text, visit

from dlportal.case import load_case
from dlportal.ui import regularization as lab_ui

PAGE = "regularization_lab"


def metrics(at: Any) -> list[str]:
    return [value for chart in charts(at) for _name, value in chart["numbers"]]


def to_end(at: Any, most: int = 60) -> Any:
    for _run in range(most):
        if at.button(key="play").label == "Again":
            return at
        checked(at.run())
    raise AssertionError("it does not come to an end")


def test_it_trains_by_itself_pauses_steps_and_goes_on() -> None:
    at = visit(PAGE, epochs="40")
    first = at.session_state["at"]
    assert 0 < first < 20, "it starts at once, and a look at a time"
    assert at.button(key="play").label == "Pause"
    click(at, "play")
    paused = at.session_state["at"]
    checked(at.run())
    assert at.session_state["at"] == paused and at.button(key="play").label == "Go on"
    assert at.query_params["t"] == str(2 * paused)
    click(at, "one_step")
    assert at.session_state["at"] == paused + 1
    assert f"Epoch {2 * paused + 2} of 40" in text(at)
    click(at, "play")
    to_end(at)
    assert at.session_state["at"] == 20 and "t" not in at.query_params
    click(at, "stop")
    assert at.session_state["at"] == 0


def test_the_numbers_on_the_page_are_the_runs() -> None:
    at = visit(PAGE, t="20", epochs="40")
    while at.session_state["at"] < 10:
        checked(at.run())
    *_frames, frame = load_case("regularization_lab").run(t=20, epochs=40)
    shown = [f"{100 * frame.train_accuracy:.0f}%", f"{100 * frame.val_accuracy:.0f}%"]
    assert [*shown, f"{frame.gap:.2f}"] == chosen_metrics(at)
    assert f"‖w‖ = {frame.norm:.1f}" in charts(at)[5]["note"]


def chosen_metrics(at: Any) -> list[str]:
    """The three numbers of the visitor's own network, which stands at the right."""
    return metrics(at)[3:]


def test_another_setting_starts_a_new_training() -> None:
    at = to_end(visit(PAGE, epochs="40"))
    before = metrics(at)
    at.session_state["dropout"] = True
    checked(at.run())
    assert at.session_state["at"] < 20
    to_end(at)
    assert metrics(at)[:3] == before[:3], "the network without remedy is the same"
    assert metrics(at)[3:] != before[3:]
    assert at.query_params["dropout"] == "True"


def test_a_link_carries_everything() -> None:
    given = {
        "data": "digits",
        "l1": "true",
        "l2": "false",
        "dropout": "true",
        "batchnorm": "true",
        "early": "true",
        "augment": "true",
        "l1_strength": "0.25",
        "p": "0.6",
        "patience": "20",
        "variation": "0.4",
        "points": "100",
        "label_noise": "0.1",
        "units": "32",
        "rate": "0.01",
        "epochs": "60",
        "l1_way": "gradient",
        "seed": "5",
        "t": "8",
    }
    at = visit(PAGE, **given)
    assert {k: at.query_params[k].lower() for k in given} == given
    assert {k: str(at.session_state[k]).lower() for k in given} == given


@pytest.mark.parametrize("data", ["moons", "digits"])
def test_every_remedy_explains_itself(data: str) -> None:
    on = dict.fromkeys(("l1", "l2", "dropout", "batchnorm", "early", "augment"), "true")
    at = to_end(visit(PAGE, data=data, epochs="40", patience="8", **on))
    words = text(at)
    assert "units were silent" in words and "Exactly zero" in words and "‖w‖" in words
    assert ("mirrored" in words) == (data == "digits")
    assert at.dataframe


def test_the_comparison_fills_and_says_what_is_clear() -> None:
    at = visit(PAGE, epochs="20", panel="trust", runs="3", points="40", units="16", dropout="true")
    assert not at.dataframe
    click(at, "compare_button")
    assert at.query_params["compare"] == "True"
    for _run in range(200):
        checked(at.run())
        if at.dataframe and list(at.dataframe[0].value["Seeds"]) == [3] * 8:
            break
    table = at.dataframe[0].value
    assert list(table["Seeds"]) == [3] * 8
    assert set(table["Difference"][1:]) <= {"▲ clearly better", "● not clear", "▼ clearly worse"}
    assert "Clearly better than none" in text(at)


def test_without_fashion_mnist_digits_stand_in_and_the_page_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lab_ui, "can_be_had", lambda data: data != "clothes")
    at = visit(PAGE, data="clothes", t="4")
    assert "digits stand in" in at.info[0].value
    assert at.query_params["data"] == "clothes", "the link keeps what was asked for"
    assert not visit(PAGE, data="digits", t="4").info
