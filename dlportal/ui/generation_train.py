"""Train: what the network draws after each epoch, and afterwards beside the shipped one."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from dlportal.cases.image_generation import Draw
from dlportal.labs.practice_data import CLOTHES
from dlportal.labs.practice_looks import sheet
from dlportal.messages import UserError
from dlportal.serving import compute
from dlportal.training.background import Job, jobs
from dlportal.ui.errors import guard, show_user_error
from dlportal.ui.language import _, language
from dlportal.ui.visitor import has_left
from dlportal.ui.words import note

REFRESH_SECONDS = 2.0
COPIES = 2  # pictures of each kind
ACTIVE = ("waiting", "running")


def samples(case: Any) -> None:
    """Below the training's curves: its pictures."""
    note(
        _(
            "Quick: a narrower net, 8,000 pictures of clothes, three passes. Full: clothes and digits, with the receipt's settings."
        )
    )
    job = next(iter(jobs(case.card.id)), None)
    if job is None:
        return
    st.header(_("What it draws"), anchor=False)
    if job.status in ACTIVE:
        growing(case)
    elif job.weights is not None:
        beside(case, job)


@st.fragment(run_every=REFRESH_SECONDS)
def growing(case: Any) -> None:
    """The pictures of each epoch so far; one row of noise, always the same."""
    with guard():
        job = next(iter(jobs(case.card.id)), None)
        sheets = sorted((job.folder / "checkpoints").glob("drawn-*.png")) if job else []
        if not sheets:
            note(_("The first pictures come when an epoch has ended."))
            return
        show_sheets(sheets)


def show_sheets(sheets: list[Path]) -> None:
    """The first, the middle and the newest epoch's pictures."""
    picked = sorted({0, len(sheets) // 2, len(sheets) - 1})
    for index in picked:
        st.markdown(_("After epoch {n}").format(n=index + 1))
        # Read at once: the folder is cleared when the training ends.
        try:
            data = sheets[index].read_bytes()
        except FileNotFoundError:
            continue
        st.image(data, width=560, alt=_("Two pictures of each kind of clothes"))
    note(_("The same noise each time; ten kinds from left to right, guidance 2, six steps."))


def beside(case: Any, job: Job) -> None:
    """The same noise, drawn by the network that was just trained and by the shipped one."""
    try:
        with st.skeleton(height=220):
            own, shipped = compared(job.id, case, job.weights)
    except UserError as error:
        show_user_error(error)
        return
    names = ", ".join(label(language()) for label in CLOTHES)
    for title, pictures in ((_("Just trained"), own), (_("Shipped weights"), shipped)):
        st.markdown("**" + title + "**")
        st.image(
            sheet(pictures, 2), width=560, alt=_("Two pictures each of {names}").format(names=names)
        )
    note(_("Both began with the same noise; guidance 2, eight steps."))


@st.cache_data(max_entries=8, show_spinner=False)
def compared(job_id: str, _case: Any, _weights: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (copies, kinds, 28, 28), uint8, of both networks."""

    def draw() -> list[np.ndarray]:
        return [
            np.stack(
                [which.predict(Draw(label.id, count=COPIES)).pixels for label in CLOTHES], axis=1
            )
            for which in (_case.with_weights(_weights), _case)
        ]

    own, shipped = compute(draw, gone=has_left())
    return own, shipped
