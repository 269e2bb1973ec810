"""Explain for a generator: where the class pulls while a picture comes to be, and whether it counts."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch

from dlportal.cases.generation_guidance import SHARE, Pull, pull_check, pull_of
from dlportal.cases.generation_training import KINDS
from dlportal.cases.image_generation import NAMES, Draw
from dlportal.explain.sanity import randomised
from dlportal.labs.practice_looks import sheet
from dlportal.messages import N_, UserError
from dlportal.nets.flow_sampling import draw_noise
from dlportal.serving import compute
from dlportal.training.metrics import exact_interval
from dlportal.ui.charts import line, show_chart, style
from dlportal.ui.drawn import drawn
from dlportal.ui.drawn_intervals import Ranged, ranged_rows
from dlportal.ui.errors import show_user_error
from dlportal.ui.generation import judged
from dlportal.ui.inputs import Picked
from dlportal.ui.language import _
from dlportal.ui.maps import legend_strip, ramp
from dlportal.ui.theme import palette
from dlportal.ui.visitor import has_left
from dlportal.ui.words import note

SHOWN = 8  # moments
CHECKED = 24  # pictures of the check
SHUFFLE_SEED = 1
KEPT = {
    "everywhere": N_("everywhere"),
    "strongest": N_("where it is strongest"),
    "elsewhere": N_("the same patches elsewhere"),
    "nowhere": N_("nowhere"),
}


def pull_panel(case: Any, picked: Picked | None) -> None:
    """The pull's maps, its strength over time, and the check."""
    if picked is None:
        return
    raw: Draw = picked.raw
    if NAMES[raw.kind] >= 2 * KINDS:
        note(_("Anything is no class: there is nothing to pull to. Choose clothes or digits."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        number = st.slider(
            _("Which picture"), 1, raw.count, key="pull_picture", persist_state="page", width=280
        )
        shuffled = st.toggle(
            _("Shuffle the network's weights"),
            key="pull_shuffled",
            persist_state="page",
            help=_("If the map stayed the same, it would say nothing about the network."),
        )
    try:
        with st.skeleton(height=360):
            pull = looked_at(picked.digest, int(number) - 1, bool(shuffled), case, raw)
    except UserError as error:
        show_user_error(error)
        return
    draw_pull(pull)
    draw_strength(pull)
    if NAMES[raw.kind] < KINDS:
        check(case, picked)
    else:
        note(_("The check needs a judge: choose clothes, which the shipped classifier reads."))


@st.cache_data(max_entries=64, show_spinner=False)
def looked_at(digest: str, index: int, shuffled: bool, _case: Any, _raw: Draw) -> Pull:
    def look() -> Pull:
        asked: Any = randomised(_case, SHUFFLE_SEED) if shuffled else _case
        return pull_of(asked.net, asked.path(_raw), NAMES[_raw.kind], _raw.guidance, index)

    found: Pull = compute(look, gone=has_left())
    return found


def draw_pull(pull: Pull) -> None:
    """Three rows: the picture so far, where it would end, and the pull at that moment."""
    steps = len(pull.times)
    shown = sorted({round(i) for i in np.linspace(0, steps - 1, min(SHOWN, steps))})
    first, last = f"{pull.times[shown[0]]:.2g}", f"{pull.times[shown[-1]]:.2g}"
    note(
        _("From left to right: time {first} (noise) to {last}, just before the end at 1.").format(
            first=first, last=last
        )
    )
    st.markdown("**" + _("The picture so far") + "**")
    st.image(sheet(grey(pull.frames[shown])[None], 3), width="stretch", alt=_("The picture so far"))
    st.markdown("**" + _("What it would become if it went straight on") + "**")
    st.image(
        sheet(grey(pull.ends[shown])[None], 3),
        width="stretch",
        alt=_("What it would become if it went straight on"),
    )
    st.markdown("**" + _("Where the class pulls: this kind's velocity minus any kind's") + "**")
    colors = palette()
    limit = float(np.quantile(np.abs(pull.pulls), 0.995)) or 1.0
    place = 0.5 + 0.5 * np.clip(pull.pulls[shown] / limit, -1, 1)
    maps = ramp(colors.signed, place)  # (moments, 28, 28, 3)
    st.image(
        strip_of(maps), width="stretch", alt=_("Where the class makes pixels brighter and darker")
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        note(_("makes darker"), width="content")
        st.image(legend_strip(True, colors), width=160, alt="")
        note(_("makes brighter"), width="content")


def strip_of(maps: np.ndarray, gap: int = 2, times: int = 3) -> np.ndarray:
    """Coloured maps (N, 28, 28, 3) side by side, enlarged, as RGBA with transparent gaps."""
    opaque = np.concatenate([maps, np.full((*maps.shape[:3], 1), 255, np.uint8)], axis=3)
    spaced = np.pad(opaque, ((0, 0), (0, 0), (0, gap), (0, 0)))
    strip = np.concatenate(list(spaced), axis=1)[:, :-gap]
    return strip.repeat(times, axis=0).repeat(times, axis=1)


def grey(x: np.ndarray) -> np.ndarray:
    """From [-1, 1] to bytes; what lies outside is cut off."""
    out: np.ndarray = ((x + 1) * 127.5).clip(0, 255).round().astype(np.uint8)
    return out


def draw_strength(pull: Pull) -> None:
    """How strong the pull is from noise to picture."""
    values = pull.strength.round(4).tolist()
    fig = style(go.Figure(line(pull.times.tolist(), values, _("pull"), markers=True)), height=220)
    fig.update_xaxes(title_text=_("time (0 noise, 1 picture)"), range=[0, 1])
    fig.update_yaxes(title_text=_("strength of the pull"), rangemode="tozero")
    at = float(pull.times[int(pull.strength.argmax())])
    alt = _("Strength of the pull over time; strongest at {t}").format(t=f"{at:.2f}")
    show_chart(fig, alt=alt, key="pull_strength")


def check(case: Any, picked: Picked) -> None:
    """Draw new pictures with the pull kept here or there, and let the classifier read them."""
    st.markdown("**" + _("Does the pull make the class where it is strongest?") + "**")
    note(
        _(
            "{n} new noises are drawn four times: with the pull everywhere, in the strongest fifth of the pixels alone, in patches of the same shape moved elsewhere by chance, and nowhere. If the map is right, the strongest fifth does nearly all of the work."
        ).format(n=CHECKED)
    )
    raw: Draw = picked.raw
    key = (raw.kind, raw.guidance, raw.steps)
    if st.button(_("Measure"), key="pull_measure", icon=":material/straighten:"):
        st.session_state["pull_measured"] = key
    if st.session_state.get("pull_measured") != key:
        return
    try:
        with st.skeleton(height=220):
            right = measured(*key, case)
    except UserError as error:
        show_user_error(error)
        return
    rows = {name: (n / CHECKED, *exact_interval(n, CHECKED)) for name, n in right.items()}
    drawn([interval_chart(rows)], key="pull_check", columns=1)
    verdict(rows)


def interval_chart(rows: dict[str, tuple[float, float, float]]) -> dict[str, Any]:
    """A row for each place where the pull was kept, in percent."""
    ranged = [
        Ranged(_(KEPT[name]), 100 * value, 100 * low, 100 * high, strong=name == "strongest")
        for name, (value, low, high) in rows.items()
    ]
    alt = ", ".join(f"{row.name} {row.value:.0f}%" for row in ranged)
    return ranged_rows(ranged, _("read as asked, %"), alt)


def verdict(rows: dict[str, tuple[float, float, float]]) -> None:
    """What the intervals allow to say."""
    strongest, elsewhere = rows["strongest"], rows["elsewhere"]
    if strongest[1] > elsewhere[2]:
        st.badge(_("the map names what counts"), color="green", icon=":material/check_circle:")
    elif strongest[0] > elsewhere[0]:
        st.badge(_("mixed evidence"), color="orange", icon=":material/help:")
    else:
        st.badge(_("do not rely on it"), color="red", icon=":material/cancel:")
    note(
        _(
            "Share read as asked, with exact 95% intervals of {n} pictures; {share} of the pixels are kept."
        ).format(n=CHECKED, share=f"{100 * SHARE:.0f}%")
    )


@st.cache_data(max_entries=64, show_spinner=False)
def measured(kind: str, guidance: float, steps: int, _case: Any) -> dict[str, int]:
    """How many of the pictures are read as asked, by where the pull was kept."""

    def draw() -> dict[str, int]:
        kinds = torch.full((CHECKED,), NAMES[kind])
        found = pull_check(_case.net, kinds, draw_noise(CHECKED, 1000), guidance, steps)
        bytes_of = {k: x[:, 0].mul(255).round().byte().numpy() for k, x in found.items()}
        return {name: int((judged(x) == NAMES[kind]).sum()) for name, x in bytes_of.items()}

    found: dict[str, int] = compute(draw, gone=has_left())
    return found
