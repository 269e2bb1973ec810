"""Model cards: what a case is, how good it is, and where every number came from.

A card joins three files of `models/<case_id>/`: `case.toml` (by hand), `card.json` (by the
commands `train` and `evaluate` alone) and the prose `card.en.md` / `card.zh.md`.
Nothing here imports torch: the gallery and the router live from cards.
"""

import json
import logging
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MODELS = Path(__file__).resolve().parent.parent / "models"
DOMAINS = (
    "foundations",
    "vision",
    "language",
    "speech",
    "medical",
    "finance",
    "reinforcement",
    "frontiers",
)
PANELS = ("explain", "trust", "train", "code")

Domain = Literal[
    "foundations",
    "vision",
    "language",
    "speech",
    "medical",
    "finance",
    "reinforcement",
    "frontiers",
]
Provenance = Literal["pretrained", "fine_tuned", "trained", "live", "synthetic"]
Language = Literal["en", "zh"]

log = logging.getLogger(__name__)


class Strict(BaseModel):
    """Frozen, and unknown keys are errors: a typo in a card must not pass.

    Defaults are plain `[]` and `{}`, which pydantic copies for every card; to look at the
    signature of a factory would take 30 ms of the gallery's first render.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class Bilingual(Strict):
    """One text in both languages."""

    en: str
    zh: str

    def __call__(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


class Metric(Strict):
    """One measured or quoted number.

    `low` and `high` bound a 95 % interval; proportions lie in 0–1. Quoted (published) numbers
    may lack interval, `n` and command, but never a `source`.
    """

    name: str
    data: str
    split: str = "test"
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    command: str = ""
    model: str = ""
    source: str = ""

    @property
    def key(self) -> str:
        return f"{self.name}@{self.data}"


class Paper(Strict):
    title: str
    authors: str
    year: int
    url: str


class Limits(Strict):
    """What an input may be at most; checked before it is decoded."""

    bytes: int = 20_000_000
    pixels: int = 25_000_000
    characters: int = 2_000
    seconds: float = 60.0
    rows: int = 300_000
    columns: int = 200


class Reliability(Strict):
    """Reliability curve: mean confidence and accuracy per bin, before and after scaling."""

    confidence: list[float]
    accuracy: list[float]
    count: list[int]


class Calibration(Strict):
    temperature: float
    ece_before: float
    ece_after: float
    before: Reliability
    after: Reliability


class Confusion(Strict):
    """Counts, rows are the truth; `labels` are label ids."""

    labels: list[str]
    counts: list[list[int]]


class Slice(Strict):
    """A metric on a part of the test data."""

    part: Bilingual
    metric: Metric


class Curve(Strict):
    """A line for the Trust panel, such as sensitivity over the threshold."""

    name: str
    x_label: Bilingual
    y_label: Bilingual
    x: list[float]
    y: dict[str, list[float]]


class Measured(Strict):
    """`card.json`: written by `train` and `evaluate` alone."""

    schema_version: Literal[1] = 1
    case: str
    parameters: int = 0
    metrics: list[Metric] = []
    baselines: list[Metric] = []
    published: list[Metric] = []
    calibration: Calibration | None = None
    confusion: Confusion | None = None
    slices: list[Slice] = []
    curves: list[Curve] = []
    # Values that prediction needs and training found: temperature, thresholds, feature means.
    constants: dict[str, Any] = {}
    sha256: dict[str, str] = {}
    versions: dict[str, str] = {}
    measured_at: str = ""


class Step(Strict):
    """One step of a walkthrough: what it says and how it sets up the page."""

    title: Bilingual
    text: Bilingual
    anchor: Literal["try", "panel"] = "try"
    panel: Literal["explain", "trust", "train", "code"] | None = None
    # Session-state values of the page, e.g. {example = "coffee", method = "occlusion"}.
    settings: dict[str, Any] = {}


class Card(Strict):
    """Everything known about one case."""

    id: str
    domain: Domain
    order: int
    icon: str
    title: Bilingual
    summary: Bilingual
    provenance: Provenance
    model: str
    licence: str
    main_metric: str = ""
    inside: Bilingual | None = None
    outside: Bilingual | None = None
    papers: list[Paper] = []
    limits: Limits = Field(default_factory=Limits)
    assets: list[str] = []
    datasets: list[str] = []
    published: list[Metric] = []
    # Panels a case does not have, each with the reason shown on the page.
    absent: dict[Literal["explain", "trust", "train", "code"], Bilingual] = {}
    measured: Measured

    @property
    def folder(self) -> Path:
        return MODELS / self.id

    @property
    def thumbnail(self) -> Path:
        return self.folder / "thumbnail.webp"

    @property
    def weights(self) -> Path:
        return self.folder / "weights.safetensors"

    def metric(self, key: str) -> Metric | None:
        """Find a metric by `name@data`, or None if it was not measured."""
        return next((m for m in self.measured.metrics if m.key == key), None)

    @property
    def main(self) -> Metric | None:
        return self.metric(self.main_metric)

    def prose(self, language: str) -> str:
        """The card's text in Markdown, its numbers filled in from the measurements."""
        return self.fill((self.folder / f"card.{language}.md").read_text(encoding="utf-8"))

    def tour(self) -> list[Step]:
        """The walkthrough's steps; empty if the case has none."""
        path = self.folder / "tour.toml"
        if not path.exists():
            return []
        steps = tomllib.loads(path.read_text(encoding="utf-8"))["step"]
        return [Step.model_validate(step) for step in steps]

    def receipt(self) -> dict[str, Any] | None:
        """How the weights came to be, or None where nothing was trained."""
        path = self.folder / "receipt.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def fill(self, text: str) -> str:
        """Replace `{name@data}`, `{baseline:name@data}`, `{published:name@data}` by numbers.

        Raises:
            ValueError: The card has no such number.
        """
        groups = {
            "": self.measured.metrics,
            "baseline:": self.measured.baselines,
            "published:": self.published,
        }

        def number(match: re.Match[str]) -> str:
            group, key = match.group(1) or "", match.group(2)
            for metric in groups[group]:
                if metric.key == key:
                    return show_value(metric)
            known = ", ".join(f"{g}{m.key}" for g, ms in groups.items() for m in ms)
            raise ValueError(f"{self.id} has no number {group}{key}; it has: {known}")

        return re.sub(r"\{(baseline:|published:)?([a-z0-9_]+@[\w.-]+)\}", number, text)


# Metrics that are proportions and read best as a percentage.
PERCENT = {
    "accuracy",
    "top1_accuracy",
    "top5_accuracy",
    "balanced_accuracy",
    "recall",
    "precision",
    "precision_at_50",
    "money_saved",
    "good_refused",
    "not_monotone",
    "sensitivity",
    "specificity",
    "wer",
    "ece",
    "oos_recall",
    "accuracy_with_refusals",
    "loso_accuracy",
    "kept_answer",
    "marked_outside",
    "class_agreement",
    "train_on_synthetic_accuracy",
    "nearer_than_real",
    "agreement_strongest_fifth",
    "next_token_accuracy",
    "copied_share",
    "form_kept",
    "faithful_share",
    "on_stain",
    "qlike_below_garch",
    "qlike_below_har",
    "qlike_below_log_har",
    "return_coverage",
    "volatility_coverage",
    "direction_accuracy",
    "skill",
    "skill_shuffled",
}


def show_value(metric: Metric, value: float | None = None) -> str:
    """Format a metric's value (or another value of the same kind, such as a bound)."""
    value = metric.value if value is None else value
    if metric.name in PERCENT:
        return f"{100 * value:.1f}%"
    if metric.name.startswith("dm_p_"):  # a test's p
        return f"{value:.3f}" if value >= 0.001 else "< 0.001"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.3f}"


def show_interval(metric: Metric) -> str:
    """Format a metric's interval; "" where it has none."""
    if metric.low is None or metric.high is None:
        return ""
    # A dash beside a minus would be hard to read.
    between = "–" if metric.low >= 0 else " … "
    return f"{show_value(metric, metric.low)}{between}{show_value(metric, metric.high)}"


def load_card(case_id: str) -> Card:
    """Read one card from `models/<case_id>/`.

    Raises:
        ValueError: No such case (the message names the valid ones).
        pydantic.ValidationError: A file does not fit the schema.
    """
    folder = MODELS / case_id
    if not (folder / "case.toml").exists():
        raise ValueError(f"no case {case_id!r}; cases: {', '.join(case_ids())}")
    facts = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    path = folder / "card.json"
    measured = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"case": case_id}
    return Card.model_validate({"id": case_id, **facts, "measured": measured})


def case_ids() -> list[str]:
    """Ids of all cases: the folders of `models/` that hold a case.toml."""
    return sorted(path.parent.name for path in MODELS.glob("*/case.toml"))


@cache
def all_cards() -> dict[str, Card]:
    """All cards by id, in the gallery's order.

    A card that does not parse is logged and left out, so that one case cannot take the
    portal down; a test makes sure that none is.
    """
    cards = []
    for case_id in case_ids():
        try:
            cards.append(load_card(case_id))
        except ValueError:  # pydantic's and tomllib's errors are ValueErrors
            log.exception("the card of %s does not parse; the case is left out", case_id)
    cards.sort(key=lambda card: (DOMAINS.index(card.domain), card.order))
    return {card.id: card for card in cards}


def write_measured(measured: Measured) -> Path:
    """Write `card.json` of a case atomically and forget cached cards."""
    path = MODELS / measured.case / "card.json"
    partial = path.with_suffix(".json.partial")
    partial.write_text(
        json.dumps(measured.model_dump(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    partial.replace(path)
    all_cards.cache_clear()
    return path
