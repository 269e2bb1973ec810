"""The article's claims: each is shown somewhere that exists, and what is planned says so."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from dlportal.cards import PANELS, Bilingual, case_ids
from dlportal.coverage import Claim, Coverage, Place, Section, coverage
from dlportal.ui.faq import QUESTIONS
from dlportal.ui.router import HOME, OTHERS

ROOT = Path(__file__).resolve().parent.parent
# The article's outline: how many claims each section makes.
OUTLINE = {"1": 3, "2": 5, "3": 4, "4": 4, "5": 5, "6": 4, "7": 4, "8": 4}


def test_the_whole_outline_is_there() -> None:
    found = {section.id: len(section.claims) for section in coverage().sections}
    assert found == OUTLINE
    ids = [claim.id for claim in coverage().claims]
    assert len(set(ids)) == len(ids)
    assert all(claim.id.split(".")[0] == s.id for s in coverage().sections for claim in s.claims)


@pytest.mark.parametrize("claim", coverage().claims, ids=lambda claim: claim.id)
def test_every_claim_is_shown_by_a_page_and_a_step(claim: Claim) -> None:
    assert any(place.page or place.step or place.panel for place in claim.shown)
    for place in claim.shown:
        name = place.case or place.page
        assert (ROOT / "pages" / f"{name}.py").exists()
        if place.card is not None:
            # Only a case that was planned and has just arrived may be linked as a whole.
            assert place.step or place.panel or place.case in coverage().planned, claim.id
            assert place.step is None or place.number_and_step() is not None
            assert place.panel is None or place.panel in PANELS
            assert place.panel is None or place.panel not in place.card.absent, claim.id
        else:
            assert name == "home" or name in OTHERS
            assert place.question is None or place.question in QUESTIONS


def test_what_is_planned_is_named_and_not_linked() -> None:
    named = {case for claim in coverage().claims for case in claim.planned}
    assert named and not named & set(case_ids())
    assert named <= set(coverage().planned)
    assert all(name.en and name.zh for name in coverage().planned.values())


def made(place: Place) -> Coverage:
    text = Bilingual(en="x", zh="x")
    claim = Claim(id="1.1", text=text, places=[place])
    return Coverage(sections=[Section(id="1", title=text, claims=[claim])], planned={})


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (Place(case="nowhere"), "nothing that exists"),
    ],
)
def test_what_is_not_there_is_refused(place: Place, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        made(place)
    assert made(Place(case="sentiment", step="For or against?")).claims


def test_a_renamed_step_fails_here_and_still_links_the_case() -> None:
    place = Place(case="sentiment", step="No such step")
    with pytest.raises(ValueError, match="no step 'No such step'; steps: For or against"):
        place.number_and_step()
    assert place.found_step() is None and place.address() == {}


def test_a_place_is_one_place() -> None:
    for wrong in ({}, {"case": "sentiment", "page": "faq"}, {"page": "faq", "step": "x"}):
        with pytest.raises(ValidationError):
            Place(**wrong)


def test_names_of_pages() -> None:
    assert HOME[0] and all(title and icon for title, icon in OTHERS.values())
