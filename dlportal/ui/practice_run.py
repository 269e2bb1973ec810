"""Trainings of the practice lab as they happen: start, pause, step, stop; charts and table."""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from dlportal.cases.practice_lab import PracticeLab
from dlportal.labs.live import Live
from dlportal.labs.practice_experiments import Experiment, Frame
from dlportal.labs.practice_formulas import Report, fold_mean
from dlportal.labs.practice_training import LOOKED_AT, Outcome
from dlportal.messages import N_
from dlportal.ui.drawn import drawn
from dlportal.ui.errors import fragment, guard, show_user_error
from dlportal.ui.language import _
from dlportal.ui.practice_drawn import all_accuracies, curves, forest, losses, size_curve
from dlportal.ui.practice_table import ablation_table, add_row
from dlportal.ui.practice_words import entry_name
from dlportal.ui.visitor import has_left
from dlportal.ui.words import duration, main_button, note

REFRESH_SECONDS = 0.4
PATIENCE = 0.3  # seconds that the first point is waited for: then it stands at once
STATES = {
    "running": (":material/play_circle:", N_("Training")),
    "paused": (":material/pause_circle:", N_("Paused")),
    "done": (":material/check_circle:", N_("Done")),
    "stopped": (":material/stop_circle:", N_("Stopped")),
    "failed": (":material/error:", N_("Broke off")),
}


@dataclass
class Running:
    """The experiment that this visitor started last."""

    experiment: Experiment
    live: Live[Frame]
    outcomes: dict[int, Outcome] = field(default_factory=dict)  # in the table already
    reports: dict[int, Report] = field(default_factory=dict)  # of those looked at

    def update(self) -> list[Frame]:
        """Look at the frames; trainings that have finished meanwhile go into the table."""
        frames = self.live.look()
        for frame in frames:
            if frame.outcome is not None and frame.run not in self.outcomes:
                self.outcomes[frame.run] = frame.outcome
                add_row(self.experiment, frame.run, frame.outcome)
        return frames


def current() -> Running | None:
    return st.session_state.get("practice_running")


def begin(lab: PracticeLab, s: dict[str, Any]) -> None:
    """Stop what runs, start what is set."""
    before = current()
    if before is not None:
        before.update()
        before.live.stop()
    experiment = lab.experiment(**s)
    st.session_state["practice_running"] = Running(experiment, Live(experiment.run(), has_left()))
    st.session_state["shown"] = 0


@fragment
def training_section(lab: PracticeLab, s: dict[str, Any]) -> None:
    """Start, or the running experiment; below it the table of all that finished.

    A fragment: it starts without a run of the whole page.
    """
    running = current()
    active = running is not None and running.live.active
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not active:
            start = st.button if "tour_step" in st.session_state else main_button
            start(
                _("Start"),
                key="practice_start",
                icon=":material/play_arrow:",
                on_click=begin,
                args=(lab, s),
            )
            note(_("It runs on the server's spare time, one core, and is yours alone."))
    # Both at the same place of the page, so that the charts stay when the experiment ends.
    if running is not None and active:
        running.live.first(PATIENCE)
        watch()
    else:
        halt()


@st.fragment(run_every=REFRESH_SECONDS)
def watch() -> None:
    """Redraw the running experiment; when it ends, the whole page."""
    with guard():
        running = current()
        if running is None or not running.live.active:
            st.rerun()
        show(running)


@st.fragment
def halt() -> None:
    """An experiment that is over, or none yet."""
    with guard():
        show(current())


def show(running: Running | None) -> None:
    """Buttons while it runs, charts, and the table."""
    with st.container(horizontal=True, gap="small"):
        if running is not None and running.live.active:
            controls(running.live)
    if running is None:
        note(_("Nothing has been trained yet. Press Start: the curves draw themselves."))
    else:
        draw(running)
    ablation_table()


def controls(live: Live[Frame]) -> None:
    """Pause or go on, one step, stop."""
    if live.state == "paused":
        st.button(_("Go on"), key="practice_on", icon=":material/play_arrow:", on_click=live.go_on)
        st.button(
            _("One step"), key="practice_step", icon=":material/skip_next:", on_click=live.step
        )
    else:
        st.button(_("Pause"), key="practice_pause", icon=":material/pause:", on_click=live.pause)
    st.button(_("Stop"), key="practice_stop", icon=":material/stop:", on_click=live.stop)


def draw(running: Running) -> None:
    """How far it is, the curves so far, and what the finished trainings came to."""
    frames = running.update()
    with st.container():
        status(running, frames)
        if running.live.error is not None:
            show_user_error(running.live.error)
    if not frames:
        return
    kind = running.experiment.settings["experiment"]
    names = [entry_name(entry) for entry in running.experiment.entries]
    if kind in ("one", "pair"):
        title = _("Accuracy while it learns, of {n} pictures each").format(n=LOOKED_AT)
        drawn([losses(frames, names), curves(frames, names, title)], key="training_charts")
        words(running, kind)
        return
    charts = [all_accuracies(frames, names)]
    if running.outcomes:
        finished = [(names[n], outcome) for n, outcome in sorted(running.outcomes.items())]
        results = size_curve(finished) if kind == "sizes" else forest(finished)
        charts.append({**results, "title": _("Finished trainings, 95% intervals")})
    drawn(charts, key="training_charts")
    words(running, kind)


def status(running: Running, frames: list[Frame]) -> None:
    """One line of words; a bar while it runs."""
    icon, word = STATES[running.live.state]
    if not frames:
        note(f"{icon} {_(word)}")
        return
    last, entries = frames[-1], running.experiment.entries
    parts = [f"{icon} **{_(word)}**"]
    if len(entries) > 1:
        parts.append(
            _("{n} of {all}: {name}").format(
                n=last.run + 1, all=len(entries), name=entry_name(entries[last.run])
            )
        )
    moment = last.moment
    parts.append(_("step {step} of {steps}").format(step=moment.step, steps=moment.steps))
    parts.append(_("loss {loss}").format(loss=f"{moment.loss:.4g}"))
    parts.append(_("rate {rate}").format(rate=f"{moment.rate:.3g}"))
    parts.append(duration(running.live.seconds))
    note(" · ".join(parts))
    if running.live.active:
        st.progress(share_done(running))


def share_done(running: Running) -> float:
    """0-1, of all trainings of the experiment, each counted alike."""
    trainings = list(running.experiment.trainings.values())
    return sum(t.progress for t in trainings) / len(running.experiment.entries)


def words(running: Running, kind: str) -> None:
    """What it means, once there is something to say."""
    outcomes = running.outcomes
    for number, outcome in outcomes.items():
        name = entry_name(running.experiment.entries[number])
        if outcome.blown_up:
            steps = running.experiment.trainings[number].done
            warn(
                _(
                    "**{name} blew up**: after {steps} steps its loss was no number any more. Scale the pixels, or lower the learning rate."
                ).format(name=name, steps=steps)
            )
        elif outcome.learned_nothing:
            warn(
                _(
                    "**{name} learned nothing**: it says the same of every picture. Steps that were too large have silenced its units; scale the pixels, or lower the learning rate."
                ).format(name=name)
            )
    if kind == "folds" and len(outcomes) > 1:
        found = fold_mean([outcome.accuracy for outcome in outcomes.values()])
        st.metric(
            _("Mean of {n} folds").format(n=len(outcomes)),
            f"{100 * found.value:.1f}%",
            delta=f"{100 * found.low:.1f}–{100 * found.high:.1f}%",
            delta_color="off",
            delta_arrow="off",
        )
    if kind == "one" and 0 in outcomes:
        gap = outcomes[0].train - outcomes[0].accuracy
        note(
            _(
                "Training pictures {train}, held-out pictures {held}: a gap of {gap} points. A wide gap says that it learned its own pictures by heart."
            ).format(
                train=f"{100 * outcomes[0].train:.1f}%",
                held=f"{100 * outcomes[0].accuracy:.1f}%",
                gap=f"{round(100 * gap, 1) + 0.0:.1f}",  # never minus zero
            )
        )


def warn(text: str) -> None:
    st.warning(text, icon=":material/info:")
