"""The credit page's own parts: which customer, where the line, what is said, what would change it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from dlportal.cases.credit_changes import Change, lowest_reach
from dlportal.cases.credit_default import NAMES, CreditDefault
from dlportal.data.uci_credit import BILL, MONTHS, PAID, STATUS
from dlportal.explain import get_explainer
from dlportal.messages import N_
from dlportal.serving import compute
from dlportal.ui.inputs import Picked, choose_example, digest
from dlportal.ui.language import _
from dlportal.ui.threshold import on_slider, threshold_slider
from dlportal.ui.views import scope
from dlportal.ui.words import duration, note

LOSSES = (1, 2, 3, 4, 5, 7, 10, 15, 20)  # what a default may cost, in refused good payers
MONTH_NAMES = dict(
    zip(
        MONTHS,
        (N_("September"), N_("August"), N_("July"), N_("June"), N_("May"), N_("April")),
        strict=True,
    )
)
STATUS_NAMES = {-2: N_("not used"), -1: N_("paid in full"), 0: N_("paid in part")}
REASONS = 3  # how many are named beside the answer


@dataclass(frozen=True)
class Rule:
    """From which probability credit is refused, and what a default costs in good payers."""

    threshold: float
    loss: int


def status_name(status: Any) -> str:
    value = int(status)
    if value in STATUS_NAMES:
        return _(STATUS_NAMES[value])
    return _("{n} months late").format(n=value) if value > 1 else _("1 month late")


def choose_customer(case: CreditDefault) -> Picked:
    """An invented customer, whose numbers the visitor may change."""
    example = choose_example(case)
    row = example.load()
    limit = st.number_input(
        _("Credit limit"),
        min_value=1_000,
        max_value=10_000_000,
        value=int(row[0]),
        step=10_000,
        key=f"limit_{example.id}",
        help=_("New Taiwan dollars of 2005; 30 were about one US dollar."),
    )
    table = st.data_editor(
        {
            _("Month"): [_(MONTH_NAMES[month]) for month in MONTHS],
            _("Status"): row[STATUS].astype(int).tolist(),
            _("Bill"): row[BILL].tolist(),
            _("Paid"): row[PAID].tolist(),
        },
        hide_index=True,
        disabled=[_("Month")],
        key=f"months_{example.id}",
        column_config={
            _("Status"): st.column_config.SelectboxColumn(
                options=list(range(-2, 9)), format_func=status_name, required=True
            ),
            _("Bill"): st.column_config.NumberColumn(format="localized", step=1),
            _("Paid"): st.column_config.NumberColumn(format="localized", min_value=0, step=1),
        },
        alt=_("Six months of this customer, which can be changed"),
    )
    cells = [np.array(column, np.float64) for column in list(table.values())[1:]]
    raw = np.concatenate([[limit], *cells])
    same = bool(np.array_equal(raw, row))
    note(
        _("An invented customer; change any number.")
        if same
        else _("Your own customer, made from an invented one.")
    )
    return Picked(raw, example.id if same else None, digest(raw))


def choose_rule(case: CreditDefault) -> Rule:
    """Cost of a default and threshold; another cost moves the threshold to its cheapest place."""
    st.session_state.setdefault("loss", int(case.loss))
    loss = st.select_slider(
        _("One default costs as much as refusing how many good payers?"),
        LOSSES,
        key="loss",
        persist_state="page",
    )
    cheapest = on_slider(case.validation_counts().best(loss))
    threshold = threshold_slider(_("Refuse from this probability of default"), cheapest, loss)
    note(
        _("Cheapest on the validation customers at this cost: {threshold}.").format(
            threshold=f"{cheapest:.2f}"
        )
    )
    return Rule(threshold, int(loss))


def show_verdict(case: CreditDefault, picked: Picked, answer: Any, rule: Rule) -> None:
    """Probability and decision, the reasons, and what would have changed it."""
    p = next(s.probability for s in answer.result.scores if s.label.id == "default")
    refused = p >= rule.threshold
    st.metric(_("The rule says"), _("Refuse more credit") if refused else _("Grant more credit"))
    with st.grid(4, min_column_width=96):
        st.metric(_("Default"), f"{100 * p:.1f}%", help=_("Calibrated probability of default."))
        st.metric(_("Refused from"), f"{100 * rule.threshold:.0f}%")
        st.metric(
            _("Blind guess"),
            f"{100 * (1 - answer.result.blind):.1f}%",
            help=_("The share of defaults among all training customers."),
        )
        st.metric(_("Time"), duration(answer.seconds))
    show_reasons(case, picked)
    if refused:
        show_change(case, picked, rule)
    scope(answer.result.inside, case.card)


@st.cache_data(max_entries=256, show_spinner=False)
def influences(digest: str, _case: CreditDefault, _raw: np.ndarray) -> np.ndarray:
    """What each column adds to the log-odds of default, shape (19,)."""
    explainer = get_explainer("integrated_gradients")
    return compute(lambda: explainer.explain(_case, _raw, 1)).values


def show_reasons(case: CreditDefault, picked: Picked) -> None:
    """The columns that speak most for and against default, beside the typical customer."""
    values = influences(picked.digest, case, picked.raw)
    order = np.argsort(-np.abs(values))[:REASONS]
    lines = {True: _("**For default:** {reasons}."), False: _("**Against it:** {reasons}.")}
    for raises, text in lines.items():
        names = [reason(int(i), picked.raw) for i in order if (values[i] > 0) == raises]
        if names:
            st.markdown("- " + text.format(reasons=_(", ").join(names)))


def reason(column: int, raw: np.ndarray) -> str:
    value = raw[column]
    is_status = STATUS.start <= column < STATUS.stop
    shown = status_name(value) if is_status else f"{value:,.0f}"
    return _("{column}: {value}").format(column=_(NAMES[column]), value=shown)


def show_change(case: CreditDefault, picked: Picked, rule: Rule) -> None:
    """The nearest change that would have been enough, or that there is none."""
    found = compute(lambda: case.change(picked.raw, rule.threshold))
    if found is None:
        lowest = compute(lambda: lowest_reach(picked.raw, case.score))
        st.markdown(
            ":material/block: "
            + _(
                "**What would have changed it?** Nothing left to do in September; {lowest} is the lowest it could still become."
            ).format(lowest=f"{100 * lowest:.1f}%")
        )
    else:
        st.markdown(
            ":material/alt_route: "
            + _("**What would have changed it?** {deeds}: {after} instead of {before}.").format(
                deeds=_(", ").join(deeds(found)),
                after=f"{100 * found.after:.1f}%",
                before=f"{100 * found.before:.1f}%",
            )
        )
    note(
        _(
            "Only what a customer can still do in September counts: settle a delay, pay more, spend less. The past months stay; the limit is the bank's; sex, age, education and marriage the network never sees."
        )
    )


def deeds(change: Change) -> list[str]:
    """What the customer would have done, in words."""
    found = []
    if change.months:
        found.append(
            _("settle {n} months of delay").format(n=change.months)
            if change.months > 1
            else _("settle one month of delay")
        )
    if change.pay >= 1:
        found.append(_("pay {money} more").format(money=f"{change.pay:,.0f}"))
    if change.save >= 1:
        found.append(_("spend {money} less").format(money=f"{change.save:,.0f}"))
    return found
