"""One unit of an LSTM at one step, in formulas and over all steps."""

import numpy as np
import streamlit as st

from dlportal.labs.arch_insides import Gates
from dlportal.ui.arch_charts import gates_chart, memory_chart
from dlportal.ui.backprop_numbers import closed, num
from dlportal.ui.charts import show_chart
from dlportal.ui.language import _
from dlportal.ui.words import note


def lstm_numbers(gates: Gates, unit: int, step: int, axis: str) -> None:
    """What becomes of a unit's memory at a step, and its gates and memory over the steps.

    Args:
        gates: Of all units and steps.
        unit, step: Which, from 0.
        axis: What a step is, in words.
    """
    i, f, o, g, c, h = (
        float(part[step, unit]) for part in (gates.i, gates.f, gates.o, gates.g, gates.c, gates.h)
    )
    before = float(gates.c[step - 1, unit]) if step else 0.0
    # Several short lines: a phone is 390 pixels wide.
    st.latex(
        r"\begin{aligned} i, f, o &= \sigma(W x_t + U h_{t-1} + b) \\"
        r" g &= \tanh(W x_t + U h_{t-1} + b) \end{aligned}"
    )
    st.latex(
        r"\begin{aligned} c_t &= f\,c_{t-1} + i\,g \\"
        rf" &= {num(f)}\cdot{closed(before)} + {num(i)}\cdot{closed(g)} \\ &= {num(c)}"
        r" \end{aligned}"
    )
    st.latex(
        r"\begin{aligned} h_t &= o\,\tanh(c_t) \\"
        rf" &= {num(o)}\cdot{closed(float(np.tanh(c)))} = {num(h)} \end{{aligned}}"
    )
    note(
        _(
            "x is what is read at this step, h the state, c the memory, t − 1 the step before; W, U and b are learned. i says how much of the new g to store, f how much of the old memory to keep, o how much to show."
        )
    )
    for place, chart, words in zip(
        st.columns(2, gap="large"),
        (gates_chart, memory_chart),
        (_("The three gates of the unit, step by step"), _("Its memory and state, step by step")),
    ):
        with place:
            note(words)
            show_chart(chart(gates, unit, step, axis), alt=words, key=chart.__name__)
