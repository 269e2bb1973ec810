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
        "_shuffled": _("always shuffled"),
        "_shuffled_unseen": _("shuffled only in the test"),
        SUFFIXES[-1]: _("moved {n} pixels").format(n=SHIFT_SHOWN),
    }
    st.markdown(
        "**" + _("And on all {n} test pictures?").format(n=f"{first.n:,}") + "**",
    )
    # All of it small: five columns on a phone.
    head = "| | " + " | ".join(f":small[{names[suffix]}]" for suffix in SUFFIXES) + " |"
    rows = [head, "|---" * (len(SUFFIXES) + 1) + "|"]
    for kind, model in MODELS.items():
        cells = [cell(find(card.measured.metrics, data + suffix, model)) for suffix in SUFFIXES]
        rows.append(
            f"| :small[{_(KIND_NAMES[kind])}] | "
            + " | ".join(f":small[{text}]" for text in cells)
            + " |"
        )
    st.markdown("\n".join(rows))
    share = cell(find(card.measured.baselines, data, LINEAR))
    baseline = _("Logistic regression on the pixels, as they are: {share}.")
    st.markdown(baseline.format(share=share))
    note(
        _("Share answered right; ± is half the width of the 95% interval (bootstrap). Chance: 10%.")
    )


def cell(metric: Metric | None) -> str:
    if metric is None or metric.low is None or metric.high is None:
        return ""
    half = 50 * (metric.high - metric.low)
    return f"{show_value(metric)} :gray[±{half:.1f}]"
