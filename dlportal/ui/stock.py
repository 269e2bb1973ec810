"""The stock page's own parts: whose prices, which evening, what tomorrow may bring."""

import datetime
import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from dlportal.cases.stock_forecast import EXAMPLES, Forecast, StockForecast, sp500_days
from dlportal.data.prices import SHOWN, load_sp500, read_prices, write_prices
from dlportal.data.volatility import Days, Moves, annual, compute_days, measure_moves
from dlportal.messages import UserError
from dlportal.serving import compute
from dlportal.training.stock_walk import NETWORK, Walk, walk_series, walk_years
from dlportal.ui.charts import band, line, show_chart, style
from dlportal.ui.errors import show_user_error
from dlportal.ui.inputs import Picked, choose_source, digest, example_pills
from dlportal.ui.language import _, language
from dlportal.ui.own_file import note_sorted, own_csv
from dlportal.ui.theme import palette
from dlportal.ui.views import scope
from dlportal.ui.words import duration, note, together

ANY = "any"  # the choice "another day"
BEFORE, AFTER = 60, 15  # days that the chart shows around an evening
SAMPLE_DAYS = 1_500


@dataclass(frozen=True)
class Series:
    """Prices that were read and foreseen: the S&P 500, or a visitor's."""

    key: str
    moves: Moves
    days: Days
    walk: Walk
    own: bool
    sorted_here: bool = False


@st.cache_resource(max_entries=4, show_spinner=False)
def foreseen(key: str, _case: StockForecast, _data: bytes | None) -> Series:
    """Read and walk a series; computed in the shared lane."""

    def work() -> Series:
        if _data is None:
            days = sp500_days()
            return Series(key, measure_moves(load_sp500()), days, walk_years(_case, days), False)
        prices = read_prices(_data, _case.card.limits)
        moves = measure_moves(prices)
        days = compute_days(moves)
        return Series(key, moves, days, walk_series(_case, days), True, prices.sorted_here)

    return compute(work)


def choose_series(case: StockForecast) -> Series | None:
    """The S&P 500 or a CSV; None while there is none."""
    source = choose_source(["examples", "upload"])
    weights = case.card.measured.sha256.get("weights.safetensors", "")[:16]
    if source == "examples":
        return foreseen(f"sp500 {weights}", case, None)
    data = own_csv(
        case.card,
        _("A CSV of daily prices"),
        _("Columns: {names}. Between {fewest} and {most} days.").format(
            names=SHOWN, fewest=600, most=f"{case.card.limits.rows:,}"
        ),
        _("A file to try: S&P 500, 2013 to 2018"),
        lambda: write_prices(load_sp500().take(slice(-SAMPLE_DAYS, None))),
        "sp500.csv",
    )
    if data is None:
        return None
    try:
        series = foreseen(f"{hashlib.sha256(data).hexdigest()} {weights}", case, data)
    except UserError as error:
        show_user_error(error)
        return None
    note_sorted(series.sorted_here)
    return series


def pick_evening(case: StockForecast, series: Series) -> tuple[Picked, int]:
    """An evening to look ahead from, and its place among the series' days."""
    first = 0 if series.own else int(np.argmax(series.days.year >= case.years[0]))
    chosen = ANY
    if not series.own:
        lang = language()
        names = {day: name(lang) for day, name in EXAMPLES.items()}
        chosen = example_pills(_("Evening"), {**names, ANY: _("Another day")})
    place = pick_date(series, first) if chosen == ANY else place_of(series.days, chosen)
    raw = case.evening(series.days, place)
    note(_("What was known at the close of {date}.").format(date=series.days.dates[place]))
    return Picked(raw, None if chosen == ANY else chosen, digest(raw)), place


def place_of(days: Days, date: str) -> int:
    """The last trading day up to a date."""
    return max(0, int(np.searchsorted(days.dates, np.datetime64(date), side="right")) - 1)


def pick_date(series: Series, first: int) -> int:
    low, high = (d.astype(datetime.date) for d in series.days.dates[[first, -1]])
    key = f"evening_{series.key[:12]}"
    st.session_state.setdefault(key, high)
    date = st.date_input(_("Day"), min_value=low, max_value=high, key=key, persist_state="page")
    return max(first, place_of(series.days, str(date or high)))


def show_forecast(case: StockForecast, series: Series, place: int, answer: Any) -> None:
    """Volatility and return of the next day with intervals, and what then came."""
    result: Forecast = answer.result
    with st.grid(4, min_column_width=120):
        st.metric(
            _("Volatility tomorrow"),
            f"{result.volatility:.1f}%",
            help=_("A year's worth, as daily ranges show it. The past year's was {usual}%.").format(
                usual=f"{result.usual:.1f}"
            ),
        )
        st.metric(_("In 9 of 10 cases"), f"{result.calm:.0f}–{result.wild:.0f}%")
        st.metric(
            _("Return, 9 of 10 cases"), f"{100 * result.low:+.1f} … {100 * result.high:+.1f}%"
        )
        st.metric(
            _("Expected return"),
            f"{100 * result.expected:+z.2f}%",  # z: no negative zero
            help=_("Nearly always close to zero: see below what it is worth."),
        )
    words = [_("Past year: {usual}%.").format(usual=f"{result.usual:.1f}")]
    if np.isfinite(series.days.next_variance[place]):
        words.append(
            _("What came: {change}, volatility {volatility}%.").format(
                change=f"{100 * np.expm1(series.days.next_return[place]):+.2f}%",
                volatility=f"{float(annual(series.days.next_variance[place])):.1f}",
            )
        )
    words.append(_("Computed in {time}.").format(time=duration(answer.seconds)))
    note(together(*words))
    show_around(series, place)
    scope(result.inside, case.card)


def show_around(series: Series, place: int) -> None:
    """Forecast and realised volatility around one evening."""
    walk = series.walk
    at = int(np.searchsorted(walk.dates, series.days.dates[place], side="right"))
    shown = slice(max(0, at - BEFORE), at + AFTER)
    if at == 0 or len(walk.dates[shown]) < 10:
        note(_("This day lies in the part that was learned from; later days have a chart."))
        return
    fig = around_figure(walk, shown, series.days.dates[place])
    show_chart(
        fig, alt=_("Forecast and realised volatility around this day, with HAR"), key="around"
    )
    note(
        _(
            "Yearly volatility in percent, each day foreseen the evening before; grey: nine of ten cases."
        )
    )


def around_figure(walk: Walk, shown: slice, evening: np.datetime64) -> Any:
    import plotly.graph_objects as go

    colors = palette()
    x = walk.dates[shown].astype(str).tolist()
    fig = go.Figure()
    low, high = (np.asarray(annual(walk.range[shown, i])).tolist() for i in (0, 1))
    fig.add_trace(band(x, low, high))
    for index, model, name in ((0, NETWORK, _("network")), (1, "HAR", "HAR")):
        y = np.asarray(annual(walk.forecasts[model][shown])).tolist()
        fig.add_trace(line(x, y, name, index))
    fig.add_trace(
        go.Scatter(
            x=x,
            y=np.asarray(annual(walk.variance[shown])).tolist(),
            name=_("realised"),
            mode="markers",
            marker={"size": 6, "color": colors.text, "symbol": "diamond"},
        )
    )
    style(fig, height=300, legend=True)
    fig.add_vline(str(evening), line={"width": 1.5, "dash": "dot", "color": colors.muted})
    fig.update_xaxes(tickformat="%Y-%m-%d")  # read alike in both languages
    fig.update_yaxes(rangemode="tozero", ticksuffix="%")
    return fig
