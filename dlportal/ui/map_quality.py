"""Whether a map tells the truth: the verdict, and both curves against those of random maps."""

from typing import Any

import numpy as np
import streamlit as st

from dlportal.explain.faithfulness import Faithfulness, Trace
from dlportal.messages import N_
from dlportal.ui.charts import band, line, show_chart, style
from dlportal.ui.language import _
from dlportal.ui.theme import palette
from dlportal.ui.words import duration, note

VERDICTS = {
    "better": (N_("clearly better than chance"), "green", ":material/check_circle:"),
    "mixed": (N_("mixed evidence"), "orange", ":material/help:"),
    "unreliable": (N_("do not rely on it"), "red", ":material/cancel:"),
}


def draw_quality(quality: Faithfulness) -> None:
    """Verdict from both curves, and the curves against random maps."""
    wins = quality.insertion.wins, quality.deletion.wins
    st.markdown(
        "**"
        + _("Does this map tell the truth?")
        + "** "
        + _(
            "Against {n} random maps it wins {insertion} times on insertion and {deletion} times on deletion."
        ).format(n=quality.maps, insertion=wins[0], deletion=wins[1])
    )
    label, color, icon = VERDICTS[quality.verdict]
    st.badge(_(label), color=color, icon=icon)  # type: ignore[arg-type]
    if not quality.decidable:
        note(_("So few parts can be put in the best order by chance: nothing is proven here."))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**" + _("Insertion: reveal what the map marks") + "**")
        note(_("higher is better"))
        trace_chart(quality.insertion, "insertion")
    with right:
        st.markdown("**" + _("Deletion: hide what the map marks") + "**")
        note(_("lower is better"))
        trace_chart(quality.deletion, "deletion")
    note(
        _("Grey: 95% of {n} random maps. Measured with {samples} passes in {time}.").format(
            n=quality.maps, samples=f"{quality.samples:,}", time=duration(quality.seconds)
        )
    )


def trace_chart(trace: Trace, name: str) -> None:
    x = [100 * float(v) for v in trace.x]
    fig = style(
        line_figure(x, trace),
        height=230,
    )
    fig.update_xaxes(title_text=_("part changed, %"), range=[0, 100])
    fig.update_yaxes(title_text=_("confidence"), range=[0, 1.02], tickformat=".0%")
    difference = _("area {area:.2f}, random {random:.2f}").format(
        area=trace.area, random=float(np.mean(trace.random_areas))
    )
    show_chart(fig, alt=f"{name}: {difference}", key=f"trace_{name}")
    interval = f"{trace.difference:+.3f} ({trace.low:+.3f} … {trace.high:+.3f})"
    note(difference + " · " + _("difference {interval}").format(interval=interval))


def line_figure(x: list[float], trace: Trace) -> Any:
    import plotly.graph_objects as go

    colors = palette()
    fig = go.Figure()
    fig.add_trace(band(x, trace.random_low.tolist(), trace.random_high.tolist()))
    mean = line(x, trace.random_mean.tolist(), _("random"), index=2)
    mean.line = {"width": 1.5, "dash": "dot", "color": colors.muted}
    fig.add_trace(mean)
    fig.add_trace(line(x, trace.y.tolist(), _("this map")))
    return fig
