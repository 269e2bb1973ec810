"""The map of all learning rates: loss against rate for each optimizer, filled run by run."""

import math
from typing import Any

import streamlit as st

from dlportal.cases.optimizer_race import (
    OPTIMIZER_NAMES,
    OPTIMIZERS,
    RACING,
    SWEEP_KNOB,
    OptimizerRace,
)
from dlportal.labs.live import Live
from dlportal.labs.race_sweep import RATES, Cell, best, latest
from dlportal.ui.drawn import chart, drawn, path, points
from dlportal.ui.errors import guard, show_user_error
from dlportal.ui.knobs import share_knobs
from dlportal.ui.language import _
from dlportal.ui.race_net import REFRESH_SECONDS, Running, live_buttons, show_loss, signed_name
from dlportal.ui.theme import palette
from dlportal.ui.visitor import has_left
from dlportal.ui.words import duration, main_button, note

# The sweep sets the rates itself.
SWEPT = tuple(name for name in RACING if name != "rate" and not name.startswith("factor_"))
FLOOR = 1e-6  # smaller losses are drawn like this one


def sweep_section(lab: OptimizerRace, s: dict[str, Any]) -> None:
    """Start it, or what there is of it; another race's sweep is dropped."""
    state = st.session_state
    settings = tuple((name, s[name]) for name in SWEPT)
    running = state.get("sweep_run")
    if running is not None and running.settings != settings:
        running.live.stop()
        running = state["sweep_run"] = None
        state["sweep"] = False
    if running is None and state["sweep"]:
        begin(lab, s, settings)
        running = state["sweep_run"]
    share_knobs((SWEEP_KNOB,), {"sweep": state["sweep"]})
    st.markdown(
        _(
            "A ranking at one learning rate says little: each optimizer has its own best. Here all five run the race above at {n} rates from {low} to {high}."
        ).format(n=len(RATES), low=f"{RATES[0]:.1g}", high=f"{RATES[-1]:.2g}")
    )
    active = running is not None and running.live.active
    with st.container():
        if not active:  # outside the fragments: it starts without a run of the whole page
            press = st.button if "tour_step" in st.session_state else main_button
            press(
                _("Try every learning rate"),
                key="sweep_start",
                icon=":material/play_arrow:",
                on_click=begin,
                args=(lab, s, settings),
            )
    if active:
        watch_sweep(s)
    else:
        halt_sweep(s)


def begin(lab: OptimizerRace, s: dict[str, Any], settings: tuple) -> None:
    st.session_state["sweep"] = True
    st.session_state["sweep_run"] = Running(settings, Live(lab.sweep(**s), has_left()))


@st.fragment(run_every=REFRESH_SECONDS)
def watch_sweep(s: dict[str, Any]) -> None:
    """Redraw a sweep that goes on; at its end, redraw the page."""
    with guard():
        live = st.session_state["sweep_run"].live
        if not live.active:
            st.rerun()
        with st.container(horizontal=True, gap="small"):
            live_buttons(live, "sweep")
        draw(s)


@st.fragment
def halt_sweep(s: dict[str, Any]) -> None:
    """A sweep that is over or was never started, at the same place of the page."""
    with guard():
        with st.container():
            pass
        draw(s)


def draw(s: dict[str, Any]) -> None:
    """Progress, the map, the curves."""
    running: Running | None = st.session_state.get("sweep_run")
    if running is None:
        return
    cells = latest(running.live.look())
    done = sum(cell.step == s["steps"] for cell in cells)
    total = len(RATES) * len(OPTIMIZERS)
    if running.live.error is not None:
        show_user_error(running.live.error)
    text = _("{done} of {all} races, {time}")
    text = text.format(done=done, all=total, time=duration(running.live.seconds))
    if running.live.active:
        st.progress(done / total, text=text)
    else:
        note(text)
    if cells:
        drawn([heat_map(cells, s), lines(cells, s)], key="sweep_map")
        note(
            _(
                "Left: the stronger the colour, the lower the loss after {steps} steps; ★ is an optimizer's best rate, ✕ a run that ended above its start or left all bounds. The dotted line is the rate set above."
            ).format(steps=s["steps"])
        )


def place(rate: float) -> float:
    """Where a learning rate lies on the axis, in columns."""
    return 4 * (math.log10(rate) + 3.5) + 0.5


def rate_axis() -> Any:
    ticks = [(place(10.0**power), f"{10.0**power:g}") for power in (-3, -2, -1, 0)]
    return {"range": [0, len(RATES)], "ticks": ticks, "title": _("Learning rate η")}


def level(loss: float) -> float:
    return round(math.log10(max(loss, FLOOR)), 3)


def ends(cells: list[Cell]) -> tuple[float, float]:
    """Lowest and highest power of ten among the runs that did not diverge."""
    good = [level(cell.loss) for cell in cells if not cell.diverged] or [0.0]
    return min(good), max(max(good), min(good) + 0.1)


def heat_map(cells: list[Cell], s: dict[str, Any]) -> dict[str, Any]:
    """A row an optimizer, a column a rate."""
    colors = palette()
    low, high = ends(cells)
    table: list[list[float | None]] = [[None] * len(RATES) for _name in OPTIMIZERS]
    top = len(OPTIMIZERS) - 0.5
    for cell in cells:
        if not cell.diverged:
            table[OPTIMIZERS.index(cell.name)][cell.rate] = level(cell.loss)
    found = [one for name in OPTIMIZERS if (one := best(cells, name))]
    lost = [cell for cell in cells if cell.diverged]
    spots = {
        kind: ([c.rate + 0.5 for c in group], [top - OPTIMIZERS.index(c.name) for c in group])
        for kind, group in (("x", lost), ("star", found))
    }
    layers = [
        {
            "kind": "heat",
            "z": table,
            "x": [0, len(RATES)],
            "y": [0, len(OPTIMIZERS)],
            "low": low,
            "high": high,
            "colors": [colors.accent, colors.surface[0]],
            "sharp": True,
        },
        points(*spots["x"], shape="x", size=9, color=colors.muted),
        points(*spots["star"], shape="star", size=16, color=colors.text),
        {"kind": "rule", "x": place(s["rate"]), "color": colors.text},
    ]
    names = [(top - row, OPTIMIZER_NAMES[name]) for row, name in enumerate(OPTIMIZERS)]
    return chart(
        layers,
        260,
        rate_axis(),
        {"range": [0, len(OPTIMIZERS)], "ticks": names},
        _("Map of the final loss of five optimizers at every learning rate"),
        title=_("Final loss"),
        numbers=[
            (f"{signed_name(c.name)}, η = {RATES[c.rate]:.2g}", show_loss(c.loss)) for c in found
        ],
        margin=(82, 8, 8, 44),
    )


def lines(cells: list[Cell], s: dict[str, Any]) -> dict[str, Any]:
    """Final loss against the rate, both logarithmic; a diverged run is a gap."""
    colors = palette()
    low, high = ends(cells)
    layers: list[dict[str, Any]] = []
    for index, name in enumerate(OPTIMIZERS):
        own = sorted((cell for cell in cells if cell.name == name), key=lambda cell: cell.rate)
        x = [cell.rate + 0.5 for cell in own]
        y = [None if cell.diverged else level(cell.loss) for cell in own]
        layers.append(path(x, y, OPTIMIZER_NAMES[name], index))
        alone = [(u, v) for u, v in zip(x, y) if v is not None]
        layers.append(points([u for u, _v in alone], [v for _u, v in alone], index=index, size=6))
    layers.append({"kind": "rule", "x": place(s["rate"]), "color": colors.text})
    pad = 0.06 * (high - low)
    return chart(
        layers,
        260,
        rate_axis(),
        {"range": [low - pad, high + pad], "title": _("loss"), "log": True, "grid": colors.grid},
        _("Final loss against the learning rate, a line an optimizer"),
    )
