"""Will it hold on new data: the gap by remedy and by amount, and what a changed input costs."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dlportal.cards import Metric, all_cards, show_interval, show_value
from dlportal.cases.regularization_lab import METHOD_NAMES
from dlportal.coverage import Place
from dlportal.faq import stored
from dlportal.messages import N_
from dlportal.ui.charts import line, show_chart, style
from dlportal.ui.faq_parts import measured_here, origin, percent, see
from dlportal.ui.language import _
from dlportal.ui.theme import palette
from dlportal.ui.words import note

REMEDIES = {"none": N_("no remedy"), **METHOD_NAMES, "chosen": N_("L2 and augmentation")}
SEEDS = 3
# Case, model, data as trained for, data as changed, what changed.
CHANGED = (
    (
        "architecture_tour",
        "CNN",
        "fashion_mnist",
        "fashion_mnist_shifted_3",
        N_("CNN, clothes moved by 3 pixels"),
    ),
    (
        "architecture_tour",
        "MLP",
        "fashion_mnist",
        "fashion_mnist_shifted_3",
        N_("MLP, clothes moved by 3 pixels"),
    ),
    ("architecture_tour", "LSTM", "fsdd", "fsdd_new_voice", N_("LSTM, digits in a new voice")),
    (
        "chest_xray",
        "5 small CNNs",
        "pneumoniamnist",
        "photographs",
        N_("X-rays as photographs, not from the data set"),
    ),
)


def generalisation() -> None:
    found = stored("generalisation")
    rows = {r["remedy"]: r for r in found["remedies"]}
    best = max(found["remedies"], key=lambda r: r["test"][0])
    amounts = found["amounts"]
    st.markdown(
        _(
            "Only a test on unseen data tells. More data helps most: from {few} to {many} examples, the test rises from {low} to {high} here. With {points} examples, {best} brings {better} instead of {plain}. And inputs of another kind cost more than any remedy gives."
        ).format(
            few=amounts[0]["points"],
            many=amounts[-1]["points"],
            low=percent(amounts[0]["test"][0]),
            high=percent(amounts[-1]["test"][0]),
            points=found["points"],
            best=_(REMEDIES[best["remedy"]]),
            better=percent(best["test"][0]),
            plain=percent(rows["none"]["test"][0]),
        )
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**" + _("Which remedy narrows the gap?") + "**")
        show_chart(by_remedy(found["remedies"]), alt=remedies_in_words(rows), key="remedies")
    with right:
        st.markdown("**" + _("And more data, without a remedy?") + "**")
        show_chart(by_amount(amounts), alt=amounts_in_words(amounts), key="amounts")
    note(
        _(
            "A small network on {points} of scikit-learn's digits, {wrong} of the labels wrong, means over {seeds} seeds; bars: 95% (Student). Hollow: on the training examples, with the labels as given; full: on the test, with the right ones. Chance: {blind}."
        ).format(
            points=found["points"],
            wrong=f"{100 * found['wrong_labels']:.0f}%",
            seeds=found["seeds"],
            blind=f"{100 * found['blind']:.0f}%",
        )
    )
    origin(found)
    st.space("small")
    left, right = st.columns([7, 5], gap="large")
    with left:
        changed()
    with right:
        on_the_spot()
    see(
        Place(case="regularization_lab", step="Was it luck?"),
        Place(case="practice_lab", step="More pictures from the same ones"),
        Place(case="architecture_tour", step="Move it to the right"),
        Place(case="chest_xray", step="No X-ray at all"),
    )


def by_remedy(rows: Sequence[dict[str, Any]]) -> go.Figure:
    """Training (hollow) and test (full) accuracy of each remedy, joined by a line."""
    colors = palette()
    fig = go.Figure()
    names = [_(REMEDIES[r["remedy"]]) for r in rows]
    for name, row in zip(names, rows):
        fig.add_trace(
            go.Scatter(
                x=[row["train"][0], row["test"][0]],
                y=[name, name],
                mode="lines",
                line={"width": 3, "color": colors.rest},
                hoverinfo="skip",
                showlegend=False,
            )
        )
    for part, title, symbol in (
        ("train", _("training"), "circle-open"),
        ("test", _("test"), "circle"),
    ):
        fig.add_trace(
            go.Scatter(
                x=[r[part][0] for r in rows],
                y=names,
                mode="markers",
                name=title,
                marker={
                    "size": 11,
                    "symbol": symbol,
                    "color": colors.text if part == "train" else colors.accent,
                    "line": {"width": 2, "color": colors.accent},
                },
                error_x={
                    "type": "data",
                    "array": [r[part][2] - r[part][0] for r in rows],
                    "arrayminus": [r[part][0] - r[part][1] for r in rows],
                    "thickness": 1.2,
                    "width": 3,
                },
            )
        )
    style(fig, height=40 * len(rows) + 70, legend=True)
    fig.update_yaxes(autorange="reversed", showgrid=False, type="category", tickvals=names)
    fig.update_xaxes(tickformat=".0%", title_text=_("accuracy"))
    return fig


def by_amount(rows: Sequence[dict[str, Any]]) -> go.Figure:
    """Training and test accuracy over the number of examples."""
    fig = go.Figure()
    sizes = [r["points"] for r in rows]
    for index, (part, title) in enumerate((("test", _("test")), ("train", _("training")))):
        trace = line(sizes, [r[part][0] for r in rows], title, index, markers=True)
        trace.error_y = {
            "type": "data",
            "array": [r[part][2] - r[part][0] for r in rows],
            "arrayminus": [r[part][0] - r[part][1] for r in rows],
            "thickness": 1.2,
            "width": 3,
        }
        fig.add_trace(trace)
    style(fig, height=330, legend=True)
    fig.update_xaxes(
        type="log",
        title_text=_("training examples"),
        tickvals=sizes,
        ticktext=[str(n) for n in sizes],
    )
    fig.update_yaxes(tickformat=".0%")
    return fig


def remedies_in_words(rows: dict[str, dict[str, Any]]) -> str:
    return "; ".join(
        _("{name}: training {train}, test {test}").format(
            name=_(REMEDIES[name]), train=percent(r["train"][0]), test=percent(r["test"][0])
        )
        for name, r in rows.items()
    )


def amounts_in_words(rows: Sequence[dict[str, Any]]) -> str:
    return "; ".join(
        _("{name}: training {train}, test {test}").format(
            name=r["points"], train=percent(r["train"][0]), test=percent(r["test"][0])
        )
        for r in rows
    )


def changed() -> None:
    """What the same networks do on inputs of another kind, from the cases' own cards."""
    st.markdown("**" + _("And when the input changes?") + "**")
    lines = [
        "| | " + " | ".join((_("as trained for"), _("changed"))) + " |",
        "|---" * 3 + "|",
    ]
    for words, before, after in changed_inputs():
        lines.append(f"| {_(words)} | {cell(before)} | {cell(after)} |")
    st.markdown("\n".join(lines))
    note(_("Accuracy on the cases' own test data, from their cards, with 95% intervals."))


def changed_inputs() -> list[tuple[str, Metric, Metric]]:
    """What changed (marked), and accuracy before and after, where a card has both."""
    found = []
    for case, model, before, after, words in CHANGED:
        card = all_cards().get(case)
        metrics = [] if card is None else card.measured.metrics
        one, other = (pick(metrics, data, model) for data in (before, after))
        if one is not None and other is not None:
            found.append((words, one, other))
    return found


def pick(metrics: Sequence[Metric], data: str, model: str) -> Metric | None:
    return next(
        (m for m in metrics if (m.name, m.data, m.model) == ("accuracy", data, model)), None
    )


def cell(metric: Metric) -> str:
    return f"{show_value(metric)} :gray[:small[{show_interval(metric)}]]"


def on_the_spot() -> None:
    """One remedy against none on the visitor's choice, three seeds."""
    with st.container(border=True):
        st.markdown("**" + _("Try it here") + "**")
        remedy = st.pills(
            _("Remedy"),
            list(METHOD_NAMES),
            default="augment",
            format_func=lambda name: _(METHOD_NAMES[name]),
            key="remedy",
            required=True,
            wrap=True,
            persist_state="page",
        )

        def work() -> Any:
            from dlportal.faq.generalisation import outcomes, settings, summed_up
            from dlportal.labs.regularization_compare import rivals

            both = rivals(settings())
            return remedy, {
                name: summed_up(outcomes(both[name], SEEDS)) for name in ("none", str(remedy))
            }

        found = measured_here("generalisation", _("Train both, three seeds"), work)
        if found is None:
            return
        chosen, results = found
        for name, row in results.items():
            value, low, high = row["test"]
            st.metric(_(REMEDIES[name]), percent(value))
            note(
                _("test, {low}–{high}; training {train}").format(
                    low=percent(low), high=percent(high), train=percent(row["train"][0])
                )
            )
        apart = results[chosen]["test"][1] > results["none"]["test"][2]
        note(
            _("Even with three seeds the intervals are apart.")
            if apart
            else _("The intervals overlap: three seeds are too few to be sure.")
        )
