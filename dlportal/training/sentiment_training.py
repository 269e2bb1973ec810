"""Train the sentiment network: on labels alone, or taught by a language model six times as large."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.cases.sentiment import LABELS, RANK, as_written, encode_all
from dlportal.data import sst2
from dlportal.data.splits import Splits, Texts
from dlportal.messages import N_
from dlportal.nets.minilm import SentenceClassifier
from dlportal.nets.reader import Reader
from dlportal.training.calibration import fit_temperature
from dlportal.training.distillation import distillation_loss, parts_of
from dlportal.training.events import Event, Run
from dlportal.training.fit import EVENT_GAP, Plan, Validate, fit, seed_everything
from dlportal.training.texts import TextBatches, all_logits

QUESTION = "Movie review: {text}\nSentiment:"  # to the teacher
PARTS = 8  # of every sentence, for the teacher to label
EPOCHS = 3
QUICK = 1500  # sentences of the quick training


def train_on_sst2(settings: Settings, run: Run) -> nn.Module:
    """Train adapters and head; the validation part picks epoch and temperature.

    With the full budget they learn from a teacher: SmolLM2 is tuned on SST-2 first and labels the
    sentences and random parts of them. The quick training learns from the labels of some
    sentences alone.
    """
    seed_everything(settings.seed)
    parts = sst2.load()
    validation = encode_all(as_written(parts.validation))
    truth = torch.from_numpy(parts.validation.labels)
    if settings.budget == "full":
        texts, told = ask_teacher(parts, settings.seed, run)
        loss, epochs = distillation_loss, EPOCHS
    else:
        kept = parts.train.take(np.arange(QUICK))
        texts, told = as_written(kept), torch.from_numpy(kept.labels)
        loss, epochs = cross_entropy, 1
    batches = TextBatches(encode_all(texts), told, 32, settings.seed)
    seed_everything(settings.seed)
    net = fit(
        SentenceClassifier(len(LABELS), RANK),
        batches,
        loss,
        against(truth, validation),
        Plan(epochs=epochs, rate=5e-4, betas=(0.9, 0.98), seed=settings.seed),
        run,
    )
    run.constants["temperature"] = fit_temperature(all_logits(net, validation), truth)
    # The share of the more frequent class.
    run.constants["blind"] = float(np.bincount(parts.train.labels).max() / len(parts.train))
    return net


def ask_teacher(parts: Splits[Texts], seed: int, run: Run) -> tuple[list[str], Tensor]:
    """Tune the teacher, and let it label the training sentences and parts of them.

    Returns:
        N texts and the teacher's logits (N, 2).
    """
    sentences = as_written(parts.train)
    teacher = Reader(QUESTION, [f" {label.id}" for label in LABELS])
    truth = torch.from_numpy(parts.validation.labels)
    labels = torch.from_numpy(parts.train.labels)
    fit(
        teacher,
        TextBatches(teacher.encode(sentences), labels, 32, seed),
        cross_entropy,
        against(truth, teacher.encode(as_written(parts.validation))),
        Plan(epochs=2, rate=3e-5, betas=(0.9, 0.98), weight_decay=0.1, seed=seed),
        run,
        "teacher",
    )
    texts = [*sentences, *parts_of(sentences, PARTS, seed)]
    run.emit(Event("message", text=N_("The teacher labels sentences and parts of them.")))
    try:
        return texts, all_logits(teacher, teacher.encode(texts), progress=reporter(run))
    except Stopped:  # no student will be trained either
        return sentences, F.one_hot(labels, len(LABELS)).float()


class Stopped(Exception):
    """The run was cancelled while the teacher labelled."""


def reporter(run: Run) -> Callable[[int, int], None]:
    """Tells of the teacher's labels now and then, and ends the work when the run is cancelled."""
    spoke = run.seconds

    def report(done: int, texts: int) -> None:
        nonlocal spoke
        if run.cancelled():
            raise Stopped
        if run.seconds - spoke >= EVENT_GAP:
            spoke = run.seconds
            run.emit(Event("step", step=done, steps=texts, seconds=run.seconds))

    return report


def against(truth: Tensor, ids: Sequence[Sequence[int]]) -> Validate:
    """Accuracy and loss on texts of which the truth is known."""

    def validate(net: nn.Module) -> dict[str, float]:
        y = all_logits(net, ids)
        return {
            "accuracy": float((y.argmax(dim=1) == truth).float().mean()),
            "loss": float(F.cross_entropy(y, truth)),
        }

    return validate


def cross_entropy(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    x, labels = batch
    return F.cross_entropy(net(x).float(), labels)
