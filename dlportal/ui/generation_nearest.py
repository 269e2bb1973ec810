"""Where the distances to the nearest training picture lie, beside those of real test pictures."""

import numpy as np
import plotly.graph_objects as go

from dlportal.cards import Card, show_value
from dlportal.ui.charts import line, show_chart, style
from dlportal.ui.language import _, language
from dlportal.ui.theme import palette
from dlportal.ui.words import metric_name, note

CURVE = "How near is the nearest training picture?"


def where_they_lie(card: Card, distances: np.ndarray | None) -> None:
    """The card's two histograms, with a mark for each of these pictures.

    Args:
        card: Of the generator.
        distances: Of the clothes shown, (N,); None draws no marks.
    """
    curve = next((c for c in card.measured.curves if c.name == CURVE), None)
    if curve is None:
        return
    colors = palette()
    fig = go.Figure()
    for index, (name, values) in enumerate(curve.y.items()):
        fig.add_trace(line(curve.x, values, _(metric_name(name)), index))
    if distances is not None:
        top = max(max(values) for values in curve.y.values())
        fig.add_scatter(
            x=distances.round(4).tolist(),
            y=[0.03 * top] * len(distances),
            mode="markers",
            name=_("the eight above"),
            marker={"symbol": "line-ns-open", "size": 16, "color": colors.text, "line_width": 2},
        )
    style(fig, height=270, legend=True)
    lang = language()
    fig.update_xaxes(title_text=curve.x_label(lang))
    fig.update_yaxes(title_text=curve.y_label(lang), tickformat=".0%")
    show_chart(fig, alt=_(CURVE), key="near")
    share = card.metric("nearer_than_real@fashion_mnist")
    if share is not None:
        note(
            _(
                "A copy would lie at 0. Of real test pictures of clothes, which nobody could have copied, one in twenty is nearer to a training picture than {limit}; of the generated ones, {share}. Pixel distance also falls when a picture is smooth, so a small one alone proves no copy: look at the pairs."
            ).format(limit=f"{card.measured.constants.get('near', 0):.3f}", share=show_value(share))
        )
