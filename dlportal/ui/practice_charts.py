"""Charts of the practice lab's trainings."""

import plotly.graph_objects as go

from dlportal.labs.practice_experiments import Frame
from dlportal.labs.practice_formulas import ClassScores, proportion
from dlportal.labs.practice_training import Outcome
from dlportal.ui.charts import MARKERS, label_ends, line, style
from dlportal.ui.language import _
from dlportal.ui.theme import palette

POINTS = 300  # of a line; a browser needs no more


def losses(frames: list[Frame], names: list[str]) -> go.Figure:
    """Loss of the batches over the epochs, each point a mean of its neighbours."""
    fig = go.Figure()
    for run in sorted({frame.run for frame in frames}):
        mine = [f.moment for f in frames if f.run == run]
        size = max(1, len(mine) // POINTS)
        groups = [mine[i : i + size] for i in range(0, len(mine), size)]
        y = [sum(m.loss for m in group) / len(group) for group in groups]
        x = [group[-1].epoch for group in groups]
        finite = [(a, b) for a, b in zip(x, y) if 0 < b < 1e9]
        fig.add_trace(
            line([round(a, 3) for a, _b in finite], [b for _a, b in finite], names[run], run)
        )
    style(fig, height=280, legend=len(fig.data) > 1)
    fig.update_xaxes(title_text=_("epoch"))
    fig.update_yaxes(title_text=_("loss"), type="log", exponentformat="power", nticks=4)
    return fig


def checks(frames: list[Frame], run: int) -> tuple[list[float], list[float], list[float]]:
    """Epochs at which a training was looked at, training and held-out accuracies in percent."""
    seen = [f.moment for f in frames if f.run == run and f.moment.validation is not None]
    train = [100 * (m.train or 0.0) for m in seen]
    held = [100 * (m.validation or 0.0) for m in seen]
    return [round(m.epoch, 3) for m in seen], train, held


def curves(frames: list[Frame], names: list[str]) -> go.Figure:
    """Learning curves: one training against its own pictures, or the held-out ones of two."""
    fig = go.Figure()
    if len(names) == 1:
        epochs, train, held = checks(frames, 0)
        fig.add_trace(line(epochs, train, _("training"), 1, markers=True))
        fig.add_trace(line(epochs, held, _("held out"), 0, markers=True))
    else:
        for run, name in enumerate(names):
            epochs, _train, held = checks(frames, run)
            fig.add_trace(line(epochs, held, name, run, markers=True))
    return percent_axes(fig, legend=True)


def all_accuracies(frames: list[Frame], names: list[str]) -> go.Figure:
    """Every training's held-out accuracy; the latest in the accent, the others at rest."""
    fig, colors = go.Figure(), palette()
    last = frames[-1].run
    for run in range(last + 1):
        epochs, _train, held = checks(frames, run)
        trace = line(epochs, held, names[run], 0, markers=True)
        if run != last:
            trace.update(line={"color": colors.rest, "width": 1.5}, marker={"size": 4})
            trace.update(marker={"color": colors.rest})
        fig.add_trace(trace)
    percent_axes(fig, legend=False)
    return label_ends_of_last(fig)


def label_ends_of_last(fig: go.Figure) -> go.Figure:
    """Name the latest line alone."""
    named = go.Figure(fig.data[-1:], fig.layout)
    label_ends(named)
    fig.update_layout(annotations=named.layout.annotations, margin_t=24)
    if fig.layout.annotations:
        fig.layout.annotations[0].update(xanchor="right", yanchor="bottom", yshift=6, xshift=0)
    return fig


def percent_axes(fig: go.Figure, legend: bool) -> go.Figure:
    style(fig, height=280, legend=legend)
    fig.update_xaxes(title_text=_("epoch"), rangemode="tozero")
    fig.update_yaxes(title_text=_("accuracy, %"))
    return fig


def forest(finished: list[tuple[str, Outcome]]) -> go.Figure:
    """A row for each training: its accuracy with the exact interval of its held-out pictures."""
    bounds = [
        proportion(int((o.truth == o.predicted).sum()), len(o.truth)) for _name, o in finished
    ]
    rows = [name for name, _o in finished]
    return intervals(rows, [(b.value, b.low, b.high) for b in bounds], _("accuracy, %"))


def intervals(rows: list[str], values: list[tuple[float, float, float]], title: str) -> go.Figure:
    """Points with error bars, one row each; proportions shown in percent."""
    colors = palette()
    x = [100 * value for value, _low, _high in values]
    fig = go.Figure(
        go.Scatter(
            x=x,
            y=rows,
            mode="markers",
            marker={"size": 10, "color": colors.accent},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [100 * (high - value) for value, _low, high in values],
                "arrayminus": [100 * (value - low) for value, low, _high in values],
                "color": colors.muted,
                "thickness": 1.5,
            },
            hovertemplate="%{y}: %{x:.1f}%<extra></extra>",
        )
    )
    style(fig, height=70 + 28 * len(rows))
    fig.update_xaxes(title_text=title)
    fig.update_yaxes(autorange="reversed", type="category", nticks=len(rows), showgrid=True)
    return fig


def size_curve(finished: list[tuple[str, Outcome]]) -> go.Figure:
    """Learning curve over the number of pictures: training and held-out accuracy."""
    fig = go.Figure()
    outcomes = [o for _name, o in finished]
    x = [float(o.pictures) for o in outcomes]
    fig.add_trace(line(x, [100 * o.train for o in outcomes], _("training"), 1, markers=True))
    held = line(x, [100 * o.accuracy for o in outcomes], _("held out"), 0, markers=True)
    bounds = [proportion(int((o.truth == o.predicted).sum()), len(o.truth)) for o in outcomes]
    held.error_y = {
        "type": "data",
        "symmetric": False,
        "array": [100 * (b.high - b.value) for b in bounds],
        "arrayminus": [100 * (b.value - b.low) for b in bounds],
        "thickness": 1.5,
    }
    fig.add_trace(held)
    style(fig, height=280, legend=True)
    fig.update_xaxes(
        title_text=_("pictures to learn from"),
        type="log",
        tickvals=x,
        ticktext=[f"{n:,.0f}" for n in x],
    )
    fig.update_yaxes(title_text=_("accuracy, %"))
    return fig


def class_chart(scores: list[ClassScores], names: list[str]) -> go.Figure:
    """Precision, recall and F1 of every class with their intervals."""
    fig, colors = go.Figure(), palette()
    kinds = ((_("precision"), "precision"), (_("recall"), "recall"), ("F1", "f1"))
    for index, (title, kind) in enumerate(kinds):
        bounded = [getattr(score, kind) for score in scores]
        fig.add_trace(
            go.Scatter(
                x=[100 * b.value for b in bounded],
                y=[row + 0.22 * (index - 1) for row in range(len(names))],
                name=title,
                mode="markers",
                marker={"size": 9, "symbol": MARKERS[index], "color": colors.series[index]},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [100 * (b.high - b.value) for b in bounded],
                    "arrayminus": [100 * (b.value - b.low) for b in bounded],
                    "color": colors.series[index],
                    "thickness": 1.2,
                },
                text=names,
                hovertemplate="%{text}: %{x:.1f}%",
            )
        )
    style(fig, height=70 + 44 * len(names), legend=True)
    fig.update_xaxes(title_text="%")
    fig.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, autorange="reversed", showgrid=False
    )
    return fig
