"""A day as it streams in: the queue's rules, and that the figure sends its data once."""

import json

import numpy as np
import pytest

from dlportal.data.fraud_replay import replay_day


def day(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 24, n), rng.random(n), rng.integers(0, 2, n)


class TestReplay:
    @pytest.mark.parametrize("budget", [1, 7, 60, 500])
    def test_nobody_looks_before_it_came_or_too_often(self, budget: int) -> None:
        replay = replay_day(*day(), 0.4, budget)
        done = np.isfinite(replay.checked)
        assert (replay.p >= 0.4).all() and (np.diff(replay.came) >= 0).all()
        assert (replay.checked[done] >= replay.came[done]).all()
        assert done.sum() <= budget and len(np.unique(replay.checked[done])) == done.sum()

    def test_the_most_suspicious_that_waits_is_next(self) -> None:
        replay = replay_day(*day(), 0.3, 40)
        for i in np.flatnonzero(np.isfinite(replay.checked)):
            then = replay.checked[i]
            waits = (replay.came <= then) & (replay.checked > then)
            assert (replay.p[waits] <= replay.p[i]).all()

    def test_counts_follow(self) -> None:
        replay = replay_day(*day(), 0.5, 30)
        for hour in (0.0, 6.0, 13.5, 24.0):
            came = int((replay.came <= hour).sum())
            checks, frauds = replay.found(hour)
            assert replay.waiting(hour) + checks == came and frauds <= checks
        assert replay.found(24)[1] == replay.fraud[np.isfinite(replay.checked)].sum()

    def test_a_budget_for_all_leaves_nobody_waiting_long(self) -> None:
        hour, p, fraud = day(50)
        replay = replay_day(hour, p, fraud, 0.0, 2_400)
        assert (replay.checked - replay.came < 0.5).all()

    def test_no_alerts(self) -> None:
        replay = replay_day(*day(), 1.1, 30)
        assert len(replay.p) == 0 and replay.waiting(24) == 0 and replay.found(24) == (0, 0)


def test_the_figure_plays_in_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """All frames are in the figure, its last state is shown, and it stays small."""
    from dlportal.ui import fraud_replay

    monkeypatch.setattr(fraud_replay, "_", lambda text: text)
    monkeypatch.setattr(fraud_replay, "palette", light)
    monkeypatch.setattr("dlportal.ui.charts.palette", light)
    replay = replay_day(*day(2_000), 0.9, 60)
    fig = fraud_replay.replay_figure(replay, labelled=True)
    assert len(fig.frames) == fraud_replay.FRAMES + 1
    shown = sum(len(trace.x) for trace in fig.data)
    assert shown == len(replay.p) == sum(len(d.x) for d in fig.frames[-1].data)
    assert sum(len(d.x) for d in fig.frames[0].data) <= 1
    assert len(json.dumps(fig.to_plotly_json(), default=str)) < 400_000


def light() -> object:
    from dlportal.ui import theme

    return theme.LIGHT
