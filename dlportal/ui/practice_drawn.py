"""The practice lab's charts of a running experiment; they are drawn in place."""

import math
from dataclasses import astuple
from typing import Any

from dlportal.labs.practice_experiments import Frame
from dlportal.labs.practice_formulas import Bounded, proportion
from dlportal.labs.practice_training import Outcome
from dlportal.ui.drawn import Axis, chart, log_axis, path, points, text
from dlportal.ui.drawn_intervals import Ranged, ranged_rows, whiskers_up
from dlportal.ui.language import _
from dlportal.ui.theme import palette

POINTS = 300  # of a line; a browser needs no more
HEIGHT = 260


def losses(frames: list[Frame], names: list[str]) -> dict[str, Any]:
    """Loss of the batches over the epochs, each point a mean of its neighbours, on a log scale."""
    layers = []
    shown: list[float] = []
    runs = sorted({frame.run for frame in frames})
    for run in runs:
        mine = [f.moment for f in frames if f.run == run]
        size = max(1, len(mine) // POINTS)
        groups = [mine[i : i + size] for i in range(0, len(mine), size)]
        means = [(group[-1].epoch, sum(m.loss for m in group) / len(group)) for group in groups]
        spots = [(round(x, 3), round(math.log10(y), 4)) for x, y in means if 0 < y < 1e9]
        name = names[run] if len(runs) > 1 else ""
        layers.append(path([x for x, _y in spots], [y for _x, y in spots], name, run))
        shown += [y for _x, y in spots]
    return chart(
        layers,
        HEIGHT,
        epochs_axis(frames),
        log_axis(shown, _("loss")),
        _("Loss, batch by batch"),
        title=_("Loss of each batch"),
    )


def epochs_axis(frames: list[Frame]) -> Axis:
    """From the start to where the longest training is."""
    return {"range": [0, max(0.2, *(f.moment.epoch for f in frames))], "title": _("epoch")}


def checks(frames: list[Frame], run: int) -> tuple[list[float], list[float], list[float]]:
    """Epochs at which a training was looked at, training and held-out accuracies in percent."""
    seen = [f.moment for f in frames if f.run == run and f.moment.validation is not None]
    train = [100 * (m.train or 0.0) for m in seen]
    held = [100 * (m.validation or 0.0) for m in seen]
    return [round(m.epoch, 3) for m in seen], train, held


def curves(frames: list[Frame], names: list[str], title: str) -> dict[str, Any]:
    """Learning curves: one training against its own pictures, or the held-out ones of two."""
    layers = []
    if len(names) == 1:
        epochs, train, held = checks(frames, 0)
        layers += marked(epochs, train, _("training"), 1)
        layers += marked(epochs, held, _("held out"), 0)
    else:
        for run, name in enumerate(names):
            epochs, _train, held = checks(frames, run)
            layers += marked(epochs, held, name, run)
    return percent_chart(layers, frames, _("Accuracy, epoch by epoch"), title)


def marked(x: list[float], y: list[float], name: str, index: int) -> list[dict[str, Any]]:
    """A line with marks; the first point is seen too."""
    return [path(x, y, name, index), points(x, y, index=index)]


def all_accuracies(frames: list[Frame], names: list[str]) -> dict[str, Any]:
    """Every training's held-out accuracy; the latest in the accent, the others at rest."""
    colors = palette()
    last = frames[-1].run
    layers: list[dict[str, Any]] = []
    for run in range(last):
        epochs, _train, held = checks(frames, run)
        layers.append(path(epochs, held, color=colors.rest, width=1.5))
    epochs, _train, held = checks(frames, last)
    layers += marked(epochs, held, "", 0)
    layers.append(text(None, None, names[last], anchor="end", color=colors.accent))
    title = _("Accuracy on held-out pictures")
    return percent_chart(layers, frames, _("Accuracy of all trainings"), title)


def percent_chart(
    layers: list[dict[str, Any]], frames: list[Frame], alt: str, title: str
) -> dict[str, Any]:
    shown = [y for layer in layers for y in layer.get("y") or ()] or [0.0, 100.0]
    y: Axis = {"range": [min(shown) - 2, max(shown) + 2], "title": _("accuracy, %")}
    grid = palette().grid
    return chart(layers, HEIGHT, epochs_axis(frames), {**y, "grid": grid}, alt, title=title)


def forest(finished: list[tuple[str, Outcome]]) -> dict[str, Any]:
    """A row for each training: its accuracy with the exact interval of its held-out pictures."""
    rows = []
    for name, outcome in finished:
        value, low, high = (round(100 * v, 2) for v in astuple(held_out(outcome)))
        rows.append(Ranged(name, value, low, high))
    return ranged_rows(rows, _("accuracy, %"), in_words(finished))


def held_out(outcome: Outcome) -> Bounded:
    """Accuracy on the held-out pictures with its interval."""
    return proportion(int((outcome.truth == outcome.predicted).sum()), len(outcome.truth))


def size_curve(finished: list[tuple[str, Outcome]]) -> dict[str, Any]:
    """Learning curve over the number of pictures: training and held-out accuracy."""
    outcomes = [outcome for _name, outcome in finished]
    x = [round(math.log10(outcome.pictures), 4) for outcome in outcomes]
    train = [100 * outcome.train for outcome in outcomes]
    bounds = [held_out(outcome) for outcome in outcomes]
    low, high = [100 * b.low for b in bounds], [100 * b.high for b in bounds]
    layers = [
        *marked(x, train, _("training"), 1),
        whiskers_up(x, low, high, 0),
        *marked(x, [100 * b.value for b in bounds], _("held out"), 0),
    ]
    shown = [*train, *low, *high]
    return chart(
        layers,
        HEIGHT,
        {
            "range": [min(x) - 0.1, max(x) + 0.1],
            "ticks": [(place, f"{o.pictures:,}") for place, o in zip(x, outcomes)],
            "title": _("pictures to learn from"),
        },
        {
            "range": [min(shown) - 2, max(shown) + 2],
            "title": _("accuracy, %"),
            "grid": palette().grid,
        },
        in_words(finished),
    )


def in_words(finished: list[tuple[str, Outcome]]) -> str:
    """A chart of accuracies in a sentence."""
    return ", ".join(f"{name}: {100 * outcome.accuracy:.1f}%" for name, outcome in finished)
