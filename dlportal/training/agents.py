"""Training agents with Stable-Baselines3 under the portal's own progress and stop protocol.

The library does the learning; here are the reports, the choice of the best policy on validation
episodes, and the way from the library's policy to tensors of our own.

PPO: Schulman et al. 2017, https://arxiv.org/abs/1707.06347
Library: Raffin et al. 2021, https://jmlr.org/papers/v22/20-1364.html
Settings start from RL Baselines3 Zoo, https://github.com/DLR-RM/rl-baselines3-zoo
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

from dlportal.kinds.agent import agent_player, one_thread, play, visited
from dlportal.kinds.agent_case import EPISODES, STARTS, Agents
from dlportal.kinds.world import World
from dlportal.nets.policy import Policy, from_library
from dlportal.training.events import Event, Run
from dlportal.training.receipts import write_json
from dlportal.training.store import load_weights, save_weights

REPORT_SECONDS = 0.5
# Seeds of start states, kept apart: training uses small ones.
CHECK_SEEDS = range(10_000, 10_050)  # which moments of a training are the best
FINAL_SEEDS = range(12_000, 12_300)  # which of these is kept
TYPICAL_SEEDS = range(11_000, 11_020)  # the mean state
# Which of several agents ships: the validation split.
CHOICE_SEEDS = range(STARTS["validation"], STARTS["validation"] + EPISODES)


@dataclass(frozen=True)
class Recipe:
    """How an agent is trained.

    Attributes:
        steps: Steps in the world, over all copies.
        copies: Worlds played side by side.
        normalise: Whether states and rewards are scaled by running statistics.
        options: Further arguments of the library's PPO.
        rate: Learning rate at the start.
        clip: Clip range at the start.
        falling: Whether rate and clip range fall linearly to zero.
        checks: How often the policy is measured on validation episodes.
        finalists: So many of the best moments are measured again, on other and more episodes:
            the best of many on few is a lucky one.
    """

    steps: int
    copies: int = 1
    normalise: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    rate: float = 3e-4
    clip: float = 0.2
    falling: bool = True
    checks: int = 40
    finalists: int = 1


@dataclass(frozen=True)
class Part:
    """Where in a longer training this one lies: `before` steps done of `total`."""

    before: int
    total: int


def schedule(start: float, falling: bool) -> Callable[[float], float]:
    """The library's form of a schedule: a function of the share that is left."""
    return lambda left: start * left if falling else start


def build(world: World, recipe: Recipe, seed: int) -> PPO:
    """The library's learner in its world."""
    env: Any = make_vec_env(world.make, n_envs=recipe.copies, seed=seed)
    if recipe.normalise:
        env = VecNormalize(env, norm_reward=True, gamma=world.discount)
    return PPO(
        "MlpPolicy",
        env,
        learning_rate=schedule(recipe.rate, recipe.falling),
        clip_range=schedule(recipe.clip, recipe.falling),
        gamma=world.discount,
        policy_kwargs={"net_arch": list(world.shape.hidden)},
        seed=seed,
        device="cpu",
        **recipe.options,
    )


def extract(world: World, model: BaseAlgorithm) -> Policy:
    """The learner's present policy as a module of our own."""
    env = model.get_env()
    statistics, scale = None, 1.0
    if isinstance(env, VecNormalize):
        rms: Any = env.obs_rms
        statistics = torch.from_numpy(rms.mean), torch.from_numpy(rms.var)
        scale = float(np.sqrt(env.ret_rms.var + env.epsilon))
    tensors = {name: t.detach().clone() for name, t in model.policy.state_dict().items()}
    return from_library(world.shape, tensors, statistics, scale)


def mean_reward(world: World, policy: Policy, seeds: Sequence[int]) -> float:
    """Mean reward of an agent over the episodes with these seeds."""
    return float(np.mean([track.total for track in play(world, agent_player(policy), seeds)]))


class Reporter(BaseCallback):
    """Tells the run how it goes, keeps the best policy, and stops when asked to."""

    def __init__(self, world: World, recipe: Recipe, run: Run, part: Part, name: str) -> None:
        super().__init__()
        self.world, self.recipe, self.run, self.part, self.name = world, recipe, run, part, name
        self.every = max(1, recipe.steps // recipe.checks)
        self.next = self.every
        self.started = self.spoke = time.monotonic()
        self.best: list[tuple[float, Policy]] = []  # reward and policy, the best first
        self.curve: dict[int, float] = {}  # validation reward by steps

    def _on_step(self) -> bool:
        if self.num_timesteps >= self.next:
            self.next += self.every
            self.check()
        elif time.monotonic() - self.spoke >= REPORT_SECONDS:
            self.emit("step")
        calls = self.recipe.steps // self.recipe.copies
        self.started += self.run.hold(calls, lambda: self.emit("step"))
        return not self.run.cancelled()

    def check(self) -> None:
        """Measure the present policy; of equal ones the later comes first."""
        policy = extract(self.world, self.model)
        reward = mean_reward(self.world, policy, CHECK_SEEDS)
        ranked = sorted([(reward, policy), *self.best], key=lambda moment: -moment[0])
        self.best = ranked[: self.recipe.finalists]
        self.curve[self.num_timesteps] = round(reward, 3)
        self.emit("epoch", {"reward": reward})

    def choose(self) -> Policy:
        """The best moment's policy; of several the one that is best on other episodes."""
        policies = [policy for _reward, policy in self.best]
        if len(policies) == 1:
            return policies[0]
        return max(policies, key=lambda policy: mean_reward(self.world, policy, FINAL_SEEDS))

    def emit(self, kind: Literal["step", "epoch"], metrics: dict[str, float] | None = None) -> None:
        logged = self.logger.name_to_value
        loss = logged.get("train/value_loss")
        done = self.num_timesteps
        pace = (time.monotonic() - self.started) / max(1, done)
        step = self.part.before + min(done, self.recipe.steps)
        self.run.emit(
            Event(
                kind,
                step=step,
                steps=self.part.total,
                loss=None if loss is None else float(loss),
                rate=float(self.model.lr_schedule(max(0.0, 1 - done / self.recipe.steps))),
                metrics=metrics or {},
                seconds=self.run.seconds,
                eta=max(0.0, pace * (self.part.total - step)),
                text=self.name,
            )
        )
        self.spoke = time.monotonic()


def train_agent(
    world: World, recipe: Recipe, seed: int, run: Run, part: Part | None = None, name: str = ""
) -> tuple[Policy, dict[int, float]]:
    """Train one agent.

    Args:
        world: Where.
        recipe: How.
        seed: Of weights, worlds and exploration.
        run: Gets `step` and `epoch` events (loss: the critic's error; metric: `reward` over
            50 validation episodes) and may stop the training.
        part: Its place in a longer training.
        name: Text of the events.

    Returns:
        The policy with the best validation reward, and these rewards by steps. If stopped before
        the first check: the present policy, measured then.
    """
    part = part or Part(0, recipe.steps)
    reporter = Reporter(world, recipe, run, part, name)
    # The library seeds the global generators; other work of this process gets them back.
    with one_thread(), torch.random.fork_rng(devices=[]):
        model = build(world, recipe, seed)
        model.learn(recipe.steps, callback=reporter)
        if not reporter.best or not run.cancelled():
            reporter.check()
        best = reporter.choose()
        best.typical.copy_(visited(best, world, TYPICAL_SEEDS))
    assert model.env is not None
    model.env.close()
    return best, reporter.curve


def train_agents(
    worlds: Sequence[World], recipes: Mapping[str, Recipe], seeds: Sequence[int], run: Run
) -> Agents:
    """Train an agent for each world and seed; the best of a world is chosen on validation.

    Finished agents lie in the run's folder, so that an interrupted training goes on with the
    next one. If stopped, agents that were never trained stay as they were initialised.

    Args:
        worlds: The main world first; it is trained last.
        recipes: By world.
        seeds: Training seeds.
        run: Gets the events; `facts` says which agent was chosen, all validation rewards and
            `learning`: for each world the learning curve of each seed, as `steps` and `rewards`,
            with the `seconds` it took; `resumed`: agents that an earlier run had finished.
    """
    with torch.random.fork_rng(devices=[]):
        agents = Agents(worlds, len(seeds))
    total = sum(recipes[world.id].steps for world in worlds) * len(seeds)
    done = 0
    rewards: dict[str, list[float]] = {world.id: [] for world in worlds}
    curves: dict[str, list[dict[str, Any]]] = {}
    for world in reversed(worlds):
        for index, seed in enumerate(seeds):
            policy = agents.policy(world, index)
            part = Part(done, total)
            done += recipes[world.id].steps
            if run.cancelled() and any(rewards.values()):
                continue
            reward, curve = train_or_resume(world, recipes[world.id], seed, run, part, policy)
            rewards[world.id].append(reward)
            curves.setdefault(world.id, []).append(curve)
    for place, world in enumerate(worlds):
        if rewards[world.id]:
            agents.best[place] = int(np.argmax(rewards[world.id]))
    run.facts["validation_rewards"] = rewards
    run.facts["learning"] = curves
    run.facts["best"] = {
        world.id: {"reward": max(rewards[world.id])}
        for world in reversed(worlds)
        if rewards[world.id]
    }
    return agents.eval()


def train_or_resume(
    world: World, recipe: Recipe, seed: int, run: Run, part: Part, policy: Policy
) -> tuple[float, dict[str, Any]]:
    """Fill `policy` with a trained agent, from the run's folder if it was finished before.

    Returns:
        Its mean reward on the validation split, and its learning curve.
    """
    path = run.folder / f"{world.id}-{seed}-{recipe.steps}.safetensors"
    if path.exists():
        load_weights(policy, path)
        curve = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        remember(curve, recipe, run, part)
        run.facts.setdefault("resumed", []).append(path.stem)
    else:
        started = run.seconds
        name = f"{world.id}, {seed}"
        trained, measured = train_agent(world, recipe, seed, run, part, name)
        policy.load_state_dict(trained.state_dict())
        seconds = round(run.seconds - started, 1)
        curve = {"steps": [*measured], "rewards": [*measured.values()], "seconds": seconds}
        if not run.cancelled():
            write_json(curve, path.with_suffix(".json"))
            save_weights(policy, path, half=False)
    return mean_reward(world, policy, CHOICE_SEEDS), curve


def remember(curve: dict[str, Any], recipe: Recipe, run: Run, part: Part) -> None:
    """Count an agent of an earlier run in: its time and its curve belong to the receipt."""
    run.started -= curve["seconds"]
    for step, reward in zip(curve["steps"], curve["rewards"]):
        place = part.before + min(step, recipe.steps)
        point = Event("epoch", step=place, steps=part.total, metrics={"reward": reward})
        run.curve.append(point)
