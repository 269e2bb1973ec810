"""The chest X-ray page's own part: prevalence, costs, threshold, and what they do."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from dlportal.cards import Card
from dlportal.cases.chest_xray import at_prevalence, shrink, threshold_for
from dlportal.messages import N_
from dlportal.training.metrics import exact_interval
from dlportal.ui.charts import band, line, show_chart, style
from dlportal.ui.errors import fragment
from dlportal.ui.inputs import Picked
from dlportal.ui.language import _
from dlportal.ui.maps import enlarge
from dlportal.ui.theme import palette
from dlportal.ui.threshold import on_slider, threshold_slider
from dlportal.ui.truth import say_truth
from dlportal.ui.words import note

COSTS = (1, 2, 3, 5, 10, 20, 50)  # what a missed pneumonia costs, in false alarms


@dataclass(frozen=True)
class Measured:
    """How the network did on the test pictures, for every threshold at a prevalence of one half.

    Attributes:
        thresholds: Shape (T,), rising.
        sensitivity: Share of the ill found, (T,).
        specificity: Share of the healthy let pass, (T,).
        ill: Test pictures with pneumonia.
        healthy: Test pictures without.
    """

    thresholds: np.ndarray
    sensitivity: np.ndarray
    specificity: np.ndarray
    ill: int
    healthy: int

    @classmethod
    def of(cls, card: Card) -> "Measured | None":
        """From the card; None while nothing was measured."""
        measured = card.measured
        curve = next(iter(measured.curves), None)
        if curve is None or measured.confusion is None:
            return None
        healthy, ill = (sum(row) for row in measured.confusion.counts)
        sensitivity, specificity = (np.array(curve.y[n]) for n in ("sensitivity", "specificity"))
        return cls(np.array(curve.x), sensitivity, specificity, ill, healthy)

    def at(self, threshold: Any) -> tuple[Any, Any]:
        """Sensitivity and specificity at thresholds between the measured ones."""
        found = np.interp(threshold, self.thresholds, self.sensitivity)
        return found, np.interp(threshold, self.thresholds, self.specificity)


@dataclass(frozen=True)
class Line:
    """Where the visitor draws the line.

    Attributes:
        prevalence: Share of ill children among those X-rayed, in (0, 1).
        miss: Cost of a missed pneumonia, in false alarms.
        threshold: On the probability at that prevalence.
    """

    prevalence: float
    miss: int
    threshold: float

    def on_card(self, threshold: Any) -> Any:
        """The same threshold at the card's prevalence of one half."""
        return at_prevalence(threshold, 1 - self.prevalence)

    def cost(self, sensitivity: Any, specificity: Any) -> Any:
        """Expected cost of 100 children, in false alarms."""
        missed = self.prevalence * (1 - sensitivity) * self.miss
        return 100 * (missed + (1 - self.prevalence) * (1 - specificity))


def warning() -> None:
    """Said before anything else."""
    st.warning(
        _(
            "**Not for clinical use.** A teaching example on 28 × 28 pixels; it must not be used to judge anyone's health."
        ),
        icon=":material/medical_information:",
    )


def seen(picked: Picked | None) -> None:
    """The 28 × 28 pixels that the network gets."""
    if picked is None or picked.raw.size == (28, 28):
        return
    small, text = st.columns([1, 2], vertical_alignment="center")
    with small:
        st.image(enlarge(shrink(picked.raw), 168), alt=_("The picture as the network sees it"))
    with text:
        note(_("All the network sees: the middle square, 28 × 28 grey pixels."))


def truth(case: Any, picked: Picked | None, answer: Any) -> None:
    """What the doctors said of an example, beside what the network says."""
    right, wrong = (
        N_("The doctors said {truth}: the network is right."),
        N_("The doctors said {truth}: the network is wrong."),
    )
    say_truth(case, picked, answer, right, wrong)


@fragment
def draw_line(card: Card, answer: Any) -> None:
    """Sliders for prevalence, costs and threshold, beside what follows from them."""
    measured = Measured.of(card)
    if measured is None:
        return
    st.header(_("Where to draw the line?"), anchor="line")
    left, right = st.columns([4, 8], gap="large")
    with left:
        rule = choose()
    with right:
        if answer is not None:
            verdict(answer, rule)
        rates(measured, rule)
        costs, shares = st.columns(2, gap="medium")
        with costs:
            show_chart(cost_figure(measured, rule), alt=_("Expected cost over the threshold"))
            note(_("Expected cost of 100 children, in false alarms, over the threshold."))
        with shares:
            show_chart(rates_figure(measured, rule), alt=_("Both rates over the threshold"))
            note(_("Grey: 95% intervals (Clopper–Pearson)."))
    note(
        _(
            "Rates from {ill} test pictures with pneumonia and {healthy} without; they hold for such children only."
        ).format(ill=measured.ill, healthy=measured.healthy)
    )


def choose() -> Line:
    """The three sliders; another cost moves the threshold to where it should be cheapest."""
    prevalence = st.slider(
        _("Of 100 children X-rayed, how many have pneumonia?"),
        1,
        99,
        50,
        key="prevalence",
        persist_state="page",
        help=_("The network's probability is meant for 50; Bayes' rule turns it into any other."),
    )
    miss = st.select_slider(
        _("One missed pneumonia is as bad as how many false alarms?"),
        COSTS,
        1,
        key="miss",
        persist_state="page",
    )
    cheapest = on_slider(threshold_for(miss, 1))
    threshold = threshold_slider(_("Call it pneumonia above this probability"), cheapest, miss)
    note(
        _(
            "If the probability is honest, {threshold} is cheapest: a false alarm costs 1, a miss {miss}."
        ).format(threshold=f"{cheapest:.2f}", miss=miss)
    )
    return Line(prevalence / 100, int(miss), float(threshold))


def verdict(answer: Any, rule: Line) -> None:
    """What the line says of this picture."""
    p = next(s.probability for s in answer.result.scores if s.label.id == "pneumonia")
    p = at_prevalence(p, rule.prevalence)
    shown = f"{100 * p:.0f}%"
    limit = f"{100 * rule.threshold:.0f}%"
    if p > rule.threshold:
        text = _("This picture: probability {p}, above the line of {limit}: **call it pneumonia**.")
    else:
        text = _("This picture: probability {p}, not above the line of {limit}: **let it pass**.")
    st.markdown(text.format(p=shown, limit=limit))


def rates(measured: Measured, rule: Line) -> None:
    """Sensitivity, specificity, how many alarms are right, and the cost."""
    found, passed = measured.at(rule.on_card(rule.threshold))
    alarms = rule.prevalence * found + (1 - rule.prevalence) * (1 - passed)
    right = rule.prevalence * found / alarms if alarms > 0 else None
    with st.grid(4, min_column_width=130):
        for name, value, n, help_text in (
            (_("Sensitivity"), found, measured.ill, _("Share of the ill that are found.")),
            (
                _("Specificity"),
                passed,
                measured.healthy,
                _("Share of the healthy that are let pass."),
            ),
        ):
            low, high = exact_interval(round(float(value) * n), n)
            with st.container(gap="xsmall"):
                st.metric(name, f"{100 * value:.1f}%", help=help_text)
                note(f"{100 * low:.1f}–{100 * high:.1f}%")
        with st.container(gap="xsmall"):
            st.metric(_("Alarms that are right"), "–" if right is None else f"{100 * right:.0f}%")
            note(_("at this prevalence"))
        with st.container(gap="xsmall"):
            st.metric(_("Expected cost"), f"{rule.cost(found, passed):.1f}")
            note(_("per 100 children"))


def grid() -> np.ndarray:
    """Thresholds that are drawn."""
    return np.linspace(0.01, 0.99, 99)


def cost_figure(measured: Measured, rule: Line) -> Any:
    """Cost over the threshold; misses and false alarms apart; the line dotted."""
    import plotly.graph_objects as go

    x = grid()
    found, passed = measured.at(rule.on_card(x))
    parts = (
        (_("both"), rule.cost(found, passed)),
        (_("misses"), rule.cost(found, 1.0)),
        (_("false alarms"), rule.cost(1.0, passed)),
    )
    fig = go.Figure()
    for index, (name, y) in enumerate(parts):
        fig.add_trace(line(x.tolist(), np.asarray(y).tolist(), name, index))
    return finish(fig, rule)


def rates_figure(measured: Measured, rule: Line) -> Any:
    """Sensitivity and specificity over the threshold, with their intervals in grey."""
    import plotly.graph_objects as go

    x = grid()
    fig = go.Figure()
    pairs = zip(
        (_("sensitivity"), _("specificity")),
        measured.at(rule.on_card(x)),
        (measured.ill, measured.healthy),
        strict=True,
    )
    for index, (name, y, n) in enumerate(pairs):
        bounds = [exact_interval(round(float(value) * n), n) for value in y]
        fig.add_trace(band(x.tolist(), [b[0] for b in bounds], [b[1] for b in bounds]))
        fig.add_trace(line(x.tolist(), y.tolist(), name, index))
    fig.update_yaxes(tickformat=".0%")
    return finish(fig, rule)


def finish(fig: Any, rule: Line) -> Any:
    """The look, and the visitor's line dotted."""
    style(fig, height=250, legend=True)
    muted = palette().muted
    fig.add_vline(rule.threshold, line={"width": 1.5, "dash": "dot", "color": muted})
    fig.update_xaxes(title_text=_("threshold"), tickformat=".0%", range=[0, 1])
    return fig
