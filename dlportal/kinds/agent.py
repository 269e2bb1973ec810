"""Agents: cases that act in a simulated world, step after step.

A world is a gymnasium environment described as data. An agent case answers a single state with
its action (so that the shared explainers apply) and plays whole episodes with `rollout`.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from dlportal.kinds.world import Push, World
from dlportal.messages import N_, InputError
from dlportal.nets.policy import Policy
from dlportal.results import Label, Result

# Maps states (B, S) and the episodes they belong to (B,) to actions (B,).
Act = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Track:
    """One episode: states (T + 1, S), actions (T,), rewards (T,).

    `terminated` is False where the episode was cut off at the world's step limit.
    """

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: bool

    @property
    def total(self) -> float:
        return float(self.rewards.sum())


@dataclass(frozen=True)
class Rollout(Result):
    """An episode with what the agent thought at each step.

    Attributes:
        world: gymnasium's id.
        player: "agent" or "random".
        seed: Of the start state.
        hidden: Ids of the inputs that the agent could not see.
        states: Shape (T + 1, S), in the world's units.
        actions: Shape (T,), indices.
        rewards: Shape (T,).
        terminated: Whether the world ended the episode (else the step limit did).
        probabilities: Shape (T, A) in [0, 1]; empty for a random player.
        values: Shape (T,): the discounted return the agent expected; empty for a random player.
        returns: Shape (T,): the discounted return that came; after the step limit, the agent's
            own expectation goes on.
        push: The disturbance, if there was one.
    """

    world: str
    player: str
    seed: int
    hidden: tuple[str, ...]
    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: bool
    probabilities: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    values: np.ndarray = field(default_factory=lambda: np.empty(0))
    returns: np.ndarray = field(default_factory=lambda: np.empty(0))
    push: Push | None = None

    @property
    def total(self) -> float:
        return float(self.rewards.sum())

    @property
    def length(self) -> int:
        return len(self.rewards)


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread: these nets are so small that sharing them takes longer.

    It holds for the whole process, so it is for commands, not for a server that others use.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def play(world: World, act: Act, seeds: Sequence[int], push: Push | None = None) -> list[Track]:
    """Play one episode for each seed, all side by side.

    Args:
        world: Where.
        act: The player.
        seeds: Of the start states, and of all other chance in the worlds.
        push: Disturbs every episode that lasts so long.
    """
    environments = [world.make() for _ in seeds]
    states = [[env.reset(seed=int(seed))[0]] for env, seed in zip(environments, seeds)]
    actions: list[list[Any]] = [[] for _ in seeds]
    rewards: list[list[float]] = [[] for _ in seeds]
    terminated = [False] * len(environments)
    running = list(range(len(environments)))
    for step in itertools.count():
        if not running:
            break
        if push is not None and step == push.step:
            for i in running:
                states[i][-1] = world.disturb(environments[i], push)
        chosen = act(np.stack([states[i][-1] for i in running]), np.array(running))
        still = []
        for i, action in zip(running, chosen):
            state, reward, terminated[i], cut, _info = environments[i].step(action)
            states[i].append(state)
            actions[i].append(action)
            rewards[i].append(float(reward))
            if not (terminated[i] or cut):
                still.append(i)
        running = still
    for env in environments:
        env.close()
    return [
        Track(np.stack(s), np.array(a), np.array(r), bool(t))
        for s, a, r, t in zip(states, actions, rewards, terminated)
    ]


def agent_player(policy: Policy, keep: np.ndarray | None = None) -> Act:
    """Act as the policy does, without exploring.

    Args:
        policy: The agent.
        keep: Shape (S,), or (episodes, S): True where it sees a state's number, False where it
            gets the typical one instead.
    """

    def act(states: np.ndarray, which: np.ndarray) -> np.ndarray:
        x = torch.from_numpy(states.astype(np.float32))
        if keep is not None:
            seen = torch.from_numpy(keep if keep.ndim == 1 else keep[which])
            x = torch.where(seen, x, policy.typical)
        with torch.inference_mode():
            return policy.act(x).numpy()

    return act


def random_player(world: World, seeds: Sequence[int]) -> Act:
    """Act by chance: each action alike; a stream of its own for each episode."""
    streams = [np.random.default_rng(int(seed)) for seed in seeds]

    def act(states: np.ndarray, which: np.ndarray) -> np.ndarray:
        return np.array([streams[i].integers(len(world.labels)) for i in which])

    return act


def to_go(rewards: np.ndarray, discount: float, last: float) -> np.ndarray:
    """Discounted return from each step on, shape (T,); `last` stands for what comes after."""
    out = np.empty(len(rewards))
    for step in range(len(rewards) - 1, -1, -1):
        last = rewards[step] + discount * last
        out[step] = last
    return out


def make_rollout(
    world: World,
    policy: Policy | None,
    seed: int,
    hidden: tuple[str, ...] = (),
    push: Push | None = None,
) -> Rollout:
    """Play one episode and note what the agent thought; without a policy, play by chance.

    Raises:
        InputError: `hidden` names no input of this world, or `push` nothing that can be pushed.
    """
    names = [column.id for column in world.columns]
    for name in hidden:
        if name not in names:
            raise InputError(
                N_("{world} has no input {name}. Choose from: {known}."),
                world=world.id,
                name=name,
                known=", ".join(names),
            )
    if policy is None:
        (track,) = play(world, random_player(world, [seed]), [seed])
        return Rollout(world.id, "random", seed, (), *fields_of(track))
    keep = np.array([name not in hidden for name in names])
    (track,) = play(world, agent_player(policy, keep), [seed], push)
    seen = torch.where(
        torch.from_numpy(keep), torch.from_numpy(track.states.astype(np.float32)), policy.typical
    )
    with torch.inference_mode():
        values = policy.value(seen).double().numpy()
        scores = policy(seen[:-1]).softmax(dim=-1).numpy()
    last = 0.0 if track.terminated else float(values[-1])
    returns = to_go(track.rewards, world.discount, last)
    thoughts = scores, values[:-1], returns
    return Rollout(world.id, "agent", seed, hidden, *fields_of(track), *thoughts, push)


def fields_of(track: Track) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    return track.states, track.actions, track.rewards, track.terminated


@dataclass(frozen=True)
class Masking(Result):
    """What each input is worth to the agent: its reward with that input hidden.

    Attributes:
        columns: The inputs.
        full: Rewards with nothing hidden, shape (episodes,).
        masked: Rewards with each input hidden, shape (S, episodes), the same seeds.
    """

    columns: tuple[Label, ...]
    full: np.ndarray
    masked: np.ndarray

    @property
    def drops(self) -> np.ndarray:
        """Mean reward lost by hiding each input, shape (S,)."""
        return self.full.mean() - self.masked.mean(axis=1)


def mask_inputs(world: World, policy: Policy, seeds: Sequence[int]) -> Masking:
    """Hide one input after the other behind its typical value and play the same episodes."""
    n = len(world.columns)
    keep = np.ones((n + 1, n), dtype=bool)
    keep[np.arange(1, n + 1), np.arange(n)] = False
    tracks = play(
        world,
        agent_player(policy, keep.repeat(len(seeds), axis=0)),
        [*seeds] * (n + 1),
    )
    rewards = np.array([track.total for track in tracks]).reshape(n + 1, len(seeds))
    return Masking(world.columns, rewards[0], rewards[1:])


@dataclass(frozen=True)
class Agreement:
    """Whether attributions order the inputs as masking does.

    `pairs` of inputs differ clearly in what hiding them costs; in `right` of them the one with
    the larger attribution is the one that is missed more.
    """

    right: int
    pairs: int

    @property
    def verdict(self) -> Literal["agrees", "mixed", "disagrees"]:
        if self.pairs and self.right == self.pairs:
            return "agrees"
        return "mixed" if 2 * self.right > self.pairs or not self.pairs else "disagrees"


def agreement(shares: np.ndarray, masking: Masking, draws: int = 1000) -> Agreement:
    """Compare attributions with what hiding costs.

    Args:
        shares: Attribution of each input, at least 0, shape (S,).
        masking: Rewards with each input hidden.
        draws: Bootstrap resamples over episodes; a difference is clear if the 95 % interval of
            its mean leaves out 0.
    """
    rng = np.random.default_rng(0)
    episodes = masking.masked.shape[1]
    rows = rng.integers(0, episodes, (draws, episodes))
    right = pairs = 0
    for i, j in itertools.combinations(range(len(shares)), 2):
        gap = masking.masked[j] - masking.masked[i]  # above 0: hiding i costs more
        low, high = np.percentile(gap[rows].mean(axis=1), [2.5, 97.5])
        if low > 0 or high < 0:
            pairs += 1
            right += (shares[i] > shares[j]) == (low > 0)
    return Agreement(right, pairs)


def visited(policy: Policy, world: World, seeds: Sequence[int]) -> Tensor:
    """The mean state of the agent's own episodes, shape (S,)."""
    tracks = play(world, agent_player(policy), seeds)
    return torch.from_numpy(np.concatenate([t.states for t in tracks]).mean(axis=0)).float()
