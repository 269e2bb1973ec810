"""Which framework: the same network in all that are installed, run on a click."""

from typing import Any

import streamlit as st

from dlportal.coverage import Place
from dlportal.faq.frameworks import (
    BATCH,
    CLASSES,
    EPOCHS,
    INPUTS,
    NAMES,
    TEST,
    TOLERANCE,
    UNITS,
    Trained,
    elsewhere,
)
from dlportal.ui.faq_parts import measured_here, percent, see
from dlportal.ui.language import _
from dlportal.ui.words import duration, note


def frameworks() -> None:
    st.markdown(
        _(
            "The numbers do not depend on it. A framework saves you from writing the gradients, and gives you ready layers, pretrained weights and a graphics card. So take the one that your model, your team and the machine it will run on already use. Here that is PyTorch for training, and ONNX Runtime or CTranslate2 where only answers are needed."
        )
    )
    left, right = st.columns([4, 8], gap="large")
    with left:
        st.markdown("**" + _("One network, written four times") + "**")
        note(
            _(
                "{inputs} pixels, {units} units, {classes} digits: the same first weights, the same batches of {batch}, {epochs} passes, in float64."
            ).format(inputs=INPUTS, units=UNITS, classes=CLASSES, batch=BATCH, epochs=EPOCHS)
        )

        def work() -> Any:
            from dlportal.faq.frameworks import baseline, compare

            return compare(), baseline()

        found = measured_here("frameworks", _("Train it in all of them"), work)
        missing = [name for name, version in elsewhere().items() if version is None]
        if missing:
            note(
                _("Not installed here, so without numbers: {names}.").format(
                    names=_(", ").join(missing)
                )
            )
    with right:
        if found is None:
            note(_("Press the button: some seconds, and the table fills."))
        else:
            table(*found)
    see(
        Place(case="backprop_lab", step="The blame travels back"),
        Place(case="backprop_lab", panel="code"),
        Place(case="optimizer_race", step="Take the race with you"),
    )


def table(rows: list[Trained], blind: tuple[float, float, float]) -> None:
    """Times, accuracy, and how far the weights are from PyTorch's."""
    # All of it small: six columns on a phone.
    head = (
        _("Framework"),
        _("to train"),
        _("{n} answers").format(n=TEST),
        _("right"),
        _("apart"),
        _("lines"),
    )
    lines = ["| " + " | ".join(map(small, head)) + " |", "|---" * len(head) + "|"]
    for row in rows:
        cells = [
            f"**{NAMES[row.name]}** :gray[{row.version}]",
            _("answers only") if row.training is None else duration(row.training),
            f"{1000 * row.answering:.2f} ms",
            f"{percent(row.accuracy)} :gray[{100 * row.low:.0f}–{100 * row.high:.0f}]",
            _("the measure") if row.name == "torch" else f"{row.apart:.0e}",
            str(row.lines),
        ]
        lines.append("| " + " | ".join(map(small, cells)) + " |")
    st.markdown("\n".join(lines))
    worst = max(row.apart for row in rows)
    if worst <= TOLERANCE:
        st.success(
            _("Same numbers: after training no weight differs by more than {d}.").format(
                d=f"{worst:.0e}"
            ),
            icon=":material/check_circle:",
        )
    else:
        st.warning(
            _("The weights differ by up to {d}, more than the {limit} allowed.").format(
                d=f"{worst:.0e}", limit=f"{TOLERANCE:.0e}"
            ),
            icon=":material/warning:",
        )
    note(
        _(
            "Apart: the largest difference from PyTorch's weights, for ONNX Runtime from its probabilities. Lines: of code that only this framework needs. {n} test digits, exact 95% intervals; always the same digit: {blind}. One thread each; on a network this small most of the time is the framework's own overhead."
        ).format(n=TEST, blind=percent(blind[0]))
    )


def small(text: str) -> str:
    return f":small[{text}]"
