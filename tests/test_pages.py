"""Every page, in both languages, through Streamlit's own test harness."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dlportal.cards import PANELS, case_ids, load_card

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(p.stem for p in (ROOT / "pages").glob("*.py"))
CASES = case_ids()


def visit(page: str, language: str, **query: str) -> Any:
    """Open a page as a visitor who speaks that language."""
    at = AppTest.from_file(str(ROOT / "portal.py"), default_timeout=180)
    at.query_params["lang"] = language
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    at.switch_page(str(ROOT / "pages" / f"{page}.py"))
    at.run()
    assert not at.exception, at.exception
    return at


def texts(at: Any) -> str:
    kinds = (at.title, at.header, at.markdown, at.warning, at.info, at.error)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.mark.assets
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("page", PAGES)
def test_page_opens(page: str, language: str) -> None:
    at = visit(page, language)
    assert at.title
    assert not at.error, [e.value for e in at.error]
    if page in CASES:
        assert at.title[0].value == load_card(page).title(language)


@pytest.mark.assets
@pytest.mark.slow
@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("page", CASES)
def test_every_panel_opens(page: str, panel: str) -> None:
    at = visit(page, "zh", panel=panel)
    assert not at.error, [e.value for e in at.error]
    reason = load_card(page).absent.get(panel)  # type: ignore[call-overload]
    if reason is not None:
        assert reason.zh in texts(at)


@pytest.mark.assets
@pytest.mark.parametrize("page", CASES)
def test_every_step_of_the_walkthrough_sets_up_the_page(page: str) -> None:
    steps = load_card(page).tour()
    at = visit(page, "en", step="1")
    for index in range(len(steps)):
        assert not at.error, (index, [e.value for e in at.error])
        assert at.session_state["tour_step"] == index
        if steps[index].panel is not None:
            assert at.session_state["panel"] == steps[index].panel
        at.button(key="tour_next").click().run()
    assert "tour_step" not in at.session_state


def test_garbage_in_the_address_is_harmless() -> None:
    at = visit(
        "home", "zz", domain="nowhere", search="\x00<script>", panel="x", step="999", example="?"
    )
    assert not at.error
