"""Train: start a training, watch it, stop it, compare it with the shipped weights."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from dlportal.cards import Card, show_value
from dlportal.case import Settings
from dlportal.training.background import Job, jobs, start
from dlportal.training.events import Event
from dlportal.ui.charts import label_ends, line, show_chart, style
from dlportal.ui.errors import guard
from dlportal.ui.language import _, ngettext
from dlportal.ui.words import duration, main_button, metric_name, note

REFRESH_SECONDS = 1.0
ACTIVE = ("waiting", "running")


Draw = Callable[[list[Event]], Any]  # events of a training to a figure


def train_panel(card: Card, part: str = "", reward: Draw | None = None) -> None:
    """Choose a budget and start; the newest training of this case shows below.

    Args:
        card: The case.
        part: What a quick training is for, where a case has several networks.
        reward: Draws the validation metric as it grows; without it the loss is drawn.
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
        if newest is not None and active:
            if st.button(_("Stop"), key="train_stop", icon=":material/stop_circle:"):
                newest.stop()
                st.rerun(scope="fragment")
        elif main_button(_("Train"), key="train_start", icon=":material/play_arrow:"):
            full = budget == "full"
            start(
                card.id,
                Settings("full" if full else "quick", int(seed), "" if full else part),
            )
            st.rerun(scope="fragment")
    if newest is None:
        return
    if active:
        watch(card, newest.id, reward)
    else:
        draw_job(card, newest, reward)


@st.fragment(run_every=REFRESH_SECONDS)
def watch(card: Card, job_id: str, reward: Draw | None) -> None:
    """Redraw a running training every second; when it ends, redraw the whole panel."""
    with guard():
        job = next((j for j in jobs(card.id) if j.id == job_id), None)
        if job is None or job.status not in ACTIVE:
            st.rerun()
        else:
            draw_job(card, job, reward)


def draw_job(card: Card, job: Job, reward: Draw | None) -> None:
    """Progress, curve, four tiles, and in the end the comparison."""
    events = job.events()
    last = events[-1] if events else Event("message")
    steps = [e for e in events if e.kind in ("step", "epoch")]
    progress(job, steps[-1] if steps else last)
    if reward is not None and job.settings.budget == "quick":
        show_chart(reward(steps), alt=_("Reward over the training"), key="growing")
    elif any(e.loss is not None for e in steps):
        show_chart(loss_figure(steps), alt=_("Loss over the training"), key="loss")
    tiles(card, steps, job.settings.part)
    if job.status in ("done", "stopped"):
        compare(job)


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
    if job.status == "failed":
        st.error(_("The training failed. The log has the reason."), icon=":material/error:")
        return
    share_done = min(1.0, event.step / event.steps) if event.steps else 0.0
    if job.status == "running":
        if not event.steps:
            text = _("Starting: loading the data")
        elif event.epochs:
            text = _("Epoch {epoch} of {epochs}").format(
                epoch=min(event.epoch + 1, event.epochs), epochs=event.epochs
            )
        else:
            text = _("Step {step} of {steps}").format(
                step=f"{event.step:,}", steps=f"{event.steps:,}"
            )
        if event.eta is not None:
            text += " · " + _("{time} left").format(time=duration(event.eta))
        st.progress(share_done, text=text)
    elif job.status == "done":
        note(":material/check_circle: " + _("Done in {time}.").format(time=duration(event.seconds)))
    else:
        note(
            ":material/stop_circle: "
            + _("Stopped after {time}; the best so far was kept.").format(
                time=duration(event.seconds)
            )
        )


def loss_figure(events: list[Event]) -> Any:
    """Training loss by step and validation loss by epoch, on a log scale."""
    import plotly.graph_objects as go

    train = [(e.step, e.loss) for e in events if e.loss is not None and e.kind == "step"]
    if not train:
        train = [(e.step, e.loss) for e in events if e.loss is not None]
    train = thin(train, 400)
    valid = [(e.step, e.metrics["loss"]) for e in events if "loss" in e.metrics]
    fig = go.Figure()
    fig.add_trace(line([s for s, _v in train], [v for _s, v in train], _("training"), 0))
    if valid:
        fig.add_trace(
            line([s for s, _v in valid], [v for _s, v in valid], _("validation"), 1, markers=True)
        )
    style(fig, height=260)
    fig.update_xaxes(title_text=_("step"))
    fig.update_yaxes(title_text=_("loss"))
    if len(train) > 1 and all(v > 0 for _s, v in train + valid):
        fig.update_yaxes(type="log", dtick=1)
    return label_ends(fig)


def thin(points: list[tuple], most: int) -> list[tuple]:
    """At most `most` points, evenly picked: a browser needs no more."""
    stride = max(1, len(points) // most)
    return points[::stride]


def tiles(card: Card, events: list[Event], part: str) -> None:
    """Validation metric, learning rate, time left, and the shipped weights' figure."""
    epochs = [e for e in events if e.metrics]
    rates = thin([(e.rate,) for e in events if e.rate is not None], 60)
    with st.grid(4, min_column_width=150):
        if epochs:
            name = next((m for m in epochs[-1].metrics if m != "loss"), "loss")
            series = [e.metrics[name] for e in epochs if name in e.metrics]
            st.metric(
                _("Validation {metric}").format(metric=metric_name(name)),
                f"{series[-1]:.3g}",
                border=True,
                chart_data=series,
            )
        if rates:
            st.metric(
                _("Learning rate"),
                f"{rates[-1][0]:.2g}",
                border=True,
                chart_data=[r for (r,) in rates],
                chart_type="area",
            )
        if events and events[-1].eta is not None:
            st.metric(_("Time left"), duration(events[-1].eta), border=True)
        # Several networks are told apart by the data they were measured on.
        shipped = next((m for m in card.measured.metrics if m.data == part), card.main)
        if shipped is not None:
            st.metric(
                _("Shipped weights, test {metric}").format(metric=metric_name(shipped.name)),
                show_value(shipped),
                border=True,
            )


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
