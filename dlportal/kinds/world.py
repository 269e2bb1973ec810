"""A world that agents act in: a gymnasium environment described as data."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dlportal.messages import N_, InputError
from dlportal.nets.policy import PolicyShape
from dlportal.results import Label


@dataclass(frozen=True)
class Axis:
    """A quantity that maps of a policy can vary.

    Attributes:
        label: Its name.
        places: Where a state holds it; two places are an angle's cosine and sine.
        low: Left end, in the world's units.
        high: Right end.
    """

    label: Label
    places: tuple[int, ...]
    low: float
    high: float


@dataclass(frozen=True)
class Target:
    """A velocity that a visitor can push.

    Attributes:
        label: Its name.
        place: Where the environment's own state holds it.
        most: The hardest push either way, in the world's units.
    """

    label: Label
    place: int
    most: float


@dataclass(frozen=True)
class Push:
    """A disturbance: at this step `amount` is added to the velocity with this id."""

    step: int
    target: str
    amount: float


@dataclass(frozen=True)
class World:
    """A gymnasium environment with discrete actions.

    Attributes:
        id: gymnasium's id.
        title: Its name for visitors.
        goal: What the agent must do, one sentence.
        labels: The actions.
        columns: What a state holds; the English names are marked with `N_`.
        shape: The agents' network.
        discount: Weight of the next step's return, in training and for values.
        steps: After so many steps an episode is cut off.
        solved: Mean reward from which on the world counts as solved.
        reaches: Whether an episode that the world ends was a success (else a failure).
        strengths: What the actions stand for where the world itself takes a number (torque, N m).
        axes: What maps of a policy can vary.
        targets: What a visitor can push.
        angles: So many numbers at the start of the environment's own state are angles, which
            the agent sees as cosine and sine.
    """

    id: str
    title: Label
    goal: Label
    labels: tuple[Label, ...]
    columns: tuple[Label, ...]
    shape: PolicyShape
    discount: float
    steps: int
    solved: float
    reaches: bool = False
    strengths: tuple[float, ...] = ()
    axes: tuple[Axis, ...] = ()
    targets: tuple[Target, ...] = ()
    angles: int = 0

    def make(self) -> Any:
        """A fresh environment; gymnasium is imported here because pages load cards first."""
        import gymnasium

        env: Any = gymnasium.make(self.id, disable_env_checker=True)
        if not self.strengths:
            return env
        strengths = np.array(self.strengths, dtype=np.float32)[:, None]
        choice = gymnasium.spaces.Discrete(len(strengths))
        return gymnasium.wrappers.TransformAction(env, strengths.__getitem__, choice)

    def disturb(self, env: Any, push: Push) -> np.ndarray:
        """Push a running environment; returns what the agent sees now.

        Raises:
            InputError: The push names nothing that can be pushed here.
        """
        target = next((t for t in self.targets if t.label.id == push.target), None)
        if target is None:
            raise InputError(
                N_("{world} has nothing to push named {name}. Choose from: {known}."),
                world=self.id,
                name=push.target,
                known=", ".join(t.label.id for t in self.targets),
            )
        state = np.array(env.unwrapped.state, dtype=np.float64)
        state[target.place] += push.amount
        env.unwrapped.state = state
        turned = [f(angle) for angle in state[: self.angles] for f in (np.cos, np.sin)]
        return np.array([*turned, *state[self.angles :]], dtype=np.float32)
