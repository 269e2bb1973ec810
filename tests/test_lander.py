"""The lander: good enough, drawn true, its failures named, and a visitor's flight is real."""

from typing import Any

import numpy as np
import pytest

from dlportal.cases.lunar_lander import MOMENTS, WORLD, LunarLander, terrain
from dlportal.kinds.agent import Rollout, agent_player, play
from dlportal.kinds.agent_case import STARTS
from dlportal.kinds.flight import TURN, Flight
from dlportal.ui.scenes import lander_place, scene_of


@pytest.fixture
def case(get_case: Any) -> LunarLander:
    return get_case("lunar_lander")


def test_shipped_agent_lands(case: LunarLander) -> None:
    tracks = play(WORLD, agent_player(case.policy), range(500, 530))
    assert np.mean([track.total for track in tracks]) >= 230


def test_every_seed_reaches_the_solved_mark(case: LunarLander) -> None:
    parts = [s for s in case.card.measured.slices if "training" in s.part.en]
    assert len(parts) == 3 and all(s.metric.value >= WORLD.solved for s in parts)


def test_moments_are_states_of_this_world(case: LunarLander) -> None:
    env = WORLD.make()
    for *_names, state in MOMENTS[WORLD.id]:
        assert env.observation_space.contains(np.array(state, dtype=np.float32))


def episode(last: list[float], before: list[float], terminated: bool, reward: float) -> Rollout:
    states = np.array([before, last], dtype=float)
    rewards = np.array([reward])
    return Rollout(WORLD.id, "agent", 0, (), states, np.array([0]), rewards, terminated)


@pytest.mark.parametrize(
    ("last", "terminated", "reward", "said"),
    [
        ([0.1, 0, 0, 0, 0, 0, 1, 1], True, 100, "on the pad"),
        ([-0.4, 0, 0, 0, 0, 0, 1, 1], True, 100, "4.0 m"),
        ([0.0, 0.1, 0, 0, 0, 0, 0, 0], True, -100, "crashed"),
        ([1.02, 0.1, 0, 0, 0, 0, 0, 0], True, -100, "out of sight"),
        ([0.0, 0.8, 0, 0, 0, 0, 0, 0], False, -1, "come to rest"),
    ],
)
def test_endings_are_told_apart(
    case: LunarLander, last: list[float], terminated: bool, reward: float, said: str
) -> None:
    text, fields = case.ending(episode(last, [0, 0.2, 0, -0.8, 0.5, 0, 0, 0], terminated, reward))
    assert said in text.format(**fields)


def test_speeds_are_metres_a_second() -> None:
    """What the crash sentence divides by: gymnasium's scaling of velocities."""
    from dlportal.cases.lunar_lander import ACROSS, DOWN

    env = WORLD.make()
    env.reset(seed=4)
    state, *_rest = env.step(0)
    velocity = env.unwrapped.lander.linearVelocity
    assert state[2] / ACROSS == pytest.approx(velocity.x, rel=1e-4)
    assert state[3] / DOWN == pytest.approx(velocity.y, rel=1e-4)


def test_worst_landings_are_the_worst_and_replay(case: LunarLander) -> None:
    kept = case.card.measured.constants
    full = np.array(kept["masking"][0])
    assert len(kept["masking"]) == 1 + len(WORLD.columns) and len(full) == 100
    worst = kept["worst"]
    assert [w["reward"] for w in worst] == pytest.approx(sorted(full)[: len(worst)], abs=0.06)
    again = case.rollout(worst[0]["seed"])
    assert again.seed >= STARTS["test"] and again.total == pytest.approx(worst[0]["reward"])
    assert case.ending(again) == (worst[0]["text"], worst[0]["fields"])
    assert case.card.measured.metrics[0].value == pytest.approx(full.mean(), abs=0.06)


def test_ship_is_drawn_where_it_is() -> None:
    env = WORLD.make()
    states = [env.reset(seed=9)[0]]
    for _ in range(40):
        states.append(env.step(2)[0])
    x, y = lander_place(np.stack(states[-1:]))
    position = env.unwrapped.lander.position
    assert (x[0], y[0]) == pytest.approx((position.x, position.y), abs=1e-3)
    ground_x, ground_y = terrain(9)
    assert np.interp(10.0, ground_x, ground_y) == pytest.approx(
        3.3, abs=1e-3
    )  # smoothed by gymnasium
    hull, main, _side = scene_of(WORLD.id).parts(np.stack(states), np.full(40, 2))
    assert np.ptp(main.y[5]) > 1 and np.ptp(hull.x[5]) > 1.5


def test_a_flight_equals_the_same_actions_in_the_world() -> None:
    flight = Flight(WORLD, 3)
    taken = [2, 0, 1, 2, 3]
    for action in taken:
        flight.take(action)
    actions = np.repeat(taken, TURN)
    env = WORLD.make()
    seen = [env.reset(seed=3)[0], *(env.step(int(a))[0] for a in actions)]
    assert np.array_equal(np.stack(seen), flight.rollout().states)
    assert flight.turn == len(taken) and not flight.over


def test_a_flight_ends_and_takes_no_more_turns(case: LunarLander) -> None:
    flight = Flight(WORLD, 0)
    while not flight.over:
        flight.take(0)
    text, fields = case.ending(flight.rollout())
    assert "crashed" in text.format(**fields) and flight.rewards[-1] == -100
    with pytest.raises(ValueError, match="0-3"):
        flight.take(0)
    with pytest.raises(ValueError, match="0-3"):
        Flight(WORLD, 0).take(7)
