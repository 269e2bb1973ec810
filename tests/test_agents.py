"""Agents: the rebuilt policy equals the library's, episodes repeat, and trainings obey."""

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlportal.case import Settings
from dlportal.cases import lunar_lander
from dlportal.cases.classic_control import MOMENTS, QUICK_STEPS, WORLDS, ClassicControl, recipes
from dlportal.kinds.agent import (
    Masking,
    agent_player,
    agreement,
    mask_inputs,
    play,
    random_player,
    to_go,
)
from dlportal.kinds.agent_case import Agents
from dlportal.kinds.policy_map import map_policy, read
from dlportal.kinds.world import Push
from dlportal.messages import InputError
from dlportal.training.agents import build, extract, train_agents
from dlportal.training.events import Event, Run
from dlportal.training.renewal import renew
from dlportal.training.store import load_weights, save_weights
from dlportal.ui.scenes import SCENES, hill, scene_of

CART, CAR = WORLDS["CartPole-v1"], WORLDS["MountainCar-v0"]


@pytest.fixture
def case(get_case: Any) -> ClassicControl:
    return get_case("classic_control")


@pytest.mark.parametrize("world", WORLDS.values(), ids=list(WORLDS))
def test_rebuilt_policy_equals_the_library(world: Any) -> None:
    """Probabilities and values of a learner that has seen a little, normalisation included."""
    recipe = replace(recipes()[world.id], copies=2, normalise=True)
    options = {**recipe.options, "n_steps": 32, "batch_size": 32, "n_epochs": 1}
    model = build(world, replace(recipe, options=options), seed=3)
    model.learn(256)
    env: Any = model.get_env()
    policy = extract(world, model)
    states = np.array([env.observation_space.sample() for _ in range(50)]).clip(-3, 3)
    with torch.no_grad():
        seen = torch.from_numpy(env.normalize_obs(states).astype(np.float32))
        distribution: Any = model.policy.get_distribution(seen).distribution
        value = model.policy.predict_values(seen)[:, 0]
        x = torch.from_numpy(states.astype(np.float32))
        ours = policy(x).softmax(dim=-1)
        scale = float(np.sqrt(env.ret_rms.var + env.epsilon))
        assert torch.allclose(ours, distribution.probs, atol=1e-5)
        assert torch.allclose(policy.value(x), scale * value, rtol=1e-4, atol=1e-3)
        assert torch.allclose(policy(x).mean(dim=-1), torch.zeros(50), atol=1e-5)


def test_returns_are_discounted_backwards() -> None:
    assert to_go(np.array([1.0, 1.0, 2.0]), 0.5, 8.0).tolist() == [3.0, 4.0, 6.0]


def test_episodes_repeat_and_do_not_depend_on_company(case: ClassicControl) -> None:
    act = agent_player(case.agents.policy(CAR))
    (alone,) = play(CAR, act, [7])
    together = play(CAR, act, [3, 7, 11])[1]
    assert np.array_equal(alone.states, together.states)
    one, two = (play(CART, random_player(CART, [5]), [5])[0].states for _ in range(2))
    assert np.array_equal(one, two)


def test_shipped_agents_play_well(case: ClassicControl) -> None:
    bars = {"CartPole-v1": 500, "MountainCar-v0": -105, "Acrobot-v1": -85, "Pendulum-v1": -180}
    assert bars.keys() == WORLDS.keys()
    for name, bar in bars.items():
        world = WORLDS[name]
        tracks = play(world, agent_player(case.agents.policy(world)), range(500, 540))
        assert np.mean([track.total for track in tracks]) >= bar, name


def test_every_world_is_complete() -> None:
    assert WORLDS.keys() == MOMENTS.keys() == recipes().keys() == QUICK_STEPS.keys()
    for world in WORLDS.values():
        assert len(world.labels) == world.shape.actions
        assert all(len(state) == world.shape.states for *_names, state in MOMENTS[world.id])
        assert world.axes and world.targets
        assert {place for axis in world.axes for place in axis.places} == set(
            range(world.shape.states)
        )


def test_torques_reach_the_world_as_they_are() -> None:
    world = WORLDS["Pendulum-v1"]
    env = world.make()
    env.reset(seed=0)
    for index, torque in enumerate(world.strengths):
        env.step(index)
        assert env.unwrapped.last_u == pytest.approx(torque)


@pytest.mark.parametrize("world", WORLDS.values(), ids=list(WORLDS))
def test_a_push_changes_one_velocity_and_what_follows(case: ClassicControl, world: Any) -> None:
    agent = case.at(world.id)
    before = agent.rollout(2)
    for target in world.targets:
        push = Push(7, target.label.id, 0.2 * target.most)
        after = agent.rollout(2, push=push)
        assert np.array_equal(before.states[:7], after.states[:7])
        changed = np.flatnonzero(~np.isclose(before.states[7], after.states[7], atol=1e-6))
        assert len(changed) == 1
        gap = after.states[7, changed[0]] - before.states[7, changed[0]]
        assert gap == pytest.approx(push.amount, rel=1e-3)
        assert not np.array_equal(before.states[9], after.states[9])
    nothing = agent.rollout(2, push=Push(7, world.targets[0].label.id, 0.0))
    assert np.allclose(nothing.states[:20], before.states[:20], atol=1e-4)
    with pytest.raises(InputError, match=world.targets[0].label.id):
        agent.rollout(2, push=Push(0, "wind", 1.0))


def test_a_light_push_is_survived_and_a_hard_one_is_not(case: ClassicControl) -> None:
    light, hard = (case.rollout(0, push=Push(40, "pole_spin", amount)) for amount in (0.5, 2.0))
    assert light.length == 500 and hard.length < 100


@pytest.mark.parametrize("world", WORLDS.values(), ids=list(WORLDS))
def test_maps_ask_the_policy_itself(case: ClassicControl, world: Any) -> None:
    policy = case.agents.policy(world)
    state = np.array(MOMENTS[world.id][1][3], dtype=np.float32)
    across, up = world.axes[0], world.axes[-1]
    found = map_policy(policy, state, across, up)
    for i, j in ((0, 0), (12, 50), (60, 31)):
        there = state.copy()
        for axis, value in ((across, found.x[j]), (up, found.y[i])):
            pair = (value,) if len(axis.places) == 1 else (np.cos(value), np.sin(value))
            there[list(axis.places)] = pair
            assert read(there, axis) == pytest.approx(value, abs=1e-5)
        x = torch.from_numpy(there)[None]
        with torch.inference_mode():
            assert found.actions[i, j] == policy.act(x).item()
            assert found.values[i, j] == pytest.approx(policy.value(x).item(), abs=1e-3)


def test_any_world_can_be_trained_quickly(tmp_path: Path, monkeypatch: Any) -> None:
    name = "Pendulum-v1"
    monkeypatch.setitem(QUICK_STEPS, name, 512)
    for seeds in ("CHECK_SEEDS", "TYPICAL_SEEDS", "CHOICE_SEEDS"):  # most of the time otherwise
        monkeypatch.setattr(f"dlportal.training.agents.{seeds}", range(3))
    run = Run(tmp_path)
    agents = ClassicControl.train(None, Settings("quick", 3, name), run)  # type: ignore[arg-type]
    assert list(agents.policies) == [name] and list(run.facts["best"]) == [name]
    with pytest.raises(InputError, match="Pendulum-v1"):
        ClassicControl.train(None, Settings("quick", 0, "Pong-v5"), run)  # type: ignore[arg-type]


def test_receipt_keeps_the_curves_of_three_seeds(case: ClassicControl) -> None:
    from dlportal.ui.agent_learning import learned

    for world in WORLDS:
        steps, rewards = learned(case.card, world)
        assert rewards.shape == (3, len(steps)) and len(steps) >= 25
        assert steps == sorted(steps) and steps[-1] >= recipes()[world].steps


BARS = {"CartPole-v1": 500, "MountainCar-v0": -105, "Acrobot-v1": -80, "Pendulum-v1": -160}


def test_the_card_keeps_its_bars(case: ClassicControl) -> None:
    """Every agent that ships; of all trainings, those of Acrobot may miss it by a little."""
    measured = case.card.measured
    for metric in measured.metrics:
        assert metric.value >= BARS[metric.data], metric.data
    trainings = [s.metric for s in measured.slices if "training" in s.part.en]
    assert len(trainings) == 3 * len(BARS)
    for metric in trainings:
        slack = 2 if metric.data == "Acrobot-v1" else 0
        assert metric.value >= BARS[metric.data] - slack, metric.data


def test_rollout_tells_what_the_agent_thought(case: ClassicControl) -> None:
    episode = case.rollout(3)
    assert episode.total == episode.length == 500 and not episode.terminated
    assert episode.states.shape == (501, 4) and episode.probabilities.shape == (500, 2)
    assert np.array_equal(episode.probabilities.argmax(axis=1), episode.actions)
    assert episode.values.shape == episode.returns.shape == (500,)
    # Cut off, so the agent's own expectation goes on after the last step.
    assert episode.returns[-1] == pytest.approx(1 + 0.98 * episode.values[-1], abs=0.5)
    assert case.rollout(3, "random").length < 200
    with pytest.raises(ValueError, match="agent, random"):
        case.rollout(3, "nobody")


def test_hidden_inputs_are_missed(case: ClassicControl) -> None:
    assert case.rollout(3, hidden=["pole_spin"]).length < 200
    episode = case.rollout(3, hidden=["pole_spin"])
    typical = case.policy.typical[3].item()
    assert case.seen(episode, 2)[3] == pytest.approx(typical)
    assert case.seen(episode, 2)[2] == episode.states[2, 2]
    with pytest.raises(InputError, match="pole_angle"):
        case.rollout(3, hidden=["weather"])


def test_masking_matches_single_episodes(case: ClassicControl) -> None:
    masking = mask_inputs(CAR, case.agents.policy(CAR), [1, 2])
    other = case.at("MountainCar-v0")
    assert masking.full.tolist() == [other.rollout(s).total for s in (1, 2)]
    hidden = [other.rollout(s, hidden=["car_velocity"]).total for s in (1, 2)]
    assert masking.masked[1].tolist() == hidden


def test_agreement_counts_clear_pairs_only() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(3, 30))
    masked = np.array([[0.0], [50.0], [50.0]]) + noise
    masking = Masking(CART.columns[:3], np.full(30, 60.0), masked)
    assert agreement(np.array([0.8, 0.1, 0.1]), masking).verdict == "agrees"
    found = agreement(np.array([0.1, 0.8, 0.1]), masking)
    assert found.pairs in (2, 3) and found.verdict != "agrees"
    level = Masking(CART.columns[:3], np.full(30, 60.0), np.full((3, 30), 60.0))
    assert agreement(np.array([0.5, 0.3, 0.2]), level).pairs == 0


@pytest.mark.parametrize(
    "given", ["", "1,2,3,4,5", "a,b,c,d", "1;2", "nan,0,0,0", "0,0,inf,0", "1," * 5000]
)
def test_bad_states_get_one_sentence(case: ClassicControl, given: str) -> None:
    with pytest.raises(InputError) as caught:
        case.predict(case.read(given))
    assert len(str(caught.value)) < 300


def test_states_of_different_worlds_mix(case: ClassicControl) -> None:
    mixed = [np.zeros(4), np.array([-0.5, 0.0]), np.array([0.0, 0.0, 0.1, 1.0])]
    found = case.predict_batch(mixed)
    assert [len(result.scores) for result in found] == [2, 3, 2]
    assert found[2].best.label.id == "right"
    assert case.masker(mixed[1]).parts == ("car position", "car velocity")


def test_unknown_world_names_the_valid_ones(case: ClassicControl) -> None:
    with pytest.raises(ValueError, match=r"CartPole-v1, MountainCar-v0, Acrobot-v1, Pendulum-v1"):
        case.at("Pong-v5")


def tiny(world: Any) -> Any:
    recipe = recipes()[world.id]
    options = {**recipe.options, "batch_size": 64}
    return replace(recipe, steps=512, copies=2, checks=2, options=options)


def test_training_reports_and_resumes(tmp_path: Path) -> None:
    events: list[Event] = []
    run = Run(tmp_path, events.append)
    agents = train_agents([CART], {CART.id: tiny(CART)}, [0, 1], run)
    assert run.facts["best"].keys() == {"CartPole-v1"}
    assert len(run.facts["validation_rewards"]["CartPole-v1"]) == 2
    curves = run.facts["learning"]["CartPole-v1"]
    assert len(curves) == 2 and len(curves[0]["steps"]) == len(curves[0]["rewards"]) >= 2
    assert [e.step for e in events] == sorted(e.step for e in events)
    assert events[-1].steps == 1024 and events[-1].metrics["reward"] > 0
    json.dumps(run.facts)

    again: list[Event] = []
    second = Run(tmp_path, again.append)
    resumed = train_agents([CART], {CART.id: tiny(CART)}, [0, 1], second)
    assert not again  # both agents were finished
    assert second.facts["learning"] == run.facts["learning"]
    assert len(second.facts["resumed"]) == 2 and "resumed" not in run.facts
    assert [e.metrics for e in second.curve][-1] == run.curve[-1].metrics
    assert second.seconds >= sum(curve["seconds"] for curve in curves)
    for name, tensor in agents.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_one_world_is_trained_anew_beside_the_others(case: ClassicControl, tmp_path: Path) -> None:
    run = Run(tmp_path)
    fresh = train_agents([CAR], {CAR.id: tiny(CAR)}, [0, 1, 2], run)
    renewed = renew(case.card, list(WORLDS.values()), fresh, run)
    assert renewed.policy(CAR) is fresh.policy(CAR)
    shipped = case.agents.state_dict()
    for name, tensor in renewed.state_dict().items():
        if CAR.id not in name and name != "best":
            assert torch.equal(tensor, shipped[name]), name
    before = case.card.receipt() or {}
    others = set(WORLDS) - {CAR.id}
    for world in others:
        assert renewed.best[[*WORLDS].index(world)] == case.agents.best[[*WORLDS].index(world)]
        assert run.facts["learning"][world] == before["facts"]["learning"][world]
    assert run.facts["kept"].keys() == others and run.facts["learning"].keys() == set(WORLDS)
    assert all(told["command"].startswith("python -m") for told in run.facts["kept"].values())


def test_training_is_repeatable_and_leaves_the_generator_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    nets = [
        train_agents([CART], {CART.id: tiny(CART)}, [4], Run(tmp_path / str(i))) for i in range(2)
    ]
    assert torch.equal(before, torch.get_rng_state())
    for name, tensor in nets[0].state_dict().items():
        assert torch.equal(tensor, nets[1].state_dict()[name]), name


def test_training_stops_with_what_it_has(tmp_path: Path) -> None:
    cancel = threading.Event()
    recipe = replace(tiny(CART), steps=1_000_000, checks=4000)

    def listen(event: Event) -> None:
        if event.kind == "epoch":
            cancel.set()

    run = Run(tmp_path, listen, cancel)
    agents = train_agents([CART], {CART.id: recipe}, [0, 1], run)
    assert len(run.facts["validation_rewards"]["CartPole-v1"]) == 1
    assert not list(tmp_path.glob("*.safetensors"))  # half an agent is not taken up again
    assert agents.policy(CART, 0)(torch.zeros(1, 4)).shape == (1, 2)


def test_agents_of_a_quick_training_can_be_watched(case: ClassicControl, tmp_path: Path) -> None:
    torch.manual_seed(0)
    fresh = Agents([CART], 1)
    save_weights(fresh, tmp_path / "weights.safetensors")
    watched = case.with_weights(tmp_path / "weights.safetensors")
    assert watched.rollout(0).length < 500 and case.rollout(0).length == 500
    load_weights(Agents([CART], 1), tmp_path / "weights.safetensors")


def test_code_of_an_episode_gives_the_same(case: ClassicControl) -> None:
    episode = case.rollout(2, hidden=["cart_velocity"])
    code = case.episode_code(episode, 5, "integrated_gradients", 1)
    names: dict[str, Any] = {}
    exec(code, names)
    assert np.array_equal(names["episode"].states, episode.states)
    assert names["result"] == case.predict(case.seen(episode, 5))
    assert names["explanation"].values.shape == (4,)


def test_scenes_are_drawn_true() -> None:
    assert SCENES.keys() == {*WORLDS, lunar_lander.WORLD.id}
    states = np.array([[0.3, 0.0, 0.2, 0.0], [-1.0, 0.0, -0.1, 0.0]])
    none = np.zeros(1, dtype=int)
    _cart, pole = scene_of("CartPole-v1").parts(states, none)
    assert np.allclose(np.hypot(np.diff(pole.x), np.diff(pole.y)), 1.0)
    (car,) = scene_of("MountainCar-v0").parts(np.array([[-0.9, 0.0], [0.4, 0.0]]), none)
    wheels = np.stack([car.x[:, :2].mean(axis=1), car.y[:, :2].mean(axis=1)], axis=1)
    assert np.allclose(wheels[:, 1], hill(wheels[:, 0]), atol=0.03)
    with pytest.raises(ValueError, match="CartPole-v1"):
        scene_of("Pong-v5")


def test_acrobot_and_pendulum_hang_and_stand_where_they_do() -> None:
    none = np.zeros(1, dtype=int)
    hanging, bent = np.array([1.0, 0, 1, 0, 0, 0]), np.array([0.0, 1, 0, 1, 0, 0])
    upper, lower = scene_of("Acrobot-v1").parts(np.stack([hanging, bent]), none)
    assert np.allclose(upper.y[0], [0, -1]) and np.allclose(lower.y[0], [-1, -2])
    assert np.allclose(upper.x[1], [0, 1]) and np.allclose(lower.y[1], [0, 1])
    # gymnasium ends an episode when -cos(upper) - cos(upper + lower) > 1: the drawn line.
    (rod,) = scene_of("Pendulum-v1").parts(np.array([[1.0, 0, 0], [-1.0, 0, 0]]), none)
    assert np.allclose(rod.y[:, 1], [1, -1])


@pytest.mark.parametrize("world", list(WORLDS))
def test_stage_is_small_and_complete(case: ClassicControl, world: str) -> None:
    from dlportal.ui.stage import FRAMES, stage

    agent = case.at(world)
    episode = agent.rollout(1)
    fig = stage(agent.world, episode, agent.rollout(1, "random"), moment=5, name="random")
    assert 50 < len(fig.frames) <= FRAMES + 1
    assert fig.frames[-1].name == str(episode.length)
    assert len(fig.to_json()) < 400_000


def test_an_episode_of_500_steps_is_there_in_two_seconds(case: ClassicControl) -> None:
    """Played and drawn for the browser, both players."""
    import time

    from dlportal.ui.stage import stage

    case.rollout(0)  # the first one imports
    seconds = []
    for _ in range(3):  # whatever else the machine does
        started = time.thread_time()
        own, chance = case.rollout(1), case.rollout(1, "random")
        stage(case.world, own, chance, 5, "random").to_json()
        seconds.append(time.thread_time() - started)
        assert own.length == 500
    assert min(seconds) < 2
