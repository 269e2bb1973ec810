"""Simulated card payments: the simulator's design, features without the future, the CSV reader."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch

from dlportal.cards import Limits
from dlportal.cases.fraud_detection import ALL
from dlportal.data import (
    fraud_costs,
    fraud_csv,
    fraud_features,
    fraud_queue,
    fraud_simulator,
    fraud_split,
)
from dlportal.data.fraud_features import COLUMNS, DELAY, HANDBOOK, NAMES, compute_features
from dlportal.data.fraud_simulator import DAY, World, simulate
from dlportal.messages import InputError
from dlportal.nets.periodic import PeriodicMLP
from dlportal.training import fraud_training
from dlportal.training.day_bootstrap import DayBootstrap
from dlportal.training.metrics import average_precision, ece

SMALL = World().smaller(20, 60)  # 250 customers, 500 terminals, two months


@cache
def payments(seed: int = 3) -> pd.DataFrame:
    return simulate(SMALL, seed)


class TestSimulator:
    def test_columns_and_order(self) -> None:
        table = payments()
        assert tuple(table.columns) == fraud_simulator.COLUMNS
        assert table["TX_DATETIME"].is_monotonic_increasing
        assert (table["TRANSACTION_ID"] == np.arange(len(table))).all()
        seconds = (table["TX_DATETIME"] - pd.Timestamp("2018-04-01")).dt.total_seconds()
        assert (seconds == table["TX_TIME_SECONDS"]).all()
        assert (table["TX_TIME_DAYS"] == table["TX_TIME_SECONDS"] // DAY).all()

    def test_a_seed_gives_one_world(self) -> None:
        pd.testing.assert_frame_equal(payments(), simulate(SMALL, 3))
        assert len(simulate(SMALL, 4)) != len(payments())

    def test_customers_stay_near(self) -> None:
        """Nobody pays at more terminals than lie within the radius; all pay at several."""
        per_customer = payments().groupby("CUSTOMER_ID")["TERMINAL_ID"].nunique()
        expected = SMALL.terminals * np.pi * SMALL.radius**2 / 100**2
        assert per_customer.max() < 2 * expected
        assert per_customer.median() > 10

    def test_large_amounts_are_frauds(self) -> None:
        table = payments()
        large = table[table["TX_AMOUNT"] > fraud_simulator.ALWAYS_FRAUD_ABOVE]
        assert len(large) and large["TX_FRAUD"].all()
        first = table[table["TX_FRAUD_SCENARIO"] == 1]
        assert (first["TX_AMOUNT"] > fraud_simulator.ALWAYS_FRAUD_ABOVE).all()

    def test_compromised_terminals(self) -> None:
        """Scenario 2: all payments of a terminal from its first fraud on, for 28 days at most."""
        table = payments()
        for _terminal, rows in table.groupby("TERMINAL_ID"):
            bad = rows[rows["TX_FRAUD_SCENARIO"] == 2]["TX_TIME_DAYS"]
            if len(bad) == 0:
                continue
            inside = rows[rows["TX_TIME_DAYS"].between(bad.min(), bad.max())]
            if bad.max() - bad.min() < fraud_simulator.TERMINAL_DAYS:  # compromised once
                assert inside["TX_FRAUD"].all()

    def test_compromised_customers(self) -> None:
        """Scenario 3: the same payment was five times smaller before."""
        honest_world = World(
            SMALL.customers, SMALL.terminals, SMALL.days, SMALL.radius, SMALL.terminals_a_day, 0
        )
        table, honest = payments(), simulate(honest_world, 3)
        stolen = table["TX_FRAUD_SCENARIO"] == 3
        assert stolen.sum() > 20
        ratio = table["TX_AMOUNT"][stolen] / honest["TX_AMOUNT"][stolen]
        assert np.isclose(ratio, 5, rtol=0.02).mean() > 0.95  # a few were hit twice
        assert (table["TX_AMOUNT"][~stolen] == honest["TX_AMOUNT"][~stolen]).all()

    def test_rates_hold_when_the_world_shrinks(self) -> None:
        shares = [simulate(World().smaller(10, 90), seed)["TX_FRAUD"].mean() for seed in range(3)]
        assert 0.006 < np.mean(shares) < 0.011

    @pytest.mark.parametrize("wrong", [{"customers": 0}, {"radius": 0}, {"customers_a_day": 9999}])
    def test_impossible_worlds(self, wrong: dict) -> None:
        with pytest.raises(ValueError):
            World(**wrong)

    @pytest.mark.slow
    def test_the_handbooks_scale(self) -> None:
        """The Handbook has 1,754,155 payments; 978, 9,099 and 4,604 frauds by scenario."""
        table = simulate(World(), 0)
        assert len(table) == pytest.approx(1_754_155, rel=0.03)
        counts = table["TX_FRAUD_SCENARIO"].value_counts()
        assert counts[1] == pytest.approx(978, rel=0.15)
        assert counts[2] == pytest.approx(9_099, rel=0.1)
        assert counts[3] == pytest.approx(4_604, rel=0.1)


def slow_windows(table: pd.DataFrame, row: int) -> dict[str, float]:
    """The Handbook's windows of one payment, by plain comparison."""
    now = table["TX_TIME_SECONDS"].iloc[row]
    mine = table[table["CUSTOMER_ID"] == table["CUSTOMER_ID"].iloc[row]]
    mine = mine[mine.index <= row]
    there = table[table["TERMINAL_ID"] == table["TERMINAL_ID"].iloc[row]]
    known = there[there["TX_TIME_SECONDS"] <= now - DELAY]
    found: dict[str, float] = {}
    for days in fraud_features.WINDOWS:
        recent = mine[mine["TX_TIME_SECONDS"] > now - days * DAY]
        found[f"customer_count_{days}d"] = len(recent)
        found[f"customer_mean_{days}d"] = recent["TX_AMOUNT"].mean()
        window = known[known["TX_TIME_SECONDS"] > now - DELAY - days * DAY]
        found[f"terminal_count_{days}d"] = len(window)
        found[f"terminal_risk_{days}d"] = window["TX_FRAUD"].mean() if len(window) else 0.0
    return found


def slow_run(table: pd.DataFrame, ratio: np.ndarray, row: int) -> float:
    """Known frauds in a row at a payment's terminal, those with odd amounts left out."""
    now = table["TX_TIME_SECONDS"].iloc[row]
    there = (table["TERMINAL_ID"] == table["TERMINAL_ID"].iloc[row]).to_numpy()
    known = np.flatnonzero(there & (table["TX_TIME_SECONDS"] <= now - DELAY).to_numpy())
    length = 0
    for place in known[::-1]:
        if not table["TX_FRAUD"].iloc[place]:
            break
        length += ratio[place] < fraud_features.ORDINARY
    return length


def assert_same(one: np.ndarray, other: np.ndarray) -> None:
    """Equal up to the rounding of running sums, which start elsewhere in a shorter table."""
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-4)


class TestFeatures:
    def test_windows_equal_plain_comparison(self) -> None:
        table = payments()
        x = compute_features(table)
        for row in np.random.default_rng(0).integers(0, len(table), 60):
            for name, value in slow_windows(table, row).items():
                assert x[row, NAMES.index(name)] == pytest.approx(value, rel=1e-4), name

    def test_runs_equal_plain_comparison(self) -> None:
        table = payments()
        x = compute_features(table)
        run = x[:, NAMES.index("terminal_run")]
        ratio = x[:, NAMES.index("amount_ratio")]
        rows = np.random.default_rng(0).permutation(np.flatnonzero(run))[:60]
        rows = np.concatenate([rows, np.random.default_rng(1).integers(0, len(table), 60)])
        for row in rows:
            assert run[row] == slow_run(table, ratio, row)

    def test_all_finite_and_named(self) -> None:
        x = compute_features(payments())
        assert x.shape == (len(payments()), len(COLUMNS)) and np.isfinite(x).all()
        assert len(set(NAMES)) == len(NAMES)
        assert [NAMES[i] for i in HANDBOOK][:3] == ["amount", "weekend", "night"]
        assert len(HANDBOOK) == 15

    def test_weekend_and_night(self) -> None:
        table = payments()
        x = compute_features(table)
        when = table["TX_DATETIME"].dt
        assert (x[:, NAMES.index("weekend")] == (when.weekday >= 5)).all()
        assert (x[:, NAMES.index("night")] == (when.hour <= 6)).all()

    def test_the_future_changes_nothing(self) -> None:
        """No column of a payment moves when everything after it is rewritten or removed."""
        table = payments()
        cut = len(table) // 2
        before = compute_features(table)[:cut]
        assert_same(compute_features(table.iloc[:cut]), before)
        other = table.copy()
        later = other.index >= cut
        rng = np.random.default_rng(0)
        other.loc[later, "TX_AMOUNT"] = rng.uniform(0, 500, later.sum())
        other.loc[later, "TX_FRAUD"] = rng.integers(0, 2, later.sum()).astype(np.int8)
        assert_same(compute_features(other)[:cut], before)

    def test_frauds_are_unknown_for_a_week(self) -> None:
        """No column moves when labels younger than seven days, its own among them, are flipped."""
        table = payments()
        row = len(table) - 1
        now = table["TX_TIME_SECONDS"].iloc[row]
        other = table.copy()
        young = (other["TX_TIME_SECONDS"] > now - DELAY).to_numpy()
        other.loc[young, "TX_FRAUD"] = 1 - other.loc[young, "TX_FRAUD"]
        same_moment = (table["TX_TIME_SECONDS"] == now).to_numpy()
        assert_same(compute_features(other)[same_moment], compute_features(table)[same_moment])

    def test_old_frauds_do_count(self) -> None:
        """The check above can fail: older labels move columns."""
        table = payments()
        other = table.copy()
        other["TX_FRAUD"] = 1
        changed = (compute_features(other) != compute_features(table)).any(axis=0)
        assert {"terminal_risk_7d", "terminal_run"} <= {NAMES[i] for i in np.flatnonzero(changed)}

    def test_own_amount_is_not_usual(self) -> None:
        """The usual amount comes from earlier payments only."""
        table = payments().copy()
        row = len(table) - 1
        usual = NAMES.index("customer_usual")
        before = compute_features(table)[row, usual]
        table.loc[row, "TX_AMOUNT"] = 9_999.0
        assert compute_features(table)[row, usual] == before

    def test_one_payment_and_none(self) -> None:
        x = compute_features(payments().iloc[:1])
        assert np.isfinite(x).all() and x[0, NAMES.index("amount_ratio")] == pytest.approx(1)
        assert compute_features(payments().iloc[:0]).shape == (0, len(COLUMNS))

    def test_unordered_payments_are_refused(self) -> None:
        with pytest.raises(ValueError, match="ordered"):
            compute_features(payments().iloc[::-1])


class TestSplit:
    def test_a_week_lies_between_the_parts(self) -> None:
        train, validation, test = (
            fraud_split.DAYS[part] for part in ("train", "validation", "test")
        )
        assert validation.start - train.stop >= fraud_split.DELAY_DAYS
        assert test.start - validation.stop >= fraud_split.DELAY_DAYS
        assert test.stop <= World().days

    def test_handbook_folds(self) -> None:
        table = payments()
        day = table["TX_TIME_DAYS"].to_numpy()
        customer, fraud = table["CUSTOMER_ID"].to_numpy(), table["TX_FRAUD"].to_numpy()
        (fold,) = fraud_split.handbook_folds(day, customer, fraud, (30,))
        assert (day[fold.train].min(), day[fold.train].max()) == (30, 36)
        assert (day[fold.test].min(), day[fold.test].max()) == (44, 50)
        known = set(customer[fold.train][fraud[fold.train] == 1])
        assert known and not known & set(customer[fold.test])


HEADER = "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD"


def read(text: str | bytes, limits: Limits | None = None) -> fraud_csv.Payments:
    data = text.encode() if isinstance(text, str) else text
    return fraud_csv.read_payments(data, limits or Limits())


class TestCsv:
    def test_round_trip(self) -> None:
        table = payments().iloc[:500]
        found = read(fraud_csv.write_payments(table))
        assert found.labelled and not found.sorted_here
        np.testing.assert_allclose(found.table["TX_AMOUNT"], table["TX_AMOUNT"])
        assert_same(compute_features(found.table), compute_features(table))

    @pytest.mark.parametrize(
        "text",
        [
            HEADER + "\n1,2018-04-01 10:00:00,7,9,1234.50,1\n",
            "\ufeff" + HEADER + "\r\n1,2018-04-01T10:00:00,7,9,1234.50,1\r\n",
            HEADER.replace(",", ";") + '\n1;01.04.2018 10:00;7;9;"1.234,50";1\n',
            HEADER.replace(",", ";") + "\n1;2018-04-01 10:00:00;7;9;1234,50;true\n",
            HEADER.replace(",", "\t") + "\n1\t2018/04/01 10:00\t7\t9\t1 234.50\t1.0\n",
            HEADER.lower() + '\n1,2018-04-01 10:00:00+00:00,7,9,"1,234.50",1\n',
        ],
    )
    def test_many_dialects(self, text: str) -> None:
        row = read(text).table.iloc[0]
        assert row["TX_AMOUNT"] == 1234.5 and row["TX_FRAUD"] == 1
        assert row["TX_DATETIME"] == pd.Timestamp("2018-04-01 10:00:00")

    def test_utf16_of_a_spreadsheet(self) -> None:
        text = HEADER.replace(",", "\t") + "\n1\t2018-04-01 10:00:00\t7\t9\t12,5\t0\n"
        assert read(text.encode("utf-16")).table["TX_AMOUNT"].iloc[0] == 12.5

    def test_unsorted_rows_and_no_labels(self) -> None:
        found = read(
            "TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT\n"
            "2018-04-02 10:00:00,a,x,5\n2018-04-01 10:00:00,b,y,6\n"
        )
        assert found.sorted_here and not found.labelled
        assert found.table["TX_AMOUNT"].tolist() == [6, 5]

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "empty"),
            (HEADER, "no payments"),
            (b"\x89PNG\x00\x01", "not a text file"),
            ("hello", "TX_DATETIME is missing"),
            (HEADER.replace("TX_AMOUNT", "X") + "\n1,2018-04-01,7,9,5,0", "TX_AMOUNT is missing"),
            (HEADER + "\n1,2018-04-01,7,9,5,0\n2,2018-04-01,7,9\n", "Row 3 has 4 cells"),
            (HEADER + "\n1,2018-04-01,7,9,5,0\n2,soon,7,9,5,0\n", "Row 3, column TX_DATETIME"),
            (HEADER + "\n1,2018-04-01,7,9,abc,0\n", "Row 2, column TX_AMOUNT: abc"),
            (HEADER + "\n1,2018-04-01,7,9,,0\n", "Row 2, column TX_AMOUNT"),
            (HEADER + "\n1,2018-04-01,7,9,nan,0\n", "Row 2, column TX_AMOUNT: nan"),
            (HEADER + "\n1,2018-04-01,7,9,-3,0\n", "-3 is out of range"),
            (HEADER + "\n1,2018-04-01,,9,3,0\n", "column CUSTOMER_ID is blank"),
            (HEADER + "\n1,2018-04-01,7,9,3,maybe\n", "column TX_FRAUD: maybe"),
            (HEADER + "\n1,9999-99-99,7,9,3,0\n", "Row 2, column TX_DATETIME"),
            (HEADER + '\n1,"2018-04-01,7,9,3,0\n', "Row 2 has 2 cells"),
            (",".join(["a"] * 1_000_000) + "\n", "1,000,000 columns"),
        ],
    )
    def test_one_clear_sentence(self, text: str | bytes, sentence: str) -> None:
        with pytest.raises(InputError) as error:
            read(text)
        assert sentence in str(error.value)
        assert "\n" not in str(error.value)

    def test_too_many_rows_and_bytes(self) -> None:
        text = HEADER + "\n1,2018-04-01,7,9,5,0" * 50
        with pytest.raises(InputError, match="50 rows; the limit is 10"):
            read(text, Limits(rows=10))
        with pytest.raises(InputError, match="MB"):
            read(text, Limits(bytes=100))

    def test_random_bytes_never_break_it(self) -> None:
        rng = np.random.default_rng(0)
        for size in (1, 10, 100, 3_000):
            for _ in range(20):
                noise = rng.integers(0, 256, size).astype(np.uint8).tobytes()
                for data in (noise, HEADER.encode() + b"\n" + noise):
                    with pytest.raises(InputError):
                        read(data)


class TestCosts:
    def test_equal_plain_counting(self) -> None:
        rng = np.random.default_rng(0)
        fraud = rng.integers(0, 2, 400)
        amount, p = rng.uniform(1, 100, 400), rng.uniform(0, 1, 400)
        costs = fraud_costs.measure_costs(fraud, amount, p, days=4)
        for place in (0, 40, 65, 100, 130):
            t = costs.threshold[place]
            missed = amount[(fraud == 1) & (p < t)].sum() / 4
            assert costs.missed[place] == pytest.approx(missed)
            assert costs.alerts[place] == pytest.approx((p >= t).sum() / 4)
        assert costs.stolen == pytest.approx(amount[fraud == 1].sum() / 4)

    def test_dear_checks_raise_the_threshold(self) -> None:
        rng = np.random.default_rng(1)
        p = rng.uniform(0, 1, 5_000)
        fraud = (rng.uniform(0, 1, 5_000) < p).astype(int)
        costs = fraud_costs.measure_costs(fraud, np.full(5_000, 10.0), p, days=1)
        # A calibrated detector should check where probability times amount exceeds the price.
        assert costs.best(1) == pytest.approx(0.1, abs=0.06)
        assert costs.best(5) == pytest.approx(0.5, abs=0.1)
        assert costs.saved(1.0, 5) < costs.saved(costs.best(5), 5)

    def test_stored_and_read_back(self) -> None:
        costs = fraud_costs.measure_costs(
            np.array([0, 1]), np.array([1.0, 2.0]), np.array([0.1, 0.9]), days=1
        )
        again = fraud_costs.Costs.from_json(costs.to_json())
        np.testing.assert_array_equal(again.missed, costs.missed)
        assert again.best(1) == costs.best(1)

    def test_precision_at_k_takes_each_day_by_itself(self) -> None:
        day = np.array([3, 3, 3, 5, 5, 5])
        fraud = np.array([1, 0, 1, 0, 0, 1])
        score = np.array([0.9, 0.8, 0.1, 0.7, 0.6, 0.5])
        np.testing.assert_allclose(fraud_costs.precision_at(2, fraud, score, day), [0.5, 0.0])
        np.testing.assert_allclose(fraud_costs.precision_at(9, fraud, score, day), [2 / 3, 1 / 3])


class TestQueue:
    def test_order_and_counts(self) -> None:
        table = payments().iloc[-2_000:].reset_index(drop=True)
        p = np.random.default_rng(0).uniform(0, 1, len(table))
        day = fraud_queue.Day(table, np.zeros((len(table), 3), np.float32), True)
        queue = fraud_queue.make_queue(day, p)
        assert (np.diff(queue.p) <= 0).all() and len(queue.table) == fraud_queue.SHOWN
        assert queue.p[0] == p.max() and queue.payments == 2_000
        fraud = table["TX_FRAUD"].to_numpy()
        for threshold in (0.0, 0.3, 0.99, 1.0):
            alerts = p >= threshold
            assert queue.alerts(threshold) == (alerts.sum(), fraud[alerts].sum())
        assert queue.frauds == fraud.sum()


class TestDayBootstrap:
    def test_value_and_interval(self) -> None:
        rng = np.random.default_rng(0)
        day = np.repeat(np.arange(20), 100)
        truth = rng.integers(0, 2, 2_000)
        score = truth + rng.normal(0, 1, 2_000)
        boot = DayBootstrap(day, draws=200)
        drawn = boot.rank(average_precision, truth, score)
        assert drawn.value == average_precision(truth, score)
        assert drawn.low < drawn.value < drawn.high < drawn.low + 0.1
        assert boot.ece(truth, np.clip(score, 0, 1)).value == pytest.approx(
            ece(truth, np.clip(score, 0, 1))
        )

    def test_one_draw_equals_drawing_rows(self) -> None:
        """Weights by day give what a table with repeated days gives."""
        rng = np.random.default_rng(2)
        day = np.repeat(np.arange(5), 30)
        truth, score = rng.integers(0, 2, 150), rng.normal(size=150)
        boot = DayBootstrap(day, draws=3)
        drawn = boot.rank(average_precision, truth, score)
        for counts, value in zip(boot.counts, drawn.draws, strict=True):
            rows = np.concatenate(
                [np.tile(np.flatnonzero(day == d), n) for d, n in enumerate(counts)]
            )
            assert value == pytest.approx(average_precision(truth[rows], score[rows]))

    def test_the_same_model_leads_by_nothing(self) -> None:
        rng = np.random.default_rng(1)
        truth, score = rng.integers(0, 2, 500), rng.normal(size=500)
        boot = DayBootstrap(np.repeat(np.arange(10), 50))
        lead = boot.rank(average_precision, truth, score) - boot.rank(
            average_precision, truth, 2 * score
        )
        assert lead.value == lead.low == lead.high == 0


class TestTraining:
    def test_batches_hold_all_frauds_and_other_honest_payments(self) -> None:
        y = torch.zeros(1_000)
        y[:20] = 1
        x = torch.arange(1_000.0).unsqueeze(1)
        batches = fraud_training.FreshHonest(x, y, 0.25, 53, seed=0)
        epochs = [torch.cat([b[0] for b in batches(e)]).squeeze(1) for e in (0, 0, 1)]
        assert torch.equal(epochs[0], epochs[1]) and not torch.equal(epochs[0], epochs[2])
        assert batches.steps_per_epoch * 53 == len(epochs[0])
        _x, labels, weights = next(iter(batches(0)))
        assert set(weights[labels == 0].tolist()) == {4.0}

    def test_a_week_teaches_something(self) -> None:
        """The real training on a small world beats the share of frauds by far."""
        table = payments()
        x, day = compute_features(table), table["TX_TIME_DAYS"].to_numpy()
        fraud = table["TX_FRAUD"].to_numpy().astype(np.int64)
        train, test = (day >= 37) & (day < 48), day >= 55
        net, scale = fraud_training.train_on_week(x[train], fraud[train], ALL, seed=0)
        score = fraud_training.logits(net, scale(x[test])).diff(dim=1).squeeze(1).numpy()
        assert average_precision(fraud[test], score) > 10 * fraud[test].mean()

    def test_both_logits_have_one_explanation(self) -> None:
        y = PeriodicMLP(4).eval()(torch.randn(3, 4))
        torch.testing.assert_close(y[:, 0], -y[:, 1])
