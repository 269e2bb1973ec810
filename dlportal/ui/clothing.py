"""The clothing page's own parts: frozen against fine-tuned, every class's map, changed pictures."""

from typing import Any

import numpy as np
import streamlit as st
import torch
from PIL import Image

from dlportal.cards import Metric, show_interval, show_value
from dlportal.cases.clothing_frozen import frozen_case
from dlportal.cases.clothing_training import augment
from dlportal.data import clothing
from dlportal.explain import get_explainer
from dlportal.labs.practice_looks import sheet
from dlportal.messages import N_, UserError
from dlportal.nets.clothing_net import SIDE
from dlportal.nets.efficientnet_lite import MEAN, STD
from dlportal.serving import compute
from dlportal.ui.card_panel import class_names
from dlportal.ui.charts import bars, heat_table, show_chart
from dlportal.ui.errors import fragment, show_user_error
from dlportal.ui.inputs import Picked
from dlportal.ui.language import _, language
from dlportal.ui.maps import enlarge, overlay
from dlportal.ui.state import valid
from dlportal.ui.theme import palette
from dlportal.ui.truth import say_truth
from dlportal.ui.visitor import has_left
from dlportal.ui.words import note

VIEWS = {
    "this": N_("This picture"),
    "where": N_("Where they look"),
    "all": N_("All test pictures"),
}
KINDS = {
    "frozen": N_("Frozen: only a new head"),
    "tuned": N_("Fine-tuned: the whole network"),
}
METHOD = "grad_cam"
SHOWN = 5  # classes of an answer
COPIES = 3  # of each picture, changed
COLUMNS = 7


def seen(picked: Picked | None) -> None:
    """What the network gets: 96 pixels on a grey square."""
    if picked is None:
        return
    small, text = st.columns([1, 2], vertical_alignment="center")
    with small:
        picture = enlarge(Image.fromarray(clothing.framed(picked.raw)), 192)
        st.image(picture, width=112, alt=_("The picture as the network sees it"))
    with text:
        note(
            _(
                "All the network sees: the whole picture, 96 pixels on the longer side like the training pictures, on a grey square."
            )
        )


def truth(case: Any, picked: Picked | None, answer: Any) -> None:
    """What an example is, beside what the network says."""
    right, wrong = (
        N_("It is meant to be: {truth}. The network is right."),
        N_("It is meant to be: {truth}. The network is wrong."),
    )
    say_truth(case, picked, answer, right, wrong)


@st.cache_resource(max_entries=1, show_spinner=False)
def rival(case_id: str, _case: Any) -> Any:
    """The case with the untouched network; it takes seconds to load."""
    return frozen_case(_case)


@fragment
def versus(case: Any, picked: Picked | None) -> None:
    """The untouched network with a new head beside the one that was trained whole."""
    st.header(_("Frozen or fine-tuned?"), anchor="versus")
    note(
        _(
            "Both start from the network that knows ImageNet's thousand classes. One keeps it as it is and learns only ten new outputs; the other lets nearly all of it learn."
        )
    )
    current = valid("view", list(VIEWS), "this")
    view = st.segmented_control(
        _("View"),
        list(VIEWS),
        format_func=lambda v: _(VIEWS[v]),
        key="view",
        required=True,
        label_visibility="collapsed",
        wrap=True,
        persist_state="page",
    )
    view = view or current
    if view == "all":
        all_pictures(case)
    elif picked is not None:
        one_picture(case, picked, maps=view == "where")


def one_picture(case: Any, picked: Picked, maps: bool) -> None:
    """Both answers to one picture, or both maps of it."""
    try:
        with st.skeleton(height=260):
            other = compute(lambda: rival(case.card.id, case), gone=has_left())
            cases = {"frozen": other, "tuned": case}
            target = case.targets(picked.raw)[0]
            drawn = {
                kind: looked(kind, picked.digest, target, one, picked.raw)
                for kind, one in cases.items()
            }
    except UserError as error:
        show_user_error(error)
        return
    lang = language()
    for place, (kind, (result, values)) in zip(
        st.columns(2, gap="large"), drawn.items(), strict=True
    ):
        with place:
            st.markdown(f"**{_(KINDS[kind])}**")
            if maps:
                picture = overlay(case.seen(picked.raw), values, False, palette())
                alt = _("The picture in grey with colour where the network looked")
                st.image(picture, width=320, alt=alt)
            else:
                scores = result.scores[:SHOWN]
                shown = [f"{100 * s.probability:.1f}%" for s in scores]
                names = [s.label(lang) for s in scores]
                chart = bars(names, [s.probability for s in scores], shown, top=1.0)
                alt = ", ".join(f"{n} {p}" for n, p in zip(names, shown, strict=True))
                show_chart(chart, alt=f"{_(KINDS[kind])}: {alt}", key=f"versus_{kind}")
    if maps:
        note(
            _("Grad-CAM for one and the same class: {name}.").format(name=case.labels[target](lang))
        )


@st.cache_data(max_entries=128, show_spinner=False)
def looked(kind: str, digest: str, target: int, _case: Any, _raw: Any) -> tuple[Any, np.ndarray]:
    """A network's answer to a picture, and its map for a class."""
    explainer = get_explainer(METHOD)
    return compute(
        lambda: (_case.predict(_raw), explainer.explain(_case, _raw, target).values),
        gone=has_left(),
    )


def all_pictures(case: Any) -> None:
    """Both confusion matrices of the test part, from the card."""
    measured = case.card.measured
    table = measured.constants.get("frozen_confusion")
    if measured.confusion is None or table is None:
        return
    names = class_names(case.card.id, measured.confusion.labels)
    frozen = next((m for m in measured.baselines if m.name == "accuracy"), None)
    for place, kind, counts, metric in zip(
        st.columns(2, gap="large"),
        KINDS,
        (table, measured.confusion.counts),
        (frozen, case.card.main),
        strict=True,
    ):
        with place:
            st.markdown(f"**{_(KINDS[kind])}**")
            if metric is not None:
                accuracy(metric)
            fig = heat_table(counts, names, names)
            fig.update_xaxes(title_text=_("predicted"))
            fig.update_yaxes(title_text=_("true"))
            show_chart(fig, alt=f"{_('Confusion matrix')}: {_(KINDS[kind])}", key=f"all_{kind}")


def accuracy(metric: Metric) -> None:
    text = _("{value} right ({interval}, n = {n})").format(
        value=show_value(metric), interval=show_interval(metric), n=metric.n
    )
    note(text)


def every_class(case: Any) -> None:
    """What each class is recognised by, on one example of it."""
    # The first of each class: photographs, where the data set is here, before drawings.
    examples = {e.truth: e for e in reversed(case.examples()) if e.truth}
    lang = language()
    st.header(_("What is each class recognised by?"), anchor=False)
    with st.grid(5, min_column_width=130, gap="small"):
        for index, label in enumerate(case.labels):
            if label.id not in examples:
                continue
            example = examples[label.id]
            with st.container(gap="xsmall"):
                values = class_map(case.card.id, example.id, index, case)
                picture = overlay(case.seen(example.load()), values, False, palette())
                st.image(picture, width="stretch", alt=label(lang))
                note(label(lang))
    note(
        _(
            "Grad-CAM of each class on a picture of it. How far such maps can be believed is measured under Trust."
        )
    )


@st.cache_data(max_entries=64, show_spinner=False)
def class_map(case_id: str, example: str, index: int, _case: Any) -> np.ndarray:
    raw = _case.example(example)
    explainer = get_explainer(METHOD)
    return compute(lambda: explainer.explain(_case, raw, index).values, gone=has_left())


def augmentation(case: Any) -> None:
    """Pictures as an epoch each would show them."""
    st.header(_("What it is trained on"), anchor=False)
    note(
        _(
            "First only a head is fitted to the untouched network's features. Then the whole network learns, slowly near the pixels and faster near the head."
        )
    )
    found = [example for example in case.examples() if example.id.startswith("drawn_")][:COLUMNS]
    x = torch.from_numpy(np.stack([clothing.framed(example.load()) for example in found]))
    x = x.permute(0, 3, 1, 2).contiguous()
    generator = torch.Generator().manual_seed(0)
    change = augment(SIDE)
    plain = torch.nn.functional.interpolate(x / 255, (SIDE, SIDE), mode="bilinear")
    rows = [plain] + [change(x, generator) * STD + MEAN for _copy in range(COPIES)]
    pictures = (torch.stack(rows).clamp(0, 1) * 255).round().byte().permute(0, 1, 3, 4, 2).numpy()
    st.image(
        sheet(pictures, 1), width="content", alt=_("Pictures and their randomly changed copies")
    )
    note(
        _(
            "First row: our drawings. Below: copies as three passes would show them, in other light and colours, cut, turned, mirrored, half of them with a hole. Two pictures also show through each other (mixup), which is not shown here."
        )
    )
