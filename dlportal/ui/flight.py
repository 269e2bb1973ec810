"""Fly the lander yourself, beside the agent from the same start.

The physics run on the server, in turns of ten steps: one message a turn, not one a frame.
"""

import json
from typing import Any

import numpy as np
import streamlit as st

from dlportal.kinds.agent import Rollout
from dlportal.kinds.flight import TURN, Flight
from dlportal.ui.agents import Player, play
from dlportal.ui.errors import fragment
from dlportal.ui.flight_script import SCRIPT, STYLE
from dlportal.ui.language import _
from dlportal.ui.scenes import lander_place, moon
from dlportal.ui.words import note

KEY = "flight_view"


@fragment
def fly(player: Player, seed: int) -> None:
    """The visitor's flight from this start, and the agent's."""
    st.header(_("Fly against it"), anchor=False)
    agent, _chance = play(player, seed, ())
    flight = st.session_state.get("flight")
    if flight is None or flight.seed != seed:
        flight = st.session_state["flight"] = Flight(player.world, seed)
    left, right = st.columns([4, 8], gap="large")
    with right:
        draw = st.components.v2.component("flight", css=STYLE, js=SCRIPT)
        draw(data=message(flight, agent), key=KEY, on_turn_change=take_turn)
    with left:
        note(
            _(
                "Click the picture, then hold ← or → for the side engines, ↑ for the main one. The"
                " server computes {n} steps at a time and your browser plays them at half speed;"
                " the key you hold when they begin steers the next {n}. Dotted: the agent, which"
                " decides at every step."
            ).format(n=TURN)
        )
        scores(player, flight, agent)


def scores(player: Player, flight: Flight, agent: Rollout) -> None:
    """Both rewards so far; in the end, how it went."""
    n = len(flight.rewards)
    with st.grid(2, min_column_width=120):
        st.metric(_("You"), f"{sum(flight.rewards):,.0f}")
        st.metric(_("Agent, same step"), f"{agent.rewards[:n].sum():,.0f}")
    if flight.over:
        text, fields = player.case.ending(flight.rollout())
        note(_(text).format(**fields))
        note(_("The agent's whole flight: {reward}").format(reward=f"{agent.total:,.0f}"))
    if st.button(_("New flight"), key="flight_new", icon=":material/replay:", disabled=n == 0):
        st.session_state["flight"] = Flight(player.world, flight.seed)
        st.rerun(scope="fragment")


def take_turn() -> None:
    """Do what the browser asks for; anything that does not fit this flight is left out."""
    flight, given = st.session_state.get("flight"), st.session_state[KEY].get("turn")
    if not isinstance(flight, Flight) or not isinstance(given, dict):
        return
    fits = given.get("id") == name_of(flight) and given.get("turn") == flight.turn
    if fits and not flight.over and given.get("action") in (0, 1, 2, 3):
        flight.take(int(given["action"]))


def name_of(flight: Flight) -> str:
    """Tells flights apart for the browser."""
    return f"{flight.seed}-{id(flight)}"


def message(flight: Flight, agent: Rollout) -> bytes:
    """The last turn for the browser: both ships at each of its steps."""
    steps = range(max(0, len(flight.actions) - TURN) + 1, len(flight.actions) + 1) or [0]
    own, other = places(flight.rollout()), places(agent)
    x, y = moon(flight.seed)
    shown = {
        "id": name_of(flight),
        "turn": flight.turn,
        "over": flight.over,
        "ground": list(zip(x, y)),
        "frames": [[own[i], other[min(i, len(other) - 1)]] for i in steps],
        "words": {
            "start": _("Hold an arrow key to start"),
            "over": _("The flight is over"),
            "alt": _("Your lander and the agent's, above the moon; arrow keys fire the engines"),
            "keys": {"1": _("push left"), "2": _("main engine"), "3": _("push right")},
        },
    }
    return json.dumps(shown).encode()  # bytes: Streamlit need not look for tables in them


def places(played: Rollout) -> list[Any]:
    """Centre (metres), angle (radians) and burning engine at each state; (T + 1, 4)."""
    x, y = lander_place(played.states)
    burning = np.concatenate([[0], played.actions])
    rows = np.stack([x, y, played.states[:, 4], burning], axis=1)
    return [[round(v, 3) for v in row] for row in rows.tolist()]
