"""The architecture tour: pick a picture, move and shuffle it, see four answers; then look inside."""

from typing import Any

import numpy as np
import streamlit as st
from PIL import Image
from torch import Tensor

from dlportal.cases.architecture_tour import INSIDE, KNOBS, PLACE, VIEW, ArchitectureTour, Shown
from dlportal.labs.arch_data import LABELS, shrink
from dlportal.labs.arch_nets import KINDS
from dlportal.messages import N_, UserError
from dlportal.results import Classes, Label
from dlportal.ui import page
from dlportal.ui.arch_charts import shift_chart
from dlportal.ui.arch_table import measured_table
from dlportal.ui.arch_views import inside_panel
from dlportal.ui.arch_words import KIND_NAMES
from dlportal.ui.charts import show_chart
from dlportal.ui.code_panel import show_code
from dlportal.ui.errors import fragment, show_user_error
from dlportal.ui.inputs import Picked, choose_example, choose_source, digest, own_picture
from dlportal.ui.knobs import draw_knob, fill_knobs, share_knobs
from dlportal.ui.language import _, language
from dlportal.ui.maps import enlarge
from dlportal.ui.words import note

TITLES = {"explain": N_("What happens inside?")}
LEARNED = {"plain": N_("learned ordinary"), "shuffled": N_("learned shuffled")}
INNER = (VIEW, *PLACE, *INSIDE.values())


@fragment
def tour_and_panels(case: ArchitectureTour) -> None:
    """The whole page in one fragment; what only the views need redraws the views alone."""
    state = st.session_state
    fill_knobs(case.knobs)
    left, right = page.columns()
    picked = None
    with left:
        try:
            picked = pick(case)
        except UserError as error:
            show_user_error(error)
        place = st.empty()
        for knob in KNOBS[1:]:
            draw_knob(knob)
    s = case.settings({knob.name: state[knob.name] for knob in case.knobs})
    share_knobs(KNOBS, s)
    if picked is not None:
        x = case.seen(picked.raw, s)
        place.image(
            picture_of(x), width="stretch", alt=_("The picture as the networks get it, 28 × 28")
        )
        with right:
            answers(case, picked, s)
    page.panels(
        case,
        picked,
        replaced={
            "explain": lambda: inside(case, picked),
            "code": lambda: code(case, picked),
        },
        titles=TITLES,
    )


def picture_of(x: Tensor) -> Image.Image:
    """A picture (1, 1, 28, 28), its pixels large enough to be seen."""
    return enlarge(Image.fromarray((x[0, 0].cpu().numpy() * 255).round().astype(np.uint8)))


def pick(case: ArchitectureTour) -> Picked | None:
    """Digits or clothes; an example of these, or the visitor's own picture."""
    task = draw_knob(KNOBS[0])
    source = choose_source(["examples", "upload", "camera"])
    if source == "examples":
        offered = [
            example.id
            for example in case.examples()
            if example.id.startswith("digit_") == (task == "digits")
        ]
        example = choose_example(case, offered)
        note(_(example.source))
        if task == "fashion" and all(i.startswith("drawn_") for i in offered):
            note(
                _(
                    "The photographs of Fashion-MNIST are not on this machine. Our drawings stand in; the digits are real."
                )
            )
        raw = example.load()
        return Picked(raw, example.id, digest(shrink(raw.picture)))
    picture = own_picture(case.card.limits, source)
    if picture is None:
        return None
    raw = Shown(picture, task)
    case.check(raw)
    note(
        _(
            "Shrunk to the middle square, 28 × 28, grey; turned bright on black where its border is bright."
        )
    )
    return Picked(raw, None, digest(shrink(raw.picture)))


def truth_of(case: ArchitectureTour, picked: Picked) -> Label | None:
    """What an example really shows; None for the visitor's own picture."""
    known = next((e.truth for e in case.examples() if e.id == picked.example), "")
    return next((label for label in LABELS[picked.raw.task] if label.id == known), None)


def answers(case: ArchitectureTour, picked: Picked, s: dict[str, Any]) -> None:
    """Four tiles, the probability over the shift, and how it is on all test pictures."""
    truth = truth_of(case, picked)
    found = {
        order: case.ask(picked.raw, s, order)
        for order in (("plain", "shuffled") if s["shuffled"] else ("plain",))
    }
    with st.grid(4, min_column_width=140):
        for index, kind in enumerate(KINDS):
            size = sum(p.numel() for p in case.inside(picked.raw.task, kind, False).parameters())
            with st.container(border=True, gap="xsmall"):
                if s["shuffled"]:
                    st.markdown(f"**{_(KIND_NAMES[kind])}**")
                for order, kinds in found.items():
                    name = _(LEARNED[order]) if s["shuffled"] else _(KIND_NAMES[kind])
                    tile(kinds[index], truth, name)
                note(_("{n} weights").format(n=f"{size:,}"))
    labels = LABELS[picked.raw.task]
    shown = found["shuffled" if s["shuffled"] else "plain"]
    target = labels.index(truth) if truth is not None else shown[1].best.index
    curves = case.over_shifts(picked.raw, s, target)
    st.markdown(
        "**"
        + _("How likely is “{name}” when the picture moves sideways?").format(
            name=labels[target](language())
        )
        + "**"
    )
    show_chart(
        shift_chart(curves, s["right"]),
        alt=_("Probability of {name} over the shift, one line for each network").format(
            name=labels[target](language())
        ),
        key="shift_chart",
    )
    measured_table(case.card, picked.raw.task)


def tile(said: Classes, truth: Label | None, name: str) -> None:
    """One network's answer, its confidence, and whether it is right."""
    best = said.best
    lang = language()
    st.metric(name, best.label(lang))
    sure = _("{share} sure").format(share=f"{100 * best.probability:.0f}%")
    if truth is None:
        note(sure)
        return
    right = best.label.id == truth.id
    icon = ":material/check_circle:" if right else ":material/cancel:"
    note(f"{icon} " + (_("right") if right else _("wrong")) + f" · {sure}")


def inner_settings(case: ArchitectureTour) -> dict[str, Any]:
    """All settings as they stand now, the map moved into the chosen layer."""
    return case.settings({knob.name: st.session_state[knob.name] for knob in case.knobs})


def inside(case: ArchitectureTour, picked: Picked | None) -> None:
    if picked is None:
        note(_("Choose an input above first."))
        return
    inside_panel(case, picked)
    share_knobs(INNER, inner_settings(case))


def code(case: ArchitectureTour, picked: Picked | None) -> None:
    if picked is None:
        note(_("Choose an input above first."))
        return
    note(
        _(
            "The four networks in plain torch, with every number of their views above; a test checks that it gives the same. Run it in the project's folder, where the weights are."
        )
    )
    show_code(case.script(picked.raw, inner_settings(case)), case.card.id)
