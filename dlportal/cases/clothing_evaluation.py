"""What the card of `clothing_classification` says: measurements, rivals, slices, strangers."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dlportal.assets import AssetError
from dlportal.cards import Bilingual, Confusion, Measured, Metric, Slice
from dlportal.case import Evaluation, Progress
from dlportal.cases.clothing_frozen import frozen_net
from dlportal.cases.clothing_training import bytes_of, logits
from dlportal.cases.imagenet_evaluation import as_table_row
from dlportal.data import clothing, is_available, pneumoniamnist
from dlportal.data.splits import Images, pick_split
from dlportal.data.strangers import strangers
from dlportal.explain import get_explainer
from dlportal.explain.report import Row, faithful_shares, measure_methods
from dlportal.messages import N_
from dlportal.training import calibration, metrics
from dlportal.training.said import Said, evaluate_command

log = logging.getLogger(__name__)

DATA, XRAYS = "clothing", "pneumoniamnist"
COMMAND = "python -m dlportal evaluate clothing_classification"
RIVAL = N_("frozen features + logistic regression")
MAJORITY = "always the same class"
COMMONEST = clothing.CLASSES.index("t-shirt")  # in the training part
COUNT = 200  # X-rays
STEPS = 8  # of the curves that measure a map

Measure = Callable[..., Metric]


def evaluate(
    case: Any, split: str, data: Path | None, limit: int | None, progress: Progress | None
) -> Evaluation:
    """Measure on one part of the data set, or on a folder laid out like one."""
    started = time.monotonic()
    parts = clothing.load(data)
    part = pick_split(parts, split, limit)
    if progress is not None:
        progress(0, len(part))
    name = DATA if data is None else data.name
    metric = Said(name, split, evaluate_command(case.card.id, split), case.card.model).metric

    x, _labels = bytes_of(part)
    y, labels = logits(case.net, x).numpy(), part.labels
    strange = case.strangeness(x)
    measured = Measured(
        case=case.card.id,
        parameters=sum(t.numel() for t in case.net.parameters()),
        metrics=[
            *scores(y, labels, case.temperature, metric),
            metric("marked_outside", metrics.mean, (strange > 1).float().numpy()),
        ],
        calibration=calibration.calibration_at(case.temperature, y, labels),
        confusion=Confusion(
            labels=[label.id for label in case.labels], counts=counts(labels, y).tolist()
        ),
        slices=slices(case, part, parts.train, y.argmax(axis=1), metric),
    )
    baselines, constants = rivals(case, x, labels, metric)
    found = list(measured.metrics)
    if data is None and split == "test" and limit is None:
        found += [
            tell_apart(strange, case.strangeness(others), stranger, metric)
            for stranger, others in unlike_clothes().items()
        ]
        rows = believable(case)
        shares, random = faithful_shares(
            rows, Said(DATA, split, evaluate_command(case.card.id), "")
        )
        found += shares
        baselines.append(random)
        constants = constants | {"faithfulness": [as_table_row(case, row) for row in rows]}
    measured = measured.model_copy(
        update={"metrics": found, "baselines": baselines, "constants": constants}
    )
    if progress is not None:
        progress(len(part), len(part))
    return Evaluation(case.card.id, split, len(part), time.monotonic() - started, measured)


def scores(y: np.ndarray, labels: np.ndarray, temperature: float, metric: Measure) -> list[Metric]:
    """Accuracy, macro F1 and calibration error of logits (N, 10)."""
    decided, p = y.argmax(axis=1), calibration.softmax(y, temperature)
    return [
        metric("accuracy", metrics.accuracy, labels, decided),
        metric("macro_f1", metrics.macro_f1, labels, decided),
        metric("ece", metrics.ece, labels, p),
    ]


def counts(labels: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The confusion matrix of logits (N, 10); rows are the truth."""
    return metrics.confusion_counts(labels, y.argmax(axis=1), y.shape[1])


def rivals(
    case: Any, x: torch.Tensor, labels: np.ndarray, metric: Measure
) -> tuple[list[Metric], dict[str, Any]]:
    """Always a T-shirt, and the untouched network with a head of its own (where it can be had)."""
    same = np.full(len(labels), COMMONEST)
    found = [metric("accuracy", metrics.accuracy, labels, same, model=MAJORITY)]
    try:
        y = logits(frozen_net(case.net), x).numpy()
    except AssetError as error:
        log.warning("the frozen features were not measured: %s", error)
        return found, {}

    def of_frozen(key: str, function: Callable[..., float], *arrays: Any) -> Metric:
        return metric(key, function, *arrays, model=RIVAL)

    table = {"frozen_confusion": counts(labels, y).tolist()}
    return scores(y, labels, 1.0, of_frozen) + found, table


def slices(
    case: Any, part: Images, train: Images, decided: np.ndarray, metric: Measure
) -> list[Slice]:
    """Accuracy for each class, and on the pictures that are no near-copies of learned ones."""
    groups = [(label.en, label.zh, part.labels == index) for index, label in enumerate(case.labels)]
    if len(train):
        new = clothing.novel(part, train)
        groups.append(("no near-copy in the training part", "训练部分里没有近似图片", new))
    light = part.images.mean(axis=(1, 2, 3))
    dark = light < np.median(light)
    groups.append(("darker half of the pictures", "较暗的一半图片", dark))
    groups.append(("brighter half of the pictures", "较亮的一半图片", ~dark))
    return [
        Slice(
            part=Bilingual(en=en, zh=zh),
            metric=metric("accuracy", metrics.accuracy, part.labels[rows], decided[rows]),
        )
        for en, zh, rows in groups
        if rows.any()
    ]


def unlike_clothes() -> dict[str, torch.Tensor]:
    """Pictures of other things, (N, 3, 96, 96), uint8, by the name of their data."""
    found = {
        name: np.stack([clothing.framed(picture) for picture in pictures])
        for name, pictures in strangers().items()
    }
    if is_available(XRAYS):
        images = pneumoniamnist.load().validation.images[:COUNT]
        large = images.repeat(3, axis=1).repeat(3, axis=2)[..., None].repeat(3, axis=3)
        found[XRAYS] = np.pad(large, ((0, 0), (6, 6), (6, 6), (0, 0)), mode="edge")
    return {
        name: torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
        for name, pictures in found.items()
    }


def tell_apart(clothes: torch.Tensor, others: torch.Tensor, data: str, metric: Measure) -> Metric:
    """How well strangeness tells others from clothes: the area under the ROC curve."""
    truth = np.repeat([0, 1], [len(clothes), len(others)])
    strange = torch.cat([clothes, others]).numpy()
    return metric("outside_auc", metrics.auc, truth, strange, data=data)


def believable(case: Any) -> list[Row]:
    """How faithful two methods' maps are, on one test picture of each class.

    The other methods ask the network thousands of times for a map; the page measures them for
    whichever picture a visitor looks at.
    """
    examples = [e for e in case.examples() if e.id.startswith("test_")]
    methods = ("grad_cam", "occlusion")
    return measure_methods(case, examples, [get_explainer(name) for name in methods], steps=STEPS)
