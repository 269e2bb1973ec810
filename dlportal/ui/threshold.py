"""A threshold on a probability, which follows the costs of the two mistakes."""

from typing import Any

import streamlit as st

STEP = 0.01


def on_slider(threshold: float) -> float:
    """The nearest place that the slider has."""
    return round(min(1 - STEP, max(STEP, threshold)), 2)


def threshold_slider(label: str, cheapest: float, costs: Any) -> float:
    """A slider that jumps to its cheapest place whenever the costs are others; key "threshold".

    Args:
        label: What it says.
        cheapest: The place that these costs make the cheapest, one that the slider has.
        costs: Anything that tells costs apart.
    """
    if st.session_state.get("costs_seen") != costs:
        st.session_state["costs_seen"] = costs
        st.session_state["threshold"] = cheapest
    return float(
        st.slider(
            label, STEP, 1 - STEP, step=STEP, format="%.2f", key="threshold", persist_state="page"
        )
    )
