"""Lunar lander: an agent that lands a rocket between two flags.

World: Brockman et al. 2016, https://arxiv.org/abs/1606.01540, as in gymnasium,
https://gymnasium.farama.org/environments/box2d/lunar_lander/ (physics: Box2D).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from dlportal.cards import Card
from dlportal.case import Settings
from dlportal.kinds.agent import Rollout
from dlportal.kinds.agent_case import TRAINING_SEEDS, AgentCase
from dlportal.kinds.agent_report import Report
from dlportal.kinds.world import Axis, World
from dlportal.messages import N_
from dlportal.nets.policy import PolicyShape
from dlportal.results import Label
from dlportal.training.events import Run

if TYPE_CHECKING:
    from dlportal.training.agents import Recipe

QUICK_STEPS = 250_000
QUICK_CHECKS = 12
WORST = 8  # episodes in the gallery of failures
# From the state's units to metres and metres a second, as gymnasium scales them.
HALF_WIDTH, HALF_HEIGHT, FRAMES = 10.0, 20 / 3, 50
ACROSS, DOWN = HALF_WIDTH / FRAMES, HALF_HEIGHT / FRAMES
PAD_EDGE = 0.2  # in the state's units
FUEL = {1: 0.03, 2: 0.3, 3: 0.03}  # what a step of an engine costs

WORLD = World(
    id="LunarLander-v3",
    title=Label("LunarLander-v3", "LunarLander", "月球着陆器"),
    goal=Label(
        "goal",
        "Land softly between the flags and come to rest, with as little fuel as possible.",
        "在两面旗子之间轻轻着陆并停稳，尽量少用燃料。",
    ),
    labels=(
        Label("coast", "coast", "不点火"),
        Label("left", "push left", "向左推"),
        Label("main", "main engine", "主引擎"),
        Label("right", "push right", "向右推"),
    ),
    columns=(
        Label("x", N_("horizontal position"), "水平位置"),
        Label("y", N_("height"), "高度"),
        Label("x_speed", N_("horizontal velocity"), "水平速度"),
        Label("y_speed", N_("vertical velocity"), "垂直速度"),
        Label("angle", N_("tilt"), "倾角"),
        Label("spin", N_("angular velocity"), "角速度"),
        Label("left_leg", N_("left leg touches"), "左腿触地"),
        Label("right_leg", N_("right leg touches"), "右腿触地"),
    ),
    shape=PolicyShape(states=8, actions=4, hidden=(64, 64)),
    discount=0.999,
    steps=1000,
    solved=200.0,
    axes=(
        Axis(Label("x", N_("horizontal position"), "水平位置"), (0,), -1.0, 1.0),
        Axis(Label("y", N_("height"), "高度"), (1,), -0.1, 1.4),
        Axis(Label("x_speed", N_("horizontal velocity"), "水平速度"), (2,), -1.0, 1.0),
        Axis(Label("y_speed", N_("vertical velocity"), "垂直速度"), (3,), -1.5, 0.5),
        Axis(Label("angle", N_("tilt"), "倾角"), (4,), -1.0, 1.0),
        Axis(Label("spin", N_("angular velocity"), "角速度"), (5,), -1.5, 1.5),
    ),
)
# States worth a look: id, English, Chinese, the state.
MOMENTS = {
    WORLD.id: (
        (
            "falling",
            "Falls fast above the pad",
            "在平台上空快速下落",
            (0, 0.7, 0, -0.8, 0, 0, 0, 0),
        ),
        ("tilted", "Tilted to the left", "向左倾斜", (0.1, 0.8, -0.2, -0.4, 0.4, 0.3, 0, 0)),
        (
            "aside",
            "Low, but beside the pad",
            "已经很低，却偏在一旁",
            (0.4, 0.2, 0, -0.2, 0, 0, 0, 0),
        ),
        ("landed", "Both legs on the ground", "两腿着地", (0.02, 0, 0, 0, 0, 0, 1, 1)),
    )
}


def terrain(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The ground of the episode with this seed: places and heights in metres."""
    env = WORLD.make()
    env.reset(seed=seed)
    pieces = env.unwrapped.sky_polys  # each starts with two points of the ground
    env.close()
    points = np.array([*(piece[0] for piece in pieces), pieces[-1][1]])
    return points[:, 0], points[:, 1]


def recipes() -> dict[str, "Recipe"]:
    """How the agents are trained; imports the training library."""
    from dlportal.training.agents import Recipe

    return {
        WORLD.id: Recipe(
            steps=1_000_000,
            copies=16,
            normalise=True,
            options={
                "n_steps": 1024,
                "batch_size": 256,
                "gae_lambda": 0.98,
                "n_epochs": 6,
                "ent_coef": 0.01,
            },
            rate=1e-3,
            checks=25,
        )
    }


class LunarLander(AgentCase):
    """One world, three agents."""

    worlds = {WORLD.id: WORLD}
    moments = MOMENTS

    def ending(self, episode: Rollout) -> tuple[str, dict[str, Any]]:
        n = {"n": episode.length}
        before, last = episode.states[-2], episode.states[-1]
        if not episode.terminated:
            return N_("It did not come to rest within {n} steps."), n
        if abs(last[0]) >= 1:
            return N_("It flew out of sight after {n} steps."), n
        if episode.rewards[-1] < 0:
            facts = {
                "speed": f"{np.hypot(before[2] / ACROSS, before[3] / DOWN):.1f}",
                "tilt": f"{abs(np.degrees(before[4])):.0f}",
            }
            text = N_("It crashed after {n} steps: {speed} m/s, tilted by {tilt}°.")
            return text, n | facts
        burnt = [FUEL.get(int(action), 0.0) for action in episode.actions]
        fuel = {"fuel": f"{sum(burnt):.0f}"}
        if abs(last[0]) > PAD_EDGE:
            away = {"away": f"{abs(last[0]) * HALF_WIDTH:.1f}"}
            text = N_(
                "It landed beside the pad, {away} m from its middle, after {n} steps; fuel cost"
                " {fuel} of reward."
            )
            return text, n | away | fuel
        return N_("It landed on the pad after {n} steps; fuel cost {fuel} of reward."), n | fuel

    def notes(self, reports: Sequence[Report]) -> dict[str, Any]:
        """The worst episodes with what went wrong, and the rewards with each input hidden."""
        (report,) = reports
        masking = report.masking
        worst = []
        for index in np.argsort(masking.full)[:WORST].tolist():
            episode = self.rollout(report.seeds[index])
            text, fields = self.ending(episode)
            worst.append(
                {"seed": episode.seed, "reward": episode.total, "text": text, "fields": fields}
            )
        rewards = [masking.full, *masking.masked]
        return {"worst": worst, "masking": [row.round(1).tolist() for row in rewards]}

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        """Quick: one agent, a quarter as long. Full: three agents.

        Raises:
            InputError: `settings.part` is no world.
        """
        from dlportal.training.agents import train_agents

        if settings.budget == "quick":
            world = cls.part(settings)
            recipe = replace(recipes()[world.id], steps=QUICK_STEPS, checks=QUICK_CHECKS)
            return train_agents([world], {world.id: recipe}, [settings.seed], run)
        seeds = [settings.seed + index for index in range(TRAINING_SEEDS)]
        return train_agents([WORLD], recipes(), seeds, run)


CASE = LunarLander
