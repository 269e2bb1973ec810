"""Below the regularization lab: the remedies, all of them over several seeds, the script."""

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from dlportal.cases.regularization_lab import (
    COMPARE_KNOB,
    METHOD_NAMES,
    RUNS_KNOB,
    TRAINING,
    Pair,
    RegularizationLab,
)
from dlportal.labs.regularization_compare import Comparison, Range, Row
from dlportal.labs.regularization_data import TEST
from dlportal.labs.regularization_net import METHODS
from dlportal.messages import N_
from dlportal.ui.card_panel import card_panel
from dlportal.ui.code_panel import show_code
from dlportal.ui.drawn import drawn
from dlportal.ui.errors import guard
from dlportal.ui.knobs import draw_knob, share_knobs
from dlportal.ui.language import _, language
from dlportal.ui.regularization_drawn import intervals
from dlportal.ui.regularization_remedies import Moment, percent, remedies
from dlportal.ui.words import main_button, note

TICK = 0.5  # seconds between two looks at the comparison
WORK = 0.2  # seconds of training a tick; the rest is for other visitors
VERDICTS = {
    "better": N_("▲ clearly better"),
    "open": N_("● not clear"),
    "worse": N_("▼ clearly worse"),
}


def panels_of(
    lab: RegularizationLab, s: dict[str, Any], pair: Pair, at: int
) -> dict[str, Callable[[], None]]:
    """Explain: each remedy at work. Trust: all over several seeds, and the card. Code: the script."""

    def explain() -> None:
        remedies(s, Moment(pair, at))

    def trust() -> None:
        compare(lab, s)
        st.space("medium")
        card_panel(lab.card)

    def code() -> None:
        note(
            _(
                "This script trains your network to its end and prints what became of it; a test checks that it gives the same numbers."
            )
        )
        show_code(lab.code(**s), lab.card.id)

    return {"explain": explain, "trust": trust, "code": code}


@st.cache_resource(max_entries=12, show_spinner=False)
def comparison_of(_lab: RegularizationLab, settings: tuple) -> Comparison:
    """One comparison for all visitors with the same settings."""
    return _lab.comparison(**dict(settings))


def compare(lab: RegularizationLab, s: dict[str, Any]) -> None:
    """Start or stop the comparison, and the table that fills."""
    st.markdown(
        _(
            "One run proves little: another seed gives other data and other first weights. Here every remedy runs alone, and yours together, on the same seeds. They are asked {n} fresh examples with right labels, once, at the end."
        ).format(n=f"{TEST:,}")
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        with st.container(width=260):
            runs = draw_knob(RUNS_KNOB)
        on = bool(st.session_state["compare"])
        names = tuple((name, s[name]) for name in TRAINING)
        comparison = comparison_of(lab, (*names, ("runs", runs)))
        over = comparison.done >= comparison.total
        press = st.button if on or "tour_step" in st.session_state else main_button
        if not over:
            press(
                _("Stop") if on else _("Compare"),
                key="compare_button",
                icon=":material/stop:" if on else ":material/play_arrow:",
                on_click=switch,
            )
    share_knobs((COMPARE_KNOB, RUNS_KNOB), {"compare": on, "runs": runs})
    if on and not over:
        fill(comparison)
    elif comparison.done:
        table(comparison)


def switch() -> None:
    st.session_state["compare"] = not st.session_state["compare"]


@st.fragment(run_every=TICK)
def fill(comparison: Comparison) -> None:
    """Go on with the runs and redraw what is known; at the end redraw the panel."""
    with guard():
        comparison.advance(WORK)
        if comparison.done >= comparison.total:
            st.rerun()
        table(comparison)


def table(comparison: Comparison) -> None:
    """Progress, the chart, the table, and what it says."""
    rows = comparison.rows()
    if comparison.done < comparison.total:
        st.progress(
            comparison.done / comparison.total,
            text=_("{done} of {all} trainings").format(done=comparison.done, all=comparison.total),
        )
    if not rows:
        return
    names = {name: _(METHOD_NAMES[name]) for name in METHODS}
    names |= {"none": _("No remedy"), "chosen": _("Yours together")}
    drawn([intervals(rows, names)], key="intervals", columns=1)
    st.dataframe(
        {
            _("Remedy"): [names[row.name] for row in rows],
            _("Test accuracy"): [show_range(row.accuracy, 100, 1) for row in rows],
            _("Against none, points"): [
                "" if row.name == "none" else show_range(row.gain, 100, 1, sign=True)
                for row in rows
            ],
            _("Difference"): [
                "" if row.name == "none" else _(VERDICTS[row.verdict]) for row in rows
            ],
            _("Gap of the losses"): [show_range(row.gap, 1, 2) for row in rows],
            _("Weights at zero"): [percent(row.zero) for row in rows],
            _("Epoch kept"): [f"{row.epoch:.0f}" for row in rows],
            _("Seeds"): [row.seeds for row in rows],
        },
        hide_index=True,
        alt=_("Every remedy over the seeds"),
    )
    if min(row.seeds for row in rows) > 1 and len(rows) == len(comparison.rivals):
        note(summary(rows, names))
    else:
        note(_("Intervals and a verdict come with the second seed."))


def show_range(r: Range, scale: float, digits: int, sign: bool = False) -> str:
    """A mean with its interval, such as 93.1 (91.0 to 95.2)."""
    form = f"{'+' if sign else ''}.{digits}f"
    value = f"{scale * r.value:{form}}"
    if np.isnan(r.low):
        return value
    return f"{value} ({scale * r.low:{form}} … {scale * r.high:{form}})"


def summary(rows: list[Row], names: dict[str, str]) -> str:
    """Which differences are clear, in words."""
    between_names = "、" if language() == "zh" else ", "
    clear = {
        verdict: [names[row.name] for row in rows if row.name != "none" and row.verdict == verdict]
        for verdict in ("better", "worse")
    }
    parts = [
        _("Clearly better than none: {names}.").format(
            names=between_names.join(clear["better"]) or _("nothing")
        )
    ]
    if clear["worse"]:
        parts.append(_("Clearly worse: {names}.").format(names=between_names.join(clear["worse"])))
    parts.append(
        _(
            "Clear means: the 95% interval of the difference, taken seed by seed (Student's t), leaves out zero. One in twenty such intervals misleads by chance."
        )
    )
    return " ".join(parts)
