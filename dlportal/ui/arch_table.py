"""How the four networks do on all test pictures: the card's numbers in one table."""

import streamlit as st

from dlportal.cards import Card, Metric, show_value
from dlportal.labs.arch_data import DATA
from dlportal.labs.arch_measures import LINEAR, MODELS, SHIFT_SHOWN
from dlportal.ui.arch_words import KIND_NAMES
from dlportal.ui.language import _
from dlportal.ui.words import note

SUFFIXES = ("", "_shuffled", "_shuffled_unseen", f"_shifted_{SHIFT_SHOWN}")


def find(metrics: list[Metric], data: str, model: str) -> Metric | None:
    return next((m for m in metrics if m.data == data and m.model == model), None)


def measured_table(card: Card, task: str) -> None:
    """Accuracy with intervals, a row for each network; the baseline below."""
    data = DATA[task]
    first = find(card.measured.metrics, data, MODELS["cnn"])
    if first is None:
        return
    names = {
        "": _("as they are"),
        "_shuffled": _("learned and tested shuffled"),
        "_shuffled_unseen": _("shuffled only in the test"),
        SUFFIXES[-1]: _("shifted by {n} pixels").format(n=SHIFT_SHOWN),
    }
    st.markdown(
        "**" + _("And on all {n} test pictures?").format(n=f"{first.n:,}") + "**",
    )
    head = "| | " + " | ".join(names[suffix] for suffix in SUFFIXES) + " |"
    rows = [head, "|---" * (len(SUFFIXES) + 1) + "|"]
    for kind, model in MODELS.items():
        cells = [cell(find(card.measured.metrics, data + suffix, model)) for suffix in SUFFIXES]
        rows.append(f"| **{_(KIND_NAMES[kind])}** | " + " | ".join(cells) + " |")
    linear = find(card.measured.baselines, data, LINEAR)
    name = _("logistic regression")  # not inside the f-string, where extraction would miss it
    rows.append(f"| {name} | {cell(linear)} | | | |")
    st.markdown("\n".join(rows))
    note(_("Share answered right, in brackets the 95% interval (bootstrap). Chance: 10%."))


def cell(metric: Metric | None) -> str:
    if metric is None or metric.low is None or metric.high is None:
        return ""
    low, high = (show_value(metric, v).rstrip("%") for v in (metric.low, metric.high))
    return f"{show_value(metric)} :small[:gray[({low}–{high})]]"
