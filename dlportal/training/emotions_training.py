"""Train the emotions network: 28 yes/no answers, one line for each drawn on validation."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.cases.emotions import LABELS, RANK, encode_all
from dlportal.data import goemotions
from dlportal.nets.minilm import SentenceClassifier, shared_body
from dlportal.training.calibration import fit_temperature
from dlportal.training.events import Run
from dlportal.training.fit import Plan, Validate, fit, seed_everything
from dlportal.training.metrics import average_precision, multilabel_macro_f1
from dlportal.training.texts import TextBatches, all_logits
from dlportal.training.thresholds import f1_thresholds

EPOCHS = 3
QUICK = 3000  # comments of the quick training
ENOUGH = 400  # comments that settle the thresholds where a training was stopped


def train_on_goemotions(settings: Settings, run: Run) -> nn.Module:
    """Train adapters and head; the validation part picks epoch, temperature and thresholds."""
    shared_body()  # before any inference_mode, or its tensors would be closed to gradients
    seed_everything(settings.seed)
    parts = goemotions.load()
    train, epochs = parts.train, EPOCHS
    if settings.budget == "quick":
        train, epochs = train.take(np.arange(QUICK)), 1
    validation, truth = encode_all(parts.validation.texts), parts.validation.labels
    start = SentenceClassifier(len(LABELS), RANK)
    say_how_often(start.head[-1], train.labels)
    batches = TextBatches(
        encode_all(train.texts), torch.from_numpy(train.labels).float(), 64, settings.seed
    )
    plan = Plan(
        epochs=epochs, rate=1e-3, metric="average_precision", betas=(0.9, 0.98), seed=settings.seed
    )
    net = fit(start, batches, binary_cross_entropy, against(truth, validation), plan, run)
    if run.cancelled():  # thresholds from a few comments: the rest would take a minute
        validation, truth = validation[:ENOUGH], truth[:ENOUGH]
    y = all_logits(net, validation)
    temperature = fit_temperature(y, truth)
    run.constants["temperature"] = temperature
    p = torch.sigmoid(y / temperature).numpy()
    run.constants["thresholds"] = f1_thresholds(truth, p, settings.seed).round(4).tolist()
    return net


def say_how_often(last: nn.Module, labels: np.ndarray) -> None:
    """Let the untrained head say how often each label occurs: rare ones are not unlearnt first."""
    assert isinstance(last, nn.Linear)
    share = torch.from_numpy(labels.mean(axis=0)).float().clamp(1e-4, 1 - 1e-4)
    with torch.no_grad():
        last.bias.copy_(torch.logit(share))
        last.weight.mul_(0.1)


def against(truth: np.ndarray, ids: list[list[int]]) -> Validate:
    """Scores on comments of which the labels are known; thresholds are tuned on the same rows."""

    def validate(net: nn.Module) -> dict[str, float]:
        y = all_logits(net, ids)
        p = torch.sigmoid(y).numpy()
        each = [average_precision(truth[:, k], p[:, k]) for k in range(p.shape[1])]
        yes = p >= f1_thresholds(truth, p)
        return {
            "average_precision": float(np.mean(each)),
            "macro_f1": multilabel_macro_f1(truth, yes),
            "loss": float(F.binary_cross_entropy_with_logits(y, torch.from_numpy(truth).float())),
        }

    return validate


def binary_cross_entropy(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Summed over the labels, averaged over the comments."""
    x, labels = batch
    y = net(x).float()
    return F.binary_cross_entropy_with_logits(y, labels, reduction="sum") / len(y)
