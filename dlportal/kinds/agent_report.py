"""What `evaluate` finds out about agents in one world."""

from typing import TYPE_CHECKING, Any

import numpy as np

from dlportal.cards import Bilingual, Metric, Slice
from dlportal.kinds.agent import agent_player, mask_inputs, play, random_player
from dlportal.kinds.world import World

if TYPE_CHECKING:
    from dlportal.kinds.agent_case import AgentCase


class Report:
    """What `evaluate` finds in one world."""

    def __init__(self, case: "AgentCase", world: World, split: str, seeds: range) -> None:
        self.case, self.world, self.split, self.seeds = case, world, split, seeds
        agents = case.agents
        best = agents.policy(world)
        self.parameters = sum(p.numel() for p in best.parameters())
        self.masking = mask_inputs(world, best, self.seeds)
        self.agent = self.metric(self.masking.full, case.card.model)
        self.random = self.metric(self.rewards(random_player(world, self.seeds)), "random policy")
        self.slices = [*self.by_seed(), *self.by_hidden()]

    def rewards(self, act: Any) -> np.ndarray:
        return np.array([track.total for track in play(self.world, act, self.seeds)])

    def metric(self, rewards: np.ndarray, model: str) -> Metric:
        from dlportal.training.metrics import mean, measured

        command = f"python -m dlportal evaluate {self.case.card.id} --split {self.split}"
        return measured(
            "reward", self.world.id, self.split, mean, rewards, command=command, model=model
        )

    def by_seed(self) -> list[Slice]:
        """The reward of each training seed's agent."""
        name = self.world.title
        slices = []
        for index in range(len(self.case.agents.policies[self.world.id])):  # type: ignore[arg-type]
            policy = self.case.agents.policy(self.world, index)
            part = Bilingual(
                en=f"{name.en}, training {index + 1}", zh=f"{name.zh}，第 {index + 1} 次训练"
            )
            rewards = self.rewards(agent_player(policy))
            slices.append(Slice(part=part, metric=self.metric(rewards, self.case.card.model)))
        return slices

    def by_hidden(self) -> list[Slice]:
        """The reward with one input hidden behind its typical value."""
        masking = self.masking
        name = self.world.title
        slices = []
        for column, rewards in zip(self.world.columns, masking.masked):
            part = Bilingual(
                en=f"{name.en}, {column.en} hidden", zh=f"{name.zh}，看不到{column.zh}"
            )
            slices.append(Slice(part=part, metric=self.metric(rewards, self.case.card.model)))
        return slices
