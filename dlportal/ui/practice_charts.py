"""The chart of a finished training of the practice lab, class by class."""

import plotly.graph_objects as go

from dlportal.labs.practice_formulas import ClassScores
from dlportal.ui.charts import MARKERS, style
from dlportal.ui.language import _
from dlportal.ui.theme import palette


def class_chart(scores: list[ClassScores], names: list[str]) -> go.Figure:
    """Precision, recall and F1 of every class with their intervals."""
    fig, colors = go.Figure(), palette()
    kinds = ((_("precision"), "precision"), (_("recall"), "recall"), ("F1", "f1"))
    for index, (title, kind) in enumerate(kinds):
        bounded = [getattr(score, kind) for score in scores]
        fig.add_trace(
            go.Scatter(
                # Of a class that it never names nothing is known: no point, no interval.
                x=[None if (b.low, b.high) == (0.0, 1.0) else 100 * b.value for b in bounded],
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
