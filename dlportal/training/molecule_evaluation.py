"""Measuring the five ensembles on molecules whose scaffolds they have not seen.

The headline is the average of all networks; the mean over three trainings stands beside it. A
random forest on fingerprints gets the same molecules.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from dlportal.cards import Bilingual, Calibration, Curve, Measured, Metric, Slice
from dlportal.case import Evaluation, Example, Progress
from dlportal.cases.drug_discovery import PLACES, SETS, DrugDiscovery
from dlportal.data import moleculenet
from dlportal.data.moleculenet import SOURCES, SPLITS, Molecules
from dlportal.explain import explainers_for
from dlportal.explain.report import faithful_shares, measure_methods
from dlportal.kinds.molecule import collate
from dlportal.messages import N_, InputError
from dlportal.nets.property_nets import SEEDS, familiarity
from dlportal.results import Label
from dlportal.training import metrics
from dlportal.training.calibration import calibration_at
from dlportal.training.molecule_baselines import baselines
from dlportal.training.molecule_training import mean_auc, surroundings
from dlportal.training.receipts import versions
from dlportal.training.said import Said

COMMAND = "python -m dlportal evaluate drug_discovery"
SEED_MEAN = "mean of three trainings"
DRAWS = 200  # of trainings and molecules together
EXPLAINED = 6  # test molecules of each set, for the share of faithful maps
BATCH = 32


@dataclass(frozen=True)
class Judged:
    """Molecules of one set with what every network says of them.

    Attributes:
        name: The set.
        data: Name of the metrics' data.
        split: Their split.
        command: Their command.
        smiles: N molecules.
        y: Measurements, shape (N, tasks).
        said: Numbers in their unit or log-odds, shape (members, N, tasks).
        familiar: How much of each molecule is known from training, shape (N,).
    """

    name: str
    data: str
    split: str
    command: str
    smiles: tuple[str, ...]
    y: np.ndarray
    said: np.ndarray
    familiar: np.ndarray

    @property
    def yes_no(self) -> bool:
        return SOURCES[self.name].yes_no

    @property
    def main(self) -> str:
        return "auc" if self.yes_no else "rmse"

    def score(self, y: np.ndarray, said: np.ndarray) -> float:
        """The set's metric; arrays (N, tasks)."""
        return mean_auc(y, said) if self.yes_no else metrics.rmse(y[:, 0], said[:, 0])

    def take(self, rows: np.ndarray) -> Judged:
        """Some of the molecules."""
        smiles = tuple(self.smiles[row] for row in rows)
        parts = self.y[rows], self.said[:, rows], self.familiar[rows]
        return Judged(self.name, self.data, self.split, self.command, smiles, *parts)

    def metric(
        self, name: str, found: tuple[float, float, float], model: str = "", n: int | None = None
    ) -> Metric:
        value, low, high = found
        return Metric(
            name=name, data=self.data, split=self.split, value=value, low=low, high=high,
            n=n or len(self.y), command=self.command, model=model,
        )  # fmt: skip

    def headline(self, model: str = "") -> Metric:
        """All networks together."""
        found = metrics.interval(self.score, self.y, self.said.mean(axis=0))
        return self.metric(self.main, found, model)

    def over_seeds(self) -> Metric:
        """The mean over trainings; the interval draws trainings and molecules."""
        each = self.said.reshape(SEEDS, -1, *self.y.shape).mean(axis=1)
        rng = np.random.default_rng(0)
        drawn = []
        for _ in range(DRAWS):
            rows = rng.integers(0, len(self.y), len(self.y))
            some = rng.integers(0, SEEDS, SEEDS)
            drawn.append(np.mean([self.score(self.y[rows], each[s][rows]) for s in some]))
        value = float(np.mean([self.score(self.y, one) for one in each]))
        low, high = np.nanpercentile(drawn, [2.5, 97.5])
        return self.metric(self.main, (value, min(low, value), max(high, value)), SEED_MEAN)


def ask(
    case: DrugDiscovery, name: str, smiles: tuple[str, ...], tell: Callable[[int], None]
) -> np.ndarray:
    """What every network of one set says, shape (members, N, tasks), float64."""
    from rdkit import rdBase

    said = []
    with torch.inference_mode(), rdBase.BlockLogs():
        for start in range(0, len(smiles), BATCH):
            part = smiles[start : start + BATCH]
            x = collate([case.encode(text) for text in part]).to(case.device)
            said.append(case.nets.each(x, name).double().cpu().numpy())
            tell(len(part))
    return np.concatenate(said, axis=1)


def judge(
    case: DrugDiscovery, name: str, part: Molecules, where: tuple[str, str, str], tell: Progress
) -> Judged:
    """Ask the networks of one set; `where` is the metrics' data, split and command."""
    done = 0

    def count(n: int) -> None:
        nonlocal done
        done += n
        tell(done, len(part))

    said = ask(case, name, part.smiles, count)
    familiar = [familiarity(case.nets, name, surroundings(text)) for text in part.smiles]
    return Judged(name, *where, part.smiles, part.y, said, np.array(familiar))


def evaluate(
    case: DrugDiscovery,
    split: str,
    data: Path | None,
    limit: int | None,
    progress: Progress | None,
) -> Evaluation:
    """Measure on a part of all five sets, or on a file laid out like one of them.

    Raises:
        InputError: No such split, or another layout.
    """
    started = time.monotonic()
    if split not in SPLITS:
        raise InputError(
            N_("There is no split {split}. Choose one of: {splits}."),
            split=split,
            splits=", ".join(SPLITS),
        )
    command = COMMAND if split == "test" else f"{COMMAND} --split {split}"
    parts: list[tuple[str, Molecules, tuple[str, str, str]]] = []
    if data is None:
        for name in SOURCES:
            whole = moleculenet.load(name)
            rows = whole.rows(SPLITS.index(split))[:limit]
            parts.append((name, whole.take(rows), (name, split, command)))
    else:
        for path in sorted(data.glob("*.csv")) if data.is_dir() else [data]:
            name = moleculenet.recognise(path)
            whole = moleculenet.read(path, name)
            rows = np.arange(len(whole))[:limit]
            where = (path.stem, path.name, f"{COMMAND} --data {path.name}")
            parts.append((name, whole.take(rows), where))
    report = progress or (lambda done, total: None)
    total = sum(len(part) for _name, part, _where in parts)
    judged: list[Judged] = []
    for name, part, where in parts:
        before = sum(len(one.y) for one in judged)

        def count(done: int, _of: int, before: int = before) -> None:
            report(before + done, total)

        one = judge(case, name, part, where, count)
        if math.isnan(one.score(one.y, one.said.mean(axis=0))):
            raise InputError(N_("All these molecules measured the same; give both kinds."))
        judged.append(one)
    whole_test = data is None and split == "test" and limit is None
    measured = measure(case, judged, whole_test)
    return Evaluation(case.card.id, split, total, time.monotonic() - started, measured)


def measure(case: DrugDiscovery, judged: list[Judged], whole_test: bool) -> Measured:
    """All numbers; forests and the check of explanations on the whole test part alone."""
    found = [one.headline() for one in judged] + [one.over_seeds() for one in judged]
    found += [metric for one in judged for metric in honesty(case, one)]
    plain = [metric for one in judged for metric in naive(case, one)]
    first = next((one for one in judged if one.yes_no), None)
    if whole_test:
        plain = [m for one in judged for m in (*baselines(one), *naive(case, one))]
        for one in judged:
            shares, random = believable(case, one)
            found += shares
            plain.append(random)
    return Measured(
        case=case.card.id,
        parameters=sum(parameter.numel() for parameter in case.net.parameters()),
        metrics=[metric for metric in found if math.isfinite(metric.value)],
        baselines=plain,
        calibration=None if first is None else reliability(case, first),
        slices=[part for one in judged for part in by_familiarity(one)],
        curves=list(curves(judged)),
        versions=versions("rdkit", "torch_geometric"),
    )


def odds(case: DrugDiscovery, one: Judged) -> tuple[np.ndarray, np.ndarray]:
    """Measured answers and the ensemble's log-odds, those of all tasks in one row."""
    known = np.isfinite(one.y)
    return one.y[known].astype(np.int64), one.said.mean(axis=0)[known]


def reliability(case: DrugDiscovery, one: Judged) -> Calibration:
    """What the temperature does on these molecules."""
    truth, logits = odds(case, one)
    return calibration_at(case.constants(one.name)["temperature"], logits, truth)


def honesty(case: DrugDiscovery, one: Judged) -> Iterator[Metric]:
    """Are probabilities and intervals what they say, and does disagreement foretell errors?"""
    found = case.constants(one.name)
    if one.yes_no:
        truth, logits = odds(case, one)
        p = 1 / (1 + np.exp(-logits / found["temperature"]))
        yield one.metric("ece", metrics.interval(metrics.ece, truth, p), n=len(truth))
        return
    y, said = one.y[:, 0], one.said[:, :, 0]
    miss, spread = np.abs(y - said.mean(axis=0)), said.std(axis=0)
    inside = miss <= found["reach"] * (spread + found["usual_spread"])
    low, high = metrics.exact_interval(int(inside.sum()), len(inside))
    yield one.metric("coverage", (float(inside.mean()), low, high))
    yield one.metric("rank_correlation", metrics.interval(spearman, miss, spread))


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of error and disagreement."""
    from scipy.stats import spearmanr

    constant = np.ptp(a) == 0 or np.ptp(b) == 0
    return math.nan if constant else float(spearmanr(a, b).statistic)


def naive(case: DrugDiscovery, one: Judged) -> Iterator[Metric]:
    """Always the training mean, or the same score for everybody."""
    if one.yes_no:
        yield one.metric("auc", (0.5, 0.5, 0.5), "the same for every molecule")
        return
    mean = np.full_like(one.y, float(case.nets.scale[list(SOURCES).index(one.name), 0]))
    yield one.metric("rmse", metrics.interval(one.score, one.y, mean), "always the training mean")


HALVES = (
    Bilingual(en="more familiar half", zh="较熟悉的一半"),
    Bilingual(en="less familiar half", zh="较陌生的一半"),
)


def by_familiarity(one: Judged) -> Iterator[Slice]:
    """The score of the molecules that resemble the training molecules more, and less."""
    order = np.argsort(-one.familiar, kind="stable")
    for half, words in zip(np.array_split(order, 2), HALVES, strict=True):
        some = one.take(np.sort(half))
        name = SETS[one.name]
        part = Bilingual(en=f"{name.en}: {words.en}", zh=f"{name.zh}：{words.zh}")
        metric = some.headline()
        if math.isfinite(metric.value):
            yield Slice(part=part, metric=metric)


NUMBERS = {"esol": N_("Solubility in water"), "lipophilicity": N_("Lipophilicity")}


def curves(judged: list[Judged]) -> Iterator[Curve]:
    """How the error of numbers grows as molecules become less familiar."""
    numbers = [one for one in judged if not one.yes_no and len(one.y) >= 40]
    if not numbers:
        return
    y = {}
    for one in numbers:
        miss = np.abs(one.y[:, 0] - one.said.mean(axis=0)[:, 0])
        order = np.argsort(-one.familiar, kind="stable")
        y[NUMBERS[one.name]] = [
            float(np.sqrt(np.mean(miss[part] ** 2))) for part in np.array_split(order, 4)
        ]
    yield Curve(
        name=N_("Errors grow away from what is known"),
        x_label=Bilingual(
            en="quarter of the molecules, most familiar first", zh="四分位（最熟悉的在前）"
        ),
        y_label=Bilingual(en="RMSE (log units)", zh="RMSE（对数单位）"),
        x=[1.0, 2.0, 3.0, 4.0],
        y=y,
    )


def believable(case: DrugDiscovery, one: Judged) -> tuple[list[Metric], Metric]:
    """For each way to explain, and for random maps: on how many test molecules, spread over the
    set, its map of atoms clearly beats random maps on both curves."""
    rows = np.linspace(0, len(one.y) - 1, EXPLAINED).astype(int)
    asked = case.asking(PLACES[one.name].start)
    examples = [
        Example(str(row), Label(str(row), "", ""), partial(str, one.smiles[row])) for row in rows
    ]
    found = measure_methods(asked, examples, explainers_for(asked))
    return faithful_shares(found, Said(one.data, one.split, one.command, ""))
