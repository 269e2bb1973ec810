"""The five steps of the practice lab, each with its picture and its formulas."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dlportal.cases.practice_lab import PracticeLab
from dlportal.labs.practice_data import load
from dlportal.labs.practice_experiments import BEST, GOOD, NAIVE, PLAIN, entries
from dlportal.labs.practice_formulas import LATEX
from dlportal.labs.practice_looks import (
    Numbers,
    class_names,
    first_of_each,
    numbers_of,
    pixel_histogram,
    rates,
    sheet,
    variants,
)
from dlportal.labs.practice_net import Layer, build, describe
from dlportal.messages import N_
from dlportal.ui.charts import line, show_chart, style
from dlportal.ui.language import _, language
from dlportal.ui.practice_words import choice_name, entry_name, scaling_name
from dlportal.ui.theme import palette
from dlportal.ui.words import count, metric_name, note

LAYERS = {
    "Conv2d": N_("convolution 3 × 3"),
    "BatchNorm2d": N_("batch norm"),
    "ReLU": "ReLU",
    "MaxPool2d": N_("max pooling 2 × 2"),
    "Flatten": N_("one long row"),
    "Dropout": N_("dropout"),
    "Linear": N_("dense"),
}
EXPERIMENTS = {
    "one": N_("Train once with your settings. The held-out pictures are never trained on."),
    "pair": N_(
        "Two trainings on the same pictures, side by side: everything this page recommends, and nothing of it."
    ),
    "ablation": N_(
        "Best practice, then the same with one ingredient changed at a time. What does each one bring?"
    ),
    "folds": N_(
        "Cut the pictures into k parts; each is held out once while the others are trained on."
    ),
    "sizes": N_("The same training with more and more pictures. Would more data help?"),
}


def draw_part(part: str, s: dict[str, Any]) -> None:
    """The picture of a step of the experiment."""
    {
        "data": draw_data,
        "augment": draw_augmentation,
        "model": draw_model,
        "train": draw_schedule,
        "evaluate": draw_plan,
    }[part](s)


def formulas(*names: str) -> None:
    """Formulas under one another, the words in them in the visitor's language."""
    for name in names:
        formula = LATEX[name]
        for word in ("accuracy", "precision", "recall"):
            formula = formula.replace(rf"\text{{{word}}}", rf"\text{{{metric_name(word)}}}")
        st.markdown(f"$${formula}$$")


@st.cache_data(max_entries=64, show_spinner=False)
def numbers(data: str, depth: int, width: int, batch_norm: bool, seed: int) -> list[Numbers]:
    """The same for all visitors with the same network."""
    s = {"data": data, "depth": depth, "width": width, "batch_norm": batch_norm, "seed": seed}
    return numbers_of(s)


def draw_data(s: dict[str, Any]) -> None:
    """A picture of each kind, the pixels' histogram, and what each scaling does."""
    pictures = load(s["data"])
    with st.grid(10, min_column_width=72, gap="small"):
        for name, picture in zip(
            class_names(pictures, language()), first_of_each(pictures.train).numpy()
        ):
            with st.container(gap="xsmall"):
                st.image(sheet(picture[None, None], 144 // picture.shape[0]), width=72, alt=name)
                note(name)
    left, right = st.columns([6, 6], gap="large")
    with left:
        st.markdown("**" + _("Pixels, as the network gets them") + "**")
        show_chart(histogram(s), alt=_("How often each pixel value occurs"), key="histogram")
    with right:
        formulas("unit", "standard")
        note(
            _(
                "x is a pixel. μ, the pixels' mean, and σ, their standard deviation, come from the training pictures alone: the held-out ones must not leak in."
            )
        )
    found = numbers(s["data"], s["depth"], s["width"], s["batch_norm"], s["seed"])
    raw, _unit, standard = found
    st.dataframe(
        {
            _("Pixels"): [scaling_name(n.scaling) for n in found],
            _("first layer's gradient"): [f"{n.gradient:.3g}" for n in found],
            _("range"): [f"{n.low:.3g} … {n.high:.3g}" for n in found],
            _("mean"): [f"{n.mean:.3g}" for n in found],
            _("standard deviation"): [f"{n.deviation:.3g}" for n in found],
            _("loss before training"): [f"{n.loss:.3g}" for n in found],
        },
        hide_index=True,
        alt=_("Pixels and first gradient for each scaling"),
    )
    note(
        _(
            "In the first step of your network, pixels as they are give the first layer a gradient {times} times as long as standardised ones do. A rate that suits one cannot suit the other."
        ).format(times=f"{raw.gradient / standard.gradient:,.0f}")
    )


def histogram(s: dict[str, Any]) -> go.Figure:
    x, share = pixel_histogram(s)
    fig = go.Figure(go.Bar(x=x, y=share, marker={"color": palette().accent, "line": {"width": 0}}))
    style(fig, height=220)
    fig.update_layout(bargap=0.05)
    fig.update_xaxes(title_text=_("value"))
    fig.update_yaxes(title_text=_("share"), type="log", dtick=1, exponentformat="power")
    return fig


def draw_augmentation(s: dict[str, Any]) -> None:
    """Real pictures, and what the network sees of them in five epochs."""
    rows = variants(s)
    st.image(
        sheet(rows, 4 if rows.shape[-1] > 10 else 12),
        width="stretch",
        alt=_("Top row: pictures as they are. Below: the same pictures, changed at random"),
    )
    if s["flip"] or s["rotate"] or s["crop"]:
        note(
            _(
                "Top row: as they are. Below: the same, as five epochs would show them. Every epoch draws anew."
            )
        )
    else:
        note(
            _(
                "Nothing is changed yet: every epoch shows the same pictures. Turn on a mirror, a rotation or a crop."
            )
        )
    shown = [name for name in ("flip", "rotate", "crop") if s[name]]
    formulas(*(shown or ["flip"]))
    if "rotate" not in shown or len(shown) > 1:
        note(_("The pixel at row i, column j gets its value from there; W is the width."))
    if "rotate" in shown:
        note(
            _(
                "α is drawn for each picture between −{n}° and {n}°; u, v are measured from the middle."
            ).format(n=s["rotate"])
        )
    if "crop" in shown:
        note(
            _(
                "The window is moved by up to {n} pixels each way; what it sees beyond the edge repeats the border."
            ).format(n=s["crop"])
        )


def draw_model(s: dict[str, Any]) -> None:
    """The layers with shapes and parameters."""
    side = load(s["data"]).side
    net = build(side, s["depth"], s["width"], s["batch_norm"], s["dropout"], s["seed"])
    layers = [Layer("", (1, side, side), 0, 1), *describe(net, side)]
    total = sum(layer.parameters for layer in layers)
    convolutions = [layer for layer in layers if layer.kind in ("Conv2d", "MaxPool2d")]
    with st.grid(3, min_column_width=130):
        st.metric(_("Parameters"), count(total))
        st.metric(_("In dense layers"), f"{100 * dense_share(layers):.0f}%")
        st.metric(_("One output sees"), f"{convolutions[-1].sees} × {convolutions[-1].sees} px")
    st.dataframe(
        {
            _("layer"): [_(LAYERS[n.kind]) if n.kind else _("picture") for n in layers],
            _("puts out"): [" × ".join(map(str, n.shape)) for n in layers],
            _("parameters"): [n.parameters for n in layers],
            _("of all"): [n.parameters / total for n in layers],
        },
        hide_index=True,
        height="content",
        column_config={
            _("of all"): st.column_config.ProgressColumn(
                min_value=0.0, max_value=1.0, format="percent"
            )
        },
        alt=_("The layers of the network"),
    )
    left, right = st.columns(2, gap="large")
    with left:
        formulas("convolution", "pooling")
    with right:
        if s["batch_norm"]:
            formulas("batch_norm")
        note(
            _(
                "n: weights of a convolution from c_in to c_out maps; b is 1 where it has a bias, before batch norm it has none, since β does its work. H: height of a map, halved by pooling."
            )
        )


def dense_share(layers: list[Layer]) -> float:
    """Part of the parameters that sits in dense layers, 0-1."""
    dense = sum(layer.parameters for layer in layers if layer.kind == "Linear")
    return dense / sum(layer.parameters for layer in layers)


def draw_schedule(s: dict[str, Any]) -> None:
    """The learning rate of every step, before the first is taken."""
    planned = rates(s)
    st.markdown("**" + _("Learning rate of every step to come") + "**")
    show_chart(
        schedule_chart(planned),
        alt=_("Learning rate from {first} over {peak} to {last} in {n} steps").format(
            first=f"{planned[0]:.3g}",
            peak=f"{planned.max():.3g}",
            last=f"{planned[-1]:.3g}",
            n=len(planned),
        ),
        key="schedule_chart",
    )
    note(
        _(
            "{n} steps T = {epochs} epochs of {batches} batches; w = {warmup} of them are warm-up. The last rate is {last}."
        ).format(
            n=f"{len(planned):,}",
            epochs=s["epochs"],
            batches=f"{len(planned) // s['epochs']:,}",
            warmup=round(s["warmup"] * len(planned)),
            last=f"{planned[-1]:.2g}",
        )
    )
    note(
        _(
            "t counts the steps, η_t is the rate of step t. B: pictures of a batch; z: the ten outputs for a picture, t_b its right class; L: the loss. θ: a weight; g: its gradient; v: what is remembered of earlier ones (momentum β)."
        )
    )
    left, right = st.columns(2, gap="large")
    with left:
        formulas(*(["warmup"] if s["warmup"] else []), s["schedule"])
        formulas("loss")
    with right:
        formulas("update")
        note(_("Only weights decay (λ): biases and norms do not."))
        if s["dropout"]:
            formulas("dropout")


def schedule_chart(planned: np.ndarray) -> go.Figure:
    kept = np.unique(np.linspace(0, len(planned) - 1, 300).astype(int))
    fig = go.Figure(line((kept + 1).tolist(), planned[kept].round(6).tolist(), _("learning rate")))
    style(fig, height=260)
    fig.update_xaxes(title_text=_("step"))
    fig.update_yaxes(title_text=_("learning rate"), rangemode="tozero")
    return fig


def draw_plan(s: dict[str, Any]) -> None:
    """What the experiment will train, and how it is judged."""
    planned, about = entries(s), EXPERIMENTS[s["experiment"]]
    st.markdown(_(about))
    if s["experiment"] == "folds":
        show_chart(
            fold_chart(s["folds"]), alt=_("Which part each fold holds out"), key="fold_chart"
        )
        formulas("folds")
        note(
            _(
                "ā is the folds' mean accuracy, s their standard deviation. Folds share training pictures, so the interval is a rough guide."
            )
        )
    elif len(planned) > 1:
        st.markdown(" · ".join(f"{n} {entry_name(e)}" for n, e in enumerate(planned, 1)))
    if s["experiment"] in ("pair", "ablation"):
        recipes()
    left, right = st.columns(2, gap="large")
    with left:
        formulas("accuracy", "f1")
    with right:
        formulas("precision", "recall")
    note(
        _(
            "n with two indices counts pictures: first what it is, then what the network says. Press Start below."
        )
    )


def recipes() -> None:
    """Naive and best practice, setting by setting."""
    knobs = [knob for knob in PracticeLab.knobs if knob.name in BEST]
    st.dataframe(
        {
            _("setting"): [_(knob.label) for knob in knobs],
            _(PLAIN): [choice_name(knob, NAIVE[knob.name]) for knob in knobs],
            _(GOOD): [choice_name(knob, BEST[knob.name]) for knob in knobs],
        },
        hide_index=True,
        height="content",
        alt=_("Settings of naive and best practice"),
    )


def fold_chart(k: int) -> go.Figure:
    colors = palette()
    fig = go.Figure(
        go.Heatmap(
            z=np.eye(k).tolist(),
            x=[f"{n + 1}" for n in range(k)],
            y=[_("fold {n}").format(n=n + 1) for n in range(k)],
            text=[[_("held out") if i == j else "" for j in range(k)] for i in range(k)],
            texttemplate="%{text}" if k <= 6 else None,
            colorscale=[[0, colors.surface[1]], [1, colors.accent]],
            textfont={"color": colors.ground},
            showscale=False,
            xgap=3,
            ygap=3,
            hoverinfo="skip",
        )
    )
    style(fig, height=60 + 26 * k)
    fig.update_yaxes(autorange="reversed", showgrid=False, nticks=k)
    fig.update_xaxes(title_text=_("part of the pictures"), nticks=k, type="category")
    return fig
