"""Deep or classical: accuracy over the number of training sentences, stored and on the spot."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dlportal.cards import Metric, all_cards, show_value
from dlportal.coverage import Place
from dlportal.faq import stored
from dlportal.messages import N_
from dlportal.ui.charts import line, show_chart, style
from dlportal.ui.faq_parts import measured_here, origin, percent, see, within
from dlportal.ui.language import _
from dlportal.ui.theme import palette
from dlportal.ui.words import note

MODELS = {
    "tfidf": N_("TF-IDF and logistic regression"),
    "frozen": N_("MiniLM as it is, and logistic regression"),
    "tuned": N_("MiniLM fine-tuned"),
}
SHORT = {"tfidf": "TF-IDF", "frozen": N_("MiniLM, frozen"), "tuned": N_("MiniLM, fine-tuned")}
UNKNOWN = "–"
SIZES = (20, 50, 100, 200, 400)


def classical() -> None:
    found = stored("learning_curve")
    rows = found["rows"]
    shipped = all_cards()["sentiment"].metric("accuracy@sst2")
    least, most = min(r["n"] for r in rows), max(r["n"] for r in rows)
    some = max(r["n"] for r in rows if r["model"] == "tuned")
    st.markdown(
        _(
            "Classical learning counts what people chose to count; a deep network learns what to look at, often long before it meets your task. On film reviews, {least} sentences give TF-IDF {few} and a pretrained network {pretrained}; fine-tuned on {some} it reaches {better}. With {most}, TF-IDF reaches {many}, and the network this portal fine-tuned on them {tuned}."
        ).format(
            least=least,
            most=f"{most:,}",
            few=at(rows, "tfidf", least),
            pretrained=at(rows, "frozen", least),
            some=f"{some:,}",
            better=at(rows, "tuned", some),
            many=at(rows, "tfidf", most),
            tuned=UNKNOWN if shipped is None else show_value(shipped),
        )
    )
    left, right = st.columns([8, 4], gap="large")
    with left:
        st.markdown("**" + _("How often is it right, after how many sentences?") + "**")
        fig = curve(rows, found["majority"])
        if shipped is not None:
            add_shipped(fig, most, shipped)
        show_chart(fig, alt=in_words(rows), key="learning_curve")
        note(
            _(
                "SST-2, {test} test sentences it has never seen. Bars: 95% over three draws of the training sentences and over the test sentences. Dotted: always saying the commoner class. TF-IDF and the frozen network chose their penalty on {validation} validation sentences. Star: the network of the sentiment case, which a larger one taught."
            ).format(test=found["test"], validation=found["validation"])
        )
        origin(found)
    with right:
        on_the_spot()
    see(
        Place(case="sentiment", step="How often is it right?"),
        Place(case="fraud_detection", step="Is that good?"),
        Place(case="stock_forecast", step="Is that good?"),
        Place(page="scorecard"),
    )


def at(rows: Sequence[dict[str, Any]], model: str, n: int) -> str:
    return percent(next(r["value"] for r in rows if r["model"] == model and r["n"] == n))


def curve(rows: Sequence[dict[str, Any]], blind: float) -> go.Figure:
    """A line for each way, with its intervals; training sentences on a logarithmic axis."""
    fig = go.Figure()
    for index, (model, name) in enumerate(SHORT.items()):
        own = [r for r in rows if r["model"] == model]
        trace = line([r["n"] for r in own], [r["value"] for r in own], _(name), index, markers=True)
        trace.error_y = {
            "type": "data",
            "array": [r["high"] - r["value"] for r in own],
            "arrayminus": [r["value"] - r["low"] for r in own],
            "thickness": 1.5,
            "width": 4,
        }
        fig.add_trace(trace)
    style(fig, height=320, legend=True)
    sizes = sorted({r["n"] for r in rows})
    fig.update_xaxes(
        type="log",
        title_text=_("training sentences"),
        tickvals=sizes,
        ticktext=[f"{n:,}" for n in sizes],
    )
    fig.update_yaxes(tickformat=".0%")
    fig.add_hline(blind, line={"width": 1.5, "dash": "dot", "color": palette().muted})
    return fig


def add_shipped(fig: go.Figure, n: int, metric: Metric) -> None:
    """A star for the sentiment case's own network, with its interval."""
    color = palette().text
    fig.add_trace(
        go.Scatter(
            x=[n],
            y=[metric.value],
            mode="markers",
            name=_("as shipped"),
            marker={"size": 12, "symbol": "star", "color": color},
            error_y={
                "type": "data",
                "array": [(metric.high or metric.value) - metric.value],
                "arrayminus": [metric.value - (metric.low or metric.value)],
                "thickness": 1.5,
                "width": 4,
                "color": color,
            },
        )
    )


def in_words(rows: Sequence[dict[str, Any]]) -> str:
    """The chart as a sentence."""
    parts = [
        f"{_(name)}: "
        + ", ".join(f"{r['n']:,} {percent(r['value'])}" for r in rows if r["model"] == model)
        for model, name in MODELS.items()
    ]
    return "; ".join(parts)


def on_the_spot() -> None:
    """TF-IDF against frozen MiniLM on as many sentences as the visitor likes."""
    with st.container(border=True):
        st.markdown("**" + _("Try it here") + "**")
        size = st.pills(
            _("Training sentences"),
            SIZES,
            default=50,
            key="sentences",
            required=True,
            wrap=True,
            persist_state="page",
        )

        def work() -> Any:
            from dlportal.faq.learning_curve import on_the_spot as measure

            return size, measure(int(size or SIZES[0]))

        found = measured_here("classical", _("Train both"), work)
        if found is None:
            note(_("Takes some seconds the first time: MiniLM reads 900 sentences."))
            return
        n, results = found
        for model, (value, low, high) in results.items():
            st.metric(_(SHORT[model]), percent(value), help=_(MODELS[model]))
            note(within(low, high))
        note(
            _("{n} sentences, five draws, 300 test sentences; 95% intervals. Chance: 50%.").format(
                n=n
            )
        )
