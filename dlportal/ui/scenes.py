"""How the worlds of agents look: states in, outlines out (no pictures, so they scale and move)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Points = tuple[list[float], list[float]]


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
        parts: Maps states (T, S) to moving outlines, the main one first.
        label: Maps states (T, S) to where the agent's name stands, (T, 2).
        apart: How much higher or lower the random player's name stands.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    still: tuple[Points, ...]
    parts: Callable[[np.ndarray], list[Part]]
    label: Callable[[np.ndarray], np.ndarray]
    borders: tuple[Points, ...]
    apart: float


CART = np.array([[-0.28, -0.13], [0.28, -0.13], [0.28, 0.13], [-0.28, 0.13], [-0.28, -0.13]])
POLE = 1.0  # length; gymnasium's 0.5 is half of it
EDGE = 2.4


def cart_pole(states: np.ndarray) -> list[Part]:
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


def mountain_car(states: np.ndarray) -> list[Part]:
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


def line(x: np.ndarray, y: np.ndarray) -> Points:
    return np.round(x, 3).tolist(), np.round(y, 3).tolist()


SCENES = {
    "CartPole-v1": Scene(
        x=(-2.75, 2.75),
        y=(-0.58, 1.25),
        still=(([-2.75, 2.75], [-0.13, -0.13]),),
        borders=(([-EDGE, -EDGE], [-0.13, 0.5]), ([EDGE, EDGE], [-0.13, 0.5])),
        parts=cart_pole,
        label=lambda states: np.stack([states[:, 0], np.full(len(states), -0.24)], axis=1),
        apart=-0.25,
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
        label=lambda states: np.stack([states[:, 0], hill(states[:, 0]) + 0.13], axis=1),
        apart=0.12,
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
