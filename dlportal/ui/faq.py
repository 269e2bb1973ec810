"""The article's four questions, each answered with numbers of this portal."""

import streamlit as st

from dlportal.messages import N_
from dlportal.ui.errors import fragment
from dlportal.ui.language import _
from dlportal.ui.state import share, valid

QUESTIONS = {
    "classical": N_("Deep or classical learning?"),
    "frameworks": N_("Which framework?"),
    "time": N_("How long does training take?"),
    "generalisation": N_("Will it hold on new data?"),
}


def questions() -> None:
    """Title, the four questions, the answer to one."""
    st.title(_("Four questions"), anchor=False)
    st.markdown(
        _(
            "What the article asks at its end, answered with measurements: some stored with the command that made them, some made while you wait."
        )
    )
    answers()


@fragment
def answers() -> None:
    """The switch and the chosen answer; only that one is drawn."""
    if "question" not in st.session_state:
        st.session_state["question"] = st.query_params.get("question")
    current = valid("question", list(QUESTIONS), "classical")
    chosen = st.pills(
        _("Question"),
        list(QUESTIONS),
        format_func=lambda q: _(QUESTIONS[q]),
        key="question",
        required=True,
        wrap=True,
        label_visibility="collapsed",
        persist_state="page",
        on_change=lambda: share("question", st.session_state.get("question")),
    )
    chosen = chosen or current
    st.header(_(QUESTIONS[chosen]), anchor="answer")
    # Imported here: some answers need torch, and the title is drawn by now.
    if chosen == "classical":
        from dlportal.ui.faq_classical import classical

        classical()
    elif chosen == "frameworks":
        from dlportal.ui.faq_frameworks import frameworks

        frameworks()
    elif chosen == "time":
        from dlportal.ui.faq_time import duration_of_training

        duration_of_training()
    else:
        from dlportal.ui.faq_generalisation import generalisation

        generalisation()
