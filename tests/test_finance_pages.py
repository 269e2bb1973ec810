"""The finance pages' own parts, as a visitor uses them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dlportal.data.credit_csv import write_customers
from dlportal.training import own_training
from dlportal.ui import credit_drift

ROOT = Path(__file__).resolve().parent.parent


def visit(page: str, **query: str) -> Any:
    at = AppTest.from_file(str(ROOT / "portal.py"), default_timeout=540)
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    at.switch_page(str(ROOT / "pages" / f"{page}.py"))
    at.run()
    assert not at.exception and not at.error
    return at


def words(at: Any) -> str:
    return "\n".join(str(e.value) for kind in (at.markdown, at.warning, at.info) for e in kind)


def metric(at: Any, label: str) -> str:
    return next(str(m.value) for m in at.metric if m.label == label)


@pytest.mark.assets
class TestCredit:
    def test_a_dear_default_lowers_the_line_and_refuses_more(self) -> None:
        at = visit("credit_default", example="slipping")
        before, refused = at.slider(key="threshold").value, metric(at, "Good payers refused")
        at.select_slider(key="loss").set_value(20).run()
        assert at.slider(key="threshold").value < before
        assert float(metric(at, "Good payers refused")[:-1]) > float(refused[:-1])
        at.slider(key="threshold").set_value(0.95).run()
        assert metric(at, "The rule says") == "Grant more credit"
        assert "What would have changed it" not in words(at)

    def test_the_answer_has_reasons_and_a_way_out_or_none(self) -> None:
        at = visit("credit_default", example="slipping")
        assert metric(at, "The rule says") == "Refuse more credit"
        assert "For default:" in words(at) and "Status September: 1 month late" in words(at)
        assert "settle one month of delay" in words(at)
        at.slider(key="threshold").set_value(0.01).run()
        assert "Nothing left to do in September" in words(at)

    def test_advice_is_disclaimed_once(self) -> None:
        assert words(visit("credit_default")).count("Not investment advice") == 1

    def test_drift_without_the_dataset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The training customers' distributions lie on the card; the customers are invented."""
        monkeypatch.setattr(credit_drift, "is_available", lambda name: False)
        at = visit("credit_default")
        assert "6,000 invented customers" in words(at)
        before = metric(at, "Invented customers: mean risk")
        after = metric(at, "These: mean risk")
        assert float(after[:-1]) > float(before[:-1])
        at.slider(key="drift_late").set_value(0).run()
        assert metric(at, "These: mean risk") == metric(at, "Invented customers: mean risk")
        assert "No column has moved" in words(at)

    def test_drift_of_own_rows(self) -> None:
        at = visit("credit_default")
        at.segmented_control(key="drift_way").set_value("rows").run()
        rng = np.random.default_rng(0)
        x = np.concatenate(
            [
                rng.integers(1, 50, (300, 1)) * 10_000,
                np.full((300, 6), 3),
                rng.uniform(0, 9_000, (300, 12)),
            ],
            axis=1,
        )
        at.file_uploader(key="drift_file").set_value(
            ("a.csv", write_customers(x), "text/csv")
        ).run()
        assert not at.error and "Something has drifted" in words(at)
        at.file_uploader(key="drift_file").set_value(("b.csv", b"a,b\n1,2\n", "text/csv")).run()
        assert not at.error and not at.exception
        assert [w.value.split(".")[0] for w in at.warning] == ["Column LIMIT_BAL is missing"]


@pytest.mark.assets
class TestFraud:
    def test_a_larger_budget_checks_more(self) -> None:
        at = visit("fraud_detection")
        said = {}
        for budget in (5, 100):
            at.slider(key="alert_budget").set_value(budget).run()
            line = next(m.value for m in at.markdown if "never looked at" in m.value)
            said[budget] = int(line.split(" checked")[0].split()[-1])
        assert 0 < said[5] <= 5 < said[100]

    def test_own_table_is_confirmed_trained_and_carded(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(own_training, "STEPS", 60)
        at = visit("fraud_detection", panel="train")
        rng = np.random.default_rng(0)
        a = rng.normal(size=1_200)
        yes = (a + rng.normal(size=1_200) > 0.8).astype(int)
        lines = [f"{v:.3f},{k},{y}" for v, k, y in zip(a, rng.integers(0, 3, 1_200), yes)]
        data = ("SIZE,KIND,CLASS\n" + "\n".join(lines)).encode()
        at.file_uploader(key="own_file").set_value(("mine.csv", data, "text/csv")).run()
        labels = [s for s in at.selectbox if s.label == "Which column says yes or no?"]
        assert labels[0].value == "CLASS"
        chosen = next(m for m in at.multiselect if m.value == ["SIZE", "KIND"])
        chosen.set_value([]).run()
        at.button(key="own_start").click().run()
        assert [w.value for w in at.warning] == ["Choose at least one column to learn from."]
        chosen.set_value(["SIZE", "KIND"]).run()
        at.button(key="own_start").click().run()
        assert not at.error and not at.exception
        at.session_state["own_training"].live.wait(120)
        at.run()
        assert not at.error and not at.exception
        assert "1,200 rows" in words(at) and "No time column" in words(at)

    def test_a_bad_table_gets_one_sentence(self) -> None:
        at = visit("fraud_detection", panel="train")
        at.file_uploader(key="own_file").set_value(("m.csv", b"A,CLASS\n1,0\n", "text/csv")).run()
        assert not at.error and not at.exception
        assert [w.value for w in at.warning] == [
            "The file has 1 rows; learning needs at least 500. Add more."
        ]
