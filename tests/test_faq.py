"""The four questions: stored measurements, frameworks that agree, the page's own runs."""

from typing import Any

import numpy as np
import pytest
import torch
from visits import visit

from dlportal.faq import STORED, frameworks, generalisation, learning_curve, stored, timing
from dlportal.training.seeds import over_seeds
from dlportal.ui.faq_generalisation import changed_inputs


@pytest.mark.parametrize("name", STORED)
def test_stored_measurements_say_where_they_come_from(name: str) -> None:
    found = stored(name)
    assert found["command"] == f"python -m dlportal.faq {name}"
    assert found["date"] and found["device"]


def test_the_learning_curve_says_what_the_page_says() -> None:
    """Few sentences: pretrained ahead of TF-IDF, intervals apart; more help all; with some
    thousand, fine-tuning is clearly ahead of the frozen network."""
    rows = {(r["model"], r["n"]): r for r in stored("learning_curve")["rows"]}
    sizes = sorted({n for _model, n in rows})
    assert rows["frozen", sizes[0]]["low"] > rows["tfidf", sizes[0]]["high"]
    assert rows["tfidf", sizes[-1]]["value"] > rows["tfidf", sizes[0]]["value"] + 0.1
    assert {n for model, n in rows if model == "tuned"} == set(learning_curve.SIZES)
    assert rows["tuned", 3000]["low"] > rows["frozen", 3000]["high"]
    for row in rows.values():
        assert len(row["seeds"]) == 3
        assert row["low"] <= row["value"] <= row["high"]
        assert row["value"] == pytest.approx(np.mean(row["seeds"]), abs=1e-3)


def test_generalisation_says_what_the_page_says() -> None:
    """More data gain more than any remedy; every training accuracy is above chance."""
    found = stored("generalisation")
    remedies = {r["remedy"]: r for r in found["remedies"]}
    amounts = found["amounts"]
    best = max(r["test"][0] for r in remedies.values())
    by_data = amounts[-1]["test"][0] - amounts[0]["test"][0]
    assert by_data > best - remedies["none"]["test"][0] > 0
    assert all(r["train"][0] > found["blind"] for r in (*remedies.values(), *amounts))
    gain = best - remedies["none"]["test"][0]
    changed = changed_inputs()
    assert len(changed) >= 3
    assert all(before.value - after.value > gain for _words, before, after in changed)


def test_generalisation_is_repeatable() -> None:
    """One seed of the smallest stored training, run again."""
    s = generalisation.rivals(generalisation.settings(points=40))["none"]
    first, second = (generalisation.outcomes(s, 1)[0] for _again in range(2))
    assert first.test_accuracy == second.test_accuracy


def test_over_seeds() -> None:
    rng = np.random.default_rng(0)
    right = rng.random((3, 400)) < 0.8
    value, low, high = over_seeds(right)
    assert value == pytest.approx(right.mean()) and low < value < high
    one = over_seeds(right[:1])
    assert one[2] - one[1] == pytest.approx(4 * (0.8 * 0.2 / 400) ** 0.5, rel=0.25)
    apart = np.stack([np.ones(400, bool), np.zeros(400, bool)])
    assert over_seeds(apart)[1] < 0.05  # another seed may be all wrong
    with pytest.raises(ValueError, match="seeds, rows"):
        over_seeds(np.ones(4))


def test_frameworks_agree() -> None:
    """The same weights after training, to rounding; and better than the blind guess."""
    found = frameworks.compare()
    assert [row.name for row in found] == list(frameworks.NAMES)
    assert max(row.apart for row in found) < frameworks.TOLERANCE
    assert len({row.accuracy for row in found}) == 1
    assert found[0].low > frameworks.baseline()[2]
    for row in found:
        assert row.answering > 0 and row.lines > 5
        assert (row.training is None) == (row.name == "onnxruntime")


def test_the_gradient_written_out_is_torchs() -> None:
    """One step by NumPy against autograd, from other weights than those of `compare`."""
    start = frameworks.first_weights(7)
    x, y, _x, _y = frameworks.pictures()
    (w1, _b1, w2, _b2), _answers = frameworks.by_numpy(start, [(x[:64], y[:64])])
    net = frameworks.torch_net(start)
    torch.nn.functional.cross_entropy(
        net(torch.from_numpy(x[:64])), torch.from_numpy(y[:64])
    ).backward()
    for index, own, before in ((0, w1, start[0]), (2, w2, start[2])):
        step = frameworks.RATE * net[index].weight.grad.numpy().T
        np.testing.assert_allclose(before - own, step, atol=1e-12)


def test_a_framework_that_differs_is_seen() -> None:
    start = frameworks.first_weights(0)
    x, y, _x, _y = frameworks.pictures()
    weights, _answers = frameworks.by_numpy(start, [(x[:64], y[:64])])
    other, _answers = frameworks.by_numpy(start, [(x[64:128], y[64:128])])
    assert max(float(np.abs(a - b).max()) for a, b in zip(weights, other)) > frameworks.TOLERANCE


def test_receipts_are_of_cases() -> None:
    found = timing.receipts()
    assert [r.seconds for r in found] == sorted((r.seconds for r in found), reverse=True)
    assert all("dlportal train" in r.command and r.trained > 0 for r in found)


def open_question(question: str, language: str = "en") -> Any:
    return visit("faq", language, question=question)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("question", ["classical", "frameworks", "time", "generalisation"])
def test_every_question_opens_by_link(question: str, language: str) -> None:
    at = open_question(question, language)
    assert at.session_state["question"] == question
    assert len(at.header) == 1


def test_frameworks_on_the_page() -> None:
    at = open_question("frameworks")
    at.button(key="run_frameworks").click().run()
    assert not at.exception and not at.error
    assert "Same numbers" in at.success[0].value
    text = "\n".join(str(m.value) for m in at.markdown)
    assert all(name in text for name in frameworks.NAMES.values())


def test_a_remedy_on_the_page() -> None:
    at = open_question("generalisation")
    at.button(key="run_generalisation").click().run()
    assert not at.exception and not at.error
    assert [metric.label for metric in at.metric] == ["no remedy", "Augmentation"]


def test_a_training_on_the_page() -> None:
    at = open_question("time")
    at.button(key="run_time").click().run()
    assert not at.exception and not at.error
    assert [metric.label for metric in at.metric] == ["small CNN", "logistic regression"]


@pytest.mark.assets
def test_sentences_on_the_page() -> None:
    """TF-IDF against MiniLM, where SST-2 and MiniLM are to be had; else one sentence."""
    at = open_question("classical")
    at.button(key="run_classical").click().run()
    assert not at.exception and not at.error
    if at.warning:
        assert "sst2" in at.warning[0].value or "MiniLM" in at.warning[0].value
        return
    assert len(at.metric) == 2


def test_a_question_nobody_asked() -> None:
    assert open_question("nonsense").session_state["question"] == "classical"
