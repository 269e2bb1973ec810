"""Classic control: agents that balance a pole, swing up and drive a weak car up a hill.

Worlds: Barto, Sutton and Anderson 1983, https://doi.org/10.1109/TSMC.1983.6313077 (CartPole);
Moore 1990, https://www.cl.cam.ac.uk/techreports/UCAM-CL-TR-209.html (MountainCar); Sutton 1995,
https://papers.nips.cc/paper/1109-generalization-in-reinforcement-learning-successful-examples-using-sparse-coarse-coding
(Acrobot); Pendulum, all as in gymnasium,
https://arxiv.org/abs/2407.17032. A further world is one more entry of `WORLDS`, `MOMENTS`,
`QUICK_STEPS` and `recipes`.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
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
    "Acrobot-v1": 80_000,
    "Pendulum-v1": 80_000,
}
QUICK_CHECKS = 25
# Pendulum takes any torque from -2 to 2 N m; the agent chooses among nine.
TORQUES = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)

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
        World(
            id="Acrobot-v1",
            title=Label("Acrobot-v1", "Acrobot", "双节摆"),
            goal=Label(
                "goal",
                "Swing the lower end above the line; only the joint in the middle has a motor.",
                "把下端荡过横线；只有中间的关节有电机。",
            ),
            labels=(
                Label("clockwise", "turn clockwise", "顺时针转"),
                Label("none", "no torque", "不用力"),
                Label("counter", "turn counterclockwise", "逆时针转"),
            ),
            columns=(
                Label("upper_cos", N_("cosine of the upper angle"), "上节角度的余弦"),
                Label("upper_sin", N_("sine of the upper angle"), "上节角度的正弦"),
                Label("lower_cos", N_("cosine of the lower angle"), "下节角度的余弦"),
                Label("lower_sin", N_("sine of the lower angle"), "下节角度的正弦"),
                Label("upper_spin", N_("upper angular velocity"), "上节角速度"),
                Label("lower_spin", N_("lower angular velocity"), "下节角速度"),
            ),
            shape=PolicyShape(states=6, actions=3, hidden=(64, 64)),
            discount=0.99,
            steps=500,
            solved=-100.0,
            reaches=True,
            axes=(
                Axis(Label("upper_angle", N_("upper angle"), "上节角度"), (0, 1), -np.pi, np.pi),
                Axis(Label("lower_angle", N_("lower angle"), "下节角度"), (2, 3), -np.pi, np.pi),
                Axis(
                    Label("upper_spin", N_("upper angular velocity"), "上节角速度"), (4,), -6.0, 6.0
                ),
                Axis(
                    Label("lower_spin", N_("lower angular velocity"), "下节角速度"),
                    (5,),
                    -12.0,
                    12.0,
                ),
            ),
            targets=(
                Target(Label("upper_spin", N_("upper angular velocity"), "上节角速度"), 2, 4.0),
                Target(Label("lower_spin", N_("lower angular velocity"), "下节角速度"), 3, 6.0),
            ),
            angles=2,
        ),
        World(
            id="Pendulum-v1",
            title=Label("Pendulum-v1", "Pendulum", "单摆"),
            goal=Label(
                "goal",
                "Swing the pendulum up and hold it there, with a motor too weak to lift it at once.",
                "电机力量不足，不能一下举起：先荡起单摆，再让它立住。",
            ),
            labels=tuple(
                Label(f"torque_{index}", f"torque {torque:+.1f}", f"力矩 {torque:+.1f}")
                for index, torque in enumerate(TORQUES)
            ),
            columns=(
                Label("cosine", N_("cosine of the angle"), "角度的余弦"),
                Label("sine", N_("sine of the angle"), "角度的正弦"),
                Label("spin", N_("angular velocity"), "角速度"),
            ),
            shape=PolicyShape(states=3, actions=len(TORQUES), hidden=(64, 64)),
            discount=0.95,
            steps=200,
            solved=-200.0,
            strengths=TORQUES,
            axes=(
                Axis(Label("angle", N_("angle"), "角度"), (0, 1), -np.pi, np.pi),
                Axis(Label("spin", N_("angular velocity"), "角速度"), (2,), -8.0, 8.0),
            ),
            targets=(Target(Label("spin", N_("angular velocity"), "角速度"), 1, 6.0),),
            angles=1,
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
    "Acrobot-v1": (
        ("hanging", "Hangs at rest", "静止下垂", (1.0, 0.0, 1.0, 0.0, 0.0, 0.0)),
        ("swing", "Swings through the lowest point", "荡过最低点", (1.0, 0.0, 1.0, 0.0, 2.0, -1.5)),
        ("bent", "Bent, and rising", "弯着往上荡", (0.36, 0.93, -0.42, 0.91, 1.5, 1.0)),
        ("short", "Almost over the line", "就差一点过线", (-0.6, 0.8, 0.8, -0.6, 0.5, 1.0)),
    ),
    "Pendulum-v1": (
        ("hanging", "Hangs at rest", "静止下垂", (-1.0, 0.0, 0.0)),
        ("top", "Upright and still", "直立静止", (1.0, 0.0, 0.0)),
        ("rising", "Swings up fast", "正快速荡起", (-0.26, 0.966, -5.0)),
        ("leaning", "Leans a little, and falls", "微微倾斜，正要倒下", (0.98, 0.199, 0.8)),
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
        "Acrobot-v1": Recipe(
            steps=500_000,
            copies=16,
            normalise=True,
            checks=25,
            finalists=5,  # a few episodes last long, and fifty need not hold one
            options={
                "n_steps": 128,
                "batch_size": 256,
                "gae_lambda": 0.95,
                "n_epochs": 10,
                "ent_coef": 0.01,
            },
            rate=1e-3,
        ),
        "Pendulum-v1": Recipe(
            steps=500_000,
            copies=16,
            normalise=True,
            checks=25,
            finalists=3,
            options={"n_steps": 256, "batch_size": 256, "gae_lambda": 0.95, "n_epochs": 10},
            rate=1e-3,
        ),
    }


class ClassicControl(AgentCase):
    """Four worlds; any of them trains while you watch."""

    worlds = WORLDS
    moments = MOMENTS

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        """Quick: one agent, by default CartPole's, trained for less long. Full: three agents
        for each world; with `settings.part` only for that one, beside the others' shipped ones.

        Raises:
            InputError: `settings.part` is no world.
        """
        from dlportal.training.agents import train_agents
        from dlportal.training.renewal import renew

        if settings.budget == "quick":
            world = cls.part(settings)
            recipe = replace(recipes()[world.id], steps=QUICK_STEPS[world.id], checks=QUICK_CHECKS)
            return train_agents([world], {world.id: recipe}, [settings.seed], run)
        seeds = [settings.seed + index for index in range(TRAINING_SEEDS)]
        every = list(WORLDS.values())
        if not settings.part:
            return train_agents(every, recipes(), seeds, run)
        return renew(card, every, train_agents([cls.part(settings)], recipes(), seeds, run), run)


CASE = ClassicControl
