"""The ablation table: a row for every training that finished, to sort, read and take away."""

import csv
import io
from typing import Any

import streamlit as st

from dlportal.labs.practice_experiments import Experiment
from dlportal.labs.practice_formulas import Bounded, proportion
from dlportal.labs.practice_training import Outcome
from dlportal.training.metrics import macro_f1
from dlportal.ui.language import _
from dlportal.ui.practice_words import entry_name, setting_columns
from dlportal.ui.words import note

# Settings that say where to look, not what was trained.
APART = ("part", "shown", "experiment", "folds")


def rows() -> list[dict[str, Any]]:
    """This visitor's rows: numbers under plain names, and whose they are."""
    return st.session_state.setdefault("practice_rows", [])


def add_row(experiment: Experiment, number: int, outcome: Outcome) -> None:
    """Note a finished training."""
    found = proportion(int((outcome.truth == outcome.predicted).sum()), len(outcome.truth))
    rows().append(
        {
            "entry": experiment.entries[number],
            "outcome": outcome,
            "accuracy": found.value,
            "low": found.low,
            "high": found.high,
            "train": outcome.train,
            "f1": macro_f1(outcome.truth, outcome.predicted),
            "test": None,
        }
    )


def note_test(outcome: Outcome, accuracy: float, n: int) -> None:
    """Write a test accuracy, of n pictures, into its training's row."""
    for row in rows():
        if row["outcome"] is outcome:
            row["test"] = proportion(round(accuracy * n), n)


def test_of(outcome: Outcome) -> Bounded | None:
    """The test accuracy of a training, if it was looked at."""
    return next((row["test"] for row in rows() if row["outcome"] is outcome), None)


def looks_at_the_test() -> int:
    """How many trainings were measured on the test pictures."""
    return sum(row["test"] is not None for row in rows())


def clear() -> None:
    rows().clear()


def ablation_table() -> None:
    """The table and its download, once there is a row."""
    found = rows()
    if not found:
        return
    st.markdown("**" + _("Everything trained so far") + "**")
    shown = [table_row(number, row) for number, row in enumerate(found, 1)]
    shares = [
        _("held-out accuracy"),
        _("lower bound"),
        _("upper bound"),
        _("training accuracy"),
        _("macro F1"),
    ]
    shares.append(_("test accuracy"))
    untested = all(row["test"] is None for row in found)
    hidden = {_("test accuracy")} if untested else set()  # a column of nothing
    st.dataframe(
        [{name: value for name, value in row.items() if name not in hidden} for row in shown],
        hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="percent") for name in shares},
        alt=_("Finished trainings with their accuracies and settings"),
        key="ablation_table",
    )
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            _("Download the table"),
            as_csv(shown),
            file_name="practice_lab.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="download_table",
        )
        st.button(_("Clear"), key="clear_table", icon=":material/delete:", on_click=clear)
    note(
        _(
            "Intervals are exact 95% intervals for the held-out pictures; another seed moves the numbers too. Two trainings whose intervals overlap may well be equally good."
        )
    )


def table_row(number: int, row: dict[str, Any]) -> dict[str, Any]:
    outcome: Outcome = row["outcome"]
    return {
        "#": number,
        _("training"): entry_name(row["entry"]),
        _("held-out accuracy"): row["accuracy"],
        _("lower bound"): row["low"],
        _("upper bound"): row["high"],
        _("training accuracy"): row["train"],
        _("macro F1"): row["f1"],
        _("test accuracy"): row["test"].value if row["test"] else None,
        _("held-out loss"): round(outcome.loss, 4),
        _("seconds"): round(outcome.seconds, 1),
        _("learned from"): outcome.pictures,
        _("parameters"): outcome.parameters,
        **setting_columns(outcome.settings, APART),
    }


def as_csv(shown: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(shown[0]))
    writer.writeheader()
    writer.writerows(shown)
    return out.getvalue()
