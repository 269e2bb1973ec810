"""The credit page: what the line does to test customers, all together and group by group."""

from typing import Any

import numpy as np
import streamlit as st

from dlportal.cases.credit_default import GROUP_NAMES, CreditDefault
from dlportal.data.credit_costs import THRESHOLDS, Counts
from dlportal.messages import N_
from dlportal.training.metrics import exact_interval
from dlportal.ui.charts import line, show_chart, style
from dlportal.ui.credit import Rule
from dlportal.ui.errors import fragment
from dlportal.ui.knobs import choose_one
from dlportal.ui.language import _, language
from dlportal.ui.theme import palette
from dlportal.ui.words import note

KINDS = {"sex": N_("Sex"), "age": N_("Age"), "education": N_("Education")}
RATES = {
    "good_refused": N_("good payers refused"),
    "bad_granted": N_("defaults granted"),
}


def everybody(groups: dict[str, dict[str, Counts]]) -> Counts:
    """All test customers: the sum over one kind of group."""
    parts = list(groups["sex"].values())
    return Counts(np.sum([c.good for c in parts], axis=0), np.sum([c.bad for c in parts], axis=0))


def show_line(case: CreditDefault, rule: Rule) -> None:
    """What the rule does to the test customers, and what it costs."""
    st.header(_("What does this line do?"), anchor="line")
    counts = everybody(case.groups())
    good, bad = counts.at(rule.threshold)
    all_good, all_bad = counts.at(0.0)
    left, right = st.columns([4, 8], gap="large")
    with left, st.grid(2, min_column_width=120):
        st.metric(_("Good payers refused"), f"{100 * good / all_good:.1f}%")
        st.metric(_("Defaults prevented"), f"{100 * bad / all_bad:.1f}%")
        st.metric(
            _("Refusals that were right"), f"{100 * bad / (good + bad):.0f}%" if good + bad else "–"
        )
        cost = counts.cost(rule.loss)
        st.metric(
            _("Cost of 100 customers"),
            f"{cost[round(100 * rule.threshold)]:.0f}",
            help=_("In refused good payers. Granting everybody costs {all}.").format(
                all=f"{cost[-1]:.0f}"
            ),
        )
    with right:
        show_chart(
            cost_figure(counts, rule),
            alt=_("Cost over the threshold: defaults granted, good payers refused, and both"),
            key="costs",
        )
        note(
            _(
                "Cost of 100 customers, in refused good payers, over the threshold; {n} test customers."
            ).format(n=f"{counts.people:,}")
        )


def cost_figure(counts: Counts, rule: Rule) -> Any:
    import plotly.graph_objects as go

    shown = slice(1, 96)
    scale = 100 / counts.people
    fig = go.Figure()
    for index, (name, y) in enumerate(
        (
            (_("both"), counts.cost(rule.loss)),
            (_("defaults granted"), rule.loss * (counts.bad[0] - counts.bad) * scale),
            (_("good payers refused"), counts.good * scale),
        )
    ):
        fig.add_trace(line(THRESHOLDS[shown].tolist(), y[shown].tolist(), name, index))
    style(fig, height=260, legend=True)
    muted = palette().muted
    fig.add_vline(rule.threshold, line={"width": 1.5, "dash": "dot", "color": muted})
    fig.update_xaxes(title_text=_("refuse from this probability"), tickformat=".0%")
    fig.update_yaxes(rangemode="tozero")
    return fig


@fragment
def show_groups(case: CreditDefault, rule: Rule) -> None:
    """The same line, group by group, with intervals."""
    st.header(_("Is it the same for everybody?"), anchor="groups")
    kind = choose_one(_("Groups by"), KINDS, key="group_kind")
    groups = case.groups()[kind]
    left, right = st.columns([7, 5], gap="large")
    with left:
        for rate in RATES:
            show_chart(
                rate_figure(groups, rate, rule),
                alt=_("{rate}, group by group, with intervals").format(rate=_(RATES[rate])),
                key=f"rate_{rate}",
            )
        note(_("Test customers; lines are 95% intervals (Clopper–Pearson)."))
    with right:
        st.dataframe(group_rows(groups, rule), hide_index=True, alt=_("Counts of each group"))
        for sentence in verdicts(groups, rule):
            st.markdown(f"- {sentence}")
        note(
            _(
                "The network never sees sex, age, education or marriage, yet what it sees differs between groups. Equal rates of refusal, of errors and of calibration cannot all hold where groups default at different rates."
            )
        )


def rate_of(counts: Counts, rate: str, rule: Rule) -> tuple[int, int]:
    """Cases and how many they are of, at the rule's line."""
    good, bad = counts.at(rule.threshold)
    all_good, all_bad = counts.at(0.0)
    return (good, all_good) if rate == "good_refused" else (all_bad - bad, all_bad)


def rate_figure(groups: dict[str, Counts], rate: str, rule: Rule) -> Any:
    """A dot with its interval for each group."""
    import plotly.graph_objects as go

    colors, lang = palette(), language()
    names, values, low, high = [], [], [], []
    for name, counts in groups.items():
        hit, n = rate_of(counts, rate, rule)
        bounds = exact_interval(hit, n)
        names.append(f"{GROUP_NAMES[name](lang)} ")
        values.append(hit / max(n, 1))
        low.append(values[-1] - bounds[0])
        high.append(bounds[1] - values[-1])
    fig = go.Figure(
        go.Scatter(
            x=values,
            y=names,
            mode="markers",
            marker={"size": 9, "color": colors.accent},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": high,
                "arrayminus": low,
                "color": colors.muted,
                "thickness": 1.5,
            },
        )
    )
    style(fig, height=32 * len(names) + 70)
    fig.update_xaxes(title_text=_(RATES[rate]), tickformat=".0%")
    fig.update_yaxes(autorange="reversed", tickmode="linear", dtick=1, type="category")
    return fig


def group_rows(groups: dict[str, Counts], rule: Rule) -> list[dict[str, Any]]:
    lang = language()
    rows = []
    for name, counts in groups.items():
        good, bad = counts.at(rule.threshold)
        rows.append(
            {
                _("Group"): GROUP_NAMES[name](lang),
                "n": f"{counts.people:,}",
                _("default"): f"{100 * counts.at(0.0)[1] / counts.people:.0f}%",
                _("refused"): f"{100 * (good + bad) / counts.people:.0f}%",
            }
        )
    return rows


def verdicts(groups: dict[str, Counts], rule: Rule) -> list[str]:
    """For each rate: which groups differ by more than their intervals, in plain words."""
    lang = language()
    words = []
    for rate, name in RATES.items():
        found = []
        for group, counts in groups.items():
            hit, n = rate_of(counts, rate, rule)
            if n:
                found.append((hit / n, exact_interval(hit, n), GROUP_NAMES[group](lang)))
        least, most = min(found), max(found)
        shown = {"rate": _(name), "least": least[2], "most": most[2]}
        shown |= {"low": f"{100 * least[0]:.0f}%", "high": f"{100 * most[0]:.0f}%"}
        if most[1][0] > least[1][1]:
            text = _("**{rate}:** {most} {high}, {least} {low}: more than chance.")
        else:
            text = _("**{rate}:** {most} {high}, {least} {low}: within chance.")
        words.append(text.format(**shown))
    return words
