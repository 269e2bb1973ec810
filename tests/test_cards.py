"""Every case has a complete, honest card in both languages."""

import hashlib
import json
import re

import pytest

from dlportal.cards import (
    DOMAINS,
    MODELS,
    PANELS,
    Card,
    Metric,
    all_cards,
    case_ids,
    load_card,
    show_interval,
)
from dlportal.ui.words import PROVENANCE

CASES = case_ids()
TRAINED = ("fine_tuned", "trained", "synthetic")


@pytest.fixture(params=CASES)
def card(request: pytest.FixtureRequest) -> Card:
    return load_card(request.param)


def test_every_card_parses() -> None:
    assert list(all_cards()) and set(all_cards()) == set(CASES)


def test_unknown_case_names_the_valid_ones() -> None:
    with pytest.raises(ValueError, match=CASES[0]):
        load_card("no_such_case")


def test_words(card: Card) -> None:
    assert card.domain in DOMAINS and card.provenance in PROVENANCE
    assert card.icon.startswith(":material/")
    assert len(card.summary.en) <= 60, "a gallery card holds 60 characters"
    assert len(card.summary.zh) <= 24, "a gallery card holds 24 characters"
    assert re.search(r"[\u4e00-\u9fff]", card.title.zh + card.summary.zh)
    assert card.thumbnail.exists()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_prose(card: Card, language: str) -> None:
    text = card.prose(language)  # raises where a number it quotes is not on the card
    headings = re.findall(r"^## (.+)$", text, re.M)
    assert len(headings) >= 4, headings
    assert len(text) > 300


def test_numbers(card: Card) -> None:
    if card.absent.get("trust") is None and card.provenance != "live":
        assert card.measured.metrics, "nothing was measured"
        assert card.main is not None, f"no {card.main_metric} on the card"
        assert card.measured.baselines, "no baseline"
    for metric in [*card.measured.metrics, *card.measured.baselines]:
        assert metric.command.startswith("python -m dlportal "), metric
        assert metric.n, metric
        check_interval(metric)
    for metric in card.published:
        assert metric.source, metric


def check_interval(metric: Metric) -> None:
    assert (metric.low is None) == (metric.high is None)
    if metric.low is not None and metric.high is not None:
        assert metric.low <= metric.value + 1e-9 and metric.value <= metric.high + 1e-9, metric


def test_weights_match_the_card(card: Card) -> None:
    if card.provenance in TRAINED:
        assert card.weights.exists() and card.receipt() is not None
    if card.weights.exists():
        found = hashlib.sha256(card.weights.read_bytes()).hexdigest()
        assert card.measured.sha256["weights.safetensors"] == found


def test_receipt(card: Card) -> None:
    receipt = card.receipt()
    if receipt is None:
        return
    assert {"command", "seed", "datasets", "versions", "device", "seconds", "curve"} <= set(receipt)
    assert receipt["command"].startswith("python -m dlportal train ")


def test_tour(card: Card) -> None:
    steps = card.tour()
    assert 4 <= len(steps) <= 8
    for step in steps:
        assert len(step.title.en) <= 40
        assert len(card.fill(step.text.en)) <= 140, step.text.en
        assert len(card.fill(step.text.zh)) <= 60, step.text.zh
        if step.panel is not None:
            assert step.panel not in card.absent or step.panel == "train"
        digits = re.findall(r"\d+\.\d+%?", step.text.en)
        assert not digits, f"numbers come from the card, never typed: {digits}"


def test_absent_panels_say_why(card: Card) -> None:
    for panel, reason in card.absent.items():
        assert panel in PANELS
        assert len(reason.en) > 20 and len(reason.zh) > 8


def test_card_json_is_what_the_schema_writes() -> None:
    for case_id in CASES:
        path = MODELS / case_id / "card.json"
        if path.exists():
            assert json.loads(path.read_text(encoding="utf-8"))["case"] == case_id


def test_intervals_can_be_read() -> None:
    metric = Metric(name="reward", data="x", value=-98.8, low=-100.2, high=-97.3)
    assert show_interval(metric) == "-100 … -97.3"
    assert show_interval(metric.model_copy(update={"low": 1.0, "high": 2.0})) == "1.000–2.000"
    assert show_interval(metric.model_copy(update={"low": None})) == ""


def test_tiles_show_one_share_of_faithful_maps() -> None:
    from dlportal.ui.card_panel import in_short

    names = [("accuracy", "a"), ("faithful_share", "any method"), ("faithful_share", "Occlusion")]
    metrics = [Metric(name=name, data="d", value=0.5, model=model) for name, model in names]
    other = metrics[1].model_copy(update={"data": "e"})
    assert in_short([*metrics, other]) == [metrics[0], metrics[1], other]
