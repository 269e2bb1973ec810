"""Every page, in both languages, through Streamlit's own test harness."""

from pathlib import Path

import pytest
from visits import click, text, visit

from dlportal.cards import PANELS, case_ids, load_card

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(p.stem for p in (ROOT / "pages").glob("*.py"))
CASES = case_ids()


@pytest.mark.assets
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("page", PAGES)
def test_page_opens(page: str, language: str) -> None:
    at = visit(page, language)
    assert at.title
    if page in CASES:
        assert at.title[0].value == load_card(page).title(language)


@pytest.mark.assets
@pytest.mark.slow
@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("page", CASES)
def test_every_panel_opens(page: str, panel: str) -> None:
    at = visit(page, "zh", panel=panel)
    reason = load_card(page).absent.get(panel)  # type: ignore[call-overload]
    if reason is not None:
        assert reason.zh in text(at)


@pytest.mark.assets
@pytest.mark.parametrize("page", CASES)
def test_every_step_of_the_walkthrough_sets_up_the_page(page: str) -> None:
    steps = load_card(page).tour()
    at = visit(page, "en", step="1")
    for index in range(len(steps)):
        assert at.session_state["tour_step"] == index
        if steps[index].panel is not None:
            assert at.session_state["panel"] == steps[index].panel
        click(at, "tour_next")
    assert "tour_step" not in at.session_state


def test_garbage_in_the_address_is_harmless() -> None:
    visit("home", "zz", domain="nowhere", search="\x00<script>", panel="x", step="999", example="?")
