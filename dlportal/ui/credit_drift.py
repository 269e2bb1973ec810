"""The credit page: has the world moved away from what the network learned from?"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from dlportal.cases.credit_default import NAMES, CreditDefault
from dlportal.data import uci_credit
from dlportal.data.credit_csv import KAGGLE, read_customers, write_customers
from dlportal.data.uci_credit import STATUS
from dlportal.messages import N_, UserError
from dlportal.serving import compute
from dlportal.training.drift import Drift, measure_drift
from dlportal.ui.charts import line, show_chart, style
from dlportal.ui.credit import Rule
from dlportal.ui.errors import fragment, show_user_error
from dlportal.ui.language import _
from dlportal.ui.state import valid
from dlportal.ui.words import note

WAYS = {"shift": N_("Move a column"), "rows": N_("Other customers")}
VERDICTS = {
    "same": (N_("same"), ":material/check_circle:"),
    "moved": (N_("moved"), ":material/help:"),
    "drifted": (N_("drifted"), ":material/cancel:"),
}
SAMPLE = 1_000
SHARES = 21  # points of a distribution function that the chart draws


@dataclass(frozen=True)
class Compared:
    """Rows beside the training rows: drift by column, probabilities before and after."""

    drift: list[Drift]
    rows: np.ndarray
    before: np.ndarray
    after: np.ndarray


@st.cache_data(max_entries=64, show_spinner=False)
def compared(key: str, _case: CreditDefault, _rows: np.ndarray) -> Compared:
    def work() -> Compared:
        parts = uci_credit.load()
        drift = measure_drift(parts.train.x, _rows)
        return Compared(drift, _rows, _case.score(parts.test.x), _case.score(_rows))

    return compute(work)


def moved_rows(column: int, amount: float) -> np.ndarray:
    """The test customers with one column moved: money by a factor, delays by a month for a share
    of the customers (drawn the same way each time)."""
    rows = uci_credit.load().test.x.copy()
    if STATUS.start <= column < STATUS.stop:
        hit = np.random.default_rng(0).random(len(rows)) < amount
        rows[hit, column] = np.minimum(np.maximum(rows[hit, column], 0) + 1, 8)
    else:
        rows[:, column] *= amount
    return rows


@fragment
def show_drift(case: CreditDefault, rule: Rule) -> None:
    """Move a column, or bring other rows; see which columns moved and what the rule then does."""
    st.header(_("Has the world moved?"), anchor="drift")
    try:
        # The customers of the dataset are not part of the portal: they are fetched when needed.
        uci_credit.load()
        found = choose_rows(case)
    except UserError as error:
        show_user_error(error)
        return
    if found is None:
        return
    key, rows, column = found
    result = compared(key, case, rows)
    left, right = st.columns([7, 5], gap="large")
    with left:
        st.dataframe(
            drift_rows(result.drift), hide_index=True, height=320, alt=_("Drift by column")
        )
        note(
            _(
                "Beside the training customers. PSI from 0.1: moved, from 0.25: drifted, where the Kolmogorov–Smirnov test (KS) says it is no accident."
            )
        )
    with right:
        show_effect(result, rule)
        if column is not None:
            show_chart(
                shift_figure(column, result.rows),
                alt=_("Distribution of the column before and after"),
                key="shift",
            )


def choose_rows(case: CreditDefault) -> tuple[str, np.ndarray, int | None] | None:
    """Test customers with a column moved, or a visitor's; with a cache key and the column."""
    valid("drift_way", list(WAYS), "shift")
    way = st.segmented_control(
        _("Which customers"),
        list(WAYS),
        format_func=lambda w: _(WAYS[w]),
        key="drift_way",
        required=True,
        label_visibility="collapsed",
        persist_state="page",
    )
    if way != "rows":
        return choose_shift()
    given = st.file_uploader(
        _("A CSV of customers"),
        type=["csv", "txt", "tsv"],
        max_upload_size=case.card.limits.bytes // 1_000_000,
        key="drift_file",
        label_visibility="collapsed",
    )
    note(
        _("Columns: {names}. The file stays on this server only for this visit.").format(
            names=f"{KAGGLE[0]}, PAY_0 … PAY_6, BILL_AMT1 … 6, PAY_AMT1 … 6"
        )
    )
    st.download_button(
        _("A file to try: {n} test customers").format(n=f"{SAMPLE:,}"),
        lambda: write_customers(uci_credit.load().test.x[:SAMPLE]),
        file_name="customers.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key="drift_sample",
    )
    if given is None:
        return None
    data = given.getvalue()
    rows = compute(lambda: read_customers(data, case.card.limits))
    return hashlib.sha256(data).hexdigest(), rows, None


def choose_shift() -> tuple[str, np.ndarray, int]:
    left, right = st.columns(2, gap="large")
    with left:
        st.session_state.setdefault("drift_column", 1)
        column = st.selectbox(
            _("Column"),
            list(range(len(NAMES))),
            format_func=lambda i: _(NAMES[i]),
            key="drift_column",
            persist_state="page",
        )
    with right:
        if STATUS.start <= column < STATUS.stop:
            st.session_state.setdefault("drift_late", 20)
            share = st.slider(
                _("Share of customers a month later than before"),
                0,
                100,
                step=5,
                format="%d%%",
                key="drift_late",
                persist_state="page",
            )
            amount = share / 100
        else:
            st.session_state.setdefault("drift_factor", 1.5)
            amount = st.slider(
                _("Times what it was"),
                0.5,
                2.0,
                step=0.1,
                format="%.1f",
                key="drift_factor",
                persist_state="page",
            )
    return f"{column} {amount}", moved_rows(column, amount), column


def drift_rows(drift: list[Drift]) -> list[dict[str, Any]]:
    """A row a column, the most moved first."""
    order = sorted(range(len(drift)), key=lambda i: -drift[i].psi)
    return [
        {
            _("Column"): _(NAMES[i]),
            "PSI": f"{drift[i].psi:.3f}",
            "KS": f"{drift[i].ks:.3f}",
            "p": f"{drift[i].p:.3f}" if drift[i].p >= 0.001 else "< 0.001",
            _("Verdict"): _(VERDICTS[drift[i].verdict][0]),
        }
        for i in order
    ]


def show_effect(result: Compared, rule: Rule) -> None:
    """The overall verdict, and what the rule makes of these customers."""
    worst = max(result.drift, key=lambda d: ("same", "moved", "drifted").index(d.verdict)).verdict
    sentences = {
        "same": _("No column has moved: the figures on the card should still hold."),
        "moved": _("Something has moved: watch the figures."),
        "drifted": _("Something has drifted: measure again before trusting the probabilities."),
    }
    st.markdown(f"{VERDICTS[worst][1]} {sentences[worst]}")
    with st.grid(2, min_column_width=120):
        for name, p in ((_("Test customers"), result.before), (_("These"), result.after)):
            st.metric(
                _("{who}: mean risk").format(who=name),
                f"{100 * p.mean():.1f}%",
            )
            st.metric(
                _("{who}: refused").format(who=name),
                f"{100 * (p >= rule.threshold).mean():.1f}%",
            )


def shift_figure(column: int, rows: np.ndarray) -> Any:
    """Both distribution functions of the moved column."""
    import plotly.graph_objects as go

    shares = np.linspace(0, 1, SHARES)
    fig = go.Figure()
    for index, (name, values) in enumerate(
        ((_("training"), uci_credit.load().train.x[:, column]), (_("now"), rows[:, column]))
    ):
        shown = slice(1, -1)  # without the outermost values, which would squeeze the rest
        x = np.quantile(values, shares)[shown].tolist()
        fig.add_trace(line(x, shares[shown].tolist(), name, index))
    style(fig, height=240, legend=True)
    fig.update_xaxes(title_text=_(NAMES[column]))
    fig.update_yaxes(title_text=_("share up to there"), tickformat=".0%")
    return fig
