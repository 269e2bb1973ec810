"""The object detection page's own parts: sliders, the picture with boxes, what each kind is worth."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from dlportal.cards import Card
from dlportal.messages import N_, UserError
from dlportal.results import Boxes
from dlportal.serving import Answer, compute
from dlportal.ui.boxes import boxes_svg
from dlportal.ui.errors import show_user_error
from dlportal.ui.faithfulness_table import faithfulness_table
from dlportal.ui.inputs import Picked
from dlportal.ui.language import _, language
from dlportal.ui.visitor import has_left
from dlportal.ui.words import note

NETWORKS = {
    "small": N_("YOLOv3-tiny"),
    "large": N_("Faster R-CNN, larger"),
}
TITLES = {"explain": N_("Why this box?")}
TALL = 0.8  # height over width from which a picture is not drawn as wide as the column
HIGH = 600  # pixels at most


def thresholds(case: Any) -> Any:
    """Two sliders; returns the case with these settings."""
    usual = case.usual
    score = st.slider(
        _("Least score"),
        0.05,
        0.95,
        usual[0],
        0.05,
        key="score",
        persist_state="page",
        help=_("Lower: more objects are found, and more that are none."),
    )
    overlap = st.slider(
        _("Largest overlap"),
        0.05,
        0.95,
        usual[1],
        0.05,
        key="overlap",
        persist_state="page",
        help=_(
            "Of two boxes of a kind that overlap more than this, the less sure one is dropped. Higher: one object gets several boxes; lower: neighbours are lost."
        ),
    )
    return case.at(float(score), float(overlap))


def choose_network() -> str:
    """The small network, or the larger one where its weights can be had."""
    chosen = st.segmented_control(
        _("Network"),
        list(NETWORKS),
        format_func=lambda n: _(NETWORKS[n]),
        default="small",
        key="network",
        required=True,
        persist_state="page",
        help=_(
            "The larger one is downloaded when it is first chosen (74 MB). Explanations and numbers below are of the small one."
        ),
    )
    return chosen or "small"


@st.cache_resource(max_entries=1, show_spinner=False)
def larger_network() -> Any:
    from dlportal.nets.larger_detector import load_larger

    return load_larger()


def by_larger(case: Any, picked: Picked | None) -> Answer | None:
    """The larger network's answer; None, after one sentence, where it cannot be had."""
    if picked is None:
        return None
    try:
        with st.spinner(_("Fetching the larger network")):
            net = larger_network()
        started = time.perf_counter()
        found = compute(lambda: case.larger(picked.raw, net), gone=has_left())
    except UserError as error:
        show_user_error(error)
        return None
    return Answer(found, time.perf_counter() - started)


def draw_boxes(case: Any, picked: Picked | None, answer: Any) -> None:
    """The picture with what was found in it."""
    if picked is None or answer is None:
        return
    result: Boxes = answer.result
    marked = case.marked(picked.example)
    shown = False
    if marked is not None:
        shown = st.toggle(_("Show what people marked"), key="marked", persist_state="page")
    lang = language()
    svg = boxes_svg(picked.raw, result, lang, marked.corners if shown else None)
    draw_svg(svg, result, lang)
    words = _("Solid: at least half sure. Dashed: less.")
    if shown:
        words += " " + _("Dotted: marked by people.")
    note(words)


def draw_svg(svg: str, result: Boxes, lang: str) -> None:
    """The drawing, as wide as the column unless it would become too high."""
    shape = result.height / result.width
    st.image(
        svg,
        width="stretch" if shape <= TALL else max(160, round(HIGH / shape)),
        alt=described(result, lang),
    )


def described(result: Boxes, lang: str) -> str:
    """What the drawing shows, for those who do not see it."""
    found = ", ".join(
        f"{name(lang)} {100 * box.score:.0f}%"
        for name, box in zip(result.names, result.boxes, strict=True)
    )
    return _("The picture with boxes: {found}").format(found=found or _("none"))


def settled(case: Any, picked: Picked | None) -> Picked | None:
    """The input as the panels remember it: other thresholds are other boxes to explain."""
    if picked is None:
        return None
    return replace(picked, digest=f"{picked.digest}-{case.score:.2f}-{case.overlap:.2f}")


def explained_instead(answer: Any, network: str) -> Mapping[str, Callable[[], None]]:
    """What stands in the place of the explanation where there is no box of the small network."""
    if network != "small":
        return {"explain": lambda: note(_("Choose YOLOv3-tiny above: explanations are of it."))}
    if answer is not None and not answer.result.boxes:
        text = _("No object was found, so there is none to explain. Lower the least score.")
        return {"explain": lambda: note(text)}
    return {}


def trust(case: Any) -> None:
    """Below the card: how little 27 pictures are, every kind's number, every map's verdict."""
    kinds(case.card, {label.id: label(language()) for label in case.labels})
    faithfulness_table(case)


def kinds(card: Card, names: Mapping[str, str]) -> None:
    """Average precision of each kind that occurs in the test pictures."""
    rows = card.measured.constants.get("per_class", ())
    if not rows:
        return
    st.header(_("How well does it find each kind?"), anchor=False)
    note(
        _(
            "{objects} objects of {kinds} kinds in {pictures} pictures. Most kinds stand in one picture: their number is an anecdote, and an interval over pictures cannot be given."
        ).format(
            objects=sum(row["objects"] for row in rows),
            kinds=len(rows),
            pictures=card.main.n if card.main else "",
        )
    )
    table = [
        {
            _("Kind"): names[row["class"]],
            _("Objects"): row["objects"],
            _("Pictures"): row["pictures"],
            _("Average precision"): row["average_precision"],
            _("95% interval"): "–" if row["low"] is None else f"{row['low']:.2f}–{row['high']:.2f}",
        }
        for row in rows
    ]
    st.dataframe(
        table,
        hide_index=True,
        height=380,
        column_config={
            _("Average precision"): st.column_config.ProgressColumn(
                min_value=0.0, max_value=1.0, format="%.2f"
            )
        },
        alt=_("Average precision of each kind"),
    )
