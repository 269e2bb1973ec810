"""The blood cell page's own parts: the picture with its cells, the counts, what nobody marked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from dlportal.cards import Metric, show_interval, show_value
from dlportal.cases.cells_training import LABELS, changed_copies
from dlportal.messages import N_
from dlportal.results import Box, Boxes
from dlportal.training.detection_scores import Objects, matched, unmarked
from dlportal.ui.boxes import boxes_svg
from dlportal.ui.detection import draw_svg
from dlportal.ui.errors import fragment
from dlportal.ui.faithfulness_table import faithfulness_table
from dlportal.ui.inputs import Picked
from dlportal.ui.language import _, language
from dlportal.ui.views import scope
from dlportal.ui.words import duration, note, together

TITLES = {"explain": N_("Why this box?")}
LETTERS = {"rbc": N_("R"), "wbc": N_("W"), "platelets": N_("P")}
COPIES = 6  # changed copies of a picture
FEW = 12  # boxes, from which on red cells have no score beside them
HALF = 0.5  # overlap from which a box counts as found


@dataclass(frozen=True)
class Compared:
    """What was found beside what people marked.

    Attributes:
        found: The network's boxes.
        marks: What people marked.
        hits: Which boxes are a marked cell of the same kind, (boxes,) bool.
        extra: Which boxes overlap nothing marked, (boxes,) bool.
        missed: Which marks no box has found, (marks,) bool.
    """

    found: Objects
    marks: Objects
    hits: np.ndarray
    extra: np.ndarray
    missed: np.ndarray

    @classmethod
    def of(cls, result: Boxes, marks: Objects) -> "Compared":
        found = Objects(
            np.array([box.corners for box in result.boxes], np.float64).reshape(-1, 4),
            np.array([box.index for box in result.boxes], np.int64),
            np.array([box.score for box in result.boxes], np.float64),
        )
        hits = matched(found, marks, HALF)
        # The other way round: each mark looks for a box of its kind.
        missed = ~matched(marks, found, HALF)
        return cls(found, marks, hits, unmarked(found, marks), missed)


def warning() -> None:
    """Said before anything else."""
    st.warning(
        _(
            "**Not for clinical use.** A teaching example; nobody's blood may be judged by these counts."
        ),
        icon=":material/medical_information:",
    )


def draw(case: Any, picked: Picked | None, answer: Any) -> None:
    """The picture with its cells, and how many there are."""
    if picked is None or answer is None:
        return
    result: Boxes = answer.result
    marks = case.marked(picked.example)
    compared = None if marks is None else Compared.of(result, marks)
    scope(result.inside, case.card)
    counts(case, result, compared, answer.seconds)
    shown = compared is not None and st.toggle(
        _("Show what people marked"), key="marked", value=True, persist_state="page"
    )
    lang = language()
    tags = [tag(box, len(result.boxes)) for box in result.boxes]
    if compared is None or not shown:
        draw_svg(boxes_svg(picked.raw, result, lang, tags=tags), result, lang)
        note(key())
        return
    missed = compared.marks.corners[compared.missed]
    draw_svg(boxes_svg(picked.raw, result, lang, missed, tags, compared.extra), result, lang)
    apart = _(
        "Dashes and dots: found, but nobody marked a cell there ({extra}). Dotted: marked, but not found as that kind ({missed})."
    )
    extra, lost = int(compared.extra.sum()), int(compared.missed.sum())
    note(together(key(), apart.format(extra=extra, missed=lost)))


def tag(box: Box, boxes: int) -> str:
    """Letter and score of a box; of many red cells the letter alone, or they would hide the picture."""
    letter = _(LETTERS[box.label.id])
    alone = box.label.id == "rbc" and boxes > FEW
    return letter if alone else f"{letter} {100 * box.score:.0f}%"


def key() -> str:
    """What letters and strokes mean."""
    return _(
        "R: red blood cell, W: white blood cell, P: platelet. Solid: at least half sure; dashed: less."
    )


def counts(case: Any, result: Boxes, compared: Compared | None, seconds: float) -> None:
    """How many cells of each kind; below, what people counted or how far off a count is."""
    with st.grid(4, min_column_width=96):
        for label in LABELS:
            found = sum(box.label.id == label.id for box in result.boxes)
            with st.container(gap="xsmall"):
                st.metric(label(language()), str(found), help=usual_error(case, label.id))
                if compared is not None:
                    n = int((compared.marks.classes == LABELS.index(label)).sum())
                    note(_("people marked {n}").format(n=n))
        st.metric(_("Time"), duration(seconds))


def usual_error(case: Any, kind: str) -> str:
    """By how much a count of this kind was off on the test pictures."""
    name = f"count_mae_{kind}"
    own = case.card.metric(f"{name}@bccd")
    blind = next((m for m in case.card.measured.baselines if m.name == name), None)
    if own is None or blind is None:
        return _("How many boxes of this kind are above the least score.")
    return _(
        "On the test pictures such a count differs from what people marked by {own} on average; always saying the usual number, by {blind}."
    ).format(own=f"{own.value:.2f}", blind=f"{usual(case, name).value:.2f}")


def usual(case: Any, name: str) -> Metric:
    """The baseline that does not look."""
    rivals = [m for m in case.card.measured.baselines if m.name == name]
    return next((m for m in rivals if m.model.startswith("always")), rivals[0])


def trust(case: Any) -> None:
    """Below the card: the marks that are missing, and every map's verdict."""
    forgotten(case)
    faithfulness_table(case)


def forgotten(case: Any) -> None:
    """How many cells nobody marked, and what lies under these boxes."""
    census = case.card.measured.constants.get("unmarked")
    own = case.card.metric("on_stain@bccd")
    if not census or own is None:
        return
    st.header(_("Cells that nobody marked"), anchor=False)
    st.markdown(
        _(
            "In {pictures} test pictures the network finds {found} cells. At {unmarked} of these places nobody marked anything, and every one of them counts as a mistake above; {at_border} are cut off by the picture's edge."
        ).format(**census)
    )
    rivals = {m.model: m for m in case.card.measured.baselines if m.name == "on_stain"}
    rows = [
        (_("found, not marked"), own),
        *(
            (_("marked by people"), m)
            for model, m in rivals.items()
            if model.startswith("boxes that")
        ),
        *(
            (_("the same boxes put anywhere"), m)
            for model, m in rivals.items()
            if "anywhere" in model
        ),
    ]
    with st.grid(3, min_column_width=150):
        for name, metric in rows:
            with st.container(border=True, gap="xsmall"):
                st.metric(name, show_value(metric))
                note(f"{show_interval(metric)} · n = {metric.n}")
    note(
        _(
            "Share of boxes on stained matter: at least 70% of the box's inner ellipse is dark enough, by colour alone, without the network; many pale cells fail that. The nearer the first number is to the second, and the farther from the third, the more of these boxes are cells that people left out."
        )
    )


@fragment
def changed(case: Any, picked: Picked | None) -> None:
    """The picture as the training would show it, with its boxes moved along."""
    st.header(_("What it is trained on"), anchor=False)
    if picked is None:
        return
    seed = st.slider(_("Random changes"), 1, 20, 1, key="copies_seed", persist_state="page")
    marks = case.marked(picked.example)
    copies = changed_copies(case, picked.raw, marks, COPIES, int(seed))
    lang = language()
    with st.grid(3, min_column_width=150):
        for number, (picture, corners) in enumerate(copies, start=1):
            nothing = Boxes((), *picture.size, 0.5, 0.5)
            st.image(
                boxes_svg(picture, nothing, lang, corners),
                alt=_("Changed copy {n} of the picture").format(n=number),
            )
    note(
        _(
            "No copy is seen twice: mirrored, turned by a quarter, larger or smaller, in another light and stain. Dotted: the marks move along; without marks only the picture is shown. In the last epochs the changes are small."
        )
    )
