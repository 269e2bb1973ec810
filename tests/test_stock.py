"""Stock forecast: prices read or refused, features without the future, scores, rivals, the walk."""

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from dlportal.cards import Limits, load_card
from dlportal.data import volatility
from dlportal.data.prices import FEWEST, Prices, load_sp500, read_prices, write_prices
from dlportal.data.volatility import NAMES, Days, Moves, annual, compute_days, measure_moves
from dlportal.messages import InputError
from dlportal.nets.forecaster import Forecaster, YearlyForecasters
from dlportal.training import stock_rivals, stock_training, stock_walk
from dlportal.training.events import Run
from dlportal.training.forecast_scores import diebold_mariano, oos_r2, qlike
from dlportal.training.stock_training import QUICK, TEST_YEARS, past_rows, train_on

CASE = "stock_forecast"
LARGE = Limits(rows=100_000)


@cache
def made_up(days: int = 1_500, seed: int = 0) -> Prices:
    """Prices whose volatility comes and goes: a day's logarithm of it remembers the day before."""
    rng = np.random.default_rng(seed)
    level = np.zeros(days)
    for t in range(1, days):
        level[t] = 0.96 * level[t - 1] + 0.25 * rng.normal()
    steps = rng.normal(size=(days, 30)) * (0.01 * np.exp(level) / 30**0.5)[:, None]
    path = np.exp(np.cumsum(steps.ravel()).reshape(days, 30)) * 100
    opened = np.concatenate([[100.0], path[:-1, -1]])
    inside = np.column_stack([opened, path])
    dates = np.datetime64("2001-01-01") + np.arange(days)
    return Prices("made_up", dates, opened, inside.max(1), inside.min(1), path[:, -1])


def made_up_days() -> Days:
    return compute_days(measure_moves(made_up()))


def lines(count: int = FEWEST) -> list[str]:
    return write_prices(made_up().take(slice(0, count))).decode().splitlines()


class TestReading:
    def test_written_and_read_back(self) -> None:
        prices = read_prices(write_prices(made_up()), LARGE)
        np.testing.assert_allclose(prices.close, made_up().close, rtol=1e-9)
        assert (prices.dates == made_up().dates).all() and not prices.sorted_here

    def test_the_sp500_is_the_one_meant(self) -> None:
        prices = load_sp500()
        assert (str(prices.dates[0]), str(prices.dates[-1])) == ("1999-01-04", "2018-12-31")
        assert len(prices) == 5031 and prices.close[-1] == pytest.approx(2506.85, abs=0.01)

    def test_other_ways_of_writing(self) -> None:
        """A byte-order mark, semicolons with decimal commas, German dates, rows upside down."""
        head, *rows = lines()
        plain = read_prices("\n".join([head, *rows]).encode(), LARGE)
        german = [head.replace(",", ";")]
        for row in reversed(rows):
            date, *numbers = row.split(",")
            german.append(
                ";".join([".".join(date.split("-")[::-1]), *(n.replace(".", ",") for n in numbers)])
            )
        other = read_prices(b"\xef\xbb\xbf" + "\n".join(german).encode(), LARGE)
        assert other.sorted_here
        np.testing.assert_allclose(other.high, plain.high)
        assert (other.dates == plain.dates).all()

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (lambda ls: [], "empty"),
            (lambda ls: [ls[0].replace("Date", "Day"), *ls[1:]], "Column Date is missing"),
            (lambda ls: [ls[0].replace("Low", "L"), *ls[1:]], "Column Low is missing"),
            (lambda ls: ls[:11], "10 days; a forecast needs at least 600"),
            (lambda ls: [*ls[:5], ls[4], *ls[5:]], "Rows 5 and 6, column Date"),
            (lambda ls: [*ls[:3], "soon,1,1,1,1", *ls[4:]], "Row 4, column Date: soon"),
            (lambda ls: [*ls[:3], ",1,1,1,1", *ls[4:]], "Row 4, column Date: ''"),
            (lambda ls: [*ls[:3], "2000-01-01,1,high,1,1", *ls[4:]], "Row 4, column High: high"),
            (lambda ls: [*ls[:3], "2000-01-01,1,1,1,-1", *ls[4:]], "Row 4, column Close: -1"),
            (lambda ls: [*ls[:3], "2000-01-01,1,1,1,nan", *ls[4:]], "Row 4, column Close: nan"),
            (lambda ls: [*ls[:3], "2000-01-01,5,4,1,2", *ls[4:]], "Row 4, column High: 4"),
            (lambda ls: [*ls[:3], "2000-01-01,5,6,3,2", *ls[4:]], "Row 4, column Low: 3"),
            (lambda ls: [*ls[:3], "2000-01-01,9,9,9", *ls[4:]], "Row 4 has 4 cells"),
            (lambda ls: [*ls, "2003-01-01,9e6,9e6,9e6,9e6"], "column Close: 9000000 jumps"),
            (lambda ls: [ls[0], *(f"{r[:10]},1,1,1,1" for r in ls[1:])], "does not move"),
        ],
    )
    def test_one_clear_sentence(self, change: Any, sentence: str) -> None:
        with pytest.raises(InputError) as error:
            read_prices("\n".join(change(lines())).encode(), LARGE)
        assert sentence in str(error.value) and "\n" not in str(error.value)

    def test_a_million_rows_are_refused_at_once(self) -> None:
        limits = load_card(CASE).limits
        with pytest.raises(InputError, match="the limit is"):
            read_prices(("Date,Open,High,Low,Close\n" + "1,1,1,1,1\n" * 1_000_000).encode(), limits)
        with pytest.raises(InputError, match="MB"):
            read_prices(b"x" * (limits.bytes + 1), limits)

    def test_a_series_that_only_rises_is_understood(self) -> None:
        """One class of direction only: no crash, and a score for volatility all the same."""
        prices = made_up(900)
        rise = 1.001 ** np.arange(len(prices)) * np.exp(
            np.abs(np.sin(np.arange(len(prices)))) / 1e3
        )
        only_up = np.maximum.accumulate(rise)
        wick = 1 + np.abs(np.random.default_rng(0).normal(size=len(prices))) / 100
        rising = Prices("up", prices.dates, only_up, only_up * wick, only_up / wick, only_up)
        days = compute_days(measure_moves(read_prices(write_prices(rising), LARGE)))
        assert np.isfinite(days.x).all()

    def test_random_bytes_never_break_it(self) -> None:
        rng = np.random.default_rng(0)
        whole = "\n".join(lines()).encode()
        for seed in range(60):
            damaged = bytearray(whole)
            for place in rng.integers(0, len(whole), 3):
                damaged[place] = int(rng.integers(0, 256))
            for data in (rng.bytes(seed * 20), bytes(damaged), whole[: seed * 300]):
                try:
                    read_prices(data, LARGE)
                except InputError as error:
                    assert 10 < len(str(error)) < 400 and "\n" not in str(error)


class TestFeatures:
    def test_the_future_changes_nothing(self) -> None:
        """Whatever comes after an evening, its columns stay the same to the last bit."""
        prices = made_up()
        cut = 900
        other = {n: getattr(prices, n).copy() for n in ("open", "high", "low", "close")}
        for values in other.values():
            values[cut + 1 :] *= np.linspace(1, 3, len(prices) - cut - 1)
        changed = compute_days(measure_moves(dataclasses.replace(prices, **other)))
        days = made_up_days()
        upto = days.dates <= prices.dates[cut]
        for name in ("x", "usual", "spread", "variance", "change"):
            np.testing.assert_array_equal(getattr(days, name)[upto], getattr(changed, name)[upto])
        assert not np.allclose(days.x[~upto], changed.x[~upto])

    def test_targets_are_the_next_day(self) -> None:
        days = made_up_days()
        np.testing.assert_array_equal(days.next_return[:-1], days.change[1:])
        np.testing.assert_array_equal(days.next_variance[:-1], days.variance[1:])
        assert np.isnan(days.next_return[-1]) and days.known().sum() == len(days) - 1

    def test_the_scale_of_prices_does_not_matter(self) -> None:
        prices = made_up()
        dear = {n: 1000 * getattr(prices, n) for n in ("open", "high", "low", "close")}
        days = compute_days(measure_moves(dataclasses.replace(prices, **dear)))
        np.testing.assert_allclose(days.x, made_up_days().x, atol=1e-6)

    def test_plain_sums(self) -> None:
        moves = measure_moves(made_up())
        days, t = compute_days(moves), 700
        row = days.x[t - volatility.YEAR + 1]
        past = moves.variance[: t + 1]
        usual = past[-252:].mean()
        week = np.log(past[-5:].mean() / usual)
        assert row[NAMES.index("week")] == pytest.approx(week)
        path = np.log(made_up().close[1:])
        fall = path[t] - path[t - 251 : t + 1].max()
        size = np.sqrt(252 * (moves.change[t - 251 : t + 1] ** 2).mean())
        assert row[NAMES.index("drawdown")] == pytest.approx(fall / size)

    def test_the_proxy_finds_the_variance(self) -> None:
        """On a random walk of many steps within the day it gives the squared step size, nearly."""
        rng = np.random.default_rng(0)
        path = np.exp(
            np.cumsum(rng.normal(size=(2_000, 400)).ravel() * 0.01 / 20).reshape(2_000, 400)
        )
        opened = np.concatenate([[1.0], path[:-1, -1]])
        inside = np.column_stack([opened, path])
        dates = np.datetime64("2001-01-01") + np.arange(2_000)
        prices = Prices("w", dates, opened, inside.max(1), inside.min(1), path[:, -1])
        variance = measure_moves(prices).variance
        assert variance.mean() == pytest.approx(1e-4, rel=0.1)
        assert variance.std() < 0.7 * (measure_moves(prices).change ** 2).std()


class TestScores:
    def test_qlike(self) -> None:
        truth = np.array([1.0, 2.0, 4.0])
        assert qlike(truth, truth) == pytest.approx(0)
        assert (qlike(truth, 2 * truth) > 0).all()
        factor = stock_rivals.scale_to(truth, np.ones(3))
        best = qlike(truth, np.full(3, factor)).mean()
        assert all(best < qlike(truth, np.full(3, factor * f)).mean() for f in (0.9, 1.1))

    def test_oos_r2(self) -> None:
        truth = np.array([0.01, -0.02, 0.03])
        assert oos_r2(truth, truth, np.zeros(3)) == 1
        assert oos_r2(truth, np.zeros(3), np.zeros(3)) == 0
        assert oos_r2(truth, -truth, np.zeros(3)) < 0

    def test_diebold_mariano(self) -> None:
        """Equal models give uniform p; without autocorrelation it is the t-test."""
        rng = np.random.default_rng(0)
        p = [diebold_mariano(rng.normal(size=500), rng.normal(size=500)).p for _ in range(400)]
        assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.03)
        better = diebold_mariano(rng.normal(size=500), rng.normal(size=500) + 0.5)
        assert better.difference < 0 and better.p < 1e-6
        assert diebold_mariano(np.ones(9), np.ones(9)).p == 1


class TestRivals:
    def test_garch_is_that_of_the_package(self) -> None:
        """Our filter gives the variances that arch reports for its own fit."""
        from arch import arch_model

        days = made_up_days()
        train = np.arange(len(days)) < 800
        ours = stock_rivals.garch(days, train)
        fit = arch_model(100 * days.change[:800], mean="Constant", rescale=False).fit(disp="off")
        theirs = fit.conditional_volatility**2 / 1e4
        np.testing.assert_allclose(ours[200:799], theirs[201:800], rtol=1e-3)

    @pytest.mark.parametrize("name", stock_rivals.RIVALS)
    def test_they_see_neither_tomorrow_nor_test_years(self, name: str) -> None:
        days = made_up_days()
        train = np.arange(len(days)) < 600
        later = dataclasses.replace(
            days,
            next_variance=np.where(train, days.next_variance, 9.0),
            change=np.where(np.arange(len(days)) <= 900, days.change, 0.5),
        )
        before = slice(0, 900)
        a = stock_rivals.RIVALS[name](days, train)[before]
        b = stock_rivals.RIVALS[name](later, train)[before]
        np.testing.assert_allclose(a, b)
        assert (a > 0).all()

    def test_har_finds_its_own_line(self) -> None:
        days = made_up_days()
        picked = [NAMES.index(n) for n in ("day", "week", "month")]
        past = np.exp(days.x[:, picked]) * days.usual[:, None]
        planted = dataclasses.replace(days, next_variance=1e-5 + past @ np.array([0.2, 0.3, 0.4]))
        train = np.arange(len(days)) < 900
        y = stock_rivals.har(planted, train)
        np.testing.assert_allclose(y[:900], planted.next_variance[:900], rtol=1e-6)


class TestNetwork:
    def test_logits_say_variance_over_usual(self) -> None:
        net = Forecaster(5).eval()
        net.offset.fill_(0.7)
        x = torch.randn(4, 5)
        y = net(x)
        h, m = net.each(x)
        torch.testing.assert_close(y[:, 1] - y[:, 0], h.mean(0))
        torch.testing.assert_close(y[:, 2], m.mean(0))

    def test_each_row_asks_its_own_year(self) -> None:
        nets = YearlyForecasters(3, (2009, 2010)).eval()
        for index, net in enumerate(nets.nets):
            net.offset.fill_(float(index))
        x = torch.randn(6, 3)
        place = torch.tensor([0, 1, 1, 0, 1, 0])[:, None]
        y = nets(torch.cat([place, x], dim=1))
        for row in range(6):
            torch.testing.assert_close(y[row], nets.nets[place[row, 0]](x[row : row + 1])[0])

    def test_training_beats_the_past_mean_and_repeats(self, tmp_path: Path) -> None:
        days = made_up_days()
        past, test = stock_walk.halves(days)
        nets = [train_on(days, past, 0, QUICK, Run(tmp_path / str(run)), "a") for run in range(2)]
        for a, b in zip(nets[0].state_dict().values(), nets[1].state_dict().values(), strict=True):
            assert torch.equal(a, b)
        walk = stock_walk.make_walk(
            days, past, test, {"network": stock_training.ask(nets[0], days.x)}, None
        )
        loss = {name: qlike(walk.variance, v).mean() for name, v in walk.forecasts.items()}
        assert loss["network"] < 0.8 * loss["mean of the past year"]
        assert loss["network"] < loss["random walk"]


class TestWalk:
    def test_a_gap_lies_between_learning_and_foreseeing(self) -> None:
        days = compute_days(measure_moves(load_sp500()))
        for year in TEST_YEARS:
            past = past_rows(days, year)
            first = np.flatnonzero(days.year == year)[0]
            # The last day learned from is past + 1; it lies before the gap.
            assert past[-1] + 1 + stock_training.GAP <= first + 1
            assert str(days.dates[first + 1])[:4] == str(year)
            assert days.dates[past[-1] + 1] < np.datetime64(f"{year}-01-01")

    def test_shuffled_dates_destroy_the_score(self) -> None:
        leak = stock_walk.check_for_leaks(measure_moves(made_up()))
        assert leak.ordered > 0.2 and leak.shuffled < 0.05

    def test_the_check_finds_a_planted_leak(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With tomorrow's variance among the columns, shuffling no longer destroys the score."""

        def leaky(moves: Moves) -> Days:
            days = compute_days(moves)
            seen = np.where(days.known(), days.next_variance, days.variance)
            days.x[:, NAMES.index("gap")] = np.log(seen / days.usual)
            return days

        monkeypatch.setattr(stock_walk, "compute_days", leaky)
        assert stock_walk.check_for_leaks(measure_moves(made_up())).shuffled > 0.3

    def test_trading_costs(self) -> None:
        change = np.log(np.array([1.1, 0.9, 1.2]))
        assert stock_walk.trade(change, np.ones(3), 0.0)[-1] == pytest.approx(1.1 * 0.9 * 1.2)
        once = stock_walk.trade(change, np.ones(3), 0.01)[-1]
        assert once == pytest.approx(0.99 * 1.1 * 0.9 * 1.2)
        in_and_out = stock_walk.trade(change, np.array([1.0, 0.0, 1.0]), 0.01)[-1]
        assert in_and_out == pytest.approx(0.99**3 * 1.1 * 1.2)
        assert stock_walk.trade(change, np.zeros(3), 0.01).tolist() == [1, 1, 1, 1]

    def test_shares_are_decided_the_evening_before(self) -> None:
        days = made_up_days()
        past, test = stock_walk.halves(days)
        y = {"network": np.zeros((len(days), 3))}
        walk = stock_walk.make_walk(days, past, test, y, None, rivals=False)
        changed = dataclasses.replace(
            walk, variance=np.where(np.arange(len(walk)) < 100, walk.variance, 9.0)
        )
        a, b = stock_walk.managed(walk), stock_walk.managed(changed)
        np.testing.assert_array_equal(a[:101], b[:101])
        assert (a <= 1).all() and (a > 0).all()

    def test_too_few_days_after_the_first_year(self) -> None:
        days = compute_days(measure_moves(made_up().take(slice(0, 460))))
        with pytest.raises(InputError, match="Add earlier days"):
            stock_walk.halves(days)

    def test_any_series_of_the_least_length_can_be_walked(self, get_case: Any) -> None:
        days = compute_days(measure_moves(read_prices("\n".join(lines()).encode(), LARGE)))
        walk = stock_walk.walk_series(get_case(CASE), days)
        assert set(walk.forecasts) >= {"network", "GARCH(1,1)", "HAR", stock_walk.RETRAINED}
        assert all(np.isfinite(v).all() for v in walk.forecasts.values())


class TestCase:
    def test_a_year_is_foreseen_by_its_own_network(self, get_case: Any) -> None:
        case = get_case(CASE)
        evening = case.at("2011-08-08")
        result = case.predict(evening)
        assert result.year == 2011 and result.low < 0 < result.high
        assert result.calm < result.volatility < result.wild
        other = evening.copy()
        other[0] = 2018
        assert case.predict(other).volatility != result.volatility

    def test_page_and_walk_agree(self, get_case: Any) -> None:
        case = get_case(CASE)
        days = compute_days(measure_moves(load_sp500()))
        walk = stock_walk.walk_years(case, days, rivals=False)
        assert len(walk) == 2516
        at = int(np.flatnonzero(walk.dates == np.datetime64("2011-08-09"))[0])
        result = case.predict(case.at("2011-08-08"))
        assert result.volatility == pytest.approx(
            float(annual(walk.forecasts["network"][at])), rel=1e-4
        )
        assert [result.low, result.high] == pytest.approx(walk.interval[at].tolist(), rel=1e-3)

    def test_other_series_too_are_asked_of_the_network_of_their_year(self, get_case: Any) -> None:
        """So that no network has seen what its index did on the day it foresees."""
        case = get_case(CASE)
        days = compute_days(measure_moves(load_sp500()))
        y = case.ask_each_year(days)
        for year, place in ((2005, 0), (2009, 0), (2013, 4), (2018, 9)):
            rows = days.year == year
            np.testing.assert_allclose(y[rows], case.ask_year(place, days.x[rows]), rtol=1e-5)
        assert case.evening(days, 0)[0] == 2009

    def test_unusual_evenings_are_marked(self, get_case: Any) -> None:
        case = get_case(CASE)
        usual = case.golden()
        assert case.predict(usual).inside
        wild = usual.copy()
        wild[3 + NAMES.index("day")] = 40.0
        assert not case.predict(wild).inside

    @pytest.mark.parametrize(
        ("place", "value", "sentence"),
        [(0, 1990, "no network of the year 1990"), (1, 0, "above 0"), (5, np.inf, "not a number")],
    )
    def test_evenings_are_checked(
        self, place: int, value: float, sentence: str, get_case: Any
    ) -> None:
        case = get_case(CASE)
        evening = case.golden()
        evening[place] = value
        with pytest.raises(InputError, match=sentence):
            case.check(evening)

    def test_a_file_gives_its_last_evening(self, get_case: Any, tmp_path: Path) -> None:
        case = get_case(CASE)
        path = tmp_path / "prices.csv"
        path.write_bytes(write_prices(load_sp500()))
        evening = case.read(str(path))
        np.testing.assert_allclose(evening, case.at("2018-12-31"), rtol=1e-9)

    def test_the_bars(self) -> None:
        """What the card claims: better than GARCH beyond luck, intervals that hold."""
        card = load_card(CASE)
        rival = {(m.name, m.model): m.value for m in card.measured.baselines}

        def value(name: str) -> float:
            found = card.metric(f"{name}@sp500")
            assert found is not None
            return found.value

        assert value("qlike") < rival["qlike", "GARCH(1,1)"] and value("dm_p_garch") < 0.05
        assert value("rmse") < rival["rmse", "GARCH(1,1)"]
        assert 0.88 <= value("return_coverage") <= 0.92
        assert 0.88 <= value("volatility_coverage") <= 0.92

    @pytest.mark.slow
    def test_a_year_repeats_from_the_receipt(self, get_case: Any, tmp_path: Path) -> None:
        """Training 2009 again gives the shipped network, up to its rounding to float16."""
        case = get_case(CASE)
        receipt = case.card.receipt()
        days = compute_days(measure_moves(load_sp500()))
        past = past_rows(days, 2009)
        assert len(past) == receipt["facts"]["learned"]["2009"]["days"]
        net = train_on(days, past, receipt["seed"], stock_training.Recipe(), Run(tmp_path), "2009")
        for name, shipped in case.net.nets[0].state_dict().items():
            torch.testing.assert_close(net.state_dict()[name], shipped, rtol=1e-3, atol=1e-4)


ROOT = Path(__file__).resolve().parent.parent


class TestPage:
    def visit(self, **query: str) -> Any:
        at = AppTest.from_file(str(ROOT / "portal.py"), default_timeout=540)
        for key, value in query.items():
            at.query_params[key] = value
        at.run()
        at.switch_page(str(ROOT / "pages" / f"{CASE}.py"))
        at.run()
        assert not at.exception and not at.error
        return at

    def words(self, at: Any) -> str:
        return "\n".join(str(e.value) for kind in (at.markdown, at.warning) for e in kind)

    def test_shuffling_destroys_the_score(self) -> None:
        at = self.visit()
        at.button(key="shuffle").click().run()
        assert not at.error and not at.exception
        assert "no better than the past mean" in self.words(at)
        assert "shuffling destroys the score" in self.words(at)

    def test_advice_is_disclaimed_once(self) -> None:
        assert self.words(self.visit()).count("Not investment advice") == 1

    def test_own_prices(self) -> None:
        at = self.visit()
        at.segmented_control(key="source").set_value("upload").run()
        data = write_prices(made_up())
        at.file_uploader(key="file").set_value(("mine.csv", data, "text/csv")).run()
        assert not at.error and not at.exception
        assert "Learned from the first half of the file" in self.words(at)

    def test_bad_prices_get_one_sentence(self) -> None:
        at = self.visit()
        at.segmented_control(key="source").set_value("upload").run()
        data = "\n".join(lines()[:11]).encode()
        at.file_uploader(key="file").set_value(("mine.csv", data, "text/csv")).run()
        assert not at.error and not at.exception
        assert [w.value for w in at.warning] == [
            "The file has 10 days; a forecast needs at least 600. Add earlier days."
        ]
