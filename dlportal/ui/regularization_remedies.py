"""The six remedies in words and formulas, and what those in use do at this moment."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from dlportal.cases.regularization_lab import METHOD_NAMES, Pair
from dlportal.labs.regularization_net import EVERY, METHODS, Frame
from dlportal.messages import N_
from dlportal.ui.charts import show_chart
from dlportal.ui.language import _
from dlportal.ui.regularization_charts import kept_units, mosaic
from dlportal.ui.words import note

FORMULAS = {
    "l1": r"w \leftarrow \operatorname{sign}(w)\,\max(|w| - \eta\lambda_1,\ 0)",
    "l1_gradient": r"L + \lambda_1 \textstyle\sum |w|",
    "l2": r"w \leftarrow (1 - \eta\lambda_2)\,w",
    "dropout": r"\tilde h = \frac{m \odot h}{1-p},\quad P(m_j = 0) = p,\ P(m_j = 1) = 1-p",
    "batchnorm": r"\hat z = \gamma\,\frac{z - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta",
    "early": r"t^* = \arg\min_t L_{\text{val}}(t),\quad t_{\text{stop}} = t^* + k",
    "augment": r"\tilde x = x + \tfrac{v}{2}\,\xi,\quad \xi \sim \mathcal N(0, 1)",
}
IDEAS = {
    "l1": N_(
        "After every step each weight moves towards zero by the same amount, and stops there."
    ),
    "l1_gradient": N_("The sum of the sizes of all weights is added to the loss."),
    "l2": N_("Before every step each weight loses the same share of itself: large ones lose most."),
    "dropout": N_(
        "In training each unit is silent by chance, so no unit can rely on a certain other one. Afterwards all speak."
    ),
    "batchnorm": N_(
        "Each unit's sums are centred and scaled over the batch: the same example looks a little different in every batch."
    ),
    "early": N_(
        "Keep the weights with the lowest validation loss, and stop once it no longer falls."
    ),
    "augment": N_(
        "Each time an example comes up it is changed a little, in a way that keeps its class."
    ),
}


@dataclass(frozen=True)
class Moment:
    """Both trainings at a frame."""

    pair: Pair
    at: int

    @property
    def plain(self) -> Frame:
        return self.pair.plain.frames[self.at]

    @property
    def chosen(self) -> Frame:
        """The frame whose weights the visitor's network has."""
        return self.pair.chosen.frames[self.pair.chosen.kept_frame(self.at)]

    @property
    def pictures(self) -> bool:
        return self.pair.chosen.task.pictures


def remedies(s: dict[str, Any], now: Moment) -> None:
    """The loss, then all six remedies, those in use first and with what they do at this moment."""
    st.markdown(
        _(
            "Every network lowers the loss $L$ of its training examples. With few of them, and some labelled wrongly, it can do so by learning them by heart: then $L$ of other examples rises. A remedy makes that harder."
        )
    )
    st.markdown(r"$$L = -\frac1n \sum_i \log p_{y_i}(x_i)$$")
    st.markdown("**" + _("Gap of the losses") + r"** $= L_{\text{val}} - L_{\text{train}}$")
    note(
        _(
            "p: the probability the network gives the label y of an example x. w: a weight; h: what a unit puts out; z: its sum before that; η: learning rate; t: epoch; k: patience; the other letters are the strengths set above or learnt (β, γ)."
        )
    )
    note(_("Remedies in use stand first, with what they do in epoch {n}.").format(n=now.at * EVERY))
    order = sorted(METHODS, key=lambda name: not s[name])
    columns = st.columns(2, gap="large")
    for index, name in enumerate(order):
        with columns[index % 2]:
            remedy(name, s, now)


def remedy(name: str, s: dict[str, Any], now: Moment) -> None:
    """Name, formula, idea; for one in use also its trace."""
    sign = ":material/check_circle: " if s[name] else ""
    with st.container(border=s[name]):
        st.markdown(f"{sign}**{_(METHOD_NAMES[name])}**")
        key = "l1_gradient" if name == "l1" and s["l1_way"] == "gradient" else name
        if name == "augment" and now.pictures:
            st.markdown(pixel_words(s))
        else:
            st.markdown(f"$${FORMULAS[key]}$$")
        note(_(IDEAS[key]))
        if s[name]:
            TRACES[name](s, now)


def pixel_words(s: dict[str, Any]) -> str:
    share_moved = f"{100 * s['variation']:.0f}%"
    if s["data"] == "clothes":
        return _("{share} of the pictures move by up to a pixel, {half} are mirrored.").format(
            share=share_moved, half=f"{50 * s['variation']:.0f}%"
        )
    return _(
        "{share} of the pictures move by up to a pixel. They are not mirrored: a mirrored digit is no digit."
    ).format(share=share_moved)


def trace_l1(s: dict[str, Any], now: Moment) -> None:
    text = _("Exactly zero: {mine} of your weights, {plain} without remedy.")
    st.markdown(text.format(mine=percent(now.chosen.zero), plain=percent(now.plain.zero)))
    if s["l1_way"] == "gradient":
        note(
            _(
                "Through the gradient a weight overshoots zero and comes back: it gets small ({near} are below 0.001), but never exactly zero. Choose the step of its own under All settings."
            ).format(near=percent(now.chosen.near))
        )


def trace_l2(s: dict[str, Any], now: Moment) -> None:
    text = _("Size of all weights ‖w‖: {mine} instead of {plain}.")
    st.markdown(text.format(mine=f"{now.chosen.norm:.1f}", plain=f"{now.plain.norm:.1f}"))


def trace_dropout(s: dict[str, Any], now: Moment) -> None:
    kept = now.chosen.kept
    if kept is None:
        note(_("No batch has been seen yet."))
        return
    show_chart(
        kept_units(kept),
        alt=_("Units that were silent for one example of the last batch"),
        key="kept",
    )
    text = _("One example of the last batch: {off} of {all} units were silent (empty).")
    note(text.format(off=int((~kept).sum()), all=kept.size))


def trace_batchnorm(s: dict[str, Any], now: Moment) -> None:
    if now.chosen.spread is None:
        return
    (mean, std), (new_mean, new_std) = now.chosen.spread
    st.dataframe(
        {
            _("sums of layer 1, last batch"): [_("before batch norm"), _("after batch norm")],
            _("means of the units"): [between(mean), between(new_mean)],
            _("spreads of the units"): [between(std), between(new_std)],
        },
        hide_index=True,
        alt=_("Means and spreads before and after batch norm"),
    )
    note(
        _("After: the means are β, the spreads γ, both learnt. New examples use running averages.")
    )


def trace_early(s: dict[str, Any], now: Moment) -> None:
    trial = now.pair.chosen
    best, stop = trial.stopping(now.at)
    text = _("Best so far: epoch {best}, validation loss {loss}.")
    loss = f"{trial.frames[best].val_loss:.3f}"
    st.markdown(text.format(best=best * EVERY, loss=loss))
    if stop is not None:
        text = _("Stopped in epoch {n}; the pale curve shows what was spared.")
        note(text.format(n=stop * EVERY))


def trace_augment(s: dict[str, Any], now: Moment) -> None:
    before, seen = now.chosen.before, now.chosen.seen
    if before is None or seen is None:
        return
    if not now.pictures:
        note(_("The thin crosses above are examples of the last batch as the network saw them."))
        return
    side = round(seen.shape[1] ** 0.5)
    both = np.concatenate([before, seen]).reshape(-1, side, side)
    show_chart(
        mosaic(both, 1.0, signed=False, height=150),
        alt=_("Examples before and after augmentation"),
        key="varied",
    )
    note(_("Above: examples of the last batch. Below: as the network saw them."))


TRACES = {
    "l1": trace_l1,
    "l2": trace_l2,
    "dropout": trace_dropout,
    "batchnorm": trace_batchnorm,
    "early": trace_early,
    "augment": trace_augment,
}


def percent(share_of: float) -> str:
    return f"{100 * share_of:.0f}%"


def between(values: np.ndarray) -> str:
    return f"{values.min():.2f} … {values.max():.2f}"
