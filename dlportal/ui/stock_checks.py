"""The stock page's checks: years it had not seen, shuffled dates, trading after costs."""

from typing import Any

import numpy as np
import streamlit as st

from dlportal.serving import compute
from dlportal.training.forecast_scores import diebold_mariano
from dlportal.training.stock_evaluation import GARCH, HAR, Scores
from dlportal.training.stock_training import TEST_YEARS
from dlportal.training.stock_walk import (
    NETWORK,
    Leak,
    Walk,
    check_for_leaks,
    managed,
    trade,
)
from dlportal.ui.charts import line, show_chart, style
from dlportal.ui.errors import fragment
from dlportal.ui.language import _
from dlportal.ui.stock import Series
from dlportal.ui.words import note

COSTS = (1, 30)
SIGNIFICANT = 0.05
NO_SKILL = 0.1  # what shuffled dates may leave by chance


@st.cache_resource(max_entries=4, show_spinner=False)
def scored(key: str, _walk: Walk) -> Scores:
    return Scores(_walk, key, "", "")


@st.cache_data(max_entries=16, show_spinner=False)
def leak_of(key: str, _series: Series) -> Leak:
    return compute(lambda: check_for_leaks(_series.moves))


def show_years(series: Series) -> None:
    """The walk's scores beside the rivals', in a table and in plain words."""
    walk = series.walk
    st.header(_("On days it had not seen"), anchor=False)
    scores = scored(series.key, walk)
    left, right = st.columns([7, 5], gap="large")
    with left:
        st.dataframe(score_rows(scores), hide_index=True, alt=_("Scores of all models"))
        first, last = walk.dates[[0, -1]]
        how = (
            _("Learned from the first half of the file; {n} later days, {first} to {last}.")
            if series.own
            else _(
                "{n} days, {first} to {last}; every year foreseen by what the years before taught."
            )
        )
        note(how.format(n=f"{len(walk):,}", first=first, last=last))
        if series.own and first < np.datetime64(f"{TEST_YEARS[0]}-01-01"):
            note(
                _(
                    "Before {year} the shipped network has seen what the S&P 500 did on the same days; the one trained on this series has not."
                ).format(year=TEST_YEARS[0])
            )
        note(
            _(
                "QLIKE and RMSE: lower is better; p: whether the distance to the network is more than luck (Diebold–Mariano)."
            )
        )
    with right:
        for sentence in meaning(scores):
            st.markdown(f"- {sentence}")
    show_leak(series)


def score_rows(scores: Scores) -> list[dict[str, Any]]:
    """A row for each model."""
    rows = []
    for model in scores.loss:
        p = diebold_mariano(scores.loss[NETWORK], scores.loss[model]).p
        rows.append(
            {
                _("Model"): _(model),
                "QLIKE": f"{scores.loss[model].mean():.3f}",
                _("RMSE, points"): f"{scores.rmse(model).value:.2f}",
                "p": "" if model == NETWORK else f"{p:.3f}" if p >= 0.001 else "< 0.001",
            }
        )
    return rows


def meaning(scores: Scores) -> list[str]:
    """What the figures mean, in plain words that follow from them."""
    own, walk = scores.loss[NETWORK], scores.walk
    words = []
    for rival in (GARCH, HAR):
        saved = 100 * (1 - own.mean() / scores.loss[rival].mean())
        sure = diebold_mariano(own, scores.loss[rival]).p < SIGNIFICANT
        if not sure:
            text = _("**Volatility:** no clear difference to {rival} ({saved} less loss).")
        elif saved > 0:
            text = _("**Volatility:** better than {rival}, {saved} less loss, and not by luck.")
        else:
            text = _("**Volatility:** worse than {rival}, {saved} more loss.")
        words.append(text.format(rival=rival, saved=f"{abs(saved) if sure else saved:.0f}%"))
    r2 = scores.r2(walk.mean)
    text = (
        _(
            "**Returns:** better than the past mean by this measure (R² {r2}); rarely seen, so doubt it."
        )
        if r2.low > 0
        else _(
            "**Returns:** no better than the past mean (R² {r2}). Which way it goes, nobody sees here."
        )
    )
    words.append(text.format(r2=f"{100 * r2.value:+.2f}%"))
    right, up = ((walk.mean > 0) == (walk.change > 0)).mean(), (walk.change > 0).mean()
    words.append(
        _("**Direction:** right on {right} of days; always saying “up” is right on {up}.").format(
            right=f"{100 * right:.1f}%", up=f"{100 * up:.1f}%"
        )
    )
    low, high = walk.interval.T
    held = ((walk.change >= low) & (walk.change <= high)).mean()
    words.append(
        _("**Intervals:** what was to hold in 90% of cases held in {held}.").format(
            held=f"{100 * held:.1f}%"
        )
    )
    return words


@fragment
def show_leak(series: Series) -> None:
    """Train and measure on shuffled dates: whatever skill is left there would be a leak."""
    st.button(
        _("Shuffle the dates"),
        key="shuffle",
        icon=":material/shuffle:",
        help=_(
            "Trains a small network twice: on the days in order, and on the same days shuffled."
        ),
        on_click=lambda: st.session_state.update(shuffled_for=series.key),
    )
    if st.session_state.get("shuffled_for") != series.key:
        return
    with st.skeleton(height=120):
        leak = leak_of(series.key, series)
    with st.grid(3, min_column_width=150):
        st.metric(_("Loss saved, days in order"), f"{100 * leak.ordered:.0f}%")
        st.metric(_("Loss saved, days shuffled"), f"{100 * leak.shuffled:.0f}%")
    if leak.shuffled < min(NO_SKILL, leak.ordered / 2):
        st.badge(
            _("shuffling destroys the score: no leak"),
            color="green",
            icon=":material/check_circle:",
        )
    else:
        st.badge(
            _("something is left after shuffling: look for a leak"),
            color="red",
            icon=":material/cancel:",
        )
    note(
        _(
            "Against always expecting the past year's mean, on the second half of the days. Without order there is nothing to foresee, so a score that stays would come from the future."
        )
    )


@fragment
def show_trading(series: Series) -> None:
    """Wealth after costs beside buying and holding."""
    st.header(_("Would it have made money?"), anchor=False)
    st.session_state.setdefault("cost", 5)
    cost = st.slider(
        _("Cost of trading, in hundredths of a percent of what is bought or sold"),
        *COSTS,
        key="cost",
        persist_state="page",
    )
    walk = series.walk
    plans = {
        _("in when a rise is expected"): (walk.mean > 0).astype(np.float64),
        _("less when it is wild"): managed(walk),
        _("buy and hold"): np.ones(len(walk)),
    }
    wealth = {name: trade(walk.change, w, cost / 1e4) for name, w in plans.items()}
    left, right = st.columns([8, 4], gap="large")
    with left:
        show_chart(wealth_figure(walk, wealth), alt=_("Wealth over time after costs"), key="wealth")
    with right:
        st.dataframe(wealth_rows(walk, wealth), hide_index=True, alt=_("Wealth after costs"))
        for sentence in trading_words(wealth):
            st.markdown(f"- {sentence}")
    note(
        _(
            "Without dividends, interest, taxes or the gap between buying and selling prices, which would all change the figures."
        )
    )


def wealth_figure(walk: Walk, wealth: dict[str, np.ndarray]) -> Any:
    import plotly.graph_objects as go

    shown = np.unique(np.append(np.arange(0, len(walk), max(1, len(walk) // 500)), len(walk) - 1))
    x = walk.dates[shown].astype(str).tolist()
    fig = go.Figure()
    for index, (name, values) in enumerate(wealth.items()):
        trace = line(x, values[1:][shown].tolist(), name, index)
        trace.line.width = 2
        fig.add_trace(trace)
    style(fig, height=300, legend=True)
    return fig


def worst_fall(values: np.ndarray) -> float:
    """The deepest fall below an earlier high, as a share."""
    return float((values / np.maximum.accumulate(values)).min() - 1)


def sharpe(values: np.ndarray) -> float:
    """Mean over standard deviation of daily growth, a year's worth."""
    growth = np.diff(values) / values[:-1]
    return float(growth.mean() / max(growth.std(), 1e-12) * np.sqrt(252))


def wealth_rows(walk: Walk, wealth: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    return [
        {
            _("Plan"): name,
            _("1 became"): f"{values[-1]:.2f}",
            _("worst fall"): f"{100 * worst_fall(values):.0f}%",
            _("Sharpe"): f"{sharpe(values):.2f}",
        }
        for name, values in wealth.items()
    ]


def trading_words(wealth: dict[str, np.ndarray]) -> list[str]:
    """What the curves mean."""
    timed, calmer, held = wealth.values()
    words = [
        _("Going in and out with the forecasts left more than holding did, in this one history.")
        if timed[-1] > held[-1]
        else _("Going in and out with the forecasts left less than simply holding.")
    ]
    if sharpe(calmer) > sharpe(held):
        words.append(_("Holding less before wild days gave a smoother ride for what it earned."))
    else:
        words.append(_("Holding less before wild days did not pay for what it gave up."))
    return words
