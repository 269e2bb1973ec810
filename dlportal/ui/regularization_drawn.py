"""The moving charts of the regularization lab: border or first weights, losses, weights; and the
comparison that fills."""

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

import numpy as np

from dlportal.labs.regularization_compare import Row
from dlportal.labs.regularization_net import EDGES, EVERY, REACH, Frame, Trial
from dlportal.ui.drawn import chart, path, points, text
from dlportal.ui.drawn_intervals import Ranged, ranged_rows
from dlportal.ui.language import _
from dlportal.ui.theme import palette

ACROSS = 8  # small pictures side by side


def networks(trials: Sequence[tuple[Trial, str]], at: int) -> list[dict[str, Any]]:
    """All charts of some networks at a frame, row by row: picture, losses, weights."""
    highest = max(
        max(frame.train_loss, frame.val_loss) for t, _name in trials for frame in t.frames[: at + 1]
    )
    return [
        *(picture(trial, at, name) for trial, name in trials),
        *(losses(trial, at, highest, name) for trial, name in trials),
        *(weights(trial, at, name) for trial, name in trials),
    ]


def picture(trial: Trial, at: int, name: str) -> dict[str, Any]:
    """A network's three numbers, and its border among the examples or its first weights."""
    frame = trial.frames[trial.kept_frame(at)]
    numbers = [
        (_("Training accuracy"), f"{100 * frame.train_accuracy:.0f}%"),
        (_("Validation accuracy"), f"{100 * frame.val_accuracy:.0f}%"),
        (_("Gap of the losses"), f"{frame.gap:.2f}"),
    ]
    if trial.task.pictures:
        return first_weights(frame, name, numbers)
    return border(frame, trial, name, numbers)


def border(frame: Frame, trial: Trial, name: str, numbers: list[tuple[str, str]]) -> dict[str, Any]:
    """The answer over the plane and the training points; rings mark wrong labels."""
    colors = palette()
    reach = [-REACH, REACH]
    answer = {"z": frame.picture.round(3).tolist(), "x": reach, "y": reach}
    places, labels = trial.parts.x.numpy().round(3), trial.parts.y.numpy()
    layers = [
        {
            "kind": "heat",
            **answer,
            "low": 0,
            "high": 1,
            "colors": list(colors.surface),
            "upward": True,
        },
        {"kind": "level", **answer, "level": 0.5, "color": colors.text, "width": 2},
        marks(places[labels == 0], _("class {n}").format(n=0), 0, shape="circle"),
        marks(places[labels == 1], _("class {n}").format(n=1), 1, shape="diamond"),
        marks(places[trial.parts.wrong.numpy()], _("wrong label"), shape="circle", **ring()),
    ]
    if frame.seen is not None:
        layers.append(marks(frame.seen.round(3), _("varied"), shape="x", color=colors.muted))
    return chart(
        layers,
        300,
        {"range": reach, "count": 4},
        {"range": reach, "count": 4},
        _("Border of {name} among the training points").format(name=name),
        title=name,
        numbers=numbers,
        margin=(32, 8, 8, 28),
    )


def marks(places: np.ndarray, name: str, index: int = 0, **look: Any) -> dict[str, Any]:
    """Marks at places (n, 2)."""
    return points(places[:, 0].tolist(), places[:, 1].tolist(), name, index, **look)


def ring() -> dict[str, Any]:
    return {"open": True, "size": 15, "color": palette().text}


def tiled(pictures: np.ndarray) -> np.ndarray:
    """Small pictures (n, side, side) in rows of eight, NaN between them."""
    n, side = pictures.shape[:2]
    rows = -(-n // ACROSS)
    whole = np.full((rows * (side + 1) - 1, ACROSS * (side + 1) - 1), np.nan)
    for index, one in enumerate(pictures):
        top, left = (index // ACROSS) * (side + 1), (index % ACROSS) * (side + 1)
        whole[top : top + side, left : left + side] = one
    return whole


def first_weights(frame: Frame, name: str, numbers: list[tuple[str, str]]) -> dict[str, Any]:
    """The first units' weights as pictures, blue below zero, orange above."""
    whole = tiled(frame.picture)
    largest = float(np.nanmax(np.abs(whole))) or 1.0
    height, width = whole.shape
    heat = {
        "kind": "heat",
        "z": [[None if np.isnan(v) else round(v, 3) for v in row] for row in whole.tolist()],
        "x": [0, width],
        "y": [0, height],
        "low": -largest,
        "high": largest,
        "colors": list(palette().signed),
        "sharp": True,
    }
    return chart(
        [heat],
        130,
        {"range": [0, width], "hidden": True},
        {"range": [0, height], "hidden": True},
        _("First weights of {name} as pictures").format(name=name),
        title=name,
        numbers=numbers,
        note=_("What the first 16 units look for: orange for bright pixels, blue for dark ones."),
        square=True,
        margin=(0, 0, 8, 4),
    )


def losses(trial: Trial, at: int, highest: float, owner: str) -> dict[str, Any]:
    """Both losses up to a frame, the gap at its end, a star where validation was best."""
    colors = palette()
    frames = trial.frames[: at + 1]
    epochs = [frame.epoch for frame in frames]
    train = [round(frame.train_loss, 4) for frame in frames]
    val = [round(frame.val_loss, 4) for frame in frames]
    best, stop = trial.stopping(at)
    stopped = stop is not None and trial.s["early"]
    opacity = 0.35 if stopped else 1.0  # what would have come
    layers = [
        path(epochs, train, _("training"), 0, opacity=opacity),
        path(epochs, val, _("validation"), 1, opacity=opacity),
    ]
    if stop is not None:
        layers.append({"kind": "rule", "x": stop * EVERY, "color": colors.muted})
        if stopped:
            end = stop + 1
            layers += [path(epochs[:end], train[:end]), path(epochs[:end], val[:end], index=1)]
    last, ends = epochs[-1], [train[-1], val[-1]]
    layers += [
        path([last, last], ends, color=colors.text, dash="solid", width=2),
        points([last, last], ends, shape="bar", size=10, color=colors.text),
        points([epochs[best]], [val[best]], shape="star", size=15, color=colors.text),
        text(last, sum(ends) / 2, _("gap {gap}").format(gap=f"{frames[-1].gap:.2f}"), shift=8),
        text(None, None, owner, anchor="end", color=colors.muted),
    ]
    return chart(
        layers,
        220,
        {"range": [0, 1.3 * max(trial.s["epochs"], 1)], "title": _("epoch")},
        {"range": [0, 1.06 * highest], "title": _("loss"), "grid": colors.grid},
        _("Training and validation loss of {name}, gap {gap}").format(
            name=owner, gap=f"{frames[-1].gap:.2f}"
        ),
        note=early_words(trial, at),
    )


def early_words(trial: Trial, at: int) -> str:
    """What early stopping does at this moment, or would do."""
    best, stop = trial.stopping(at)
    if stop is None:
        words = _("★ Lowest validation loss so far: epoch {best}.")
        return words.format(best=best * EVERY)
    if trial.s["early"]:
        words = _("★ Stopped in epoch {stop}; the weights of epoch {best} are kept and shown.")
    else:
        words = _("★ Early stopping would stop in epoch {stop} and keep epoch {best}.")
    return words.format(best=best * EVERY, stop=stop * EVERY)


def weights(trial: Trial, at: int, owner: str) -> dict[str, Any]:
    """How many weights have which size, on a log scale; how large they are, how many are gone."""
    colors = palette()
    frame = trial.frames[trial.kept_frame(at)]
    middles = ((EDGES[1:] + EDGES[:-1]) / 2).round(3)
    bars = {
        "kind": "bars",
        "x": middles.tolist(),
        "y": [round(float(np.log10(n)), 3) if n else None for n in frame.counts],
        "colors": [colors.accent if m == 0 else colors.rest for m in middles],
        "width": float(EDGES[1] - EDGES[0]),
        "from": -0.3,
    }
    zero = f"{100 * frame.zero:.0f}%"
    return chart(
        [bars, text(None, None, owner, anchor="end", color=colors.muted)],
        180,
        {"range": [float(EDGES[0]), float(EDGES[-1])], "title": _("weight")},
        {
            "range": [-0.3, float(np.log10(frame.counts.sum())) + 0.1],
            "title": _("how many"),
            "log": True,
            "grid": colors.grid,
        },
        _("Histogram of the weights of {name}, {zero} of them zero").format(name=owner, zero=zero),
        note=_(
            "{zero} of {n} weights are exactly zero, {near} are below 0.001 in size; ‖w‖ = {norm}."
        ).format(
            zero=zero,
            near=f"{100 * frame.near:.0f}%",
            n=f"{int(frame.counts.sum()):,}",
            norm=f"{frame.norm:.1f}",
        ),
    )


def intervals(rows: Sequence[Row], names: dict[str, str]) -> dict[str, Any]:
    """Mean test accuracy of each remedy with its interval; dotted: none."""
    ranged = []
    for row in rows:
        value, low, high = (round(100 * float(v), 2) for v in astuple(row.accuracy))
        if np.isnan(low):  # one seed gives no interval
            low = high = value
        shape = "diamond" if row.name == "chosen" else "circle"
        ranged.append(Ranged(names[row.name], value, low, high, shape, row.verdict == "better"))
    return ranged_rows(
        ranged,
        _("right answers on fresh examples, %"),
        _("Test accuracy of every remedy with its interval"),
        rule=ranged[0].value,
    )
