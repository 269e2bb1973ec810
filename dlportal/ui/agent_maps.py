"""What an agent would do, and what it expects, in states around the present moment."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dlportal.kinds.agent import Rollout
from dlportal.kinds.policy_map import PolicyMap, map_policy, read
from dlportal.kinds.world import Axis, World
from dlportal.ui.agents import Player
from dlportal.ui.charts import show_chart, style
from dlportal.ui.errors import fragment
from dlportal.ui.language import _, language
from dlportal.ui.state import valid
from dlportal.ui.theme import palette
from dlportal.ui.words import note

HEIGHT = 340


@fragment
def policy_maps(player: Player, episode: Rollout, step: int) -> None:
    """Two maps over two quantities that the visitor chooses; the others stay as they are now."""
    axes = {axis.label.id: axis for axis in player.world.axes}
    st.header(_("What would it do elsewhere?"), anchor=False)
    across, up = choose_axes(axes, player.world)
    state = player.case.seen(episode, step)
    found = map_policy(player.case.policy, state, across, up)
    note(
        _(
            "Everything else stays as it is at step {step}. The line is the episode,"
            " the diamond this moment."
        ).format(step=step)
    )
    left, right = st.columns(2, gap="large")
    lang = language()
    names = {"x": across.label(lang), "y": up.label(lang)}
    seen = np.stack([player.case.seen(episode, i) for i in range(episode.length)])
    path = read(seen, across), read(seen, up)
    with left:
        st.markdown("**" + _("What it would do") + "**")
        alt = _("The action it prefers, by {x} and {y}").format(**names)
        fig = frame(actions_map(found, player.world), path, step, across, up)
        show_chart(fig, alt=alt, key="actions_map")
    with right:
        st.markdown("**" + _("What return it would expect") + "**")
        alt = _("The return it expects, by {x} and {y}").format(**names)
        fig = frame(values_map(found), path, step, across, up)
        show_chart(fig, alt=alt, key="values_map")


def choose_axes(axes: dict[str, Axis], world: World) -> tuple[Axis, Axis]:
    """Two select boxes; the same quantity cannot be on both."""
    names = list(axes)
    first = valid("map_x", names, names[-2])
    others = [name for name in names if name != first]
    valid("map_y", others, names[-1] if names[-1] != first else others[-1])
    left, right = st.columns(2, gap="large")
    with left:
        across = st.selectbox(
            _("From left to right"),
            names,
            format_func=lambda name: axes[name].label(language()),
            key="map_x",
            persist_state="page",
        )
    with right:
        up = st.selectbox(
            _("From bottom to top"),
            others,
            format_func=lambda name: axes[name].label(language()),
            key="map_y",
            persist_state="page",
        )
    return axes[across or first], axes[up or others[-1]]


def actions_map(found: PolicyMap, world: World) -> go.Heatmap:
    """The preferred action: a colour each, or from low to high where actions are numbers."""
    colors = palette()
    lang = language()
    n = len(world.labels)
    if world.strengths:
        tones = [[i / (len(colors.signed) - 1), c] for i, c in enumerate(colors.signed)]
        bar = {"title": {"text": _("torque, N m")}, "thickness": 10}
        z = np.array(world.strengths)[found.actions]
        ends = world.strengths[0], world.strengths[-1]
        return heat(found, z, tones, ends, bar)
    tones = [[k / n, colors.series[i]] for i in range(n) for k in (i, i + 1)]
    names = [label(lang) for label in world.labels]
    bar = {"tickvals": list(range(n)), "ticktext": names, "thickness": 10}
    return heat(found, found.actions, tones, (-0.5, n - 0.5), bar)


def values_map(found: PolicyMap) -> go.Heatmap:
    tones = [[0, palette().surface[0]], [1, palette().accent]]
    ends = float(found.values.min()), float(found.values.max())
    return heat(found, found.values, tones, ends, {"thickness": 10, "nticks": 5})


def heat(
    found: PolicyMap, z: np.ndarray, tones: list, ends: tuple[float, float], bar: dict
) -> go.Heatmap:
    return go.Heatmap(
        x=found.x.round(4).tolist(),
        y=found.y.round(4).tolist(),
        z=np.asarray(z, dtype=float).round(2).tolist(),
        colorscale=tones,
        zmin=ends[0],
        zmax=ends[1],
        colorbar={"outlinewidth": 0, **bar},
        hovertemplate="%{x:.2f}, %{y:.2f}<extra></extra>",
    )


def frame(
    map_: go.Heatmap,
    path: tuple[np.ndarray, np.ndarray],
    step: int,
    across: Axis,
    up: Axis,
) -> go.Figure:
    """A map with the episode's path over it."""
    colors = palette()
    fig = go.Figure(map_)
    x, y = (np.asarray(values, dtype=float).round(3) for values in path)
    # An angle that passes from π to -π would draw a line through the whole map.
    jumps = np.zeros(len(x), dtype=bool)
    for values, axis in ((x, across), (y, up)):
        if len(axis.places) == 2:
            jumps[1:] |= np.abs(np.diff(values)) > np.pi
    common: dict = {"hoverinfo": "skip", "showlegend": False}
    fig.add_trace(
        go.Scatter(
            x=[None if jump else v for v, jump in zip(x.tolist(), jumps)],
            y=y.tolist(),
            mode="lines",
            line={"width": 1.5, "color": colors.text},
            **common,
        )
    )
    fig.add_trace(
        go.Scatter(
            x=[float(x[step])],
            y=[float(y[step])],
            mode="markers",
            marker={
                "size": 13,
                "symbol": "diamond",
                "color": colors.ground,
                "line": {"width": 2, "color": colors.text},
            },
            **common,
        )
    )
    style(fig, height=HEIGHT)
    fig.update_xaxes(title_text=across.label(language()), range=[across.low, across.high])
    fig.update_yaxes(title_text=up.label(language()), range=[up.low, up.high], showgrid=False)
    return fig
