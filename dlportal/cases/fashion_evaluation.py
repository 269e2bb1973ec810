"""What the card of `fashion_classification` says: measurements, baselines, strangers."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dlportal.cards import Bilingual, Confusion, Measured, Metric, Slice
from dlportal.case import Evaluation, Progress
from dlportal.cases.fashion_training import logits, tensors
from dlportal.data import dataset_file, fashion_mnist, is_available
from dlportal.data.splits import Images, pick_split
from dlportal.labs.practice_data import CLOTHES
from dlportal.training import calibration, metrics
from dlportal.training.said import Said, evaluate_command

DATA, DIGITS = "fashion_mnist", "mnist_10k"
COMMAND = "python -m dlportal evaluate fashion_classification"
LINEAR, MAJORITY = "logistic regression on the pixels", "always the same class"
STEPS = 80  # of the logistic regression
DECAY = 1e-5  # on its weights


def evaluate(
    case: Any, split: str, data: Path | None, limit: int | None, progress: Progress | None
) -> Evaluation:
    """Measure on one part of the data set, or of a folder with files like its own."""
    started = time.monotonic()
    parts = fashion_mnist.load(folder=data)
    part = pick_split(parts, split, limit)
    if progress is not None:
        progress(0, len(part))
    name = DATA if data is None else data.name
    metric = Said(name, split, evaluate_command(case.card.id, split), case.card.model).metric

    x, _labels = tensors(part)
    y = logits(case.net, x).numpy()
    labels, decided = part.labels, y.argmax(axis=1)
    p = calibration.softmax(y, case.temperature)
    found = [
        metric("accuracy", metrics.accuracy, labels, decided),
        metric("macro_f1", metrics.macro_f1, labels, decided),
        metric("ece", metrics.ece, labels, p),
        metric("marked_outside", metrics.mean, (case.strangeness(x) > 1).float().numpy()),
    ]
    baselines = [
        metric("accuracy", metrics.accuracy, labels, guess, model=model)
        for model, guess in rivals(part, parts.train).items()
    ]
    if data is None and split == "test":
        for stranger, pictures in strangers().items():
            found.append(tell_apart(case, x, pictures, stranger, metric))
    measured = Measured(
        case=case.card.id,
        parameters=sum(t.numel() for t in case.net.parameters()),
        metrics=found,
        baselines=baselines,
        calibration=calibration.calibration_at(case.temperature, y, labels),
        confusion=Confusion(
            labels=[label.id for label in CLOTHES],
            counts=metrics.confusion_counts(labels, decided, len(CLOTHES)).tolist(),
        ),
        slices=[
            Slice(
                part=Bilingual(en=label.en, zh=label.zh),
                metric=metric(
                    "accuracy",
                    metrics.accuracy,
                    *(values[labels == k] for values in (labels, decided)),
                ),
            )
            for k, label in enumerate(CLOTHES)
            if (labels == k).any()
        ],
    )
    if progress is not None:
        progress(len(part), len(part))
    return Evaluation(case.card.id, split, len(part), time.monotonic() - started, measured)


def rivals(part: Images, train: Images) -> dict[str, np.ndarray]:
    """What two naive methods say of the pictures: class indices (N,) each."""
    common = np.bincount(train.labels).argmax()
    return {
        MAJORITY: np.full(len(part), common),
        LINEAR: linear(tensors(train), tensors(part)[0]),
    }


def linear(train: tuple[Tensor, Tensor], x: Tensor) -> np.ndarray:
    """Multinomial logistic regression, all training pictures at once."""
    pixels, labels = train[0].flatten(1), train[1]
    weights = torch.zeros(10, pixels.shape[1] + 1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        y = F.linear(pixels, weights[:, 1:], weights[:, 0])
        loss = F.cross_entropy(y, labels) + DECAY * weights.square().sum()
        loss.backward()
        return loss

    with torch.inference_mode(False), torch.enable_grad():
        optimizer.step(closure)
    found = weights.detach()
    return F.linear(x.flatten(1), found[:, 1:], found[:, 0]).argmax(dim=1).numpy()


def strangers() -> dict[str, Tensor]:
    """Pictures that are no clothes, (N, 1, 28, 28), by the name of their data."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((2000, 1, 5, 5), np.float32))
    found = {"smooth_noise": F.interpolate(coarse, (28, 28), mode="bicubic").clamp(0, 1)}
    if is_available(DIGITS):
        digits = fashion_mnist.read_idx(dataset_file(DIGITS, "t10k-images-idx3-ubyte.gz"))
        found[DIGITS] = torch.from_numpy(digits.copy()).float().div(255).unsqueeze(1)
    return found


def tell_apart(
    case: Any, clothes: Tensor, others: Tensor, data: str, metric: Callable[..., Metric]
) -> Metric:
    """How well strangeness tells others from clothes: the area under the ROC curve."""
    scores = torch.cat([case.strangeness(clothes), case.strangeness(others)]).numpy()
    truth = np.repeat([0, 1], [len(clothes), len(others)])
    scores = np.where(np.isfinite(scores), scores, 1e9)
    return metric("outside_auc", metrics.auc, truth, scores, data=data)
