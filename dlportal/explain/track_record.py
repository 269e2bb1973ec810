"""What the card says of each method's maps, and which method a page opens with."""

from collections.abc import Iterable
from dataclasses import dataclass

from dlportal.cards import Card
from dlportal.explain.base import Explainer
from dlportal.explain.report import SHARE


@dataclass(frozen=True)
class TrackRecord:
    """On how many of the card's inputs a method's map was clearly better than random ones."""

    better: int
    inputs: int


def track_record(card: Card, method: Explainer) -> TrackRecord | None:
    """A method's record over all data of the card, None where it was not measured."""
    shares = [m for m in card.measured.metrics if m.name == SHARE and m.model == method.title]
    inputs = sum(m.n or 0 for m in shares)
    if not inputs:
        return None
    return TrackRecord(sum(round(m.value * (m.n or 0)) for m in shares), inputs)


def first_choice(card: Card, methods: Iterable[Explainer]) -> Explainer:
    """The first method whose record is at most one input behind the best.

    They are listed from quick to slow, and one input more or less tells nothing.

    Raises:
        ValueError: No methods.
    """
    methods = list(methods)
    if not methods:
        raise ValueError("no methods to choose from")
    records = [track_record(card, method) for method in methods]
    scores = [record.better if record else 0 for record in records]
    return next(m for m, score in zip(methods, scores, strict=True) if score >= max(scores) - 1)
