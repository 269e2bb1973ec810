"""The titles page's own part: how well each subject is found."""

import numpy as np
import streamlit as st

from dlportal.cards import Card
from dlportal.messages import N_
from dlportal.ui.card_panel import class_names
from dlportal.ui.language import _
from dlportal.ui.words import note

MODELS = (N_("10 n-gram CNNs and a linear model on characters"),)  # how the card names the network


def by_subject(card: Card) -> None:
    """Precision, recall and F1 of every subject, and what its titles are most often taken for."""
    confusion = card.measured.confusion
    if confusion is None:
        return
    st.header(_("Subject by subject"), anchor=False)
    counts = np.array(confusion.counts)  # rows the truth, (13, 13)
    names = class_names(card.id, confusion.labels)
    right, titles, answers = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    wrong = counts - np.diag(right)
    rows = [
        {
            _("Subject"): names[k],
            _("Test titles"): int(titles[k]),
            _("Precision"): share(right[k], answers[k]),
            _("Recall"): share(right[k], titles[k]),
            "F1": share(2 * right[k], titles[k] + answers[k]),
            _("Most often taken for"): f"{names[wrong[k].argmax()]} ({wrong[k].max()})"
            if wrong[k].any()
            else "–",
        }
        for k in np.argsort(-titles, kind="stable")
    ]
    st.dataframe(rows, hide_index=True, width="stretch", height="content")
    note(_("Precision: how often the answer is right. Recall: how many of its titles are found."))


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "–"
