"""The credit page: has the world moved away from what the network learned from?"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from dlportal.cases.credit_default import NAMES, CreditDefault
from dlportal.data import uci_credit
from dlportal.data.credit_csv import KAGGLE, read_customers, write_customers
from dlportal.data.files import is_available
from dlportal.data.margins import Margin
from dlportal.data.uci_credit import STATUS
from dlportal.messages import N_, UserError
from dlportal.serving import compute
from dlportal.training.drift import Drift, measure_drift
from dlportal.ui.charts import line, show_chart, style
from dlportal.ui.credit import Rule
from dlportal.ui.errors import fragment, show_user_error
from dlportal.ui.knobs import choose_one
from dlportal.ui.language import _
from dlportal.ui.words import note

WAYS = {"shift": N_("Move a column"), "rows": N_("Other customers")}
VERDICTS = {
    "same": (N_("same"), ":material/check_circle:"),
    "moved": (N_("moved"), ":material/help:"),
    "drifted": (N_("drifted"), ":material/cancel:"),
}
SAMPLE = 1_000
INVENTED = 6_000  # as many as there are test customers, nearly
SHARES = 21  # points of a distribution function that the chart draws


@dataclass(frozen=True)
class Stock:
    """Customers at hand: the test customers where the dataset is on this machine, else invented
    ones; shape (N, 19)."""

    x: np.ndarray
    real: bool

    @property
    def name(self) -> str:
        return _("Test customers") if self.real else _("Invented customers")


@dataclass(frozen=True)
class Compared:
    """Rows beside the training rows: drift by column, probabilities before and after."""

    drift: list[Drift]
    rows: np.ndarray
    before: np.ndarray
    after: np.ndarray


def at_hand(case: CreditDefault) -> Stock:
    """Customers to move.

    Raises:
        AssetError: The dataset's file is here, but altered.
    """
    if is_available(uci_credit.NAME):
        return Stock(uci_credit.load().test.x, real=True)
    return Stock(case.invented(INVENTED), real=False)


@st.cache_data(max_entries=64, show_spinner=False)
def compared(key: str, real: bool, _case: CreditDefault, _stock: Stock, _rows: Any) -> Compared:
    def work() -> Compared:
        drift = measure_drift(_case.margins(), _rows)
        return Compared(drift, _rows, _case.score(_stock.x), _case.score(_rows))

    return compute(work)


def moved_rows(rows: np.ndarray, column: int, amount: float) -> np.ndarray:
    """Customers with one column moved: money by a factor, delays by a month for a share of them
    (drawn the same way each time)."""
    rows = rows.copy()
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
        stock = at_hand(case)
        found = choose_rows(case, stock)
    except UserError as error:
        show_user_error(error)
        return
    if found is None:
        return
    key, rows, column = found
    result = compared(key, stock.real, case, stock, rows)
    left, right = st.columns([7, 5], gap="large")
    with left:
        st.dataframe(
            drift_rows(result.drift), hide_index=True, height=320, alt=_("Drift by column")
        )
        note(
            _(
                "Beside the {n} training customers, of whom the card keeps each column's distribution and no row. PSI from 0.1: moved, from 0.25: drifted, where the Kolmogorov–Smirnov test (KS) says it is no accident."
            ).format(n=f"{case.margins().rows:,}")
        )
    with right:
        show_effect(result, rule, stock)
        if column is not None:
            show_chart(
                shift_figure(column, case.margins().columns[column], result.rows),
                alt=_("Distribution of the column before and after"),
                key="shift",
            )


def choose_rows(case: CreditDefault, stock: Stock) -> tuple[str, np.ndarray, int | None] | None:
    """Customers at hand with a column moved, or a visitor's; with a cache key and the column."""
    way = choose_one(_("Which customers"), WAYS, key="drift_way")
    if way != "rows":
        return choose_shift(stock)
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
        (
            _("A file to try: {n} test customers")
            if stock.real
            else _("A file to try: {n} invented customers")
        ).format(n=f"{SAMPLE:,}"),
        lambda: write_customers(stock.x[:SAMPLE]),
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


def choose_shift(stock: Stock) -> tuple[str, np.ndarray, int]:
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
    note(
        _("Moved are the {n} test customers of the dataset.").format(n=f"{len(stock.x):,}")
        if stock.real
        else _(
            "The dataset is not on this machine. Moved are {n} invented customers, drawn from what the card keeps of the training customers: how each column is distributed and how columns go together."
        ).format(n=f"{len(stock.x):,}")
    )
    return f"{column} {amount}", moved_rows(stock.x, column, amount), column


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


def show_effect(result: Compared, rule: Rule, stock: Stock) -> None:
    """The overall verdict, and what the rule makes of these customers."""
    worst = max(result.drift, key=lambda d: ("same", "moved", "drifted").index(d.verdict)).verdict
    sentences = {
        "same": _("No column has moved: the figures on the card should still hold."),
        "moved": _("Something has moved: watch the figures."),
        "drifted": _("Something has drifted: measure again before trusting the probabilities."),
    }
    st.markdown(f"{VERDICTS[worst][1]} {sentences[worst]}")
    with st.grid(2, min_column_width=120):
        for name, p in ((stock.name, result.before), (_("These"), result.after)):
            st.metric(
                _("{who}: mean risk").format(who=name),
                f"{100 * p.mean():.1f}%",
            )
            st.metric(
                _("{who}: refused").format(who=name),
                f"{100 * (p >= rule.threshold).mean():.1f}%",
            )


def shift_figure(column: int, before: Margin, rows: np.ndarray) -> Any:
    """Both distribution functions of the moved column."""
    import plotly.graph_objects as go

    shares = np.linspace(0, 1, SHARES)[1:-1]  # the outermost values would squeeze the rest
    fig = go.Figure()
    for index, (name, x) in enumerate(
        (
            (_("training"), before.quantiles(shares)),
            (_("now"), np.quantile(rows[:, column], shares)),
        )
    ):
        fig.add_trace(line(x.tolist(), shares.tolist(), name, index))
    style(fig, height=240, legend=True)
    fig.update_xaxes(title_text=_(NAMES[column]))
    fig.update_yaxes(title_text=_("share up to there"), tickformat=".0%")
    return fig
