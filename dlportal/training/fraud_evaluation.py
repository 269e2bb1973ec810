"""Measuring the fraud detector on days it has not seen, beside what a bank would try first.

Two protocols. Ours: 78 days to learn from, 21 to choose on, 33 later days to measure, with a week
between. The Handbook's: one week to learn from, one of delay, one to measure without the cards
that are already known; four such weeks in another simulated world, so that the figure can stand
beside the published ones.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlportal.cards import (
    Bilingual,
    Calibration,
    Confusion,
    Curve,
    Measured,
    Metric,
    Reliability,
    Slice,
)
from dlportal.case import Evaluation, Progress
from dlportal.cases.fraud_detection import ALL, LABELS, FraudDetection, Scale
from dlportal.data.fraud_costs import CHECK_COST, measure_costs, precision_at
from dlportal.data.fraud_csv import read_payments
from dlportal.data.fraud_features import HANDBOOK, NAMES, compute_features
from dlportal.data.fraud_split import (
    DAYS,
    HANDBOOK_SEED,
    HANDBOOK_WEEKS,
    WORLD_SEED,
    HalfYear,
    half_year,
    handbook_folds,
    rows_of,
)
from dlportal.messages import N_, InputError
from dlportal.training.day_bootstrap import DayBootstrap, Drawn
from dlportal.training.fraud_training import logits, train_on_week
from dlportal.training.metrics import (
    auc,
    average_precision,
    confusion_counts,
    exact_interval,
)
from dlportal.training.tabular_baselines import BASELINES

DATA = "simulated"
COMMAND = "python -m dlportal evaluate fraud_detection"
TOP = 50
"""Alerts a day that somebody can check, for `precision_at_50`."""
SETS = {"all columns": ALL, "the Handbook's 15 columns": HANDBOOK}


@dataclass(frozen=True)
class Judged:
    """Payments with what the network says of them; all arrays have one row a payment."""

    x: np.ndarray
    fraud: np.ndarray
    amount: np.ndarray
    day: np.ndarray
    scenario: np.ndarray
    p: np.ndarray
    split: str

    def metric(self, name: str, drawn: Drawn, model: str = "", split: str = "") -> Metric:
        return Metric(
            name=name,
            data=DATA,
            split=split or self.split,
            value=drawn.value,
            low=drawn.low,
            high=drawn.high,
            n=len(self.fraud),
            command=COMMAND + ("" if self.split == "test" else f" --split {self.split}"),
            model=model,
        )


class Steps:
    """Counts the parts of an evaluation for a progress bar."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def __call__(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(min(self.done, self.total), self.total)


def evaluate_half_year(
    case: FraudDetection, split: str, limit: int | None, progress: Progress | None
) -> Evaluation:
    """Measure on a part of the simulated half year; the whole test part with all baselines.

    Raises:
        InputError: No such split.
    """
    started = time.monotonic()
    if split not in DAYS:
        raise InputError(
            N_("There is no split {split}. Choose one of: {splits}."),
            split=split,
            splits=", ".join(DAYS),
        )
    step = Steps(progress, 1 if limit else 2 + len(BASELINES) + 1 + len(HANDBOOK_WEEKS))
    data = half_year(WORLD_SEED)
    rows = rows_of(data.day, DAYS[split])[:limit]
    judged = Judged(
        x=data.x[rows],
        fraud=data.fraud[rows],
        amount=data.amount[rows],
        day=data.day[rows],
        scenario=data.scenario[rows],
        p=case.score(data.x[rows]),
        split=split,
    )
    step()
    measured = measure(case, judged)
    step()
    if split == "test" and not limit:
        baselines, lead = measure_baselines(data, judged, step)
        del data
        handbook, rivals = measure_handbook(step)
        measured = measured.model_copy(
            update={
                "metrics": [*measured.metrics, lead, *handbook],
                "baselines": [*baselines, *rivals],
            }
        )
    seconds = time.monotonic() - started
    return Evaluation(case.card.id, split, len(rows), seconds, measured)


def evaluate_file(case: FraudDetection, path: Path, limit: int | None) -> Evaluation:
    """Measure on a CSV in the Handbook's columns that says which payments were frauds.

    Raises:
        InputError: The file cannot be read, or does not say it.
    """
    started = time.monotonic()
    try:
        data = path.read_bytes()
    except OSError:
        raise InputError(N_("There is no readable file {path}."), path=path) from None
    limits = case.card.limits.model_copy(update={"bytes": 500_000_000, "rows": 3_000_000})
    payments = read_payments(data, limits)
    if not payments.labelled:
        raise InputError(
            N_("Column {column} is missing; it says what to measure."), column="TX_FRAUD"
        )
    table = payments.table.iloc[:limit]
    x = compute_features(table)
    seconds = table["TX_DATETIME"].to_numpy().astype("datetime64[s]").astype(np.int64)
    fraud = table["TX_FRAUD"].to_numpy().astype(np.int64)
    judged = Judged(
        x=x,
        fraud=fraud,
        amount=table["TX_AMOUNT"].to_numpy(),
        day=seconds // 86_400,
        scenario=fraud,
        p=case.score(x),
        split=path.name,
    )
    measured = measure(case, judged).model_copy(update={"slices": []})
    return Evaluation(case.card.id, path.name, len(x), time.monotonic() - started, measured)


def measure(case: FraudDetection, judged: Judged) -> Measured:
    """Metrics, calibration, confusion, slices and curves of one network on one part."""
    fraud, p, amount = judged.fraud, judged.p, judged.amount
    boot = DayBootstrap(judged.day)
    alert, stolen = p >= case.threshold, np.where(fraud == 1, amount, 0.0)
    metrics = []
    if 0 < fraud.sum() < len(fraud):
        metrics += [
            judged.metric("average_precision", boot.rank(average_precision, fraud, p)),
            judged.metric("auc", boot.rank(auc, fraud, p)),
        ]
    if fraud.any():
        top = precision_at(TOP, fraud, p, judged.day)
        caught, frauds = boot.daily(fraud * alert), boot.daily(fraud)
        kept = boot.daily(stolen * alert - CHECK_COST * alert)
        metrics += [
            judged.metric(f"precision_at_{TOP}", boot.ratio(top, np.ones(len(top)))),
            judged.metric("recall", boot.ratio(caught, frauds)),
            judged.metric("money_saved", boot.ratio(kept, boot.daily(stolen))),
        ]
        if alert.any():
            metrics.append(judged.metric("precision", boot.ratio(caught, boot.daily(alert))))
    metrics.append(judged.metric("ece", boot.ece(fraud, p)))
    counts = confusion_counts(fraud, alert.astype(np.int64), classes=2)
    return Measured(
        case=case.card.id,
        parameters=sum(parameter.numel() for parameter in case.net.parameters()),
        metrics=metrics,
        calibration=calibration(case, judged),
        confusion=Confusion(labels=[label.id for label in LABELS], counts=counts.tolist()),
        slices=list(slices(judged, alert)),
        curves=list(curves(judged)) if fraud.any() else [],
        baselines=[blind_guess(judged)],
    )


def blind_guess(judged: Judged) -> Metric:
    """Average precision of alerts drawn by lot: the share of frauds."""
    low, high = exact_interval(int(judged.fraud.sum()), len(judged.fraud))
    value = float(judged.fraud.mean())
    drawn = Drawn(value, np.array([low, high]))
    return judged.metric("average_precision", drawn, model="alerts drawn by lot")


def calibration(case: FraudDetection, judged: Judged) -> Calibration:
    """How often a stated probability of fraud comes true, before and after scaling."""
    y = logits(case.net, case.scale(judged.x)).double()
    before = y.softmax(dim=1)[:, 1].numpy()
    boot = DayBootstrap(judged.day, draws=1)
    return Calibration(
        temperature=case.temperature,
        ece_before=boot.ece(judged.fraud, before).value,
        ece_after=boot.ece(judged.fraud, judged.p).value,
        before=fraud_reliability(before, judged.fraud),
        after=fraud_reliability(judged.p, judged.fraud),
    )


def fraud_reliability(p: np.ndarray, fraud: np.ndarray, bins: int = 10) -> Reliability:
    """Mean stated probability and share of frauds in bins of equal width."""
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = count > 0
    stated = np.bincount(place, weights=p, minlength=bins)[filled] / count[filled]
    true = np.bincount(place, weights=fraud, minlength=bins)[filled] / count[filled]
    return Reliability(
        confidence=stated.tolist(), accuracy=true.tolist(), count=count[filled].tolist()
    )


PARTS = {
    "large": Bilingual(en="Amount above 220", zh="金额超过 220"),
    "traced": Bilingual(en="Bad terminal, frauds known", zh="问题终端，已有记录"),
    "untraced": Bilingual(en="Bad terminal, nothing known yet", zh="问题终端，尚无记录"),
    "card": Bilingual(en="Stolen card, amount ×5", zh="被盗的卡，金额 ×5"),
}


def slices(judged: Judged, alert: np.ndarray) -> Iterator[Slice]:
    """Share of frauds found, by what the past can know about them."""
    run = judged.x[:, NAMES.index("terminal_frauds")] > 0
    members = {
        "large": judged.scenario == 1,
        "traced": (judged.scenario == 2) & run,
        "untraced": (judged.scenario == 2) & ~run,
        "card": judged.scenario == 3,
    }
    for name, part in PARTS.items():
        n, found = int(members[name].sum()), int(alert[members[name]].sum())
        if n:
            low, high = exact_interval(found, n)
            metric = Metric(
                name="recall",
                data=DATA,
                split=judged.split,
                value=found / n,
                low=low,
                high=high,
                n=n,
                command=COMMAND,
            )
            yield Slice(part=part, metric=metric)


def curves(judged: Judged) -> Iterator[Curve]:
    """What a threshold costs a day; what a number of alerts a day finds."""
    days = len(np.unique(judged.day))
    costs = measure_costs(judged.fraud, judged.amount, judged.p, days)
    shown = (costs.threshold > 0.002) & (costs.threshold < 0.99)
    yield Curve(
        name=N_("What a threshold costs"),
        x_label=Bilingual(en="probability from which a payment is checked", zh="从多大概率起核查"),
        y_label=Bilingual(en="simulated money a day", zh="每天的模拟金额"),
        x=costs.threshold[shown].tolist(),
        y={
            N_("frauds missed"): costs.missed[shown].tolist(),
            N_("checks"): (CHECK_COST * costs.alerts[shown]).tolist(),
            N_("both"): costs.total(CHECK_COST)[shown].tolist(),
        },
    )
    alerts = list(range(10, 201, 10))
    precision = [float(precision_at(k, judged.fraud, judged.p, judged.day).mean()) for k in alerts]
    a_day = float(judged.fraud.sum()) / days
    yield Curve(
        name=N_("What checking more alerts finds"),
        x_label=Bilingual(en="alerts checked a day", zh="每天核查的警报数"),
        y_label=Bilingual(en="share", zh="比例"),
        x=[float(k) for k in alerts],
        y={
            "precision": precision,
            "recall": [p * k / a_day for p, k in zip(precision, alerts, strict=True)],
        },
    )


def measure_baselines(data: HalfYear, judged: Judged, step: Steps) -> tuple[list[Metric], Metric]:
    """Other models on the same days; also how far the network leads the best of them."""
    train = rows_of(data.day, DAYS["train"])
    boot = DayBootstrap(judged.day)
    found: list[tuple[str, Drawn]] = []
    for columns_name, columns in SETS.items():
        scale = Scale.fit(data.x[train], columns)
        x, x_test = scale(data.x[train]).numpy(), scale(judged.x).numpy()
        for name, fit in BASELINES.items():
            if columns is not ALL and name != "gradient boosting":
                continue
            score = fit(x, data.fraud[train], 0)(x_test)
            drawn = boot.rank(average_precision, judged.fraud, score)
            found.append((f"{name}, {columns_name}", drawn))
            step()
    own = boot.rank(average_precision, judged.fraud, judged.p)
    best_name, best = max(found, key=lambda pair: pair[1].value)
    lead = judged.metric("average_precision_lead", own - best, model=f"over {best_name}")
    metrics = [judged.metric("average_precision", drawn, model) for model, drawn in found]
    return [blind_guess(judged), *metrics], lead


def measure_handbook(step: Steps) -> tuple[list[Metric], list[Metric]]:
    """The Handbook's protocol: network and baselines trained on a week, four times."""
    data = half_year(HANDBOOK_SEED)
    found: dict[tuple[str, str], list[Drawn]] = {}
    n = 0
    for fold in handbook_folds(data.day, data.customer, data.fraud, HANDBOOK_WEEKS):
        boot, truth = DayBootstrap(data.day[fold.test]), data.fraud[fold.test]
        n += len(fold.test)
        for columns_name, columns in SETS.items():
            rows, labels = data.x[fold.train], data.fraud[fold.train]
            net, scale = train_on_week(rows, labels, columns, seed=0)
            y = logits(net, scale(data.x[fold.test]))
            scores = {"network": (y[:, 1] - y[:, 0]).numpy()}
            x, x_test = scale(rows).numpy(), scale(data.x[fold.test]).numpy()
            for name, fit in BASELINES.items():
                scores[name] = fit(x, labels, 0)(x_test)
            for name, score in scores.items():
                drawn = boot.rank(average_precision, truth, score)
                found.setdefault((name, columns_name), []).append(drawn)
        step()
    metrics: list[Metric] = []
    baselines: list[Metric] = []
    for (name, columns_name), parts in found.items():
        drawn = Drawn.mean(parts)
        suffix = "" if SETS[columns_name] is ALL else "_columns"
        metric = Metric(
            name=f"average_precision_handbook{suffix}",
            data=DATA,
            split="four weeks",
            value=drawn.value,
            low=drawn.low,
            high=drawn.high,
            n=n,
            command=COMMAND,
            model="" if name == "network" else name,
        )
        (metrics if name == "network" else baselines).append(metric)
    return metrics, baselines
