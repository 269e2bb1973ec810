"""The practice lab: knobs of each step, its picture, the trainings, the panels."""

from typing import Any

import streamlit as st

from dlportal.cases.practice_lab import (
    AUGMENT_KNOBS,
    DATA_KNOBS,
    EVALUATE_KNOBS,
    FINE_KNOBS,
    MODEL_KNOBS,
    PART,
    TRAIN_KNOBS,
    PracticeLab,
)
from dlportal.data import DATASETS, get_dataset
from dlportal.labs.practice_data import usable
from dlportal.labs.practice_experiments import BEST, NAIVE
from dlportal.messages import N_
from dlportal.ui import page
from dlportal.ui.errors import fragment
from dlportal.ui.knobs import draw_knob, fill_knobs, look_for, seed_button, share_knobs
from dlportal.ui.language import _
from dlportal.ui.practice_panels import panels_of
from dlportal.ui.practice_parts import draw_part
from dlportal.ui.practice_run import training_section

KNOBS_OF = {
    "data": DATA_KNOBS,
    "augment": AUGMENT_KNOBS,
    "model": MODEL_KNOBS,
    "train": TRAIN_KNOBS,
    "evaluate": EVALUATE_KNOBS,
}
LOOK_FOR = {
    "data": N_("how large the first gradient is when pixels stay between 0 and 255."),
    "augment": N_("which changes leave the class as it was, and which do not."),
    "model": N_("where the weights are: most sit in the first dense layer."),
    "train": N_("how the learning rate moves before a single step is taken."),
    "evaluate": N_("differences that are smaller than their intervals: they may be luck."),
}
TITLES = {"explain": N_("How good is it, class by class?")}


@fragment
def lab_and_panels(lab: PracticeLab) -> None:
    """The whole lab in one fragment."""
    fill_knobs(lab.knobs)
    part = draw_knob(PART)
    left, right = st.columns([3, 9], gap="large")
    with left:
        draw_knobs(part)
    asked = {knob.name: st.session_state[knob.name] for knob in lab.knobs}
    share_knobs(lab.knobs, asked)
    s = lab.settings(asked)
    with right:
        if asked["data"] != s["data"]:
            stand_in()
        draw_part(part, s)
    st.header(_("Train, watch, compare"), anchor="run")
    training_section(lab, s)
    page.panels(lab, None, replaced=panels_of(lab, s), titles=TITLES)


def draw_knobs(part: str) -> None:
    """The knobs of one step, then what concerns all."""
    for knob in KNOBS_OF[part]:
        draw_knob(knob)
    with st.popover(_("All settings"), icon=":material/tune:", width="stretch"):
        for name, knobs in KNOBS_OF.items():
            if name != part:
                for knob in knobs:
                    draw_knob(knob)
        for knob in FINE_KNOBS:
            draw_knob(knob)
    with st.container(horizontal=True, gap="small"):
        st.button(
            _("Best practice"),
            key="preset_best",
            icon=":material/thumb_up:",
            on_click=take,
            args=(BEST,),
        )
        st.button(
            _("Naive"),
            key="preset_naive",
            icon=":material/toggle_off:",
            on_click=take,
            args=(NAIVE,),
        )
        seed_button()
    look_for(_(LOOK_FOR[part]))


def take(settings: dict[str, Any]) -> None:
    """Set the knobs as a recipe has them."""
    for name, value in settings.items():
        st.session_state[name] = value


def stand_in() -> None:
    """Say that the digits stand in, and offer to fetch the clothes."""
    megabytes = DATASETS["fashion_mnist"].bytes / 1e6
    st.info(
        _(
            "**Fashion-MNIST is not on this machine**: scikit-learn's handwritten digits stand in. They are easier, and must not be mirrored."
        ),
        icon=":material/info:",
    )
    label = _("Fetch Fashion-MNIST ({n} MB)").format(n=f"{megabytes:.0f}")
    if st.button(label, key="fetch_data", icon=":material/download:"):
        get_dataset("fashion_mnist", page.progress_bar(st.empty()))
        if usable("fashion_mnist") == "fashion_mnist":
            st.rerun()
