"""Trust: the model card, with every number beside its interval, baseline and source."""

from typing import Any

import streamlit as st

from dlportal.cards import Calibration, Card, Curve, Metric, Slice, show_interval, show_value
from dlportal.ui.language import _, language
from dlportal.ui.model_names import licence_name, model_name
from dlportal.ui.words import metric_name, note

PROSE = 760  # pixels: a line of text that can be read


def card_panel(card: Card) -> None:
    """Draw the whole card; needs no network."""
    metric_tiles(card)
    measured = card.measured
    drawn = measured.calibration, measured.confusion, measured.curves, measured.slices
    if any(drawn):
        left, right = st.columns(2, gap="large")
        with left:
            figures(card)
    else:
        right = st.container(width=PROSE)
    with right:
        st.markdown(card.prose(language()))
        origin(card)
    comparison(card)


def metric_tiles(card: Card) -> None:
    """The main figures, each with interval, n and data."""
    metrics = card.measured.metrics
    if not metrics:
        if card.published:
            note(_("Nothing was measured here: see the published figures below."))
        else:
            note(_("Nothing is stored here: this page measures while you use it."))
        return
    first = [m for m in metrics if m.key == card.main_metric]
    shown = in_short(first + [m for m in metrics if m.key != card.main_metric])[:8]
    with st.grid(4, min_column_width=150):
        for metric in shown:
            with st.container(border=True, gap="xsmall"):
                name = metric_name(metric.name)
                note(name)  # a metric's own label does not wrap: on a phone it would be cut off
                st.metric(name, show_value(metric), label_visibility="collapsed")
                note(interval_text(metric))


def in_short(metrics: list[Metric]) -> list[Metric]:
    """Of the shares of faithful maps the first alone, which is any method's: each method's stands
    in the table."""
    shares = dict.fromkeys(m.key for m in metrics if m.name == "faithful_share")
    kept = {key: next(m for m in metrics if m.key == key) for key in shares}
    return [m for m in metrics if kept.get(m.key, m) is m]


def interval_text(metric: Metric) -> str:
    parts = []
    if interval := show_interval(metric):
        parts.append(interval)
    if metric.n is not None:
        parts.append(f"n = {metric.n:,}")
    parts.append(metric.data)
    if metric.model:
        parts.append(model_name(metric.model))
    return " · ".join(parts)


def class_names(case_id: str, ids: list[str]) -> list[str]:
    """The names of classes in the visitor's language."""
    from dlportal.case import case_class

    names = {label.id: label(language()) for label in getattr(case_class(case_id), "labels", ())}
    return [names.get(label_id, label_id) for label_id in ids]


def figures(card: Card) -> None:
    """Reliability, confusion, curves and slices, those that the card has."""
    from dlportal.ui.charts import heat_table, show_chart

    measured = card.measured
    if measured.calibration is not None:
        st.header(_("When it says 80%, is it right 80% of the time?"), anchor=False)
        show_chart(
            reliability_figure(measured.calibration),
            alt=_("Reliability curve before and after temperature scaling"),
            key="reliability",
        )
        note(
            _("ECE {before} before, {after} after temperature scaling (T = {t:.2f}).").format(
                before=f"{100 * measured.calibration.ece_before:.1f}%",
                after=f"{100 * measured.calibration.ece_after:.1f}%",
                t=measured.calibration.temperature,
            )
        )
    if measured.confusion is not None:
        st.header(_("What it confuses"), anchor=False)
        names = class_names(card.id, measured.confusion.labels)
        fig = heat_table(measured.confusion.counts, names, names)
        fig.update_xaxes(title_text=_("predicted"))
        fig.update_yaxes(title_text=_("true"))
        show_chart(fig, alt=_("Confusion matrix"), key="confusion")
    for curve in measured.curves:
        st.header(_(curve.name), anchor=False)
        show_chart(curve_figure(curve), alt=_(curve.name), key=f"curve_{curve.name}")
    if measured.slices:
        st.header(_("Where it is better or worse"), anchor=False)
        alike = group_slices(measured.slices)
        for index, rows in enumerate(alike):
            if len(alike) > 1:
                note(f"{metric_name(rows[0].metric.name)} · {rows[0].metric.data}")
            alt = _("The metric on parts of the test data")
            show_chart(slices_figure(rows), alt=alt, key=f"slices_{index}")


def reliability_figure(calibration: Calibration) -> Any:
    import plotly.graph_objects as go

    from dlportal.ui.charts import line, style
    from dlportal.ui.theme import palette

    colors = palette()
    fig = go.Figure()
    fig.add_trace(
        go.Scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            line={"width": 1.5, "dash": "dot", "color": colors.muted},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    for index, name, part in (
        (1, _("before"), calibration.before),
        (0, _("after scaling"), calibration.after),
    ):
        used = [i for i, n in enumerate(part.count) if n]
        trace = line(
            [part.confidence[i] for i in used],
            [part.accuracy[i] for i in used],
            name,
            index,
            markers=True,
        )
        trace.text = [f"n = {part.count[i]:,}" for i in used]
        fig.add_trace(trace)
    style(fig, height=300, legend=True)
    fig.update_xaxes(title_text=_("stated confidence"), tickformat=".0%")
    fig.update_yaxes(title_text=_("share that was right"), tickformat=".0%", range=[0, 1.03])
    return fig


def curve_figure(curve: Curve) -> Any:
    import plotly.graph_objects as go

    from dlportal.ui.charts import line, style

    fig = go.Figure()
    for index, (name, values) in enumerate(curve.y.items()):
        fig.add_trace(line(curve.x, values, _(metric_name(name)), index))
    style(fig, height=280, legend=True)
    lang = language()
    fig.update_xaxes(title_text=curve.x_label(lang))
    fig.update_yaxes(title_text=curve.y_label(lang))
    return fig


def group_slices(slices: list[Slice]) -> list[list[Slice]]:
    """Slices that can stand on one axis: of the same metric on the same data."""
    groups: dict[tuple[str, str], list[Slice]] = {}
    for part in slices:
        groups.setdefault((part.metric.name, part.metric.data), []).append(part)
    return list(groups.values())


def slices_figure(rows: list[Slice]) -> Any:
    """A dot with its interval for each slice."""
    import plotly.graph_objects as go

    from dlportal.ui.charts import style
    from dlportal.ui.theme import palette

    colors = palette()
    lang = language()
    values = [s.metric.value for s in rows]
    low = [s.metric.low if s.metric.low is not None else s.metric.value for s in rows]
    high = [s.metric.high if s.metric.high is not None else s.metric.value for s in rows]
    fig = go.Figure(
        go.Scatter(
            x=values,
            y=[
                f"{s.part(lang)} · n = {s.metric.n:,} " if s.metric.n else s.part(lang)
                for s in rows
            ],
            mode="markers",
            marker={"size": 9, "color": colors.accent},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [h - v for h, v in zip(high, values)],
                "arrayminus": [v - lo for v, lo in zip(values, low)],
                "color": colors.muted,
                "thickness": 1.5,
            },
        )
    )
    style(fig, height=30 * len(rows) + 70)
    fig.update_xaxes(title_text=metric_name(rows[0].metric.name))
    fig.update_yaxes(autorange="reversed", tickmode="linear", dtick=1, type="category")
    return fig


def origin(card: Card) -> None:
    """Where the weights came from."""
    st.header(_("Origin"), anchor=False)
    rows = [(_("Model"), model_name(card.model)), (_("Licence"), licence_name(card.licence))]
    receipt = card.receipt()
    if receipt is not None:
        rows.append((_("Command"), f"`{receipt['command']}`"))
        rows.append((_("Seed"), str(receipt["seed"])))
        minutes = receipt["seconds"] / 60
        rows.append(
            (
                _("Training time"),
                _("{n:.1f} min on {device}").format(n=minutes, device=receipt["device"]),
            )
        )
    if card.datasets:
        rows.append((_("Data"), ", ".join(card.datasets)))
    for name, value in card.measured.sha256.items():
        rows.append((f"sha256 {name}", f"`{value[:16]}`"))
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    st.markdown(f"| | |\n|---|---|\n{table}")


def comparison(card: Card) -> None:
    """Measured, baseline and published figures in one table."""
    rows = []
    for kind, metrics in (
        (_("measured here"), card.measured.metrics),
        (_("baseline, measured here"), card.measured.baselines),
        (_("published"), card.published),
    ):
        for metric in metrics:
            rows.append(
                {
                    _("What"): kind,
                    _("Model"): model_name(
                        metric.model or (card.model if kind == _("measured here") else "")
                    ),
                    _("Metric"): metric_name(metric.name),
                    _("Data"): f"{metric.data} · {metric.split}",
                    _("Value"): show_value(metric),
                    _("95% interval"): show_interval(metric),
                    "n": f"{metric.n:,}" if metric.n else "",
                    _("Source or command"): metric.source or metric.command,
                }
            )
    if rows:
        st.header(_("Beside the baseline and the literature"), anchor=False)
        st.dataframe(
            rows,
            hide_index=True,
            row_height=40,
            height="content",  # a baseline that has to be scrolled to is not beside its score
            alt=_("All figures of the card"),
        )
