"""The panel switch of a case page: explain, trust, train, code, in one fragment."""

from collections.abc import Callable, Mapping

import streamlit as st

from dlportal.cards import PANELS, Card
from dlportal.case import Case
from dlportal.messages import N_
from dlportal.ui.card_panel import card_panel
from dlportal.ui.errors import fragment
from dlportal.ui.inputs import Picked
from dlportal.ui.language import _, language
from dlportal.ui.state import share, valid
from dlportal.ui.words import PANEL_NAMES, note

TITLES = {
    "explain": (PANEL_NAMES["explain"], N_("Why this answer?")),
    "trust": (PANEL_NAMES["trust"], N_("How far to trust it?")),
    "train": (PANEL_NAMES["train"], N_("Train it again")),
    "code": (PANEL_NAMES["code"], N_("Take it with you")),
}


@fragment
def panels(
    case: Case,
    picked: Picked | None,
    extra: Mapping[str, Callable[[], None]],
    replaced: Mapping[str, Callable[[], None]],
    titles: Mapping[str, str],
) -> None:
    """Draw the switch and the chosen panel; only that panel is computed.

    `extra` is drawn below a panel, `replaced` instead of it; `titles` replaces headings
    (marked with `N_`).
    """
    current = valid("panel", list(PANELS), "explain")
    heading = st.empty()
    chosen = st.segmented_control(
        _("Panel"),
        PANELS,
        format_func=lambda p: _(TITLES[p][0]),
        key="panel",
        required=True,
        label_visibility="collapsed",
        width="stretch",
        persist_state="page",
        on_change=lambda: share("panel", st.session_state.get("panel")),
    )
    chosen = chosen or current
    heading.header(_(titles.get(chosen, TITLES[chosen][1])), anchor="panel")
    if chosen in replaced:
        replaced[chosen]()
    else:
        draw(chosen, case, picked)
    if chosen in extra:
        extra[chosen]()


def draw(panel: str, case: Case, picked: Picked | None) -> None:
    """One of the standard panels, or the reason why a case does not have it."""
    reason = case.card.absent.get(panel)  # type: ignore[call-overload]
    if reason is not None:
        note(f":material/info: {reason(language())}")
        return
    if panel == "trust":
        card_panel(case.card)
    elif panel == "train":
        from dlportal.ui.train_panel import train_panel

        train_panel(case.card)
    elif picked is None:
        note(_("Choose an input above first."))
    elif panel == "explain":
        from dlportal.ui.explain_panel import explain_panel

        explain_panel(case, picked)
    else:
        from dlportal.ui.code_panel import code_panel

        code_panel(case, picked)


def card_only(card: Card) -> None:
    """What a page shows when its network cannot be had: everything but the network."""
    st.header(_("How far to trust it?"), anchor="panel")
    card_panel(card)
