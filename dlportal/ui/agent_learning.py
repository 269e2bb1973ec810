"""How agents learned: the shipped ones' curves, and one that grows while it trains."""

from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dlportal.cards import Card
from dlportal.training.events import Event
from dlportal.ui.agents import Player
from dlportal.ui.charts import band, line, show_chart, style
from dlportal.ui.language import _, language
from dlportal.ui.train_drawn import growing_chart
from dlportal.ui.train_panel import train_panel
from dlportal.ui.words import note

HEIGHT = 280


def learned(card: Card, world_id: str) -> tuple[list[int], np.ndarray]:
    """Steps, and the validation reward of each training seed there, (seeds, steps)."""
    curves = (card.receipt() or {}).get("facts", {}).get("learning", {}).get(world_id, [])
    n = min((len(curve["steps"]) for curve in curves), default=0)
    rewards = np.array([curve["rewards"][:n] for curve in curves])
    return (curves[0]["steps"][:n] if curves else []), rewards


def train_and_compare(player: Player) -> Callable[[], None]:
    """The training panel of this world's agent, with its curve over those of the shipped ones."""

    def draw() -> None:
        card, world = player.case.card, player.world
        name = world.title(language())
        note(
            _(
                "Quick trains one agent for {world}, for fewer steps than the shipped ones; full"
                " trains three for each world. Then choose “Just trained” above and watch it play."
            ).format(world=name)
        )
        train_panel(card, world.id, lambda events: growing(card, world.id, events))
        steps, rewards = learned(card, world.id)
        if not steps:
            return
        st.header(_("How the shipped agents learned"), anchor=False)
        alt = _("Validation reward over the training in {world}, {n} seeds").format(
            world=name, n=len(rewards)
        )
        show_chart(curves(steps, rewards), alt=alt, key="learned")
        note(
            _(
                "Line: mean of {n} training seeds; band: from the worst to the best of them. Each"
                " point is the mean reward of 50 validation episodes without exploring."
            ).format(n=len(rewards))
        )

    return draw


def curves(steps: list[int], rewards: np.ndarray) -> go.Figure:
    """The mean over seeds, and a band from the worst to the best."""
    fig = go.Figure(band(steps, rewards.min(axis=0).tolist(), rewards.max(axis=0).tolist()))
    fig.add_trace(line(steps, rewards.mean(axis=0).round(2).tolist(), _("shipped agents, mean")))
    return framed(fig)


def growing(card: Card, world_id: str, events: list[Event]) -> dict[str, Any]:
    """The reward of a training so far, over the band of the shipped agents."""
    steps, rewards = learned(card, world_id)
    if not steps:
        return growing_chart(events, "reward", None)
    ends = (rewards.min(axis=0), rewards.max(axis=0), rewards.mean(axis=0).round(2))
    low, high, mean = (values.tolist() for values in ends)
    return growing_chart(events, "reward", (steps, low, high, mean))


def framed(fig: go.Figure) -> go.Figure:
    style(fig, height=HEIGHT, legend=True)
    fig.update_xaxes(title_text=_("step"))
    fig.update_yaxes(title_text=_("reward"))
    return fig
