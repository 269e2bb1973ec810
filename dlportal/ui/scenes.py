"""How the worlds of agents look: states in, outlines out (no pictures, so they scale and move)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Points = tuple[list[float], list[float]]
Side = Literal["top", "middle", "bottom"]


@dataclass(frozen=True)
class Part:
    """A moving outline: `x` and `y` have shape (T, points), in the world's units."""

    x: np.ndarray
    y: np.ndarray
    filled: bool = False
    width: float = 3.0


@dataclass(frozen=True)
class Scene:
    """A world's stage.

    Attributes:
        x: Left and right end.
        y: Bottom and top.
        still: Lines that do not move.
        borders: Lines that end the episode, or the goal.
        parts: Maps states (T, S) and the actions taken in them (T,) to moving outlines, the main
            one first.
        label: Maps states (T, S) to where the players' names stand, (T, 2).
        side: On which side of that place; the other player's name stands a line further off.
        ground: Maps an episode's seed to a further line that does not move.
        height: Of the stage with the charts below it, pixels.
        rows: What share of it scene, values and actions get.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    still: tuple[Points, ...]
    parts: Callable[[np.ndarray, np.ndarray], list[Part]]
    label: Callable[[np.ndarray], np.ndarray]
    borders: tuple[Points, ...]
    side: Side
    ground: Callable[[int], Points] | None = None
    height: int = 660
    rows: tuple[float, float, float] = (0.52, 0.24, 0.24)


CART = np.array([[-0.28, -0.13], [0.28, -0.13], [0.28, 0.13], [-0.28, 0.13], [-0.28, -0.13]])
POLE = 1.0  # length; gymnasium's 0.5 is half of it
EDGE = 2.4


def cart_pole(states: np.ndarray, _actions: np.ndarray) -> list[Part]:
    x, angle = states[:, 0], states[:, 2]
    foot = np.full_like(x, 0.13)
    return [
        Part(x[:, None] + CART[:, 0], np.tile(CART[:, 1], (len(x), 1)), filled=True),
        Part(
            np.stack([x, x + POLE * np.sin(angle)], axis=1),
            np.stack([foot, foot + POLE * np.cos(angle)], axis=1),
            width=7.0,
        ),
    ]


def hill(x: np.ndarray) -> np.ndarray:
    """Height of MountainCar's track."""
    return 0.45 * np.sin(3 * x) + 0.55


CAR = np.array([[-0.06, 0.012], [0.06, 0.012], [0.045, 0.065], [-0.045, 0.065], [-0.06, 0.012]])
FLAG = 0.5
TRACK = np.linspace(-1.2, 0.6, 91)


def mountain_car(states: np.ndarray, _actions: np.ndarray) -> list[Part]:
    x = states[:, 0]
    slope = np.arctan(1.35 * np.cos(3 * x))  # the track's derivative
    cos, sin = np.cos(slope)[:, None], np.sin(slope)[:, None]
    return [
        Part(
            x[:, None] + cos * CAR[:, 0] - sin * CAR[:, 1],
            hill(x)[:, None] + sin * CAR[:, 0] + cos * CAR[:, 1],
            filled=True,
        )
    ]


def rod(x0: np.ndarray, y0: np.ndarray, x1: np.ndarray, y1: np.ndarray) -> Part:
    return Part(np.stack([x0, x1], axis=1), np.stack([y0, y1], axis=1), width=9.0)


def acrobot_joints(states: np.ndarray) -> tuple[np.ndarray, ...]:
    """Places of the middle joint and of the lower end; each link is 1 long."""
    upper = np.arctan2(states[:, 1], states[:, 0])
    both = upper + np.arctan2(states[:, 3], states[:, 2])
    x, y = np.sin(upper), -np.cos(upper)
    return x, y, x + np.sin(both), y - np.cos(both)


def acrobot(states: np.ndarray, _actions: np.ndarray) -> list[Part]:
    x1, y1, x2, y2 = acrobot_joints(states)
    still = np.zeros_like(x1)
    return [rod(still, still, x1, y1), rod(x1, y1, x2, y2)]


def pendulum(states: np.ndarray, _actions: np.ndarray) -> list[Part]:
    still = np.zeros(len(states))
    return [rod(still, still, -states[:, 1], states[:, 0])]


# The lander in metres, around its centre; the lines out and back are its legs.
LEFT_LEG = [(-0.57, -0.1), (-0.85, -0.6), (-1.0, -0.6), (-0.7, -0.6), (-0.85, -0.6), (-0.57, -0.1)]
HULL = np.array(
    [(-0.47, 0.57), *LEFT_LEG, (-0.57, -0.33), (0.57, -0.33)]
    + [(-x, y) for x, y in reversed(LEFT_LEG)]
    + [(0.47, 0.57), (-0.47, 0.57)]
)
MAIN_FLAME = np.array([(-0.3, -0.35), (0.0, -1.5), (0.3, -0.35)])
SIDE_FLAME = np.array([(0.6, 0.4), (1.5, 0.4)])  # pushes to the left
MIDDLE, PAD, HALF_HEIGHT, LEGS = 10.0, 40 / 12, 20 / 3, 0.6  # of gymnasium's world, metres


def lander_place(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lander's centre in metres."""
    return MIDDLE * (1 + states[:, 0]), HALF_HEIGHT * states[:, 1] + PAD + LEGS


def lunar_lander(states: np.ndarray, actions: np.ndarray) -> list[Part]:
    x, y = lander_place(states)
    cos, sin = np.cos(states[:, 4])[:, None], np.sin(states[:, 4])[:, None]

    def placed(u: np.ndarray, v: np.ndarray, **look: Any) -> Part:
        return Part(x[:, None] + cos * u - sin * v, y[:, None] + sin * u + cos * v, **look)

    # The action of a step burns on the way to the next state; an engine that is off has no flame.
    burning = np.concatenate([actions[:1], actions])[: len(states), None]
    main = np.where(burning[:, :, None] == 2, MAIN_FLAME, MAIN_FLAME[[0, 0, 0]])
    side = np.where(burning[:, :, None] == 1, SIDE_FLAME, SIDE_FLAME[[0, 0]])
    side = np.where(burning[:, :, None] == 3, SIDE_FLAME * [-1, 1], side)
    return [
        placed(HULL[:, 0], HULL[:, 1], filled=True),
        placed(main[:, :, 0], main[:, :, 1], width=4.0),
        placed(side[:, :, 0], side[:, :, 1], width=4.0),
    ]


def moon(seed: int) -> Points:
    """The ground of an episode."""
    from dlportal.cases.lunar_lander import terrain

    x, y = terrain(seed)
    return line(x, y)


def line(x: np.ndarray, y: np.ndarray) -> Points:
    return np.round(x, 3).tolist(), np.round(y, 3).tolist()


def beyond_tip(states: np.ndarray) -> np.ndarray:
    """Where the acrobot's lower link would end if it were longer, (T, 2)."""
    x, y, tip_x, tip_y = acrobot_joints(states)
    return np.stack([tip_x + 0.25 * (tip_x - x), tip_y + 0.25 * (tip_y - y)], axis=1)


SCENES = {
    "CartPole-v1": Scene(
        x=(-2.75, 2.75),
        y=(-0.58, 1.25),
        still=(([-2.75, 2.75], [-0.13, -0.13]),),
        borders=(([-EDGE, -EDGE], [-0.13, 0.5]), ([EDGE, EDGE], [-0.13, 0.5])),
        parts=cart_pole,
        label=lambda states: np.stack([states[:, 0], np.full(len(states), -0.15)], axis=1),
        side="bottom",
    ),
    "MountainCar-v0": Scene(
        x=(-1.25, 0.65),
        y=(0.02, 1.3),
        still=(line(TRACK, hill(TRACK)),),
        borders=(
            (
                [FLAG, FLAG, FLAG + 0.09, FLAG],
                [float(hill(np.array(FLAG))) + up for up in (0.0, 0.25, 0.2, 0.15)],
            ),
        ),
        parts=mountain_car,
        label=lambda states: np.stack([states[:, 0], hill(states[:, 0]) + 0.08], axis=1),
        side="top",
    ),
    "Acrobot-v1": Scene(
        x=(-3.4, 3.4),
        y=(-2.5, 2.5),  # the names stand beyond the tip
        still=(([-0.12, 0.12], [0.0, 0.0]),),
        borders=(([-2.2, 2.2], [1.0, 1.0]),),
        parts=acrobot,
        label=beyond_tip,
        side="middle",
    ),
    "Pendulum-v1": Scene(
        x=(-2.1, 2.1),
        y=(-1.3, 1.3),
        still=(([-0.08, 0.08], [0.0, 0.0]),),
        borders=(([0.0, 0.0], [1.06, 1.26]),),
        parts=pendulum,
        label=lambda states: 1.22 * np.stack([-states[:, 1], states[:, 0]], axis=1),
        side="middle",
    ),
    "LunarLander-v3": Scene(
        x=(0.0, 20.0),
        y=(0.0, 15.3),
        still=(),
        borders=(
            ([8.0, 8.0, 8.6, 8.0], [PAD, PAD + 1.4, PAD + 1.2, PAD + 1.0]),
            ([12.0, 12.0, 12.6, 12.0], [PAD, PAD + 1.4, PAD + 1.2, PAD + 1.0]),
        ),
        parts=lunar_lander,
        label=lambda states: np.stack(lander_place(states), axis=1) + np.array([0.0, 0.75]),
        side="top",
        ground=moon,
        height=820,
        rows=(0.64, 0.18, 0.18),
    ),
}


def scene_of(world_id: str) -> Scene:
    """The stage of a world.

    Raises:
        ValueError: Nobody has drawn it (names those that are).
    """
    if world_id not in SCENES:
        raise ValueError(f"no scene for {world_id!r}; scenes: {', '.join(SCENES)}")
    return SCENES[world_id]
