"""An episode that a visitor plays: the world waits for each turn."""

from typing import Any

import numpy as np

from dlportal.kinds.agent import Rollout
from dlportal.kinds.world import World

TURN = 10  # steps that one turn takes


class Flight:
    """A visitor's episode; each turn is one action, held for `TURN` steps.

    Attributes:
        seed: Of the start, as in `Rollout`.
        turn: Turns taken so far.
        over: Whether the episode has ended.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed = world, seed
        self.env: Any = world.make()
        self.states = [self.env.reset(seed=seed)[0]]
        self.actions: list[int] = []
        self.rewards: list[float] = []
        self.turn = 0
        self.terminated = self.over = False

    def take(self, action: int) -> None:
        """Hold an action for one turn, or until the episode ends.

        Raises:
            ValueError: There is no such action, or the episode is over.
        """
        if self.over or action not in range(len(self.world.labels)):
            raise ValueError(f"no turn {action!r} here; actions: 0-{len(self.world.labels) - 1}")
        self.turn += 1
        for _step in range(TURN):
            state, reward, self.terminated, cut, _info = self.env.step(action)
            self.states.append(state)
            self.actions.append(action)
            self.rewards.append(float(reward))
            self.over = bool(self.terminated or cut)
            if self.over:
                self.env.close()
                return

    def rollout(self) -> Rollout:
        """The episode so far."""
        return Rollout(
            self.world.id,
            "visitor",
            self.seed,
            (),
            np.stack(self.states),
            np.array(self.actions, dtype=int),
            np.array(self.rewards),
            bool(self.terminated),
        )
