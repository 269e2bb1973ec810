"""The base of agent cases: a state in, an action out, and whole episodes on request."""

import copy
import functools
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.cards import Card, Measured
from dlportal.case import Evaluation, Example, Settings
from dlportal.kinds.agent import (
    Masking,
    Rollout,
    make_rollout,
    mask_inputs,
    one_thread,
)
from dlportal.kinds.agent_report import Report
from dlportal.kinds.table import ColumnMasker, TableCase
from dlportal.kinds.world import Push, World
from dlportal.messages import N_, InputError
from dlportal.nets.policy import Policy
from dlportal.results import Classes, Label, Score

TRAINING_SEEDS = 3  # agents trained for each world
EPISODES = 100
MASKED_EPISODES = 20
# The first seed of the start states of each split; training and its checks use smaller ones.
STARTS = {"validation": 20_000, "test": 30_000}


class Agents(nn.Module):
    """All agents of a case: for each world its training seeds, and which one is the best.

    A state's length names its world, so one network serves them all.
    """

    best: Tensor

    def __init__(self, worlds: Sequence[World], seeds: int = TRAINING_SEEDS) -> None:
        super().__init__()
        self.worlds = {world.shape.states: world for world in worlds}
        if len(self.worlds) < len(worlds):
            raise ValueError("two worlds have states of the same length")
        self.policies = nn.ModuleDict(
            {w.id: nn.ModuleList(Policy(w.shape) for _ in range(seeds)) for w in worlds}
        )
        self.register_buffer("best", torch.zeros(len(worlds), dtype=torch.int64))

    def policy(self, world: World, index: int | None = None) -> Policy:
        """The agent of a training seed; by default the one with the best validation reward."""
        if index is None:
            index = int(self.best[list(self.worlds).index(world.shape.states)])
        found = self.policies[world.id][index]  # type: ignore[index]
        assert isinstance(found, Policy)
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Preferences of the actions, (B, A), in states (B, S) of one world."""
        return self.policy(self.worlds[x.shape[-1]])(x)


class AgentCase(TableCase):
    """Answers a state with an action and plays episodes.

    The world is a setting: `at("MountainCar-v0")` is the same case in another world. Inputs are
    states in the world's units, shape (S,); the network normalises them itself.
    """

    kind = "state"
    worlds: ClassVar[Mapping[str, World]]  # by id, the main one first
    # States worth a look, for each world: id, English, Chinese, the state.
    moments: ClassVar[Mapping[str, Sequence[tuple[str, str, str, tuple[float, ...]]]]]

    def __init__(self, card: Card) -> None:
        super().__init__(card)
        # Single states through tiny nets: a graphics card would only add waiting.
        self.device = torch.device("cpu")
        self.net = self.net.to(self.device)
        self.settle(next(iter(self.worlds.values())))

    def settle(self, world: World) -> None:
        self.world = world
        self.labels = world.labels
        self.columns = tuple(column.en for column in world.columns)

    def at(self, world_id: str) -> Self:
        """The case in another world.

        Raises:
            ValueError: No such world (names the valid ones).
        """
        if world_id not in self.worlds:
            raise ValueError(f"no world {world_id!r}; worlds: {', '.join(self.worlds)}")
        other = copy.copy(self)
        other.settle(self.worlds[world_id])
        return other

    @classmethod
    def part(cls, settings: Settings) -> World:
        """The world that a quick training is for.

        Raises:
            InputError: There is no such world.
        """
        name = settings.part or next(iter(cls.worlds))
        if name not in cls.worlds:
            raise InputError(
                N_("No world {name}. Choose from: {known}."),
                name=name,
                known=", ".join(cls.worlds),
            )
        return cls.worlds[name]

    def load(self) -> nn.Module:
        from dlportal.training.store import load_weights

        return load_weights(Agents(list(self.worlds.values())), self.card.weights)

    def with_weights(self, path: Path) -> Self:
        """The same case with agents of another training, for the worlds that it holds."""
        from safetensors.torch import load_file

        from dlportal.training.store import load_weights

        # Names look like policies.CartPole-v1.0.actor.0.weight.
        places = {tuple(name.split(".")[1:3]) for name in load_file(path) if "actor" in name}
        worlds = [w for w in self.worlds.values() if any(w.id == place[0] for place in places)]
        seeds = len({place[1] for place in places})
        return self.with_net(load_weights(Agents(worlds, seeds), path))

    @property
    def agents(self) -> Agents:
        assert isinstance(self.net, Agents)
        return self.net

    @property
    def policy(self) -> Policy:
        """The agent of the present world."""
        return self.agents.policy(self.world)

    def world_of(self, state: np.ndarray | Tensor) -> World:
        """The world whose states are as long as this one.

        Raises:
            InputError: There is none.
        """
        for world in self.worlds.values():
            if tuple(state.shape) == (world.shape.states,):
                return world
        raise InputError(
            N_("A state has {known} numbers; this one has {n}."),
            known=", ".join(f"{w.shape.states} ({w.id})" for w in self.worlds.values()),
            n=int(np.prod(state.shape)),
        )

    def check(self, raw: np.ndarray) -> None:
        try:
            row = np.asarray(raw, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(
                N_("This is not a state. Give numbers: {known}."), known=self.known_states()
            ) from None
        for name, value in zip(self.world_of(row).columns, row):
            if not np.isfinite(value):
                raise InputError(N_("Column {column} is not a number. Correct it."), column=name.en)

    def read(self, given: str) -> np.ndarray:
        try:
            return np.array([float(part) for part in given.split(",")])
        except ValueError:
            raise InputError(
                N_("Give a state as numbers with commas between them. {known}."),
                known=self.known_states(),
            ) from None

    def known_states(self) -> str:
        """What states hold, for messages; of several worlds only how many numbers."""
        if len(self.worlds) > 1:
            return ", ".join(f"{w.shape.states} ({w.id})" for w in self.worlds.values())
        return ", ".join(column.en for column in self.world.columns)

    def encode(self, raw: np.ndarray) -> Tensor:
        return torch.from_numpy(np.asarray(raw, dtype=np.float32)).unsqueeze(0)

    def decode(self, y: Tensor, raw: np.ndarray) -> Classes:
        labels = self.world_of(raw).labels
        probabilities = y.softmax(dim=-1).tolist()
        order = sorted(range(len(labels)), key=lambda i: -probabilities[i])
        scores = tuple(Score(labels[i], probabilities[i], i) for i in order)
        return Classes(scores, 1 / len(labels))

    def predict_batch(self, raws: Sequence[np.ndarray]) -> list[Any]:
        if len({np.size(raw) for raw in raws}) <= 1:
            return super().predict_batch(raws)
        return [result for raw in raws for result in super(AgentCase, self).predict_batch([raw])]

    def typical(self, x: Tensor) -> Tensor:
        """The mean state of the agent's own episodes, shape (1, S)."""
        return self.agents.policy(self.world_of(x[0])).typical.expand_as(x).clone()

    def masker(self, raw: np.ndarray) -> ColumnMasker:
        x = self.encode(raw)
        return ColumnMasker(x, self.typical(x), tuple(c.en for c in self.world_of(raw).columns))

    def examples(self) -> list[Example[np.ndarray]]:
        return [
            Example(key, Label(key, en, zh), functools.partial(np.array, state))
            for key, en, zh, state in self.moments[self.world.id]
        ]

    def golden(self) -> np.ndarray:
        return np.array(next(iter(self.moments.values()))[1][3])

    def rollout(
        self,
        seed: int,
        player: str = "agent",
        hidden: Sequence[str] = (),
        push: Push | None = None,
    ) -> Rollout:
        """Play one episode.

        Args:
            seed: Of the start state; the same seed gives the same episode.
            player: "agent" or "random".
            hidden: Ids of inputs the agent may not see; it gets their typical values.
            push: A disturbance of the agent's episode.

        Raises:
            InputError: An unknown input, or nothing that can be pushed.
            ValueError: An unknown player.
        """
        if player not in ("agent", "random"):
            raise ValueError(f"no player {player!r}; players: agent, random")
        policy = self.policy if player == "agent" else None
        return make_rollout(self.world, policy, seed, tuple(hidden), push)

    def seen(self, episode: Rollout, step: int) -> np.ndarray:
        """What the agent saw at a step of its episode: hidden inputs at their typical values."""
        typical = self.policy.typical.numpy()
        keep = [column.id not in episode.hidden for column in self.world.columns]
        return np.where(keep, episode.states[step], typical)

    def episode_code(
        self, episode: Rollout, step: int, explainer: str | None, target: int | None
    ) -> str:
        """The lines of Python that play an episode and explain one of its steps."""
        pushed = f", push={episode.push!r}" if episode.push else ""
        lines = [
            "from dlportal.case import load_case",
            *(["from dlportal.kinds.agent import Push"] if episode.push else []),
            "",
            f"case = load_case({self.card.id!r}).at({self.world.id!r})",
            f"episode = case.rollout({episode.seed}, hidden={episode.hidden!r}{pushed})",
            f"raw = case.seen(episode, {step})",
            "result = case.predict(raw)",
        ]
        if explainer is not None and target is not None:
            lines[1:1] = ["from dlportal.explain import get_explainer"]
            lines += [f"explanation = get_explainer({explainer!r}).explain(case, raw, {target})"]
        return "\n".join(lines) + "\n"

    def mask_inputs(self, seeds: Sequence[int]) -> Masking:
        """The reward with each input hidden, on the same episodes."""
        return mask_inputs(self.world, self.policy, seeds)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Evaluation:
        """Play the split's episodes with every agent, by chance, and with inputs hidden."""
        if data is not None:
            raise InputError(N_("The worlds are simulated: there is no data to give."))
        if split not in STARTS:
            raise InputError(
                N_("No split {split}. Choose from: {known}."), split=split, known=", ".join(STARTS)
            )
        started = time.monotonic()
        n = min(limit or EPISODES, EPISODES)
        reports = []
        for done, world in enumerate(self.worlds.values()):
            with one_thread():
                reports.append(Report(self, world, split, range(STARTS[split], STARTS[split] + n)))
            if progress is not None:
                progress(done + 1, len(self.worlds))
        measured = Measured(
            case=self.card.id,
            parameters=sum(report.parameters for report in reports),
            metrics=[report.agent for report in reports],
            baselines=[report.random for report in reports],
            slices=[part for report in reports for part in report.slices],
            constants=self.notes(reports) if n == EPISODES else {},
        )
        return Evaluation(self.card.id, split, n, time.monotonic() - started, measured)

    def ending(self, episode: Rollout) -> tuple[str, dict[str, Any]]:
        """How an episode ended: a sentence to translate, and what to put into it."""
        if not episode.terminated:
            limit = {"n": self.world.steps}
            return N_("The episode was cut off at its limit of {n} steps."), limit
        if self.world.reaches:
            return N_("The agent reached the goal after {n} steps."), {"n": episode.length}
        return N_("The agent failed after {n} steps."), {"n": episode.length}

    def notes(self, reports: Sequence[Report]) -> dict[str, Any]:
        """What of the episodes the card keeps for the page; nothing by default."""
        return {}
