"""The article's outline and claims, in our own words, each with the places that show it.

`coverage.toml` is written by hand. A place is a case (with a step of its walkthrough, by the
step's English title, or a panel) or another page of the portal. A case that is only planned may
be named too, and is linked as soon as it is there; no claim may live from planned cases alone.
That every step is there is for a test to find: a renamed step must not close the page.
"""

import logging
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from dlportal.cards import Bilingual, Card, Step, Strict, all_cards

FILE = Path(__file__).with_name("coverage.toml")
PAGES = ("home", "scorecard", "faq")

log = logging.getLogger(__name__)

Page = Literal["home", "scorecard", "faq"]
Panel = Literal["explain", "trust", "train", "code"]


class Place(Strict):
    """Where something is shown: a case's step or panel, or another page.

    Attributes:
        case: A case's id, there or planned.
        page: Another page's name instead.
        step: The English title of a step of the case's walkthrough.
        panel: A panel of the case, instead of a step.
        question: A question of the page `faq`.
    """

    case: str | None = None
    page: Page | None = None
    step: str | None = None
    panel: Panel | None = None
    question: str | None = None

    @model_validator(mode="after")
    def one_place(self) -> Self:
        if (self.case is None) == (self.page is None):
            raise ValueError("a place is a case or a page")
        if self.page is not None and (self.step or self.panel):
            raise ValueError(f"{self.page} has neither steps nor panels")
        if self.step and self.panel:
            raise ValueError("name a step or a panel, not both")
        return self

    @property
    def card(self) -> Card | None:
        """The case's card; None for another page and for a case that is only planned."""
        return None if self.case is None else all_cards().get(self.case)

    def number_and_step(self) -> tuple[int, Step] | None:
        """The step's number, from 1, and the step; None where no step is named.

        Raises:
            ValueError: The walkthrough has no such step (names those it has).
        """
        card = self.card
        if card is None or self.step is None:
            return None
        steps = card.tour()
        for number, step in enumerate(steps, 1):
            if step.title.en == self.step:
                return number, step
        known = ", ".join(step.title.en for step in steps)
        raise ValueError(f"{self.case} has no step {self.step!r}; steps: {known}")

    def found_step(self) -> tuple[int, Step] | None:
        """The same, but None for a step that is not there: the link then opens the case."""
        try:
            return self.number_and_step()
        except ValueError as error:
            log.warning("coverage.toml: %s", error)
            return None

    def address(self) -> dict[str, str]:
        """What the link adds to the page's address."""
        found = self.found_step()
        if found is not None:
            return {"step": str(found[0])}
        if self.panel is not None:
            return {"panel": self.panel}
        return {"question": self.question} if self.question else {}


class Claim(Strict):
    """One claim of the article and the places that show it."""

    id: str
    text: Bilingual
    places: list[Place]

    @property
    def shown(self) -> list[Place]:
        """The places that exist."""
        return [place for place in self.places if place.page or place.card]

    @property
    def planned(self) -> list[str]:
        """Ids of the cases that do not exist yet."""
        return [place.case for place in self.places if place.case and place.card is None]


class Section(Strict):
    """A section of the article."""

    id: str
    title: Bilingual
    claims: list[Claim]


class Coverage(Strict):
    """The whole outline, and the names of the cases that are planned."""

    sections: list[Section]
    planned: dict[str, Bilingual]

    @model_validator(mode="after")
    def every_claim_is_shown(self) -> Self:
        for claim in self.claims:
            if not claim.shown:
                raise ValueError(f"nothing that exists shows claim {claim.id}")
            for case in claim.planned:
                if case not in self.planned:
                    raise ValueError(f"claim {claim.id} names {case}, neither there nor planned")
        return self

    @property
    def claims(self) -> list[Claim]:
        return [claim for section in self.sections for claim in section.claims]


@cache
def coverage() -> Coverage:
    """Read and check `coverage.toml`.

    Raises:
        pydantic.ValidationError: It does not fit the schema, or nothing that exists shows a claim.
    """
    return Coverage.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))
