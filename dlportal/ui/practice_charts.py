"""Charts of the practice lab's finished trainings."""

import plotly.graph_objects as go

from dlportal.labs.practice_formulas import ClassScores, proportion
from dlportal.labs.practice_training import Outcome
from dlportal.ui.charts import MARKERS, line, style
from dlportal.ui.language import _
from dlportal.ui.theme import palette


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
    style(fig, height=max(150, 80 + 28 * len(rows)))  # lower, and the title lies on the numbers
    fig.update_xaxes(title_text=title)
    fig.update_yaxes(autorange="reversed", type="category", tickvals=rows, showgrid=True)
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
