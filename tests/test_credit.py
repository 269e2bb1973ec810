"""Credit default: the data's rules, monotone networks, what may change, groups, drift."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from dlportal.cards import Limits
from dlportal.cases.credit_changes import (
    CHANGEABLE,
    MINIMUM,
    STEPS,
    lowest_reach,
    nearest_change,
    possible_rows,
)
from dlportal.cases.credit_default import EXAMPLES
from dlportal.cases.credit_net import CreditNet, encode, expand, squeeze
from dlportal.data import credit_csv, uci_credit
from dlportal.data.credit_costs import THRESHOLDS, Counts
from dlportal.data.margins import Margins
from dlportal.data.uci_credit import BILL, COLUMNS, GROUPS, PAID, STATUS, group_of
from dlportal.messages import InputError
from dlportal.nets.monotone import MonotoneEnsemble
from dlportal.training.drift import measure_drift, stability


def customers(n: int, seed: int = 0) -> np.ndarray:
    """Random rows of the data's shape, delays of all lengths among them."""
    rng = np.random.default_rng(seed)
    limit = rng.integers(1, 80, (n, 1)) * 10_000
    status = rng.integers(-2, 9, (n, 6))
    bill = rng.uniform(-0.1, 1.2, (n, 6)) * limit
    paid = rng.exponential(0.05, (n, 6)) * limit * rng.integers(0, 2, (n, 6))
    return np.concatenate([limit, status, bill, paid], axis=1).astype(np.float64)


class TestMonotone:
    @pytest.mark.parametrize("seed", range(5))
    def test_no_weights_can_turn_it_around(self, seed: int) -> None:
        """Even weights drawn at random, far from anything trained, give a rising function."""
        torch.manual_seed(seed)
        net = MonotoneEnsemble(2, 7, 4).eval()
        for parameter in net.parameters():
            torch.nn.init.normal_(parameter, std=2.0)
        up, free = torch.randn(200, 7), torch.randn(200, 4)
        before = net(up, free)
        for column in range(7):
            more = up.clone()
            more[:, column] += torch.rand(200) * 3
            assert (net(more, free) >= before - 1e-4 * before.abs().clamp(min=1)).all()

    def test_the_free_inputs_go_both_ways(self) -> None:
        """The check above can fail: an unconstrained input makes the answer rise and fall."""
        torch.manual_seed(0)
        net = MonotoneEnsemble(2, 7, 4).eval()
        up, free = torch.randn(500, 7), torch.randn(500, 4)
        more = free.clone()
        more[:, 0] += 1
        moved = net(up, more) - net(up, free)
        assert (moved > 1e-3).any() and (moved < -1e-3).any()

    @pytest.mark.parametrize("column", range(STATUS.start, STATUS.stop))
    def test_untrained_risk_never_falls_with_a_delay(self, column: int) -> None:
        torch.manual_seed(1)
        net, x = CreditNet(3).eval(), customers(400)
        net.fit_scale(encode(x))
        before = net(encode(x))[:, 1]
        worse = x.copy()
        late = (x[:, column] >= 0) & (x[:, column] < 8)
        worse[late, column] += 1
        after = net(encode(worse))[:, 1]
        assert (after >= before - 1e-5).all() and (after[late] > before[late] + 1e-6).any()

    def test_money_is_squeezed_and_expanded(self) -> None:
        money = torch.tensor([-50_000.0, -1.0, 0.0, 3.0, 1_000_000.0])
        torch.testing.assert_close(expand(squeeze(money)), money, rtol=1e-4, atol=1e-2)
        x = encode(customers(3))
        assert x.shape == (3, 19) and x.abs().max() < 10


@pytest.mark.assets
class TestShipped:
    @pytest.mark.parametrize("column", range(STATUS.start, STATUS.stop))
    def test_a_longer_delay_never_lowers_the_risk(self, column: int, get_case: Any) -> None:
        case, x = get_case("credit_default"), customers(2_000)
        for months in range(8):
            before, after = x.copy(), x.copy()
            before[:, column], after[:, column] = months, months + 1
            assert (case.score(after) >= case.score(before) - 1e-6).all()

    @pytest.mark.parametrize("column", range(PAID.start, PAID.stop))
    def test_a_larger_payment_never_raises_the_risk(self, column: int, get_case: Any) -> None:
        case, x = get_case("credit_default"), customers(2_000)
        p = case.score(x)
        for more in (100, 5_000, 200_000):
            richer = x.copy()
            richer[:, column] += more
            assert (case.score(richer) <= p + 1e-6).all()

    def test_the_card_keeps_its_bars(self, get_case: Any) -> None:
        card = get_case("credit_default").card
        value = {m.name: m.value for m in card.measured.metrics if m.name != "auc_lead"}
        assert value["auc"] >= 0.780 and value["ece"] <= 0.02 and value["not_monotone"] == 0

    def test_examples_are_inside_and_differ(self, get_case: Any) -> None:
        case = get_case("credit_default")
        p = {name: case.score(row[None])[0] for name, (_label, row) in EXAMPLES.items()}
        assert all(case.inside(row) for _label, row in EXAMPLES.values())
        assert p["two_months"] > p["slipping"] > p["minimum"]

    def test_a_change_works_and_is_the_least_on_the_grid(self, get_case: Any) -> None:
        case = get_case("credit_default")
        tried = 0
        for _label, raw in EXAMPLES.values():
            p = float(case.score(raw[None])[0])
            low = lowest_reach(raw, case.score)
            if low >= p - 1e-3:
                continue
            line = (p + low) / 2
            change = case.change(raw, line)
            assert change is not None and change.after < line <= change.before
            assert change.after == pytest.approx(float(case.score(change.row[None])[0]), abs=1e-6)
            assert case.change(raw, low * 0.999) is None
            case.check(change.row)
            tried += 1
        assert tried >= 3

    def test_wrong_rows_get_one_sentence(self, get_case: Any) -> None:
        case, good = get_case("credit_default"), EXAMPLES["minimum"][1]
        for column, value, words in (
            ("status_sep", 9, "status_sep: 9"),
            ("status_apr", 0.5, "status_apr: 0.5"),
            ("limit", 0, "limit"),
            ("paid_may", -5, "paid_may: -5"),
            ("bill_jun", 1e12, "bill_jun"),
            ("bill_jun", np.nan, "bill_jun"),
        ):
            raw = good.copy()
            raw[COLUMNS.index(column)] = value
            with pytest.raises(InputError, match=words):
                case.check(raw)

    def test_groups_count_everybody(self, get_case: Any) -> None:
        case = get_case("credit_default")
        totals = {
            kind: sum(c.people for c in groups.values()) for kind, groups in case.groups().items()
        }
        assert set(totals) == set(GROUPS) and len(set(totals.values())) == 1


class TestChanges:
    def test_only_september_changes(self) -> None:
        """Nothing that is past, or the bank's, differs in any row that is considered."""
        for _label, raw in EXAMPLES.values():
            rows, moves = possible_rows(raw)
            kept = [i for i in range(len(COLUMNS)) if i not in CHANGEABLE]
            assert (rows[:, kept] == raw[kept]).all()
            assert (rows[0] == raw).all() and (moves[0] == 0).all()
            assert (rows[:, PAID.start] >= raw[PAID.start]).all()
            assert (rows[:, STATUS.start] <= raw[STATUS.start]).all()

    def test_the_books_balance(self) -> None:
        """What is paid in addition is gone from the statement; nobody pays more than is owed."""
        raw = EXAMPLES["two_months"][1]
        rows, moves = possible_rows(raw)
        _months, pay, save = moves.T
        np.testing.assert_allclose(rows[:, PAID.start] - raw[PAID.start], pay)
        np.testing.assert_allclose(raw[BILL.start] - rows[:, BILL.start], pay + save)
        assert rows[:, BILL.start].min() >= -1e-6
        assert pay.max() <= raw[BILL.start + 1] - raw[PAID.start] + 1e-6

    def test_settling_costs_money(self) -> None:
        raw = EXAMPLES["two_months"][1]
        _rows, moves = possible_rows(raw)
        owed = moves[:, 1].max()
        for months in (1, 2):
            paid = moves[moves[:, 0] == months, 1].min()
            assert paid == pytest.approx(MINIMUM * owed * months, abs=owed / STEPS)

    def test_least_effort_and_none(self) -> None:
        raw = EXAMPLES["minimum"][1]

        def unpaid(rows: np.ndarray) -> np.ndarray:
            return 1 - rows[:, PAID.start] / 100_000

        change = nearest_change(raw, 0.9, unpaid)
        assert change is not None and change.months == 0 and change.save == 0
        step = (raw[BILL.start + 1] - raw[PAID.start]) / 40
        assert 10_000 < change.row[PAID.start] <= 10_000 + step
        assert nearest_change(raw, 0.01, unpaid) is None
        nothing = nearest_change(raw, 1.1, unpaid)
        assert nothing is not None and nothing.effort == 0


class TestCosts:
    def test_counts_equal_plain_counting(self) -> None:
        rng = np.random.default_rng(0)
        p, default = rng.random(500), rng.integers(0, 2, 500)
        counts = Counts.of(default, p)
        for place in (0, 17, 50, 99):
            refused = p >= THRESHOLDS[place]
            assert counts.at(place / 100) == (
                (refused & (default == 0)).sum(),
                (refused & (default == 1)).sum(),
            )
        again = Counts.from_json(counts.to_json())
        np.testing.assert_array_equal(again.good, counts.good)

    def test_dear_defaults_lower_the_line(self) -> None:
        rng = np.random.default_rng(1)
        p = rng.random(20_000)
        counts = Counts.of((rng.random(20_000) < p).astype(int), p)
        for loss in (1, 4, 9):  # an honest probability is refused from 1 / (1 + loss)
            assert counts.best(loss) == pytest.approx(1 / (1 + loss), abs=0.04)


class TestMargins:
    def test_they_are_exact_where_they_are_kept(self) -> None:
        x = customers(3_000)
        for margin, column in zip(Margins.of(x).columns, x.T):
            for value, below, upto in zip(margin.values, margin.below, margin.upto):
                assert (column < value).mean() == below and (column <= value).mean() == upto
            assert (margin.values[0], margin.values[-1]) == (column.min(), column.max())
            assert len(margin.values) < 60 < len(x)

    def test_stored_and_read_back(self) -> None:
        margins = Margins.of(customers(3_000))
        again = Margins.from_json(json.loads(json.dumps(margins.to_json())))
        np.testing.assert_allclose(again.together, margins.together, atol=6e-4)
        np.testing.assert_allclose(again.draw(50), margins.draw(50), rtol=0.1, atol=500)
        assert {d.verdict for d in measure_drift(again, customers(3_000, 1))} == {"same"}

    def test_invented_rows_are_like_the_table_and_not_in_it(self) -> None:
        x = customers(5_000)
        margins = Margins.of(x)
        drawn = margins.draw(5_000, seed=3)
        assert {d.verdict for d in measure_drift(margins, drawn)} == {"same"}
        # Columns that a column of the table holds as whole months stay whole.
        assert np.isin(drawn[:, STATUS], range(-2, 9)).all()
        # Limit and statements go together, as in the table.
        for rows in (x, drawn):
            assert np.corrcoef(rows[:, 0], rows[:, BILL.start])[0, 1] > 0.4
        known = {row.tobytes() for row in x}
        assert not any(row.tobytes() in known for row in drawn)


class TestDrift:
    def test_the_same_world_is_the_same(self) -> None:
        drift = measure_drift(Margins.of(customers(5_000, 1)), customers(5_000, 2))
        assert {d.verdict for d in drift} == {"same"}

    def test_one_moved_column_is_found_alone(self) -> None:
        now = customers(5_000, 2)
        now[:, BILL.start] *= 1.6
        verdicts = [d.verdict for d in measure_drift(Margins.of(customers(5_000, 1)), now)]
        assert verdicts[BILL.start] != "same"
        assert {v for i, v in enumerate(verdicts) if i != BILL.start} == {"same"}

    def test_stability_equals_its_formula(self) -> None:
        reference, now = np.arange(1_000.0), np.concatenate([np.zeros(500), np.arange(500, 1000)])
        before = (np.full(10, 100) + 0.5) / 1_005
        after = (np.array([500, 0, 0, 0, 0, 100, 100, 100, 100, 100]) + 0.5) / 1_005
        expected = ((after - before) * np.log(after / before)).sum()
        margin = Margins.of(np.stack([reference, reference], axis=1)).columns[0]
        assert stability(margin, 1_000, now) == pytest.approx(expected, rel=1e-4)

    def test_distance_is_that_of_all_rows(self) -> None:
        """Nearly: between the values that are kept at most a fortieth can be missed."""
        before, now = customers(5_000, 1), customers(700, 2)
        now[:, PAID] *= 1.3
        found = measure_drift(Margins.of(before), now)
        for drift, a, b in zip(found, before.T, now.T):
            whole = ks_2samp(a, b, method="asymp").statistic
            assert whole - 1 / 40 <= drift.ks <= whole + 1e-12

    def test_few_rows_are_no_proof(self) -> None:
        drift = measure_drift(Margins.of(customers(5_000, 1)), customers(12, 2))
        assert {d.verdict for d in drift} == {"same"}


@pytest.mark.data
class TestData:
    def test_parts_are_apart_and_alike(self) -> None:
        parts = uci_credit.load()
        sizes = [len(p) for p in (parts.train, parts.validation, parts.test)]
        assert sum(sizes) == 29_965 and sizes[2] == 5_993
        shares = [p.default.mean() for p in (parts.train, parts.validation, parts.test)]
        assert max(shares) - min(shares) < 0.001
        keys = [
            {row.tobytes() for row in np.column_stack([p.x, p.people, p.default])}
            for p in (parts.train, parts.validation, parts.test)
        ]
        assert not (keys[0] & keys[1] or keys[0] & keys[2] or keys[1] & keys[2])

    def test_test_customers_have_not_drifted(self) -> None:
        parts = uci_credit.load()
        drift = measure_drift(Margins.of(parts.train.x), parts.test.x)
        assert {d.verdict for d in drift} == {"same"}

    def test_the_card_keeps_the_training_customers_columns(self, get_case: Any) -> None:
        kept = get_case("credit_default").margins()
        assert kept.to_json() == Margins.of(uci_credit.load().train.x).to_json()

    def test_invented_customers_are_judged_like_real_ones(self, get_case: Any) -> None:
        case = get_case("credit_default")
        invented = case.invented(6_000)
        for row in invented[:100]:
            case.check(row)
        real, other = case.score(uci_credit.load().test.x), case.score(invented)
        assert abs(real.mean() - other.mean()) < 0.03
        line = case.threshold
        assert abs((real >= line).mean() - (other >= line).mean()) < 0.05

    def test_groups_cover_everybody(self) -> None:
        part = uci_credit.load().test
        for kind, place in group_of(part.people).items():
            assert set(np.unique(place)) == set(range(len(GROUPS[kind])))

    def test_a_csv_round_trip(self) -> None:
        x = uci_credit.load().test.x[:200]
        data = credit_csv.write_customers(x)
        np.testing.assert_array_equal(credit_csv.read_customers(data, Limits()), x)
        uci = data.decode().replace(",".join(credit_csv.KAGGLE), ",".join(credit_csv.UCI))
        np.testing.assert_array_equal(credit_csv.read_customers(uci.encode(), Limits()), x)
