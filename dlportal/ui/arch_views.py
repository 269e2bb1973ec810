"""The views into the four networks, each formula beside its numbers."""

from typing import Any

import numpy as np
import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from dlportal.cases.architecture_tour import INSIDE, MAPS, PLACE, VIEW, ArchitectureTour
from dlportal.labs.arch_data import LABELS
from dlportal.labs.arch_insides import (
    JUMPS,
    REACHES,
    answers_so_far,
    convolve,
    extent,
    field,
    look,
    noise,
    reach,
    read_rows,
    weigh,
)
from dlportal.ui.arch_charts import (
    framed,
    grey_image,
    lit,
    mosaic,
    number_grid,
    signed_image,
    so_far_chart,
    states_chart,
)
from dlportal.ui.arch_lstm import lstm_numbers
from dlportal.ui.arch_words import ABOUT, KIND_NAMES
from dlportal.ui.backprop_numbers import closed, num
from dlportal.ui.charts import bars, show_chart
from dlportal.ui.inputs import Picked
from dlportal.ui.knobs import draw_knob
from dlportal.ui.language import _, language
from dlportal.ui.theme import palette
from dlportal.ui.words import note

ACROSS = {8: 8, 32: 8, 64: 16}  # maps in a row of the mosaic
STRONGEST = 5


def inside_panel(case: ArchitectureTour, picked: Picked) -> None:
    """The switch between the views, and the chosen one."""
    view = draw_knob(VIEW)
    state = st.session_state
    s = case.settings({knob.name: state[knob.name] for knob in case.knobs})
    x = case.seen(picked.raw, s)
    task, shuffled = picked.raw.task, s["shuffled"]
    note(_(ABOUT[view]))
    if shuffled and view != "speech":
        note(
            _("The pixels are shuffled: these are the networks that learned from shuffled pixels.")
        )
    kind = {"reach": "cnn", "speech": "rnn"}.get(view, view)
    net = case.inside(task, kind, shuffled)
    if view == "mlp":
        mlp_view(net, x)
    elif view == "cnn":
        cnn_view(net, x)
    elif view == "reach":
        reach_view(case, task, shuffled, x)
    elif view == "rnn":
        rnn_view(net, x, task)
    elif view == "speech":
        from dlportal.ui.arch_speech import speech_view

        speech_view(case)
    else:
        attention_view(net, x)


def grey(x: Tensor) -> Image.Image:
    """A picture (1, 1, 28, 28) as 28 × 28 grey pixels."""
    return Image.fromarray((x[0, 0].cpu().numpy() * 255).round().astype(np.uint8))


def pick_place() -> tuple[int, int]:
    """Row and column of the picture, from 0."""
    return tuple(draw_knob(knob) - 1 for knob in PLACE)  # type: ignore[return-value]


def mlp_view(net: Any, x: Tensor) -> None:
    left, right = st.columns([4, 8], gap="large")
    with left:
        unit = draw_knob(INSIDE["hidden"]) - 1
        found = weigh(net, x, unit)
        st.latex(r"z = b + \sum_{p=1}^{784} w_p\,x_p \qquad h = \max(0, z)")
        total = found.z - found.bias
        st.latex(
            rf"\begin{{aligned}} z &= {num(found.bias)} + {closed(total)} = {num(found.z)} \\"
            rf" h &= {num(max(0.0, found.z))} \end{{aligned}}"
        )
        note(
            _(
                "A sum does not care about the order of its terms: move all pixels and their weights alike, and z stays the same. This is why shuffled pixels are no harder for an MLP, and why a shifted picture is a new one to it."
            )
        )
    colors = palette()
    with right, st.grid(3, min_column_width=150):
        for name, picture in (
            (_("pixels x"), grey(x).resize((280, 280), Image.Resampling.NEAREST)),
            (_("weights w"), signed_image(found.weights.numpy(), colors)),
            (_("products w · x"), signed_image(found.products.numpy(), colors)),
        ):
            with st.container(gap="xsmall"):
                st.image(picture, width="stretch", alt=name)
                note(name)
    note(_("Orange: above zero. Blue: below zero."))


def cnn_view(net: Any, x: Tensor) -> None:
    colors = palette()
    left, right = st.columns([4, 8], gap="large")
    with left:
        layer = draw_knob(INSIDE["layer"]) - 1
        channel = min(draw_knob(INSIDE["channel"]), MAPS[layer]) - 1
        row, column = pick_place()
    jump = JUMPS[layer]
    cell = row // jump, column // jump
    found = convolve(net, x, layer, channel, *cell)
    _before, after = net.maps(x)[layer]
    maps = after[0].relu().detach().numpy()
    with right:
        st.markdown(
            "**" + _("The {n} maps of layer {layer}").format(n=len(maps), layer=layer + 1) + "**"
        )
        tiles = [grey_image(m, 72) for m in maps]
        st.image(
            mosaic(tiles, ACROSS[len(maps)], channel, colors.second),
            width="stretch",
            alt=_("Feature maps; map {n} is framed").format(n=channel + 1),
        )
        if layer == 0:
            st.markdown("**" + _("Their filters, 5 × 5") + "**")
            filters = [
                signed_image(k, colors, 70) for k in net.convolutions[0].weight[:, 0].numpy()
            ]
            st.image(
                mosaic(filters, 8, channel, colors.second),
                width="stretch",
                alt=_("The filters of the first layer, blue below zero, orange above"),
            )
    with left:
        rows, columns = field(layer, cell[0]), field(layer, cell[1])
        st.image(
            framed(grey(x), (columns[0], rows[0], columns[1], rows[1]), colors.second),
            width="stretch",
            alt=_("The picture; the frame is what this number can see"),
        )
    number(found, layer)


def number(found: Any, layer: int) -> None:
    """One number of the map, as a window, a filter, their product, and a sum."""
    strongest = int(found.parts.abs().argmax())
    st.markdown("**" + _("How the number at this place comes about") + "**")
    if layer > 0:
        note(
            _(
                "This filter looks at all {n} maps before it; shown is the one that counts most, map {map}."
            ).format(n=len(found.parts), map=strongest + 1)
        )
    window, kernel = found.window[strongest].numpy(), found.kernel[strongest].numpy()
    for place, (name, values, signed) in zip(
        st.columns(3, gap="medium"),
        (
            (_("under the filter"), window, False),
            (_("filter w"), kernel, True),
            (_("their products"), window * kernel, True),
        ),
    ):
        with place:
            note(name)
            show_chart(number_grid(values, signed), alt=name, key=f"grid_{name}")
    st.latex(
        r"\begin{aligned} z &= b + \sum_{c}\sum_{i,j} w_{c,i,j}\;x_{c,\,r+i,\,s+j} \\"
        r" h &= \max(0, z) \end{aligned}"
    )
    rest = float(found.parts.sum() - found.parts[strongest])
    terms = f"{num(found.bias)} + {closed(float(found.parts[strongest]))}"
    others = _("other maps")
    if layer > 0:
        terms += rf" + \underset{{\text{{{others}}}}}{{{closed(rest)}}}"
    st.latex(
        rf"\begin{{aligned}} z &= {terms} \\ &= {num(found.z)} \\"
        rf" h &= {num(max(0.0, found.z))} \end{{aligned}}"
    )


@st.cache_data(max_entries=128, show_spinner=False)
def reaches(
    _case: ArchitectureTour, task: str, shuffled: bool, row: int, column: int
) -> list[np.ndarray]:
    """The gradient map of each unit for random pictures, (28, 28) arrays."""
    pictures = noise().to(_case.device)
    return [
        reach(_case.inside(task, kind, shuffled), pictures, layer, row, column).cpu().numpy()
        for kind, layer in REACHES
    ]


def reach_view(case: ArchitectureTour, task: str, shuffled: bool, x: Tensor) -> None:
    colors = palette()
    columns = st.columns(2, gap="large")
    with columns[0]:
        row = draw_knob(PLACE[0]) - 1
    with columns[1]:
        column = draw_knob(PLACE[1]) - 1
    st.latex(
        r"\text{"
        + _("seen")
        + r"}_{p} = \frac{1}{16} \sum_{n=1}^{16} \left|\frac{\partial\,u(x_n)}{\partial x_{n,p}}\right|"
    )
    with st.grid(4, min_column_width=150):
        for (kind, layer), values in zip(REACHES, reaches(case, task, shuffled, row, column)):
            with st.container(gap="xsmall"):
                height, width = extent(torch.from_numpy(values))
                st.image(
                    lit(grey(x), values, box_of(kind, layer, row, column), colors),
                    width="stretch",
                    alt=_("What a unit of this network can see, bright on the grey picture"),
                )
                note(f"**{unit_name(kind, layer)}**")
                note(_("{h} × {w} pixels").format(h=height, w=width))
    note(
        _(
            "Frame: what counting layers predicts. Colour: the gradient, averaged over 16 random pictures, so that nothing hides behind a silent unit. A CNN sees more with every layer, but most weight lies in the middle; the LSTM sees all rows so far; attention sees everything, its own patch best; the MLP has no middle at all."
        )
    )


def unit_name(kind: str, layer: int) -> str:
    name = _(KIND_NAMES[kind])
    if kind == "cnn":
        return _("{name}, layer {layer}").format(name=name, layer=layer + 1)
    return {
        "rnn": _("{name}, after this row"),
        "attention": _("{name}, this patch after block 1"),
        "mlp": _("{name}, any hidden unit"),
    }[kind].format(name=name)


def box_of(kind: str, layer: int, row: int, column: int) -> tuple[int, int, int, int]:
    """What counting predicts: left, top, right, bottom in pixels."""
    if kind == "cnn":
        jump = JUMPS[layer]
        rows, columns = field(layer, row // jump), field(layer, column // jump)
        return columns[0], rows[0], columns[1], rows[1]
    return 0, 0, 27, row if kind == "rnn" else 27


def rnn_view(net: Any, x: Tensor, task: str) -> None:
    left, right = st.columns([4, 8], gap="large")
    with left:
        row = draw_knob(PLACE[0]) - 1
        unit = draw_knob(INSIDE["unit"]) - 1
        st.image(
            framed(grey(x), (0, row, 27, row), palette().second),
            width="stretch",
            alt=_("The picture; the frame is the row being read"),
        )
    gates = read_rows(net, x)
    with right:
        names = [label(language()) for label in LABELS[task]]
        st.markdown("**" + _("When does it know?") + "**")
        show_chart(
            so_far_chart(answers_so_far(net, gates), names, row, _("rows read")),
            alt=_("Probability of the strongest classes after each row"),
            key="so_far",
        )
        st.markdown("**" + _("The whole hidden state, row by row") + "**")
        show_chart(
            states_chart(gates.h, unit, row, _("row")),
            alt=_("Hidden state of all units over the rows, blue below zero, orange above"),
            key="states",
        )
    axis = _("rows read")
    st.markdown("**" + _("Unit {n} at row {row}").format(n=unit + 1, row=row + 1) + "**")
    lstm_numbers(gates, unit, row, axis)


def attention_view(net: Any, x: Tensor) -> None:
    colors = palette()
    left, right = st.columns([4, 8], gap="large")
    with left:
        block, head = (draw_knob(INSIDE[name]) - 1 for name in ("block", "head"))
        row, column = pick_place()
    found = look(net, x, block, head)
    side = 28 // net.PATCH
    patch = row // net.PATCH * side + column // net.PATCH
    weights, scores = found.weights[patch], found.scores[patch]
    top, start = row // net.PATCH * net.PATCH, column // net.PATCH * net.PATCH
    box = (start, top, start + net.PATCH - 1, top + net.PATCH - 1)
    with left:
        st.image(
            lit(grey(x), weights.view(side, side).numpy(), box, colors),
            width="stretch",
            alt=_("Where the framed patch looks, bright on the grey picture"),
        )
        note(_("Frame: the patch that asks. Bright: where it looks."))
    with right:
        st.latex(
            r"\mathrm{softmax}\!\left(\frac{Q K^{\top}}{\sqrt d}\right) V \qquad "
            rf"d = {found.d}"
        )
        strongest = weights.topk(STRONGEST).indices.tolist()
        names = [
            _("patch in row {row}, column {column}").format(row=p // side + 1, column=p % side + 1)
            for p in strongest
        ]
        shares = [float(weights[p]) for p in strongest]
        show_chart(
            bars(names, shares, [f"{100 * share:.1f}%" for share in shares], top=max(shares)),
            alt=", ".join(f"{n} {100 * share:.1f}%" for n, share in zip(names, shares)),
            key="strongest",
        )
        best = strongest[0]
        total = float(scores.exp().sum())
        st.latex(rf"s = \frac{{q\cdot k}}{{\sqrt{{{found.d}}}}} = {num(float(scores[best]))}")
        st.latex(
            rf"a = \frac{{e^{{s}}}}{{\sum_{{16}} e^{{s}}}} = \frac{{{num(float(scores[best].exp()))}}}"
            rf"{{{num(total)}}} = {num(float(weights[best]))}"
        )
        note(
            _(
                "For the patch looked at most. All 16 shares add up to 1; 1/16 would be looking everywhere alike. Without its place added to each patch, attention could not tell shuffled patches from ordered ones."
            )
        )
