"""The charts of a background training; they are drawn in place, while it runs."""

import math
from collections.abc import Callable
from typing import Any

from dlportal.cards import Card, Metric, show_value
from dlportal.training.events import Event
from dlportal.ui.drawn import Axis, band, chart, log_axis, path, points
from dlportal.ui.language import _
from dlportal.ui.theme import palette
from dlportal.ui.words import duration, metric_name

Draw = Callable[[list[Event]], dict[str, Any]]  # events of a training to a chart
POINTS = 400  # of a line; a browser needs no more
HEIGHT = 240


def training_charts(card: Card, events: list[Event], part: str) -> list[dict[str, Any]]:
    """Loss, and the metric on validation data, with the numbers that go with them.

    Of several trainings one after another the present one is drawn: each counts its own steps.
    """
    starts = [i for i in range(1, len(events)) if events[i].step < events[i - 1].step]
    events = events[starts[-1] if starts else 0 :]
    return [loss_chart(events), metric_chart(card, events, part)]


def loss_chart(events: list[Event]) -> dict[str, Any]:
    """Training loss by step and validation loss by epoch, on a log scale where it can be."""
    train = thin([(e.step, e.loss) for e in events if e.loss is not None and e.kind == "step"])
    if not train:
        train = [(e.step, e.loss) for e in events if e.loss is not None]
    valid = [(e.step, e.metrics["loss"]) for e in events if "loss" in e.metrics]
    values = [loss for _step, loss in train + valid]
    log = all(value > 0 for value in values)
    shown = [round(math.log10(v), 4) if log else round(v, 5) for v in values]
    steps = [step for step, _loss in train + valid]
    cut = len(train)
    layers = [path(steps[:cut], shown[:cut], _("training") if valid else "", 0)]
    if valid:
        layers.append(path(steps[cut:], shown[cut:], _("validation"), 1))
        layers.append(points(steps[cut:], shown[cut:], index=1))
    title = _("loss")
    return chart(
        layers,
        HEIGHT,
        steps_axis(events),
        log_axis(shown, title) if log else plain_axis(shown, title),
        _("Loss over the training"),
        title=_("Loss"),
        numbers=course(events),
    )


def course(events: list[Event]) -> list[tuple[str, str]]:
    """Learning rate and time left."""
    last = events[-1]
    numbers = []
    if last.rate is not None:
        numbers.append((_("Learning rate"), f"{last.rate:.2g}"))
    if last.eta is not None:
        numbers.append((_("Time left"), duration(last.eta)))
    return numbers


def metric_chart(card: Card, events: list[Event], part: str) -> dict[str, Any]:
    """The first metric on validation data, epoch by epoch; its axis is there before it."""
    epochs = [e for e in events if e.metrics]
    name = next((m for e in epochs[:1] for m in e.metrics if m != "loss"), "")
    spots = [(e.step, round(e.metrics[name], 5)) for e in epochs if name in e.metrics]
    x, y = [step for step, _value in spots], [value for _step, value in spots]
    title = _("Validation {metric}").format(metric=metric_name(name)) if name else _("Validation")
    return chart(
        [path(x, y), points(x, y)] if spots else [],
        HEIGHT,
        steps_axis(events),
        plain_axis(y, metric_name(name)) if spots else {"range": [0, 1], "hidden": True},
        _("Validation data, epoch by epoch"),
        title=title,
        numbers=[(_("Now"), latest(name, y)), *shipped(card, part)],
        note="" if spots else _("The first figure comes when an epoch has ended."),
    )


def latest(name: str, values: list[float]) -> str:
    """The last value of a metric, or a dash where there is none yet."""
    return show_value(Metric(name=name, data="", value=values[-1])) if values else "–"


def shipped(card: Card, part: str) -> list[tuple[str, str]]:
    """The shipped weights' figure. Several networks are told apart by what they were measured on."""
    metric = next((m for m in card.measured.metrics if m.data == part), card.main)
    if metric is None:
        return []
    name = _("Shipped weights, test {metric}").format(metric=metric_name(metric.name))
    return [(name, show_value(metric))]


def steps_axis(events: list[Event]) -> Axis:
    """From the start to the end of the training."""
    return {"range": [0, max(1, events[-1].steps, events[-1].step)], "title": _("step")}


def plain_axis(values: list[float], title: str) -> Axis:
    """Around the values, never so narrow that noise fills it."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    pad = max(0.08 * (high - low), 0.02 * max(abs(low), abs(high)), 1e-6)
    return {"range": [low - pad, high + pad], "title": title, "grid": palette().grid}


def growing_chart(
    events: list[Event],
    name: str,
    shipped: tuple[list[int], list[float], list[float], list[float]] | None,
) -> dict[str, Any]:
    """A metric that a training raises, over the band of the shipped networks' trainings.

    Args:
        events: Of the training.
        name: Of the metric.
        shipped: Steps, worst, best and mean value of the shipped networks there; None where their
            curves are not known.
    """
    spots = [(e.step, round(e.metrics[name], 3)) for e in events if name in e.metrics]
    x, y = [step for step, _value in spots], [value for _step, value in spots]
    layers, values = [], list(y)
    if shipped is not None:
        steps, low, high, mean = shipped
        layers += [band(steps, low, high), path(steps, mean, _("shipped agents, mean"))]
        values += [*low, *high]
    layers += [path(x, y, _("this training"), 1), points(x, y, index=1)]
    return chart(
        layers,
        280,
        steps_axis(events),
        plain_axis(values, metric_name(name)),
        _("Reward over the training"),
        title=_("Validation {metric}").format(metric=metric_name(name)),
        numbers=[(_("Now"), latest(name, y)), *course(events)],
    )


def thin(spots: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """At most `POINTS` points, evenly picked, and the last."""
    stride = max(1, len(spots) // POINTS)
    return spots[-1::-stride][::-1]
