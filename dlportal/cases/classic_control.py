"""Classic control: agents that balance a pole and drive a weak car up a hill.

Worlds: Barto, Sutton and Anderson 1983, https://doi.org/10.1109/TSMC.1983.6313077 (CartPole);
Moore 1990, https://www.cl.cam.ac.uk/techreports/UCAM-CL-TR-209.html (MountainCar), both as in
gymnasium, https://arxiv.org/abs/2407.17032. A further world is one more entry of `WORLDS`, `MOMENTS`,
`QUICK_STEPS` and `recipes`.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from torch import nn

from dlportal.cards import Card
from dlportal.case import Settings
from dlportal.kinds.agent_case import TRAINING_SEEDS, AgentCase
from dlportal.kinds.world import Axis, Target, World
from dlportal.messages import N_
from dlportal.nets.policy import PolicyShape
from dlportal.results import Label
from dlportal.training.events import Run

if TYPE_CHECKING:
    from dlportal.training.agents import Recipe

# Of a training that is watched: enough to see the curve rise.
QUICK_STEPS = {
    "CartPole-v1": 50_000,
    "MountainCar-v0": 150_000,
}
QUICK_CHECKS = 25

WORLDS = {
    world.id: world
    for world in (
        World(
            id="CartPole-v1",
            title=Label("CartPole-v1", "CartPole", "倒立摆小车"),
            goal=Label(
                "goal",
                "Keep the pole upright by pushing the cart left or right.",
                "左右推动小车，让杆子不倒。",
            ),
            labels=(Label("left", "push left", "向左推"), Label("right", "push right", "向右推")),
            columns=(
                Label("cart_position", N_("cart position"), "小车位置"),
                Label("cart_velocity", N_("cart velocity"), "小车速度"),
                Label("pole_angle", N_("pole angle"), "杆的角度"),
                Label("pole_spin", N_("pole angular velocity"), "杆的角速度"),
            ),
            shape=PolicyShape(states=4, actions=2, hidden=(64, 64)),
            discount=0.98,
            steps=500,
            solved=475.0,
            axes=(
                Axis(Label("cart_position", N_("cart position"), "小车位置"), (0,), -2.4, 2.4),
                Axis(Label("cart_velocity", N_("cart velocity"), "小车速度"), (1,), -2.0, 2.0),
                Axis(Label("pole_angle", N_("pole angle"), "杆的角度"), (2,), -0.21, 0.21),
                Axis(
                    Label("pole_spin", N_("pole angular velocity"), "杆的角速度"), (3,), -2.0, 2.0
                ),
            ),
            targets=(
                Target(Label("pole_spin", N_("pole angular velocity"), "杆的角速度"), 3, 2.0),
                Target(Label("cart_velocity", N_("cart velocity"), "小车速度"), 1, 2.0),
            ),
        ),
        World(
            id="MountainCar-v0",
            title=Label("MountainCar-v0", "MountainCar", "爬山小车"),
            goal=Label(
                "goal",
                "Reach the flag with an engine too weak to climb: swing first.",
                "发动机太弱，直接开不上去：先来回荡，再冲到旗子处。",
            ),
            labels=(
                Label("left", "push left", "向左推"),
                Label("coast", "coast", "不推"),
                Label("right", "push right", "向右推"),
            ),
            columns=(
                Label("car_position", N_("car position"), "小车位置"),
                Label("car_velocity", N_("car velocity"), "小车速度"),
            ),
            shape=PolicyShape(states=2, actions=3, hidden=(64, 64)),
            discount=0.995,
            steps=200,
            solved=-110.0,
            reaches=True,
            axes=(
                Axis(Label("car_position", N_("car position"), "小车位置"), (0,), -1.2, 0.6),
                Axis(Label("car_velocity", N_("car velocity"), "小车速度"), (1,), -0.07, 0.07),
            ),
            targets=(Target(Label("car_velocity", N_("car velocity"), "小车速度"), 1, 0.05),),
        ),
    )
}
# States worth a look: id, English, Chinese, the state.
MOMENTS = {
    "CartPole-v1": (
        ("calm", "Upright and still", "直立静止", (0.0, 0.0, 0.0, 0.0)),
        ("falling", "Pole falls to the right", "杆子向右倒", (0.0, 0.0, 0.08, 0.6)),
        ("caught", "Leans right, swings back", "偏右但正往回摆", (0.0, 0.0, 0.08, -0.9)),
        ("edge", "Close to the right edge", "快到右边界", (1.8, 0.4, 0.0, 0.0)),
    ),
    "MountainCar-v0": (
        ("valley", "At rest in the valley", "停在谷底", (-0.52, 0.0)),
        ("back", "Rolls back up the left side", "正退上左坡", (-0.8, -0.03)),
        ("rush", "Rushes up the right side", "正冲上右坡", (0.0, 0.04)),
        ("short", "Too slow on the right side", "在右坡上力不足", (0.0, 0.002)),
    ),
}


def recipes() -> dict[str, "Recipe"]:
    """How each world's agents are trained; imports the training library."""
    from dlportal.training.agents import Recipe

    return {
        "CartPole-v1": Recipe(
            steps=100_000,
            copies=8,
            options={"n_steps": 32, "batch_size": 256, "gae_lambda": 0.8, "n_epochs": 20},
            rate=1e-3,
        ),
        "MountainCar-v0": Recipe(
            steps=800_000,
            copies=16,
            normalise=True,
            options={
                "n_steps": 128,
                "batch_size": 256,
                "gae_lambda": 0.95,
                "n_epochs": 10,
                "ent_coef": 0.01,
            },
            rate=1e-3,
        ),
    }


class ClassicControl(AgentCase):
    """CartPole and MountainCar; either trains while you watch."""

    worlds = WORLDS
    moments = MOMENTS

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        """Quick: one agent, by default CartPole's, trained for less long. Full: three agents
        for each world.

        Raises:
            InputError: `settings.part` is no world.
        """
        from dlportal.training.agents import train_agents

        if settings.budget == "quick":
            world = cls.part(settings)
            recipe = replace(recipes()[world.id], steps=QUICK_STEPS[world.id], checks=QUICK_CHECKS)
            return train_agents([world], {world.id: recipe}, [settings.seed], run)
        seeds = [settings.seed + index for index in range(TRAINING_SEEDS)]
        return train_agents(list(WORLDS.values()), recipes(), seeds, run)


CASE = ClassicControl
