"""The names' own part: what two plain rules would have marked in the same text."""

from functools import cache
from typing import Any

import streamlit as st

from dlportal.data import is_available, wnut17
from dlportal.kinds.words import cut
from dlportal.messages import N_
from dlportal.training.names_evaluation import capitalised, known_names, look_up
from dlportal.ui.explain_panel import escape
from dlportal.ui.language import _
from dlportal.ui.views_spans import table_of_spans
from dlportal.ui.words import note

QUESTION = N_("Which words made it a name?")


@cache
def gazetteer() -> dict[tuple[str, ...], str]:
    """Names of the training part."""
    return known_names(wnut17.load().train)


def rivals(case: Any, picked: Any, answer: Any) -> None:
    """The table of names, and what the rules find."""
    if picked is None or answer is None:
        return
    if answer.result.spans:
        st.dataframe(table_of_spans(answer.result), hide_index=True, alt=_("The names as a table"))
    words = [word for word, _start, _end in cut(picked.raw)]
    rules = [(_("Capitalised words"), capitalised(words, "person"))]
    if is_available("wnut17"):
        rules.append((_("Names that stood in the training data"), look_up(words, gazetteer())))
    nothing = _("nothing")  # outside the f-string, where the catalogue's extraction would miss it
    note(_("What plain rules would mark"))
    lines = []
    for title, found in rules:
        texts = [escape(" ".join(words[name.start : name.end])) for name in found]
        lines.append(f"**{title}** · {' · '.join(texts) or nothing}")
    st.markdown("  \n".join(lines))
