"""What would flip the answer: small edits of the text, each tried on the network."""

from typing import Any

import streamlit as st

from dlportal.kinds.flips import Edit, Flips
from dlportal.serving import compute
from dlportal.ui.explain_panel import escape
from dlportal.ui.inputs import Picked
from dlportal.ui.language import _, language
from dlportal.ui.visitor import has_left
from dlportal.ui.words import note

SHOWN = 6  # edits of each kind


@st.cache_data(max_entries=256, show_spinner=False)
def found(case_id: str, digest: str, _case: Any, _raw: str) -> Flips:
    return compute(lambda: _case.flips(_raw), gone=has_left())


def flips_panel(case: Any, picked: Picked | None) -> None:
    """Removals and replacements of single words that change the answer, as measured."""
    if picked is None:
        return
    st.header(_("What would flip it?"), anchor=False)
    with st.skeleton(height=160):
        flips = found(case.card.id, picked.digest, case, picked.raw)
    lang = language()
    answer = f"**{flips.label(lang)}** ({100 * flips.probability:.0f}%)"
    flipping = flips.flipping
    if flipping:
        text = _("{k} of {n} small edits change the answer {answer}.")
    else:
        text = _("None of {n} small edits changes the answer {answer}.")
    st.markdown(text.format(k=len(flipping), n=flips.tried, answer=answer))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**" + _("Leave a word out") + "**")
        removals = [edit for edit in flips.removals if edit.flips] or list(flips.removals)
        for edit in removals[:SHOWN]:
            st.markdown(describe(edit, lang))
    with right:
        st.markdown("**" + _("Put another word in its place") + "**")
        if not flips.replacements:
            note(_("No replacement that was tried changes the answer."))
        for edit in flips.replacements[:SHOWN]:
            st.markdown(describe(edit, lang))
    note(
        _(
            "Tried: leaving out every word, and common words of judgement in place of the five words that count most. An answer that one small word can turn deserves less trust."
        )
    )


def describe(edit: Edit, lang: str) -> str:
    """~~not~~ → positive 98%."""
    change = f"~~{escape(edit.old)}~~"
    if edit.new:
        change += f" **{escape(edit.new)}**"
    icon = ":material/swap_horiz:" if edit.flips else ":material/remove:"
    outcome = f"{edit.label(lang)} {100 * edit.probability:.0f}%"
    return f"{icon} {change} → " + (f"**{outcome}**" if edit.flips else outcome)
