"""The intents page's own part: who is asked, the answer or "I don't know", what stands behind it."""

from typing import Any

import streamlit as st

from dlportal.cards import Card
from dlportal.cases.intents import ASSISTANTS, LABELS, Intent, split
from dlportal.cases.intents_nearest import Neighbour, Neighbours, have_questions
from dlportal.messages import N_, UserError
from dlportal.serving import compute
from dlportal.ui.charts import bars, show_chart
from dlportal.ui.errors import show_user_error
from dlportal.ui.explain_panel import escape
from dlportal.ui.inputs import Picked, choose_example, digest
from dlportal.ui.language import _, language
from dlportal.ui.views import show
from dlportal.ui.visitor import has_left
from dlportal.ui.words import duration, note

NAMES = {"bank": N_("Bank"), "everyday": N_("Everyday")}
CONFUSED = {
    "bank": N_("What the bank's assistant confuses"),
    "everyday": N_("What the everyday assistant confuses"),
}
ICONS = {"bank": ":material/account_balance:", "everyday": ":material/support_agent:"}


def pick_question(case: Any) -> Picked | None:
    """An example or the visitor's own question, and which assistant is to answer it."""
    example = choose_example(case)
    whom, loaded = split(example.load())
    if st.session_state.get("text_from") != example.id:
        st.session_state.update(text_from=example.id, text=loaded, assistant=whom)
    chosen = st.segmented_control(
        _("Who is asked"),
        ASSISTANTS,
        format_func=lambda name: f"{ICONS[name]} {_(NAMES[name])}",
        key="assistant",
        required=True,
        width="stretch",
        persist_state="page",
    )
    text = st.text_area(
        _("Question"),
        key="text",
        height=110,
        persist_state="page",
        help=_("At most {n} characters.").format(n=f"{case.card.limits.characters:,}"),
    )
    raw = f"{chosen or whom}: {text}"
    if raw == example.load():
        return Picked(raw, example.id, digest(raw))
    try:
        case.check(raw)
    except UserError as error:
        show_user_error(error)
        return None
    return Picked(raw, None, digest(raw))


@show.register
def show_intent(result: Intent, card: Card, seconds: float) -> None:
    """The intent, or that the question is none of the assistant's."""
    lang, best = language(), result.best
    if result.understood:
        st.metric(_("The customer wants"), best.label(lang))
    else:
        st.metric(_("The assistant says"), _("I don't know"))
    with st.grid(3, min_column_width=96):
        st.metric(
            _("Confidence"),
            f"{100 * best.probability:.0f}%",
            help=_("How sure the network says it is. Trust tells how often that is right."),
        )
        st.metric(
            _("Familiarity"),
            f"{result.familiarity:.2f}",
            help=_(
                "Mean cosine with the nearest intent and the nearest typical training question: 1 the same meaning."
            ),
        )
        st.metric(_("Time"), duration(seconds))
    line = f"{result.threshold:.2f}"
    if result.understood:
        text = _("Familiar enough: it answers from {line} on.")
        note(f":material/check_circle: {text.format(line=line)}")
    else:
        text = _("Too unlike its training questions: below {line} it does not answer.")
        st.warning(text.format(line=line), icon=":material/explore_off:")
        note(_("What it would have guessed:"))
    names = [score.label(lang) for score in result.scores]
    values = [score.probability for score in result.scores]
    shares = [f"{100 * value:.1f}%" for value in values]
    pairs = ", ".join(f"{name} {share}" for name, share in zip(names, shares))
    show_chart(bars(names, values, shares, top=1.0), alt=pairs, key="scores")


@st.cache_resource(max_entries=1, show_spinner=False)
def neighbours(_case: Any) -> Neighbours:
    return Neighbours(_case)


@st.cache_data(max_entries=256, show_spinner=False)
def found(digest: str, _case: Any, _raw: str, _answer: Intent) -> list[Neighbour]:
    return compute(lambda: neighbours(_case).nearest(_raw, _answer), gone=has_left())


def nearest_questions(case: Any, picked: Picked | None, answer: Any) -> None:
    """The training questions whose meaning is nearest."""
    if picked is None or answer is None:
        return
    st.header(_("Which training questions are nearest?"), anchor=False)
    assistant = split(picked.raw)[0]
    if not have_questions(assistant):
        note(
            _(
                "The training questions are not on this machine, so none can be shown; `python -m dlportal fetch intents` gets them."
            )
        )
        return
    with st.skeleton(height=160):
        try:
            rows = found(picked.digest, case, picked.raw, answer.result)
        except UserError as error:
            show_user_error(error)
            return
    lang = language()
    for row in rows:
        st.markdown(
            f"{row.likeness:.2f} · {escape(row.text)} :small[:gray[{escape(row.label(lang))}]]"
        )
    note(_("By cosine, among the training questions of the five likeliest intents."))


def confusions(card: Card) -> None:
    """The intents that are taken for each other most often."""
    kept = card.measured.constants.get("confused", {})
    lang = language()
    for assistant, pairs in kept.items():
        names = {label.id: label(lang) for label in LABELS[assistant]}
        st.header(_(CONFUSED[assistant]), anchor=False)
        st.dataframe(
            [
                {
                    _("Intent"): names[pair["a"]],
                    _("Other intent"): names[pair["b"]],
                    _("first taken for second"): pair["forth"],
                    _("second taken for first"): pair["back"],
                }
                for pair in pairs
            ],
            hide_index=True,
            width="stretch",
            height="content",
        )
