"""The clothes page's own parts: what the network gets, its feature maps, its nearest memories."""

from typing import Any

import numpy as np
import streamlit as st
import torch

from dlportal.cases.fashion_classification import prepare
from dlportal.cases.fashion_neighbours import COUNT, Gallery, gallery, strongest_maps
from dlportal.cases.fashion_training import augment
from dlportal.data import is_available
from dlportal.kinds.image import to_tensor
from dlportal.labs.practice_looks import sheet
from dlportal.messages import N_, UserError
from dlportal.serving import compute
from dlportal.ui.errors import fragment, show_user_error
from dlportal.ui.inputs import Picked
from dlportal.ui.knobs import choose_one
from dlportal.ui.language import _, language
from dlportal.ui.maps import enlarge
from dlportal.ui.visitor import has_left
from dlportal.ui.words import note

STAGES = {
    "0": N_("First: edges"),
    "1": N_("Middle: textures and parts"),
    "2": N_("Last: what decides"),
}
VIEWS = {
    "layers": N_("What do the layers see?"),
    "nearest": N_("What does it remind it of?"),
}
MAPS, COLUMNS = 16, 8
WIDE = 760  # pixels of the sheet of maps
NEAREST = 8
SHOWN = 8  # columns of augmented pictures
COPIES = 3


def seen(picked: Picked | None) -> None:
    """The 28 × 28 pixels that the network gets."""
    if picked is None:
        return
    small, text = st.columns([1, 2], vertical_alignment="center")
    with small:
        picture = enlarge(prepare(picked.raw), 168)
        st.image(picture, width=112, alt=_("The picture as the network sees it"))
    with text:
        note(
            _(
                "All the network sees: grey, light on black, cut to the garment, 28 × 28 pixels, as the training pictures were made."
            )
        )


@fragment
def inside(case: Any, picked: Picked | None) -> None:
    """Feature maps, or the nearest training pictures, which take seconds to find at first."""
    if picked is None:
        return
    st.header(_("Inside the network"), anchor="inside")
    view = choose_one(_("View"), VIEWS)
    if view == "nearest":
        neighbours(case, picked)
    else:
        feature_maps(case, picked)


def feature_maps(case: Any, picked: Picked) -> None:
    """The strongest maps of one stage, from bright (much) to black (nothing)."""
    stage = choose_one(_("Stage"), STAGES, key="stage")
    maps = strongest_maps(case, picked.raw, MAPS)[int(stage)]
    rows = maps.reshape(MAPS // COLUMNS, COLUMNS, *maps.shape[1:])
    st.image(
        sheet(rows, 112 // maps.shape[-1], gap=1),
        width=WIDE,
        alt=_("Feature maps, bright where the filter found what it looks for"),
    )
    note(
        _(
            "The {n} maps that answer most, {side} × {side} cells each. Bright: this filter found what it looks for here."
        ).format(n=MAPS, side=maps.shape[-1])
    )


@st.cache_resource(max_entries=1, show_spinner=False)
def training_gallery(case_id: str, _case: Any) -> Gallery:
    return compute(lambda: gallery(_case), gone=has_left())


def neighbours(case: Any, picked: Picked) -> None:
    """The training pictures nearest in feature space."""
    if not is_available("fashion_mnist"):
        note(
            _(
                "This needs the training pictures, which are not on this machine: `python -m dlportal fetch fashion_classification`."
            )
        )
        return
    try:
        with st.skeleton(height=200):
            found = training_gallery(case.card.id, case).nearest(case, picked.raw, NEAREST)
    except UserError as error:
        show_user_error(error)
        return
    lang = language()
    with st.grid(NEAREST, min_column_width=84, gap="small"):
        for neighbour in found:
            with st.container(gap="xsmall"):
                name = case.labels[neighbour.label](lang)
                st.image(
                    np.kron(neighbour.picture, np.ones((4, 4), np.uint8)), width="stretch", alt=name
                )
                note(f"{name} · {neighbour.likeness:.2f}")
    note(
        _(
            "The nearest of {n} training pictures by the features before the last layer, with their kind and their likeness (cosine, 1 is the same)."
        ).format(n=f"{COUNT:,}")
    )


def augmentation(case: Any) -> None:
    """Training pictures as an epoch each would show them."""
    st.header(_("What it is trained on"), anchor=False)
    examples = case.examples()[:SHOWN]
    x = torch.cat([to_tensor(prepare(example.load())) for example in examples])
    generator = torch.Generator().manual_seed(0)
    rows = [x] + [augment(x, generator) for _copy in range(COPIES)]
    pictures = (torch.stack(rows)[:, :, 0] * 255).round().byte().numpy()
    st.image(
        sheet(pictures, 3), width="content", alt=_("Pictures and their randomly changed copies")
    )
    note(
        _(
            "First row: pictures. Below: copies as three passes would show them, moved by up to two pixels, mirrored, half of them with a hole. The network never sees the same picture twice."
        )
    )
