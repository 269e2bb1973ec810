"""The fraud page's own parts: whose payments, where the threshold, the queue, one payment."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from dlportal.cases.fraud_detection import EXAMPLES, FraudDetection, demo_day
from dlportal.data.fraud_queue import Queue
from dlportal.messages import N_, UserError
from dlportal.serving import compute
from dlportal.ui.charts import line, show_chart, style
from dlportal.ui.errors import show_user_error
from dlportal.ui.inputs import Picked, choose_source, digest, example_pills
from dlportal.ui.language import _, language
from dlportal.ui.own_file import note_sorted, own_csv
from dlportal.ui.theme import palette
from dlportal.ui.threshold import on_slider, threshold_slider
from dlportal.ui.views import scope
from dlportal.ui.words import duration, note, together

QUEUE = "queue"  # the choice "the payment marked in the queue"
PRICES = (1, 50)  # what checking one alert may cost


@dataclass(frozen=True)
class Rule:
    """When somebody is asked: from which probability, and what asking costs."""

    threshold: float
    price: float


@st.cache_resource(max_entries=3, show_spinner=False)
def judged(key: str, _case: FraudDetection, _data: bytes | None) -> Queue:
    """The queue of the simulated day, or of a visitor's file; computed in the shared lane."""

    def work() -> Queue:
        if _data is None:
            return _case.queue(demo_day())
        from dlportal.data.fraud_csv import read_payments

        return _case.queue(_case.judge(read_payments(_data, _case.card.limits)))

    return compute(work)


def choose_payments(case: FraudDetection) -> Queue | None:
    """The simulated day or a CSV; None while there is none."""
    source = choose_source(["examples", "upload"])
    weights = case.card.measured.sha256.get("weights.safetensors", "")[:16]
    if source == "examples":
        note(
            _("The last day of a small simulated world; nobody's real payments.")
            + " "
            + _("Somebody checks alerts from the top.")
        )
        return judged(f"demo {weights}", case, None)
    data = own_csv(
        case.card,
        _("A CSV of payments"),
        _("Columns: {names}; TX_FRAUD where it is known. At most {rows} rows.").format(
            names="TX_DATETIME, CUSTOMER_ID, TERMINAL_ID, TX_AMOUNT",
            rows=f"{case.card.limits.rows:,}",
        ),
        _("A simulated file to try"),
        sample_file,
        "simulated_payments.csv",
    )
    if data is None:
        return None
    try:
        queue = judged(f"{hashlib.sha256(data).hexdigest()} {weights}", case, data)
    except UserError as error:
        show_user_error(error)
        return None
    note_sorted(queue.sorted_here)
    if not queue.labelled:
        note(
            ":material/help: "
            + _("Without TX_FRAUD nothing is known about terminals: most frauds there stay unseen.")
        )
    return queue


def sample_file() -> bytes:
    """A small simulated world as a CSV."""
    from dlportal.data.fraud_csv import write_payments
    from dlportal.data.fraud_simulator import World, simulate

    return write_payments(simulate(World().smaller(25, 50), 11))


def choose_rule(case: FraudDetection) -> Rule:
    """Price of a check and threshold; a new price moves the threshold to its cheapest place."""
    costs = case.costs()
    if "check_price" not in st.session_state:
        st.session_state["check_price"] = int(case.card.measured.constants["check_cost"])
    price = st.slider(
        _("Checking one alert costs"),
        *PRICES,
        key="check_price",
        persist_state="page",
        help=_("In the same simulated money as the payments."),
    )
    cheapest = on_slider(costs.best(price))
    threshold = threshold_slider(_("Check from this probability of fraud"), cheapest, price)
    note(
        _("Cheapest on the validation days at this price: {threshold}.").format(
            threshold=f"{cheapest:.2f}"
        )
    )
    return Rule(threshold, price)


def show_outcome(queue: Queue, rule: Rule) -> None:
    """What the rule does to these payments: four figures and the cost curve."""
    alerts, caught = queue.alerts(rule.threshold)
    with st.grid(4, min_column_width=120):
        st.metric(
            _("Alerts"), f"{alerts:,}", help=_("Of {n} payments.").format(n=f"{queue.payments:,}")
        )
        if queue.labelled:
            st.metric(_("Frauds found"), _("{n} of {all}").format(n=caught, all=queue.frauds))
            right = f"{100 * caught / alerts:.0f}%" if alerts else "–"
            st.metric(_("Alerts that are frauds"), right)
            st.metric(
                _("Money saved"),
                f"{100 * queue.costs.saved(rule.threshold, rule.price):.0f}%"
                if queue.frauds
                else "–",
                help=_("Share of the simulated stolen money that is left after paying the checks."),
            )
        else:
            per_day = queue.costs.alerts[(queue.costs.threshold < rule.threshold).sum() - 1]
            st.metric(_("Alerts a day"), f"{per_day:,.0f}")
            st.metric(_("Cost of the checks"), f"{alerts * rule.price:,.0f}")
    if queue.labelled and queue.frauds:
        show_chart(
            cost_figure(queue, rule),
            alt=_("Money a day over the threshold: frauds missed, checks, and both"),
            key="costs",
        )
        note(_("Simulated money a day on these payments, over the threshold."))


def cost_figure(queue: Queue, rule: Rule) -> Any:
    """Frauds missed, checks, and both, over the threshold; the rule as a dotted line."""
    import plotly.graph_objects as go

    colors, costs = palette(), queue.costs
    shown = (costs.threshold > 0.008) & (costs.threshold < 0.99)
    x = costs.threshold[shown]
    fig = go.Figure()
    for index, (name, y) in enumerate(
        (
            (_("both"), costs.total(rule.price)[shown]),
            (_("frauds missed"), costs.missed[shown]),
            (_("checks"), rule.price * costs.alerts[shown]),
        )
    ):
        fig.add_trace(line(x.tolist(), y.tolist(), name, index))
    style(fig, height=270, legend=True)  # the lines end close together: no room for names there
    fig.add_vline(rule.threshold, line={"width": 1.5, "dash": "dot", "color": colors.muted})
    top = 1.15 * costs.stolen
    ticks = [0.01, 0.03, 0.1, 0.3, 1.0]
    fig.update_xaxes(
        title_text=_("check from this probability"),
        type="log",
        range=[np.log10(x[0]), 0],
        tickvals=ticks,
        tickformat=".0%",
    )
    fig.update_yaxes(range=[0, top], nticks=5)
    return fig


def show_queue(queue: Queue, rule: Rule) -> None:
    """The table; marking a row opens that payment below."""
    st.header(_("Who to check first"), anchor=False)
    table = queue.table
    truth = {0: _("honest"), 1: _("fraud")}
    columns: dict[str, Any] = {
        _("When"): table["TX_DATETIME"].dt.strftime("%m-%d %H:%M"),
        _("Customer"): table["CUSTOMER_ID"].astype(str),
        _("Terminal"): table["TERMINAL_ID"].astype(str),
        _("Amount"): table["TX_AMOUNT"].round(2),
        _("Probability of fraud"): queue.p,
        _("Alert"): [_("check") if p >= rule.threshold else "" for p in queue.p],
    }
    if queue.labelled:
        columns[_("In truth")] = table["TX_FRAUD"].map(truth)
    st.dataframe(
        columns,
        hide_index=True,
        height=320,
        key="queue_rows",
        on_select=lambda: st.session_state.update(example=QUEUE),
        selection_mode="single-row",
        column_config={
            _("Probability of fraud"): st.column_config.ProgressColumn(
                min_value=0, max_value=1, format="percent"
            ),
            _("Amount"): st.column_config.NumberColumn(format="%.2f"),
        },
        alt=_("Payments, the most suspicious first"),
    )
    shown = len(queue.p)
    note(
        together(
            _("The {shown} most suspicious of {n} payments. Mark a row to see why.").format(
                shown=shown, n=f"{queue.payments:,}"
            ),
            _("The last column becomes known a week later.") if queue.labelled else "",
        )
    )


def pick_payment(case: FraudDetection, queue: Queue) -> tuple[Picked, int | None]:
    """The marked row of the queue (its place too), or one of the examples."""
    st.header(_("One payment"), anchor="payment")
    # Probabilities near 1 hardly move when one column is hidden; logits do.
    st.session_state.setdefault("method", "integrated_gradients")
    own = st.session_state.get("source") == "upload"
    lang = language()
    names = {} if own else {i: label(lang) for i, (label, _truth) in EXAMPLES.items()}
    chosen = example_pills(_("Payment"), {QUEUE: _("From the queue"), **names})
    if chosen != QUEUE:
        raw = case.example(chosen)
        return Picked(raw, chosen, digest(raw)), None
    rows = st.session_state.get("queue_rows", {}).get("selection", {}).get("rows", [])
    place = rows[0] if rows and rows[0] < len(queue.rows) else 0
    raw = queue.rows[place]
    return Picked(raw, None, digest(raw)), place


FACTS = ("amount", "customer_usual", "card_odd_14d", "terminal_run", "terminal_honest")


def show_facts(picked: Picked) -> None:
    """What the past says about the payment, in a few lines."""
    from dlportal.data.fraud_features import COLUMNS, NEVER

    rows = []
    for column, value in zip(COLUMNS, picked.raw.tolist(), strict=True):
        if column.id in FACTS:
            never = column.unit == "days" and value >= NEVER
            shown = "–" if never else f"{value:,.2f}" if column.unit == "money" else f"{value:,.0f}"
            rows.append(f"| {_(column.name)} | {shown} |")
    st.markdown("\n".join([rows[0], "|---|---|", *rows[1:]]))  # the amount heads the table
    if picked.example:
        truth = EXAMPLES[picked.example][1]
        note(_("In truth: {truth}.").format(truth=_(TRUTHS[truth])))


TRUTHS = {"fraud": N_("fraud"), "honest": N_("honest")}


def show_verdict(case: FraudDetection, picked: Picked, answer: Any, rule: Rule) -> None:
    """Check it or let it pass, with the price of being wrong either way."""
    p = next(s.probability for s in answer.result.scores if s.label.id == "fraud")
    amount = float(picked.raw[0])
    st.metric(_("The network says"), _("Check it") if p >= rule.threshold else _("Let it pass"))
    with st.grid(4, min_column_width=96):
        st.metric(_("Fraud"), f"{100 * p:.1f}%", help=_("Calibrated probability of fraud."))
        st.metric(
            _("Blind guess"),
            f"{100 * (1 - answer.result.blind):.1f}%",
            help=_("The share of frauds among all training payments."),
        )
        st.metric(
            _("Expected loss"),
            f"{p * amount:,.2f}",
            help=_("Probability times amount; a check costs {price}.").format(price=rule.price),
        )
        st.metric(_("Time"), duration(answer.seconds))
    scope(answer.result.inside, case.card)
