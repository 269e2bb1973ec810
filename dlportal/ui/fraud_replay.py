"""The fraud page: a day streams in, and how good the first alerts of every day are.

The replay is one Plotly figure with frames: it plays in the browser, without a message a payment.
"""

from typing import Any

import numpy as np
import streamlit as st

from dlportal.cases.fraud_detection import FraudDetection, demo_days
from dlportal.data.fraud_costs import precision_at
from dlportal.data.fraud_queue import Queue
from dlportal.data.fraud_replay import Replay, replay_day
from dlportal.serving import compute
from dlportal.ui.charts import FONT, line, show_chart, style
from dlportal.ui.errors import fragment
from dlportal.ui.fraud_queue import Rule
from dlportal.ui.language import _
from dlportal.ui.theme import Palette, palette
from dlportal.ui.words import note, together

FRAMES = 72  # one every twenty minutes
FRAME_MS = 120
BUDGETS = (5, 100)
KINDS = ("waits", "fraud", "honest")


@fragment
def show_replay(case: FraudDetection, queue: Queue, rule: Rule) -> None:
    """The budget; the day as it streams in; precision among the first k alerts, day by day."""
    st.header(_("A day as it streams in"), anchor="replay")
    st.session_state.setdefault("alert_budget", 30)
    budget = st.slider(
        _("Alerts somebody can check a day"),
        *BUDGETS,
        key="alert_budget",
        persist_state="page",
        help=_("One after the other around the clock, always the most suspicious that waits."),
    )
    left, right = st.columns(2, gap="large")
    with left:
        day, replay = last_day(queue, rule.threshold, budget)
        show_chart(
            replay_figure(replay, queue.labelled),
            alt=_("Alerts over the hours of a day, as they come, wait and are checked"),
            key="replay_figure",
        )
        checks, frauds = replay.found(24)
        words = _(
            "{day}: {alerts} alerts, {checks} checked, {left} never looked at that day."
        ).format(day=day, alerts=len(replay.p), checks=checks, left=replay.waiting(24))
        if queue.labelled:
            words = together(words, _("{n} of the checked were frauds.").format(n=frauds))
        note(words)
    with right:
        precision = daily_precision(case.card.measured.sha256.get("weights.safetensors", ""), case)
        show_chart(
            precision_figure(precision[budget]),
            alt=_("Share of frauds among the first alerts of each day, and the mean"),
            key="precision_days",
        )
        note(
            _(
                "Of the {k} most suspicious payments of a day, how many were frauds: {n} days of the small simulated world, mean {mean}. No day has more frauds than it has: past that, a larger budget must find honest ones."
            ).format(
                k=budget,
                n=len(precision[budget]),
                mean=f"{100 * precision[budget].mean():.0f}%",
            )
        )


def last_day(queue: Queue, threshold: float, budget: int) -> tuple[str, Replay]:
    """The replay of the last day among the queue's payments."""
    when = queue.table["TX_DATETIME"]
    today = (when.dt.normalize() == when.max().normalize()).to_numpy()
    moments = when[today]
    hour = ((moments - moments.dt.normalize()).dt.total_seconds() / 3600).to_numpy()
    fraud = queue.table["TX_FRAUD"].to_numpy()[today].astype(np.int64)
    replay = replay_day(hour, queue.p[today], fraud, threshold, budget)
    return when.max().strftime("%Y-%m-%d"), replay


@st.cache_data(max_entries=2, show_spinner=False)
def daily_precision(weights: str, _case: FraudDetection) -> dict[int, np.ndarray]:
    """For every budget k, the share of frauds among the first k of each day, (days,)."""

    def work() -> dict[int, np.ndarray]:
        days = demo_days()
        p = _case.score(days.rows)
        fraud = days.table["TX_FRAUD"].to_numpy().astype(np.int64)
        day = days.table["TX_TIME_DAYS"].to_numpy()
        return {k: precision_at(k, fraud, p, day) for k in range(BUDGETS[0], BUDGETS[1] + 1)}

    return compute(work)


def at_hour(replay: Replay, hour: float) -> dict[str, np.ndarray]:
    """Which alerts wait, were found to be frauds, or were found honest, by an hour."""
    done = replay.checked <= hour
    return {
        "waits": (replay.came <= hour) & ~done,
        "fraud": done & (replay.fraud == 1),
        "honest": done & (replay.fraud == 0),
    }


def replay_figure(replay: Replay, labelled: bool) -> Any:
    """Hour over probability; the marks change as the day goes on."""
    import plotly.graph_objects as go

    colors = palette()
    names = {
        "waits": _("waits"),
        "fraud": _("checked: fraud") if labelled else _("checked"),
        "honest": _("checked: honest") if labelled else _("checked"),
    }
    kinds = KINDS if labelled else ("waits", "honest")
    fig = go.Figure()
    for kind in kinds:
        fig.add_trace(go.Scatter(name=names[kind], mode="markers", **look(kind, colors)))
    hours = np.linspace(0, 24, FRAMES + 1)
    frames = []
    for hour in hours:
        shown = at_hour(replay, hour)
        data = [points(replay, shown[kind]) for kind in kinds]
        title = _("{hour}: {waiting} wait, {checks} checked").format(
            hour=clock(hour), waiting=replay.waiting(hour), checks=replay.found(hour)[0]
        )
        frames.append(
            go.Frame(
                data=data,
                name=clock(hour),
                layout={"title": {"text": title}},
                traces=list(range(len(kinds))),
            )
        )
    fig.frames = frames
    style(fig, height=400, legend=True)
    for trace, data in zip(fig.data, frames[-1].data, strict=True):
        trace.update(x=data.x, y=data.y)
    fig.update_xaxes(title_text=_("hour of the day"), range=[0, 24], tickvals=[0, 6, 12, 18, 24])
    low = float(replay.p.min()) if len(replay.p) else 0.0
    fig.update_yaxes(
        title_text=_("probability of fraud"), tickformat=".0%", range=[max(0.0, low - 0.06), 1.05]
    )
    fig.update_layout(
        margin_t=78,
        legend={"y": -0.28, "yanchor": "top"},
        title={
            "text": frames[-1].layout.title.text,
            "x": 1,
            "xref": "paper",
            "xanchor": "right",
            "y": 0.99,
            "yanchor": "top",
            "font": {"family": FONT, "size": 13, "weight": "normal", "color": colors.text},
        },
        updatemenus=[player(colors)],
    )
    return fig


def points(replay: Replay, rows: np.ndarray) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(x=replay.came[rows].round(2).tolist(), y=replay.p[rows].round(3).tolist())


def look(kind: str, colors: Palette) -> dict[str, Any]:
    """Shape and colour both tell what became of an alert."""
    marks = {
        "waits": {"symbol": "circle-open", "color": colors.muted, "size": 9},
        "fraud": {"symbol": "diamond", "color": colors.series[1], "size": 10},
        "honest": {"symbol": "x", "color": colors.series[0], "size": 8},
    }
    return {"marker": marks[kind]}


def player(colors: Palette) -> dict[str, Any]:
    """Play and pause, drawn by Plotly in the browser."""
    motion = {"frame": {"duration": FRAME_MS, "redraw": True}, "transition": {"duration": 0}}
    return {
        "type": "buttons",
        "direction": "left",
        "x": 0,
        "y": 1.04,
        "xanchor": "left",
        "yanchor": "bottom",
        "showactive": False,
        "bgcolor": colors.ground,
        "bordercolor": colors.rest,
        "font": {"color": colors.text, "size": 13},
        "buttons": [
            {"label": "▶ " + _("play"), "method": "animate", "args": [None, motion]},
            {
                "label": "❚❚",
                "method": "animate",
                "args": [[None], {"mode": "immediate", "frame": {"duration": 0}}],
            },
        ],
    }


def clock(hour: float) -> str:
    minutes = round(60 * hour)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def precision_figure(precision: np.ndarray) -> Any:
    """A bar a day, the mean as a dotted line."""
    import plotly.graph_objects as go

    colors = palette()
    days = list(range(1, len(precision) + 1))
    fig = go.Figure()
    fig.add_trace(line(days, precision.tolist(), _("frauds among the first"), markers=True))
    style(fig, height=400)
    fig.add_hline(
        float(precision.mean()), line={"width": 1.5, "dash": "dot", "color": colors.muted}
    )
    fig.update_xaxes(title_text=_("day"))
    fig.update_yaxes(title_text=_("share that were frauds"), tickformat=".0%", range=[0, 1.05])
    return fig
