"""Train: start a training, watch it, stop it, compare it with the shipped weights."""

from dataclasses import replace

import streamlit as st

from dlportal.cards import Card
from dlportal.case import Settings
from dlportal.training.background import Job, jobs, start, warm
from dlportal.training.events import Event
from dlportal.training.pause import LONGEST, SHARED
from dlportal.ui.drawn import drawn
from dlportal.ui.errors import guard
from dlportal.ui.language import _, ngettext
from dlportal.ui.train_drawn import Draw, training_charts
from dlportal.ui.words import duration, main_button, metric_name, note

REFRESH_SECONDS = 0.4
FIRST_NEWS = 0.7  # seconds that the first step of a training is waited for: it is shown at once
ACTIVE = ("waiting", "running")


def train_panel(card: Card, part: str = "", reward: Draw | None = None) -> None:
    """Choose a budget and start; the newest training of this case shows below.

    Args:
        card: The case.
        part: What a quick training is for, where a case has several networks.
        reward: Draws the validation metric as it grows; without it loss and metric are drawn.
    """
    newest = next(iter(jobs(card.id)), None)
    if (
        newest is not None
        and newest.status not in ACTIVE
        and newest.settings.part not in ("", part)
    ):
        newest = None  # another network's, and over
    active = newest is not None and newest.status in ACTIVE
    note(_("A training runs on the server. It keeps running if you leave this page."))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        budget = st.segmented_control(
            _("Budget"),
            ["quick", "full"],
            format_func=lambda b: _("Quick, about a minute") if b == "quick" else _("Full"),
            default="quick",
            required=True,
            key="budget",
            disabled=active,
            persist_state="page",
        )
        seed = st.number_input(
            _("Random seed"), 0, 9999, 0, key="train_seed", disabled=active, width=140
        )
        if not active and main_button(_("Train"), key="train_start", icon=":material/play_arrow:"):
            full = budget == "full"
            job = start(
                card.id,
                Settings("full" if full else "quick", int(seed), "" if full else part),
            )
            job.hear(FIRST_NEWS)
            st.rerun(scope="fragment")
        elif not active:
            warm(card.id)
    if newest is None:
        return
    # Both at the same place of the page, so that the charts stay when the training ends.
    if active:
        watch(card, newest.id, reward)
    else:
        halt(card, newest, reward)


def controls(job: Job) -> None:
    """Pause, one step, go on and stop; a training that waits for its turn can only be stopped."""
    able = job.status == "running" and not job.stopping
    if job.paused:
        st.button(
            _("Go on"),
            key="train_on",
            icon=":material/play_arrow:",
            on_click=job.go_on,
            disabled=not able,
        )
    else:
        st.button(
            _("Pause"),
            key="train_pause",
            icon=":material/pause:",
            on_click=job.pause,
            disabled=not able,
        )
    st.button(
        _("One step"),
        key="train_step",
        icon=":material/skip_next:",
        on_click=job.step,
        disabled=not (able and job.paused),
        help=_("A hundredth of the training, at least one batch. Pause first."),
    )
    st.button(
        _("Stop"),
        key="train_stop",
        icon=":material/stop:",
        on_click=job.stop,
        disabled=job.stopping,
    )


@st.fragment(run_every=REFRESH_SECONDS)
def watch(card: Card, job_id: str, reward: Draw | None) -> None:
    """Redraw a running training; when it ends, redraw the whole panel."""
    with guard():
        job = next((j for j in jobs(card.id) if j.id == job_id), None)
        if job is None or job.status not in ACTIVE:
            st.rerun()
        else:
            draw_job(card, job, reward)


@st.fragment
def halt(card: Card, job: Job, reward: Draw | None) -> None:
    """A training that is over."""
    with guard():
        draw_job(card, job, reward)


def draw_job(card: Card, job: Job, reward: Draw | None) -> None:
    """Buttons and progress, or what came of it; then the charts, always the third element."""
    events = job.events()
    last = events[-1] if events else Event("message")
    steps = [e for e in events if e.kind in ("step", "epoch")]
    active = job.status in ACTIVE
    with st.container(horizontal=True, gap="small"):
        if active:
            controls(job)
        else:
            ending(job, last)
    with st.container():
        if active:
            progress(job, steps[-1] if steps else last)
        else:
            compare(job)
    if not steps:
        return
    if not active:
        steps[-1] = replace(steps[-1], eta=None)  # no time is left any more
    if reward is not None and job.settings.budget == "quick":
        drawn([reward(steps)], key="training", columns=1)
    else:
        drawn(training_charts(card, steps, job.settings.part), key="training")


def progress(job: Job, event: Event) -> None:
    """One line of words with a bar."""
    if job.status == "waiting":
        ahead = job.position
        st.info(
            ngettext(
                "Another training runs first; {n} is ahead of you.",
                "Other trainings run first; {n} are ahead of you.",
                ahead,
            ).format(n=ahead),
            icon=":material/hourglass_top:",
        )
        return
    if job.stopping:
        words = [_("Stopping after this step")]
    elif job.paused:
        words = [":material/pause_circle: **" + _("Paused") + "**"]
    else:
        words = []
    if event.epochs:
        epoch = min(event.epoch + 1, event.epochs)
        words.append(_("Epoch {epoch} of {epochs}").format(epoch=epoch, epochs=event.epochs))
    if event.steps:
        words.append(
            _("Step {step} of {steps}").format(step=f"{event.step:,}", steps=f"{event.steps:,}")
        )
    else:
        words.append(_("Starting: loading the data"))
    st.progress(min(1.0, event.step / max(1, event.steps)), text=" · ".join(words))
    if job.paused:
        note(
            _(
                "Its turn is kept: it goes on by itself after {most} of waiting in all, or after {shared} once another training waits."
            ).format(most=duration(LONGEST), shared=duration(SHARED))
        )


def ending(job: Job, last: Event) -> None:
    """How it ended."""
    time = duration(last.seconds)
    if job.status == "failed":
        st.error(_("The training failed. The log has the reason."), icon=":material/error:")
    elif job.status == "done":
        note(":material/check_circle: " + _("Done in {time}.").format(time=time))
    else:
        words = _("Stopped after {time}; the best so far was kept.").format(time=time)
        note(":material/stop_circle: " + words)


def compare(job: Job) -> None:
    """The new network beside the shipped one, both on the validation data."""
    result = job.result()
    shipped = result.get("shipped", {})
    rows = [
        {
            _("Metric"): metric_name(name),
            _("Just trained"): f"{value:.3f}",
            _("Shipped weights"): f"{shipped[name]:.3f}" if name in shipped else "",
        }
        for name, value in result.items()
        if isinstance(value, (int, float)) and name != "seconds"
    ]
    if rows:
        st.dataframe(rows, hide_index=True, alt=_("The new network beside the shipped one"))
        note(_("Both are measured on validation data; the test data is not touched."))
