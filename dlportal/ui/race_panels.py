"""Below the race: curves and update rules, the map of learning rates with the card, the script."""

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from dlportal.cases.optimizer_race import CHECK_KNOB, NETS, OPTIMIZERS, OptimizerRace
from dlportal.labs.race_rules import DECAY, FORMULAS, IDEAS, LOOK_AHEAD, SYMBOLS, source
from dlportal.labs.race_surfaces import race_surface, surface_of
from dlportal.ui.card_panel import card_panel
from dlportal.ui.charts import show_chart
from dlportal.ui.code_panel import show_code
from dlportal.ui.knobs import draw_knob, share_knobs
from dlportal.ui.language import _
from dlportal.ui.race import loss_curves, raced, racing
from dlportal.ui.race_net import signed_name
from dlportal.ui.race_sweep import sweep_section
from dlportal.ui.theme import is_dark
from dlportal.ui.words import note


def panels_of(lab: OptimizerRace, s: dict[str, Any]) -> dict[str, Callable[[], None]]:
    """Explain: curves and rules. Trust: all learning rates, and the card. Code: the script."""

    def explain() -> None:
        if s["track"] not in NETS:
            st.markdown("**" + _("Loss, step by step") + "**")
            curves = loss_curves(raced(lab, racing(s)), 300)
            show_chart(curves, alt=_("Loss of the five optimizers"), key="curves")
        rules(s)

    def trust() -> None:
        sweep_section(lab, s)
        st.space("medium")
        card_panel(lab.card)

    def code() -> None:
        note(_("This script repeats the race; a test checks that it gives the same numbers."))
        show_code(lab.code(**s), lab.card.id)

    return {"explain": explain, "trust": trust, "code": code}


def rules(s: dict[str, Any]) -> None:
    """The symbols, then each rule: its formula, its idea, its five lines."""
    st.markdown("**" + _("The update rules") + "**")
    st.markdown("  \n".join(f"${symbol}$: {_(meaning)}" for symbol, meaning in SYMBOLS))
    if s["decay"]:
        st.markdown(_("Weight decay comes first, for all:") + f" ${DECAY}$")
    gaps = own_lines(s)
    with st.grid(2, min_column_width=340, gap="medium"):
        for name in OPTIMIZERS:
            with st.container():
                rule(name, s, gaps.get(name))


def rule(name: str, s: dict[str, Any], gap: float | None) -> None:
    look_ahead = name == "momentum" and s["nesterov"]
    st.markdown(f"**{signed_name(name)}**")
    st.markdown(f"$${LOOK_AHEAD if look_ahead else FORMULAS[name]}$$")
    note(_(IDEAS[name]))
    st.code(source(name), language="python" if is_dark() else None, wrap_lines=True)
    if gap is not None:
        note(
            _("Over {n} steps its path is nowhere farther than {gap} from torch.optim's.").format(
                n=s["steps"], gap=f"{gap:.0e}"
            )
        )


def own_lines(s: dict[str, Any]) -> dict[str, float]:
    """Where the visitor asks for it, how far our rules' paths are from torch's."""
    if s["track"] in NETS:
        note(
            _("These lines are compared with torch.optim by a test, and on the surfaces here too.")
        )
        return {}
    on = draw_knob(CHECK_KNOB)
    share_knobs((CHECK_KNOB,), {"check": on})
    return gaps_of(racing(s)) if on else {}


@st.cache_data(max_entries=64, show_spinner=False)
def gaps_of(settings: tuple) -> dict[str, float]:
    """Largest distance between our path and torch's, by optimizer."""
    s = dict(settings)
    surface = surface_of(s)
    gaps = {}
    for name in OPTIMIZERS:
        _losses, theirs = race_surface(surface, name, s)
        _losses, ours = race_surface(surface, name, s, own=True)
        gaps[name] = float(np.abs(ours - theirs).max())
    return gaps
