"""The generator's page: what to draw and how, what a classifier reads, and four closer looks."""

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st
import torch

from dlportal.cases.generation_neighbours import data_of, here, learned_from, nearest
from dlportal.cases.generation_training import KINDS, Judge
from dlportal.cases.image_generation import KNOBS, NAMES, RANGES, Draw
from dlportal.messages import N_, UserError
from dlportal.results import Pictures
from dlportal.serving import answer, compute, get_case
from dlportal.ui import film
from dlportal.ui.errors import fragment, show_user_error
from dlportal.ui.generation_nearest import where_they_lie
from dlportal.ui.inputs import Picked, digest, example_pills
from dlportal.ui.knobs import choose_one, draw_knob, seed_knobs, share_knobs
from dlportal.ui.language import _, language
from dlportal.ui.state import share
from dlportal.ui.visitor import has_left
from dlportal.ui.words import note

FAMILIES = {
    "clothes": N_("Clothes"),
    "digits": N_("Digits"),
    "anything": N_("Anything"),
}
VIEWS = {
    "between": N_("Between two seeds"),
    "guidance": N_("Guidance"),
    "steps": N_("Steps"),
    "nearest": N_("Is it a copy?"),
}
ROW = 8  # pictures of a row
GUIDANCES = (0.0, 1.0, 2.0, 4.0, 8.0)
STEP_COUNTS = (1, 2, 4, 8, 16)


def family_of(index: int) -> str:
    """Clothes, digits or anything, by the place among the labels."""
    return list(FAMILIES)[index // KINDS]


def choose(case: Any) -> Picked | None:
    """The kind, how strongly it pulls, in how many steps, and from which noise."""
    seed_knobs(KNOBS)
    kind = choose_kind(case)
    values = {name: draw_knob(RANGES[name]) for name in ("guidance", "steps")}
    seed, more = st.columns([3, 2], vertical_alignment="bottom")
    with seed:
        values["seed"] = draw_knob(RANGES["seed"])
    with more:
        st.button(
            _("Other noise"),
            key="other_noise",
            icon=":material/casino:",
            on_click=next_seed,
            width="stretch",
        )
    share_knobs(KNOBS, values)
    raw = Draw(kind, **values)
    note(
        _(
            "Each picture begins as noise of its own. The net says where every pixel should move; after {n} steps the noise is a picture that nobody took."
        ).format(n=raw.steps)
    )
    return Picked(raw, kind if raw == Draw(kind) else None, digest(raw))


def choose_kind(case: Any) -> str:
    """Clothes, digits or anything; then which. A link or a walkthrough names the kind."""
    asked = st.session_state.get("example")
    if asked in NAMES:
        st.session_state["family"] = family_of(NAMES[asked])
    family = choose_one(
        _("What to draw"), FAMILIES, key="family", width="stretch", on_change=change_family
    )
    labels = {label.id: label for label in case.labels if family_of(NAMES[label.id]) == family}
    if len(labels) == 1:  # anything: nothing to choose
        kind = next(iter(labels))
        st.session_state["example"] = kind
        return kind
    first = list(labels)[7]  # a sneaker, or a seven
    lang = language()
    return example_pills(_("Example"), {i: label(lang) for i, label in labels.items()}, first)


def change_family() -> None:
    """The kind of before belongs to another family: it is chosen anew."""
    st.session_state.pop("example", None)
    share("example", None)


def next_seed() -> None:
    """Turn to the next seed, from the last to the first."""
    last = int(RANGES["seed"].high or 0)
    st.session_state["seed"] = (int(st.session_state.get("seed", 0)) + 1) % (last + 1)


def judged(pictures: np.ndarray) -> np.ndarray:
    """What the shipped classifier of clothes says of pictures (N, 28, 28), uint8; indices (N,)."""
    x = torch.from_numpy(pictures.copy()).float().div(255).unsqueeze(1)
    return Judge(get_case("fashion_classification").net)(x).argmax(dim=1).numpy()


def opinion(picked: Picked | None, shown: Any) -> None:
    """What a classifier that was trained apart reads in the pictures."""
    if picked is None or shown is None:
        return
    kind = NAMES[picked.raw.kind]
    if kind >= KINDS:
        note(
            _(
                "No classifier of digits ships with this portal; how many digits one reads as asked was measured for the card, see Trust."
            )
        )
        return
    pictures: Pictures = shown.result
    right = int((judged(pictures.pixels) == kind).sum())
    name = pictures.label(language())
    st.markdown(
        ":material/fact_check: "
        + _("The classifier of clothes, trained apart, reads {right} of {n} as: {name}.").format(
            right=right, n=len(pictures.pixels), name=name
        )
    )
    st.page_link(
        "pages/fashion_classification.py",
        label=_("Meet the classifier"),
        icon=":material/apparel:",
    )


@fragment
def looks(case: Any, picked: Picked | None) -> None:
    """Four closer looks; only the chosen one is computed."""
    if picked is None:
        return
    st.header(_("What if?"), anchor=False)
    view = choose_one(_("View"), VIEWS)
    draw = {"guidance": by_guidance, "steps": by_steps, "nearest": copies}
    draw.get(view, between_seeds)(case, picked.raw)


@st.cache_data(max_entries=128, show_spinner=False)
def made(name: str, _case: Any, _raw: Draw) -> np.ndarray:
    """Pictures (N, 28, 28) of a wish, kept by its hash."""
    pictures: np.ndarray = answer(_case, _raw, gone=has_left()).result.pixels
    return pictures


def pictures_of(case: Any, raw: Draw) -> np.ndarray:
    return made(digest(raw), case, raw)


def between_seeds(case: Any, raw: Draw) -> None:
    """Eight pictures from one noise to another."""
    last = int(RANGES["seed"].high or 0)
    other = st.number_input(
        _("To which seed"), 0, last, 7, key="towards", persist_state="page", width=180
    )
    way = replace(raw, count=ROW, towards=int(other))
    with st.skeleton(height=120):
        pictures = pictures_of(case, way)
    words = _("Seed {first} on the left, seed {last} on the right, both with the same settings.")
    film.row_of(
        pictures,
        words.format(first=raw.seed, last=other),
        alt=_("Eight pictures that change step by step from one seed's to another's"),
    )
    note(
        _(
            "Between them the noise turns from one to the other on a great circle. That every picture in between is a proper one shows that the net did not just learn a list of pictures; jumps show where one shape gives way to another."
        )
    )


def by_guidance(case: Any, raw: Draw) -> None:
    """The same noises, pulled more and more strongly."""
    if NAMES[raw.kind] >= 2 * KINDS:
        note(_("Anything is no class: there is nothing to pull to. Choose clothes or digits."))
        return
    with st.skeleton(height=480):
        rows = [pictures_of(case, replace(raw, guidance=g, count=ROW)) for g in GUIDANCES]
    for guidance, pictures in zip(GUIDANCES, rows, strict=True):
        words = {0.0: _("the class is ignored"), 1.0: _("as learned")}.get(guidance, "")
        film.row_of(
            pictures,
            _("Guidance {g}").format(g=f"{guidance:g}") + (f" · {words}" if words else ""),
            alt=_("Eight pictures with guidance {g}").format(g=f"{guidance:g}"),
        )
    note(
        _(
            "Each column begins with the same noise. More guidance: clearer, and more alike. Trust shows the price in figures: agreement rises, variety falls."
        )
    )


def by_steps(case: Any, raw: Draw) -> None:
    """The same noises in few and in many steps."""
    with st.skeleton(height=480):
        rows = [pictures_of(case, replace(raw, steps=n, count=ROW)) for n in STEP_COUNTS]
    for steps, pictures in zip(STEP_COUNTS, rows, strict=True):
        film.row_of(
            pictures,
            _("Steps: {n}").format(n=steps),
            alt=_("Eight pictures in {n} steps").format(n=steps),
        )
    note(
        _(
            "One step jumps along the straight line that the first look suggests, to something like the mean of all pictures of the kind. With more steps the way can bend."
        )
    )


def copies(case: Any, raw: Draw) -> None:
    """Beside each picture the training picture that is nearest to it."""
    kind = NAMES[raw.kind]
    if not here(kind):
        note(
            _(
                "This needs the training pictures, which are not on this machine: `python -m dlportal fetch image_generation`."
            )
        )
        where_they_lie(case.card, None)
        return
    try:
        with st.skeleton(height=260):
            pictures = pictures_of(case, replace(raw, count=ROW))
            found = compute(
                lambda: nearest(pictures, learned_from(data_of(kind))),
                gone=has_left(),
            )
    except UserError as error:
        show_user_error(error)
        return
    film.row_of(pictures, _("Drawn here"), alt=_("Eight pictures that the network drew"))
    film.row_of(
        found.pictures,
        _("The nearest of all training pictures to each"),
        alt=_("The training picture nearest to each of the eight"),
    )
    numbers = " · ".join(f"{value:.3f}" for value in found.distance)
    note(_("Root mean square difference of the pixels, 0 to 1: {numbers}").format(numbers=numbers))
    where_they_lie(case.card, found.distance if kind < KINDS else None)
