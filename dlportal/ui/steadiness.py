"""How steady an answer is: typing mistakes and negation in a text, noise and speed in a sound."""

from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dlportal.kinds.audio import Sound
from dlportal.kinds.steadiness import Disturbed, TextSteadiness, disturbed, hear, mistype
from dlportal.results import Transcript
from dlportal.serving import compute
from dlportal.ui.charts import band, line, show_chart, style
from dlportal.ui.explain_panel import escape
from dlportal.ui.inputs import Picked
from dlportal.ui.language import _, language
from dlportal.ui.visitor import has_left
from dlportal.ui.words import note


@st.cache_data(max_entries=256, show_spinner=False)
def mistyped(case_id: str, digest: str, _case: Any, _raw: str) -> TextSteadiness:
    return compute(lambda: mistype(_case, _raw), gone=has_left())


def typing_panel(case: Any, picked: Picked | None) -> None:
    """The answer's probability over the share of mistyped letters, and the sentence negated."""
    if picked is None:
        return
    st.header(_("Does it survive bad typing?"), anchor="steady")
    with st.skeleton(height=240):
        found = mistyped(case.card.id, picked.digest, case, picked.raw)
    answer = found.label(language())
    left, right = st.columns(2, gap="large")
    with left:
        show_chart(
            typing_figure(found, answer),
            alt=_("Probability of the first answer over the share of mistyped letters"),
            key="typing",
        )
    with right:
        for share, kept in zip(found.levels, found.kept, strict=True):
            st.markdown(
                _(
                    "{share:.0%} of the letters mistyped: {kept:.0%} of the texts keep {answer}."
                ).format(share=share, kept=kept, answer=f"**{answer}**")
            )
        note(_("Hardest on it: {text}").format(text=escape(found.worst)))
        st.markdown("**" + _("And the opposite sentence?") + "**")
        st.markdown(negation_line(found))
    note(
        _(
            "Each share is tried on {n} differently mistyped texts: a neighbouring key, a letter left out, doubled or swapped. The band holds the middle 80%."
        ).format(n=len(found.values[0]))
    )


def negation_line(found: TextSteadiness) -> str:
    """What the sentence with one "not" more or less is answered."""
    negated = found.negated
    if negated is None:
        return _("No verb in it that “not” could follow, so none was tried.")
    outcome = f"{negated.label(language())} {100 * negated.probability:.0f}%"
    if negated.flips:
        return _("{text} → **{outcome}**: the answer turns.").format(
            text=escape(negated.text), outcome=outcome
        )
    return _("{text} → **{outcome}**: the answer stays, rightly or not.").format(
        text=escape(negated.text), outcome=outcome
    )


def typing_figure(found: TextSteadiness, answer: str) -> go.Figure:
    x = [0.0, *found.levels]
    rows = np.array([[found.probability] * len(found.values[0]), *found.values])
    low, middle, high = np.percentile(rows, [10, 50, 90], axis=1)
    fig = go.Figure([band(x, low, high), line(x, middle, answer, markers=True)])
    style(fig, height=280)
    fig.update_xaxes(title_text=_("letters mistyped"), tickformat=".0%")
    fig.update_yaxes(
        title_text=_("probability of {answer}").format(answer=answer),
        range=[0, 1.02],
        tickformat=".0%",
    )
    return fig


def hearing_panel(case: Any, picked: Any, heard: Transcript) -> None:
    """Noise and speed: asked for by a button, since each of them is transcribed anew.

    `picked` is a recording with its `truth` where it is known.
    """
    st.header(_("Does it survive noise and haste?"), anchor="steady")
    known = picked.truth or heard.text
    if not known:
        note(_("No word was heard, so nothing can get worse."))
        return
    kept: dict[str, list[Disturbed]] = st.session_state.setdefault("hearing", {})
    if picked.digest not in kept:
        note(
            _(
                "White noise is laid under the recording, then it is played faster and slower; each version is transcribed anew. This takes some seconds."
            )
        )
        if not st.button(_("Disturb it"), key="disturb", icon=":material/blur_on:"):
            return
        kept[picked.digest] = hear_all(case, picked.raw, known)
    found = kept[picked.digest]
    left, right = st.columns(2, gap="large")
    with left:
        show_heard([row for row in found if row.kind == "noise"], _("speech above noise"), " dB")
    with right:
        show_heard([row for row in found if row.kind == "speed"], _("speed"), "×")
    said = _("what was said") if picked.truth else _("what it heard in the untouched recording")
    note(_("Word error rate against {said}.").format(said=said))


def hear_all(case: Any, raw: Sound, said: str) -> list[Disturbed]:
    """One after the other, so that progress shows and a visitor who leaves stops it."""
    found, versions = [], disturbed(raw)
    bar = st.progress(0.0)
    for done, (kind, level, sound) in enumerate(versions, 1):
        rate, text = compute(partial(hear, case, sound, said), gone=has_left())
        found.append(Disturbed(kind, level, rate, text))
        bar.progress(done / len(versions))
    bar.empty()
    return found


def show_heard(rows: list[Disturbed], name: str, unit: str) -> None:
    """A chart of the word error rate, and every transcript."""
    show_chart(
        error_figure(rows, name + (", dB" if unit == " dB" else "")),
        alt=_("Word error rate over {what}").format(what=name),
        key=f"heard_{rows[0].kind}",
    )
    with st.expander(_("What was heard")):
        for row in rows:
            text = escape(row.heard) or "—"
            st.markdown(f"**{row.level:g}{unit}** · {100 * row.rate:.0f}% · {text}")


def error_figure(rows: list[Disturbed], x_title: str) -> go.Figure:
    levels = [row.level for row in rows]
    fig = go.Figure(line(levels, [row.rate for row in rows], "", markers=True))
    style(fig, height=260)
    fig.update_xaxes(title_text=x_title, tickvals=levels)
    fig.update_yaxes(title_text=_("word error rate"), rangemode="tozero", tickformat=".0%")
    return fig
