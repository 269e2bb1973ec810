"""Measuring `credit_default` on customers it has not seen, beside the usual models and by group."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlportal.cards import Bilingual, Confusion, Curve, Measured, Metric, Slice
from dlportal.case import Evaluation, Progress
from dlportal.cases.credit_default import GROUP_NAMES, LABELS, CreditDefault
from dlportal.cases.credit_net import encode, logits
from dlportal.data import uci_credit
from dlportal.data.credit_costs import THRESHOLDS, Counts
from dlportal.data.uci_credit import GROUPS, Customers, group_of
from dlportal.messages import N_, InputError
from dlportal.training import metrics
from dlportal.training.calibration import calibration_at
from dlportal.training.day_bootstrap import DayBootstrap, Drawn
from dlportal.training.tabular_baselines import BASELINES

COMMAND = "python -m dlportal evaluate credit_default"
WITH_PEOPLE = "with sex, education, marriage and age"


@dataclass(frozen=True)
class Judged:
    """Customers with what the network says of them."""

    part: Customers
    p: np.ndarray
    data: str
    split: str
    command: str

    def metric(self, name: str, function: Any, values: np.ndarray, model: str = "") -> Metric:
        return metrics.measured(
            name, self.data, self.split, function, self.part.default, values,
            command=self.command, model=model,
        )  # fmt: skip

    def drawn(self, name: str, drawn: Drawn, model: str = "") -> Metric:
        return Metric(
            name=name,
            data=self.data,
            split=self.split,
            value=drawn.value,
            low=drawn.low,
            high=drawn.high,
            n=len(self.part),
            command=self.command,
            model=model,
        )


def evaluate(
    case: CreditDefault,
    split: str,
    data: Path | None,
    limit: int | None,
    progress: Progress | None,
) -> Evaluation:
    """Measure on a part of the dataset, or on a file like it; baselines on the whole test part.

    Raises:
        InputError: No such split, another layout, or customers of one kind only.
    """
    started = time.monotonic()
    known = ("train", "validation", "test")
    if split not in known:
        raise InputError(
            N_("There is no split {split}. Choose one of: {splits}."),
            split=split,
            splits=", ".join(known),
        )
    command = COMMAND if split == "test" else f"{COMMAND} --split {split}"
    if data is not None:
        part = uci_credit.read(data / uci_credit.FILE if data.is_dir() else data)
        name = data.stem
    else:
        part, name = getattr(uci_credit.load(), split), uci_credit.NAME
    part = part.take(np.arange(len(part))[:limit])
    if len(np.unique(part.default)) < 2:
        raise InputError(N_("All these customers did the same; give both kinds, or more of them."))
    judged = Judged(part, case.score(part.x), name, split, command)
    report = progress or (lambda done, total: None)
    whole = data is None and split == "test" and not limit
    steps = 2 + (2 * len(BASELINES) if whole else 0)
    report(1, steps)
    measured = measure(case, judged)
    report(2, steps)
    if whole:
        baselines, leads = measure_baselines(judged, lambda done: report(2 + done, steps))
        measured = measured.model_copy(
            update={
                "metrics": [*measured.metrics, *leads],
                "baselines": [*measured.baselines, *baselines],
            }
        )
    seconds = time.monotonic() - started
    return Evaluation(case.card.id, split, len(part), seconds, measured)


def measure(case: CreditDefault, judged: Judged) -> Measured:
    """Metrics, calibration, confusion, groups and the cost curve."""
    default, p = judged.part.default, judged.p
    refused = (p >= case.threshold).astype(np.int64)
    confusion = metrics.confusion_counts(default, refused, classes=2)
    by_group = {
        kind: {
            name: Counts.of(default[place == i], p[place == i]).to_json()
            for i, name in enumerate(GROUPS[kind])
        }
        for kind, place in group_of(judged.part.people).items()
    }
    return Measured(
        case=case.card.id,
        parameters=sum(parameter.numel() for parameter in case.net.parameters()),
        metrics=[
            judged.metric("auc", metrics.auc, p),
            judged.metric("ece", metrics.ece, p),
            judged.metric("average_precision", metrics.average_precision, p),
            judged.metric("brier", metrics.brier, p),
            judged.metric("recall", metrics.sensitivity, refused),
            judged.metric("precision", metrics.precision, refused),
            falls(case, judged),
        ],
        baselines=[judged.metric("auc", metrics.auc, np.zeros(len(p)), "base rate for everybody")],
        calibration=calibration_at(
            case.temperature, logits(case.net, encode(judged.part.x)), default
        ),
        confusion=Confusion(labels=[label.id for label in LABELS], counts=confusion.tolist()),
        slices=list(slices(judged, refused)),
        curves=[cost_curve(Counts.of(default, p), case.loss)],
        constants={"groups": by_group, "test_rate": float(default.mean())}
        if judged.split == "test"
        else {},
    )


def falls(case: CreditDefault, judged: Judged) -> Metric:
    """Share of customers for whom some longer delay or smaller payment lowers the risk.

    Every delay of 0 to 7 months is made a month longer, every payment is halved, one column at a
    time.
    """
    x, wrong = judged.part.x, np.zeros(len(judged.part), bool)
    for column in range(x.shape[1]):
        worse = x.copy()
        if uci_credit.STATUS.start <= column < uci_credit.STATUS.stop:
            late = (x[:, column] >= 0) & (x[:, column] < 8)
            worse[late, column] += 1
        elif column >= uci_credit.PAID.start:
            worse[:, column] /= 2
        else:
            continue
        wrong |= case.score(worse) < judged.p - 1e-6
    low, high = metrics.exact_interval(int(wrong.sum()), len(wrong))
    return judged.drawn("not_monotone", Drawn(float(wrong.mean()), np.array([low, high])))


def slices(judged: Judged, refused: np.ndarray) -> Iterator[Slice]:
    """Share of good payers who are refused, group by group."""
    good = judged.part.default == 0
    for kind, place in group_of(judged.part.people).items():
        for i, name in enumerate(GROUPS[kind]):
            members = good & (place == i)
            n, hit = int(members.sum()), int(refused[members].sum())
            if not n:
                continue
            low, high = metrics.exact_interval(hit, n)
            drawn = Drawn(hit / n, np.array([low, high]))
            metric = judged.drawn("good_refused", drawn).model_copy(update={"n": n})
            label = GROUP_NAMES[name]
            yield Slice(part=Bilingual(en=label.en, zh=label.zh), metric=metric)


def cost_curve(counts: Counts, loss: float) -> Curve:
    shown = slice(2, 91)
    good, missed = counts.good, counts.bad[0] - counts.bad
    per_100 = 100 / counts.people
    return Curve(
        name=N_("What refusing from a probability costs"),
        x_label=Bilingual(en="refuse from this probability", zh="从这个概率起拒绝"),
        y_label=Bilingual(en="cost of 100 customers", zh="每 100 名客户的代价"),
        x=THRESHOLDS[shown].tolist(),
        y={
            N_("defaults granted"): (loss * missed * per_100)[shown].tolist(),
            N_("good payers refused"): (good * per_100)[shown].tolist(),
            N_("both"): counts.cost(loss)[shown].tolist(),
        },
    )


def measure_baselines(judged: Judged, step: Any) -> tuple[list[Metric], list[Metric]]:
    """The usual models on the same rows, without and with who people are.

    Trees get plain columns (any rising change of a column is the same to them), the regression
    the squeezed ones, standardised. Returns baselines, and the network's lead over
    each, the strongest first.
    """
    train = uci_credit.load().train
    boot = DayBootstrap(np.arange(len(judged.part)), draws=1000)  # each customer by itself
    own = boot.rank(metrics.auc, judged.part.default, judged.p)
    baselines, leads = [], []
    for people in (False, True):
        x, x_test = columns_of(train, people), columns_of(judged.part, people)
        center, spread = x.mean(axis=0), x.std(axis=0) + 1e-6
        for name, fit in BASELINES.items():
            score = fit((x - center) / spread, train.default, 0)((x_test - center) / spread)
            drawn = boot.rank(metrics.auc, judged.part.default, score)
            model = f"{name}, {WITH_PEOPLE}" if people else name
            baselines.append(judged.drawn("auc", drawn, model))
            leads.append(judged.drawn("auc_lead", own - drawn, f"over {model}"))
            step(len(baselines))
    return baselines, sorted(leads, key=lambda lead: lead.value)


def columns_of(part: Customers, people: bool) -> np.ndarray:
    x = encode(part.x).double().numpy()
    return np.concatenate([x, part.people], axis=1) if people else x
