"""The page of an agent: choose a world, watch an episode, pick a moment to explain."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from dlportal.kinds.agent import Agreement, Masking, Rollout, agreement
from dlportal.kinds.agent_case import MASKED_EPISODES, STARTS, AgentCase
from dlportal.kinds.world import Push, World
from dlportal.messages import N_
from dlportal.training.background import Job, jobs
from dlportal.ui.charts import bars, show_chart
from dlportal.ui.code_panel import show_code
from dlportal.ui.inputs import Picked, digest
from dlportal.ui.language import _, language
from dlportal.ui.stage import stage
from dlportal.ui.state import valid
from dlportal.ui.words import note

PUSH_STEPS = 200  # the last step at which a push can come
LONG_MASKED_EPISODES = 4
MOMENTS = 24  # of an episode, for the mean attribution
CLEAR = 0.9  # probability of a decision worth explaining

VERDICTS: dict[str, tuple[str, Any, str]] = {
    "agrees": (N_("the map names what the agent needs"), "green", ":material/check_circle:"),
    "mixed": (N_("mixed evidence"), "orange", ":material/help:"),
    "disagrees": (N_("do not rely on it"), "red", ":material/cancel:"),
}


@dataclass(frozen=True)
class Player:
    """An agent in a world; `key` tells the shipped agents and those of trainings apart."""

    case: AgentCase
    key: str

    @property
    def world(self) -> World:
        return self.case.world


def choose_player(case: AgentCase) -> Player:
    """Pills with the worlds where there are several, the goal below, and, after a training,
    whose agent plays."""
    if len(case.worlds) > 1:
        valid("world", list(case.worlds), next(iter(case.worlds)))
        chosen = st.pills(
            _("World"),
            list(case.worlds),
            format_func=lambda w: case.worlds[w].title(language()),
            key="world",
            required=True,
            persist_state="page",
        )
        case = case.at(str(chosen))
    note(case.world.goal(language()))
    job = newest_training(case)
    if job is None or job.weights is None:
        return Player(case, "shipped")
    valid("agent", ["shipped", "trained"], "shipped")
    whose = st.segmented_control(
        _("Agent"),
        ["shipped", "trained"],
        format_func=lambda a: _("Shipped") if a == "shipped" else _("Just trained"),
        key="agent",
        required=True,
        persist_state="page",
    )
    if whose == "shipped":
        return Player(case, "shipped")
    return Player(trained(job.id, case.card.id, job.weights, case).at(case.world.id), job.id)


def newest_training(case: AgentCase) -> Job | None:
    """The newest finished training that made an agent for this world."""
    for job in jobs(case.card.id):
        whose = job.settings.part or next(iter(case.worlds))
        right = job.settings.budget == "full" or whose == case.world.id
        if right and job.status in ("done", "stopped") and job.weights is not None:
            return job
    return None


@st.cache_resource(max_entries=4, show_spinner=False)
def trained(job_id: str, case_id: str, _weights: Path, _case: AgentCase) -> AgentCase:
    return _case.with_weights(_weights)


def choose_start(player: Player) -> tuple[int, tuple[str, ...]]:
    """The start state's seed, and the inputs the agent may not see."""
    seed = st.number_input(
        _("Start (random seed)"), 0, 99_999, 0, key="start", persist_state="page"
    )
    names = {column.id: column(language()) for column in player.world.columns}
    kept = [name for name in st.session_state.get("hidden") or [] if name in names]
    st.session_state["hidden"] = kept
    hidden = st.pills(
        _("Hide from the agent"),
        list(names),
        format_func=names.__getitem__,
        selection_mode="multi",
        key="hidden",
        wrap=True,
        persist_state="page",
        help=_("It gets the input's mean over its own episodes instead."),
    )
    return int(seed), tuple(hidden or ())


def choose_push(player: Player) -> Push | None:
    """A velocity to push, how hard and when; None for an undisturbed episode."""
    names = {target.label.id: target for target in player.world.targets}
    if st.session_state.get("push") not in names:
        st.session_state["push"] = None
    chosen = st.pills(
        _("Push it"),
        list(names),
        format_func=lambda name: names[name].label(language()),
        key="push",
        wrap=True,
        persist_state="page",
        help=_("Adds to a velocity at one step. The dotted player is then the agent undisturbed."),
    )
    if chosen is None:
        return None
    most = names[chosen].most
    strength = st.slider(
        _("How hard (share of the hardest push)"),
        -100,
        100,
        25,
        step=5,
        format="%d%%",
        key="push_strength",
        persist_state="page",
    )
    step = st.slider(_("At which step"), 0, PUSH_STEPS, 40, key="push_step", persist_state="page")
    return Push(step, chosen, strength / 100 * most)


@st.cache_data(max_entries=64, show_spinner=False)
def played(key: tuple[str, ...], seed: int, hidden: tuple[str, ...], _agent: AgentCase) -> Any:
    return _agent.rollout(seed, hidden=hidden), _agent.rollout(seed, "random")


@st.cache_data(max_entries=64, show_spinner=False)
def pushed(
    key: tuple[str, ...], seed: int, hidden: tuple[str, ...], push: Push, _agent: AgentCase
) -> Rollout:
    return _agent.rollout(seed, hidden=hidden, push=push)


def play(
    player: Player, seed: int, hidden: tuple[str, ...], push: Push | None = None
) -> tuple[Rollout, Rollout]:
    """The agent's episode, and beside it a random player's from the same start; of a pushed
    episode, the agent's own without the push."""
    own, chance = played(cache_key(player), seed, hidden, player.case)
    if push is None:
        return own, chance
    return pushed(cache_key(player), seed, hidden, push, player.case), own


def cache_key(player: Player) -> tuple[str, ...]:
    return player.case.card.id, player.world.id, player.key


def show_rewards(player: Player, episode: Rollout, other: Rollout) -> None:
    """The episode's reward beside the other player's."""
    with st.grid(2, min_column_width=120):
        if episode.push is None:
            st.metric(_("Reward"), f"{episode.total:,.0f}")
            st.metric(
                _("Random player"),
                f"{other.total:,.0f}",
                help=_("From the same start, each action equally likely."),
            )
        else:
            st.metric(_("Pushed"), f"{episode.total:,.0f}")
            st.metric(_("Undisturbed"), f"{other.total:,.0f}")
    note(ending(player, episode))
    if episode.push is not None and episode.length <= episode.push.step:
        note(_("The episode was over before the push."))


def show_episode(agent: Player, episode: Rollout, other: Rollout, moment: int) -> None:
    """The stage."""
    name = _("random") if episode.push is None else _("undisturbed")
    alt = _(
        "The agent's episode in {world}: {steps} steps, reward {reward}; beside it, {name}: {other}"
    ).format(
        world=agent.world.title(language()),
        steps=episode.length,
        reward=f"{episode.total:.0f}",
        name=name,
        other=f"{other.total:.0f}",
    )
    show_chart(stage(agent.world, episode, other, moment, name), alt=alt, key="stage")
    note(
        _(
            "Returns are discounted by {factor} a step; the dotted mark is the explained moment."
        ).format(factor=agent.world.discount)
    )


def ending(agent: Player, episode: Rollout) -> str:
    """How the episode ended."""
    text, fields = agent.case.ending(episode)
    return _(text).format(**fields)


def settle_moment(player: Player, episode: Rollout) -> int:
    """The step to explain; the stage marks it, so it is settled before its slider is drawn."""
    last = episode.length - 1
    episode_key = (*cache_key(player), episode.seed, episode.hidden, episode.push)
    chosen = st.session_state.get("moment")
    if not isinstance(chosen, int) or st.session_state.get("moment_of", episode_key) != episode_key:
        # A new episode starts at a clear decision that still has an alternative: where the
        # probability is 1, no input seems to matter.
        chosen = int(np.abs(episode.probabilities.max(axis=1) - CLEAR).argmin())
    st.session_state["moment_of"] = episode_key
    st.session_state["moment"] = min(chosen, last)
    return st.session_state["moment"]


def pick_moment(player: Player, episode: Rollout) -> Picked:
    """A slider over the steps; what the agent saw there is the input of the panels."""
    last = max(1, episode.length - 1)
    st.slider(_("Which moment to explain?"), 0, last, key="moment", persist_state="page")
    step = min(st.session_state["moment"], episode.length - 1)
    raw = player.case.seen(episode, step)
    lang = language()
    shown = [f"{c(lang)} {value:+.3f}" for c, value in zip(player.world.columns, raw)]
    note(_("It sees: {state}").format(state=("，" if lang == "zh" else ", ").join(shown)))
    return Picked(raw, None, f"{digest(raw)}-{player.key}")


@st.cache_data(max_entries=64, show_spinner=False)
def masked(key: tuple[str, ...], _agent: AgentCase) -> Masking:
    """What hiding costs: from the card where it keeps that, else played now."""
    kept = _agent.card.measured.constants.get("masking") if key[-1] == "shipped" else None
    if kept:
        full, *hidden = np.array(kept, dtype=float)
        return Masking(_agent.world.columns, full, np.array(hidden))
    first = STARTS["validation"]
    # Long episodes of a simulated physics would keep other visitors waiting.
    episodes = MASKED_EPISODES if _agent.world.steps <= 500 else LONG_MASKED_EPISODES
    return _agent.mask_inputs(range(first, first + episodes))


@st.cache_data(max_entries=64, show_spinner=False)
def mean_attribution(key: tuple[str, ...], method: str, _agent: AgentCase, _e: Rollout) -> Any:
    """Mean absolute attribution of each input over an episode, as shares; shape (S,)."""
    from dlportal.explain import get_explainer

    explainer = get_explainer(method)
    total = np.zeros(len(_agent.world.columns))
    for step in np.linspace(0, _e.length - 1, min(MOMENTS, _e.length)).astype(int):
        target = int(_e.probabilities[step].argmax())
        total += np.abs(explainer.explain(_agent, _agent.seen(_e, int(step)), target).values)
    return total / max(total.sum(), 1e-12)


def masking_check(player: Player, episode: Rollout) -> Callable[[], None]:
    """Below the map of one moment: does the agent need what maps name over the episode?"""

    def draw() -> None:
        method = st.session_state.get("method")
        if not method:
            return
        st.header(_("Does the agent need what the map names?"), anchor=False)
        with st.skeleton(height=260):
            # With nothing hidden: a hidden input has no influence that a map could name.
            whole, _chance = play(player, episode.seed, ())
            key = (*cache_key(player), str(whole.seed))
            shares = mean_attribution(key, method, player.case, whole)
            masking = masked(cache_key(player), player.case)
        found = agreement(shares, masking)
        order = np.argsort(-shares)
        names = [player.world.columns[i](language()) for i in order]
        draw_verdict(found, names, masking.drops[order])
        left, right = st.columns(2, gap="large")
        with left:
            st.markdown("**" + _("What the map names") + "**")
            note(_("mean over {n} moments, nothing hidden").format(n=min(MOMENTS, whole.length)))
            texts = [f"{100 * shares[i]:.0f}%" for i in order]
            alt = ", ".join(f"{n} {t}" for n, t in zip(names, texts))
            show_chart(bars(names, shares[order].tolist(), texts), alt=alt, key="named")
        with right:
            st.markdown("**" + _("What hiding it costs") + "**")
            note(_("reward lost, mean of {n} episodes").format(n=len(masking.full)))
            drops = masking.drops[order]
            texts = [f"{round(drop):,}" for drop in drops.tolist()]
            alt = ", ".join(f"{n} {t}" for n, t in zip(names, texts))
            show_chart(bars(names, np.maximum(drops, 0).tolist(), texts), alt=alt, key="needed")

    return draw


def draw_verdict(found: Agreement, names: list[str], drops: np.ndarray) -> None:
    """A badge and the sentence behind it."""
    label, color, icon = VERDICTS[found.verdict]
    st.badge(_(label), color=color, icon=icon)
    note(
        _(
            "Hiding {first}, named most, costs {most} of reward; hiding {last}, named least,"
            " costs {least}. In {right} of {pairs} pairs with a clear difference the one that"
            " is named more is also the one that is missed more."
        ).format(
            first=names[0],
            most=f"{round(float(drops[0])):,}",
            last=names[-1],
            least=f"{round(float(drops[-1])):,}",
            right=found.right,
            pairs=found.pairs,
        )
    )


def episode_code(player: Player, episode: Rollout, step: int) -> Callable[[], None]:
    """The lines that play this episode and explain this moment."""

    def draw() -> None:
        note(_("This plays the episode above and explains the same moment; a test runs it."))
        code = player.case.episode_code(
            episode,
            step,
            st.session_state.get("method"),
            st.session_state.get("target"),
        )
        show_code(code, player.case.card.id)

    return draw
