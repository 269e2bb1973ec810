"""What only the lander's page has: the worst episodes, each to be watched."""

import streamlit as st

from dlportal.kinds.agent_case import EPISODES
from dlportal.ui.agents import Player
from dlportal.ui.language import _
from dlportal.ui.words import note


def worst_landings(player: Player) -> None:
    """Pills with the shipped agent's worst test episodes; one that is chosen plays on stage."""
    worst = {w["seed"]: w for w in player.case.card.measured.constants.get("worst", [])}
    start = st.session_state.get("start")
    st.session_state["failure"] = start if start in worst else None

    def replay() -> None:
        seed = st.session_state.get("failure")
        if seed is not None:
            st.session_state["start"] = seed
            st.session_state["hidden"] = []
            st.session_state["agent"] = "shipped"

    st.pills(
        _("Its worst landings of {n}, by reward").format(n=EPISODES),
        list(worst),
        format_func=lambda seed: f"{worst[seed]['reward']:.0f}",
        key="failure",
        wrap=True,
        on_change=replay,
        help=_("Episodes of the card's test; choose one to watch what went wrong."),
    )
    if st.session_state.get("failure") in worst:
        found = worst[st.session_state["failure"]]
        text = found["text"]
        note(":material/report: " + _(text).format(**found["fields"]))
