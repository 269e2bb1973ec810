"""The verdict on every method's map for every example, as the card recorded it."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dlportal.case import Case
from dlportal.explain import EXPLAINERS
from dlportal.explain.report import RANDOM
from dlportal.ui.language import _, language
from dlportal.ui.map_quality import VERDICTS
from dlportal.ui.words import note


def faithfulness_table(case: Case) -> None:
    """One row an example, one column a method; icons, never colour alone."""
    rows: Sequence[dict[str, Any]] = case.card.measured.constants.get("faithfulness", ())
    if not rows:
        return
    lang = language()
    names = {label.id: label(lang) for label in case.labels}
    methods = list(dict.fromkeys(row["method"] for row in rows))
    st.header(_("Which maps can be believed?"), anchor=False)
    heads = [_("Picture"), whole(_("Answer explained")), *map(title, methods)]
    lines = [" | ".join(heads), "|".join(["---"] * len(heads))]
    for example in case.examples():
        mine = {row["method"]: row for row in rows if row["photograph"] == example.id}
        if not mine:
            continue
        first = next(iter(mine.values()))
        answer = f"{whole(names[first['class']])} {RIGHT[first['right']]}"
        cells = [verdict(mine[method]) for method in methods]
        lines.append(" | ".join([whole(example.label(lang)), answer, *cells]))
    st.markdown("\n".join(f"| {line} |" for line in lines))
    marks = " · ".join(f":{color}[{icon}] {_(label)}" for label, color, icon in VERDICTS.values())
    note(
        _(
            "{marks}. Numbers: gain in area over {n} random maps on insertion / deletion, positive is better than chance. Answers: {right} right, {wrong} wrong, {none} no class fits."
        ).format(
            marks=marks, n=rows[0]["maps"], right=RIGHT[True], wrong=RIGHT[False], none=RIGHT[None]
        )
    )


RIGHT = {
    True: ":material/check:",
    False: ":material/close:",
    None: ":material/help:",
}


def whole(name: str) -> str:
    """Keep a Chinese name on one line: a narrow table would break it after every character."""
    return "".join(f"{c}\u2060" if c > "\u2e80" else c for c in name)  # word joiner


def title(method: str) -> str:
    return _("A random map") if method == RANDOM else _(EXPLAINERS[method].title)


def verdict(row: dict[str, Any]) -> str:
    """Icon and gains, unbroken: the words stand below the table."""
    _label, color, icon = VERDICTS[row["verdict"]]
    gains = f"{row['insertion_gain']:+.2f}\u00a0/\u00a0{row['deletion_gain']:+.2f}"
    return f":{color}[{icon}]\u00a0{gains}".replace("-", "\u2212")
