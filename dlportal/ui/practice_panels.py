"""The panels of the practice lab: classes and errors, the card, the script."""

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from dlportal.cases.practice_lab import SHOWN, PracticeLab
from dlportal.labs.practice_data import load
from dlportal.labs.practice_experiments import entries
from dlportal.labs.practice_formulas import Bounded, Report, report
from dlportal.labs.practice_looks import class_names, sheet
from dlportal.labs.practice_training import Outcome, Training
from dlportal.serving import compute
from dlportal.ui.card_panel import card_panel
from dlportal.ui.charts import heat_table, show_chart
from dlportal.ui.code_panel import show_code
from dlportal.ui.language import _, language
from dlportal.ui.practice_charts import class_chart
from dlportal.ui.practice_run import Running, current
from dlportal.ui.practice_table import looks_at_the_test, note_test, test_of
from dlportal.ui.practice_words import entry_name
from dlportal.ui.state import share
from dlportal.ui.words import note

WORST, CLASSES = 12, 10  # errors shown; classes of either data set


def panels_of(lab: PracticeLab, s: dict[str, Any]) -> dict[str, Callable[[], None]]:
    """Explain: a finished training, class by class. Trust: the card. Code: the script."""

    def explain() -> None:
        running = current()
        if running is None or not running.outcomes:
            note(
                _(
                    "Train something first: press Start above. Its classes and its worst errors will stand here."
                )
            )
            return
        number = pick(running)
        show_report(running, number)

    def code() -> None:
        planned = entries(s)
        number = min(s["shown"], len(planned) - 1)
        note(
            _(
                "This script repeats the training “{name}”, batch by batch, with plain torch; a test checks that it gives the same numbers."
            ).format(name=entry_name(planned[number]))
        )
        show_code(lab.code(number, **s), lab.card.id)

    return {"explain": explain, "trust": lambda: card_panel(lab.card), "code": code}


def pick(running: Running) -> int:
    """Which of the finished trainings to look at."""
    numbers = sorted(running.outcomes)
    if st.session_state.get("shown") not in numbers:
        st.session_state["shown"] = numbers[0]
    if len(numbers) == 1:
        return numbers[0]
    return st.selectbox(
        _(SHOWN.label),
        numbers,
        format_func=lambda n: entry_name(running.experiment.entries[n]),
        key="shown",
        persist_state="page",
        on_change=lambda: share("shown", st.session_state["shown"] or None),
    )


def report_of(running: Running, number: int) -> Report:
    """A training's report; made once, since every step of the lab above draws it again."""
    if number not in running.reports:
        outcome = running.outcomes[number]
        running.reports[number] = report(outcome.truth, outcome.predicted, CLASSES)
    return running.reports[number]


def show_report(running: Running, number: int) -> None:
    """Accuracy and F1, classes with intervals, confusions, the worst errors, the test."""
    outcome, training = running.outcomes[number], running.experiment.trainings[number]
    found = report_of(running, number)
    names = class_names(load(outcome.settings["data"]), language())
    with st.grid(3, min_column_width=150):
        bounded(_("Accuracy, held out"), found.accuracy)
        bounded(_("Macro F1, held out"), found.macro_f1)
        st.metric(_("Blind guess"), f"{100 * outcome.blind:.0f}%")
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**" + _("Precision, recall, F1 with 95% intervals") + "**")
        text = ", ".join(f"{n}: F1 {100 * c.f1.value:.0f}%" for n, c in zip(names, found.classes))
        show_chart(class_chart(found.classes, names), alt=text, key="class_chart")
    with right:
        st.markdown("**" + _("Rows: what it is. Columns: what the network says") + "**")
        show_chart(
            heat_table(found.counts.tolist(), names, names),
            alt=_("Confusion matrix"),
            key="confusion",
        )
    st.markdown("**" + _("Its most confident errors") + "**")
    gallery(outcome, training, names)
    test_section(outcome, training)


def bounded(label: str, found: Bounded) -> None:
    """A tile with its interval."""
    st.metric(
        label,
        f"{100 * found.value:.1f}%",
        delta=f"{100 * found.low:.1f}–{100 * found.high:.1f}%",
        delta_color="off",
        delta_arrow="off",
    )


def gallery(outcome: Outcome, training: Training, names: list[str]) -> None:
    """Held-out pictures that it got wrong while most sure."""
    wrong = np.flatnonzero(outcome.truth != outcome.predicted)
    worst = wrong[np.argsort(-outcome.confidence[wrong], kind="stable")][:WORST]
    if not len(worst):
        note(_("It made no error on the held-out pictures."))
        return
    with st.grid(6, min_column_width=110):
        for row in worst:
            said, truth = names[outcome.predicted[row]], names[outcome.truth[row]]
            caption = _("says {said}, {sure}; is {truth}").format(
                said=said, sure=f"{100 * outcome.confidence[row]:.0f}%", truth=truth
            )
            with st.container(gap="xsmall"):
                picture = training.held.images[int(row), 0].numpy()
                st.image(
                    sheet(picture[None, None], 112 // picture.shape[0]), width=112, alt=caption
                )
                note(caption)


def test_section(outcome: Outcome, training: Training) -> None:
    """The test pictures, opened on purpose and counted."""
    st.markdown("**" + _("The test, for the very end") + "**")
    if st.session_state.pop("practice_open", False):
        test = load(outcome.settings["data"]).test
        note_test(outcome, compute(lambda: training.accuracy(test)), len(test))
        st.rerun()  # the table above shows it too
    found = test_of(outcome)
    if found is None:
        st.button(
            _("Measure this training on the test pictures"),
            key="open_test",
            icon=":material/lock_open:",
            on_click=ask_for_the_test,
        )
    else:
        bounded(_("Accuracy, test"), found)
    note(
        _(
            "Choose with the held-out pictures; look at the test once, when nothing will be changed any more. Trainings measured on it so far: {n}."
        ).format(n=looks_at_the_test())
    )


def ask_for_the_test() -> None:
    st.session_state["practice_open"] = True
