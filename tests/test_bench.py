"""The bench's arithmetic and its report; the measurements themselves run with `make bench`."""

import json
from pathlib import Path
from typing import Any

import pytest

from dlportal import bench
from dlportal.bench import predict
from dlportal.bench.labs import LABS, Lab, until_drawn
from dlportal.bench.row import bounded, compared, skipped
from dlportal.bench.server import bare_app, serve
from dlportal.bench.table import table
from dlportal.cards import all_cards
from dlportal.ui.websocket_client import Visitor

ROWS = [
    compared("load", "twice as fast", [9, 10, 30], "runs/s", "before", [5, 5, 5], "at least", 1.1),
    compared("load", "twice as slow", [10.0], "s", "before", [5.0], "at most", 1.3),
    bounded("load", "just small enough", 30.0, "ms", "at most", 30.0, "a note"),
    skipped("load", "a case", "no weights"),
]


def test_ratios_of_medians_meet_their_bars() -> None:
    assert [row.passed for row in ROWS] == [True, False, True, None]
    assert ROWS[0].ratio == ROWS[1].ratio == 2.0


def test_rows_are_json_without_nan() -> None:
    rows = [row.to_json() for row in ROWS]
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert rows[3]["value"] is None


def test_the_report_names_what_was_missed() -> None:
    machine = {"device": "cpu", "cores": 2, "memory_mb": 8000, "load_average": [0.1] * 3}
    report = {
        "machine": {**machine, "settings": {}},
        "versions": {"python": "3.11"},
        "rows": [row.to_json() for row in ROWS],
    }
    text = table(report)
    assert "2 of 3 bars hold" in text
    assert "missed: twice as slow" in text
    assert "not measured: no weights" in text


def test_a_wrong_suite_names_the_right_ones() -> None:
    with pytest.raises(
        ValueError, match=r"suites: all, startup, predict, load, memory, labs, agents"
    ):
        bench.run("speed")


def test_the_websocket_client_sees_what_a_browser_sees(tmp_path: Path) -> None:
    with serve(bare_app(tmp_path)) as server, Visitor(server.port) as visitor:
        for _run in range(3):
            title, whole = visitor.run(timeout=30)
            assert 0 < title <= whole
        assert server.resident_mb() > 10


@pytest.mark.parametrize(
    ("measure", "case_id"),
    [
        (predict.overhead, "fashion_classification"),
        (predict.lines_of_text, "chinese_topics"),
        (predict.beside_bare_maps, "object_detection"),
        (predict.sixteen_pictures, "image_generation"),
    ],
)
def test_predictions_are_timed(
    measure: Any, case_id: str, get_case: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MOST", "LEAST", "LINES_ROUNDS"):
        monkeypatch.setattr(predict, name, 1)
    monkeypatch.setattr(predict, "SECONDS", 0.0)
    row = measure(get_case(case_id))
    assert row.name.startswith(case_id) and row.value > 0


FIELD = """import streamlit as st
n = st.number_input("n", 0, 9, 1, key="n")
st.plotly_chart({"data": [{"y": [0, n]}]})
"""


def test_the_websocket_client_changes_a_field(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(FIELD, encoding="utf-8")
    with serve(tmp_path) as server, Visitor(server.port) as visitor:
        visitor.run(timeout=60)
        assert visitor.enter("n", double_value=3.0).drawn > 0
        assert visitor.enter("n", double_value=3.0).drawn == 0  # the same picture
        with pytest.raises(KeyError):
            visitor.enter("m", double_value=3.0)


TRAINING = """
import streamlit as st
import plotly.graph_objects as go

state = st.session_state
state.setdefault("n", 0)

def start():
    state.left = 3

@st.fragment(run_every=0.25)
def watch():
    state.left -= 1
    if state.left < 0:
        st.rerun()
    state.n += 1
    st.plotly_chart(go.Figure(go.Scatter(y=[state.n])), key="chart")

st.button("Start", key="lab_start", on_click=start)
if state.get("left", 0) > 0:
    watch()
"""


def test_every_laboratory_is_measured() -> None:
    labs = {card.id for card in all_cards().values() if card.domain == "foundations"}
    assert {lab.page for lab in LABS} == labs


def test_the_websocket_client_presses_buttons_and_keeps_timers(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(TRAINING, encoding="utf-8")
    lab = Lab("lab", "", "lab_start", "", "", "")
    with serve(tmp_path) as server, Visitor(server.port) as visitor:
        visitor.run()
        assert set(visitor.buttons) == {"lab_start"} and visitor.tick() is None
        first = visitor.click("lab_start")
        assert 0 < first.drawn <= first.seconds and list(visitor.timers.values()) == [0.25]
        drawn = [answer.drawn for answer in iter(visitor.tick, None)]
        assert [d > 0 for d in drawn] == [True, True, False], "three pictures, then it is over"
        assert not visitor.timers
        assert until_drawn(visitor, lab, "lab_start") > 0
        with pytest.raises(KeyError):
            visitor.click("nothing")
