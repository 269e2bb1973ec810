"""Below the lab: is the gradient right, does it arrive, the card, the script."""

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from dlportal.cases.backprop_lab import DEEP_KNOBS, BackpropLab, weight_of
from dlportal.labs.backprop_depth import BLOWN_UP, FADED, Depths, all_depths
from dlportal.labs.backprop_net import Pass, Training
from dlportal.labs.backprop_paths import LIMIT, STEP, Check, check_gradients
from dlportal.ui.backprop_charts import VERDICT_SIGNS, depth_lines, depth_map, epsilon_curve
from dlportal.ui.backprop_numbers import num, power, symbol
from dlportal.ui.card_panel import card_panel
from dlportal.ui.charts import show_chart
from dlportal.ui.code_panel import show_code
from dlportal.ui.knobs import draw_knob, share_knobs
from dlportal.ui.language import _, language
from dlportal.ui.theme import is_dark
from dlportal.ui.words import note


@st.cache_data(max_entries=64, show_spinner=False)
def depths_of(depth: int, width: int, data: str, loss: str, seed: int) -> Depths:
    """The depth experiment; the same settings are computed once for all visitors."""
    return all_depths(depth, width, data, loss, seed)


@st.cache_resource(max_entries=64, show_spinner=False)
def depth_charts(settings: tuple, activation: str, lang: str, dark: bool) -> tuple[Any, Any]:
    """Map and lines; kept, since every step of the lab above draws them again."""
    depths = depths_of(*settings)
    return depth_map(depths), depth_lines(depths, activation)


def panels_of(
    lab: BackpropLab, s: dict[str, Any], training: Training, step: Pass
) -> dict[str, Callable[[], None]]:
    """Explain: the check and the depth experiment. Trust: the card. Code: the script."""

    def explain() -> None:
        if not step.blown_up:
            numeric_check(training, step, s)
        st.header(_("Does the gradient reach the first layers?"), anchor="deep")
        depth_experiment(s)

    def code() -> None:
        note(
            _(
                "This script repeats the step above and finds the chosen weight's gradient in three ways; a test checks that it gives the same numbers."
            )
        )
        show_code(lab.code(**s), lab.card.id)

    return {"explain": explain, "trust": lambda: card_panel(lab.card), "code": code}


def numeric_check(training: Training, step: Pass, s: dict[str, Any]) -> None:
    """Autograd against moving each weight a little and looking at the loss."""
    check = check_gradients(training, step)
    left, right = st.columns([6, 6], gap="large")
    with left:
        st.markdown(
            _(
                "Move one weight a little up and a little down, and watch the loss: the slope between the two is its gradient, without any chain rule."
            )
        )
        st.markdown(
            r"$$\frac{\partial L}{\partial w} \approx \frac{L(w+\varepsilon) - L(w-\varepsilon)}{2\varepsilon}$$"
        )
        chosen_weight(check, s)
        good = check.largest < LIMIT
        with st.grid(2, min_column_width=130):
            st.metric(_("Largest difference"), power(check.largest))
            st.metric(_("Parameters checked"), f"{int((~check.kinked).sum())}")
        sign = ":material/check_circle:" if good else ":material/error:"
        verdict = (
            _("Autograd and trying out agree: the difference is below {limit}.")
            if good
            else _("They differ by more than {limit}: at least one of them is wrong here.")
        )
        note(f"{sign} " + verdict.format(limit=f"{LIMIT:g}"))
        if check.kinked.any():
            note(
                _(
                    "{n} parameters are left out: moving them takes a ReLU unit across its kink, where there are two slopes."
                ).format(n=int(check.kinked.sum()))
            )
    with right:
        st.markdown("**" + _("How far should one move?") + "**")
        show_chart(
            epsilon_curve(check),
            alt=_("Largest difference between the two gradients against ε"),
            key="epsilon",
        )
        note(_("Too far, and the curve bends; too little, and rounding drowns the difference."))


def chosen_weight(check: Check, s: dict[str, Any]) -> None:
    """Both gradients of the chosen weight."""
    weight = weight_of(s)
    at = check.names.index(weight)
    exact, numeric = float(check.exact[at]), float(check.numeric[at])
    name = rf"\frac{{\partial L}}{{\partial {symbol(weight)}}}"
    digits = 8 if abs(exact) > 1e-5 else 3
    st.markdown(
        "\n".join(
            [
                "- " + _("by autograd:") + rf" ${name} = {num(exact, digits)}$",
                "- "
                + _("by trying it out, ε = {epsilon}:").format(epsilon=power(STEP))
                + rf" ${name} \approx {num(numeric, digits)}$",
            ]
        )
    )


def depth_experiment(s: dict[str, Any]) -> None:
    """Fresh, deeper networks: the gradient of every layer, before any training."""
    st.markdown(
        _(
            "On the way back, every layer multiplies the gradient once more. With many layers it fades or blows up, unless activation and first weights keep its size."
        )
    )
    first, second, third = st.columns([4, 4, 4], gap="large")
    with first:
        deep = draw_knob(DEEP_KNOBS[0])
    with second:
        wide = draw_knob(DEEP_KNOBS[1])
    with third:
        activation = draw_knob(DEEP_KNOBS[2])
    share_knobs(DEEP_KNOBS, {"deep": deep, "wide": wide, "deep_activation": activation})
    settings = (deep, wide, s["data"], s["loss"], s["seed"])
    depths = depths_of(*settings)
    as_map, as_lines = depth_charts(settings, activation, language(), is_dark())
    left, right = st.columns([7, 5], gap="large")
    with left:
        show_chart(as_map, alt=summary(depths), key="depth_map")
    with right:
        show_chart(
            as_lines,
            alt=_("Gradient norm of every layer, for four kinds of first weights"),
            key="depth_lines",
        )
    note(
        _(
            "{down} vanishes: a layer gets less than {faded}. {up} explodes: one gets more than {blown}. {ok} arrives. Fresh networks, mean gradient of all examples of the chosen data."
        ).format(
            down=VERDICT_SIGNS["vanishes"],
            up=VERDICT_SIGNS["explodes"],
            ok=VERDICT_SIGNS["arrives"],
            faded=f"{FADED:.5f}",
            blown=f"{BLOWN_UP:g}",
        )
    )


def summary(depths: Depths) -> str:
    """The heat map in a sentence."""
    verdicts = [depths.verdict(key) for key in depths.norms]
    return _(
        "Gradient norms by layer: of {n} combinations {vanish} vanish, {explode} explode, {arrive} arrive"
    ).format(
        n=len(verdicts),
        vanish=verdicts.count("vanishes"),
        explode=verdicts.count("explodes"),
        arrive=verdicts.count("arrives"),
    )


def every_number(training: Training, step: Pass) -> None:
    """Two tables: all units, all weights."""
    check = check_gradients(training, step)
    five = st.column_config.NumberColumn(format="%.5g")
    st.dataframe(
        {
            _("layer"): [n for n, z in enumerate(step.z, 1) for _unit in z],
            _("unit"): [unit for z in step.z for unit in range(1, len(z) + 1)],
            "z": np.concatenate(step.z),
            "h": np.concatenate(step.h[1:]),
            "∂L/∂h": [*np.concatenate([*step.dh[1:], []]), *[None] * len(step.z[-1])],
            "∂L/∂z": np.concatenate(step.dz),
        },
        hide_index=True,
        height=240,
        column_config=dict.fromkeys(("z", "h", "∂L/∂h", "∂L/∂z"), five),
        key="units_table",
        alt=_("Every unit of the network"),
    )
    new = np.concatenate([v for w, b in zip(step.new_w, step.new_b) for v in (w.ravel(), b)])
    old = np.concatenate([v for w, b in zip(step.w, step.b) for v in (w.ravel(), b)])
    st.dataframe(
        {
            _("layer"): [w.layer for w in check.names],
            _("to unit"): [w.to for w in check.names],
            _("from unit"): [str(w.source) if w.source else _("bias") for w in check.names],
            "w": old,
            "∂L/∂w": check.exact,
            _("by trying it out"): check.numeric,
            _("w after"): new,
        },
        hide_index=True,
        height=240,
        column_config=dict.fromkeys(("w", "∂L/∂w", _("by trying it out"), _("w after")), five),
        key="weights_table",
        alt=_("Every weight of the network"),
    )
