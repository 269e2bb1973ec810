"""One training of the practice lab, a step at a time, and what it came to."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.device import autocast, has_fast_bf16, pick_device
from dlportal.labs.practice_data import Part, Scaling, folds, load, scaling_of, subset
from dlportal.labs.practice_net import build
from dlportal.results import Result
from dlportal.training.augment import Affine
from dlportal.training.batches import Shuffled
from dlportal.training.schedules import get_schedule

CHECKS = 10  # looks at the validation pictures while it trains
LOOKED_AT = 500  # pictures of each kind whose accuracy is measured along
EVALUATION_BATCH = 500


@dataclass(frozen=True)
class Moment:
    """A step of a training: `loss` of its batch, `rate` as used; where measured, the accuracies of
    some training and some held-out pictures (`LOOKED_AT` of each).

    `step` of `steps` counts batches; `epoch` is how many passes over the data lie behind.
    """

    step: int
    steps: int
    epoch: float
    loss: float
    rate: float
    train: float | None = None
    validation: float | None = None


@dataclass(frozen=True)
class Outcome(Result):
    """A finished training.

    Attributes:
        name: Of this training within its experiment (marked for translation), or empty.
        settings: All settings it was trained with.
        pictures: It learned from.
        parameters: Of its network.
        accuracy, train: On the held-out and on (some of) the training pictures, 0-1.
        loss: Mean cross-entropy of the held-out pictures.
        truth, predicted: Classes of the held-out pictures, shape (N,).
        confidence: Of the predictions, 0-1, shape (N,).
        blown_up: The loss was no number any more and the training ended early.
        seconds: Of computing.
    """

    name: str
    settings: dict[str, Any]
    pictures: int
    parameters: int
    accuracy: float
    train: float
    loss: float
    truth: np.ndarray = field(repr=False)
    predicted: np.ndarray = field(repr=False)
    confidence: np.ndarray = field(repr=False)
    blown_up: bool = False
    seconds: float = field(default=0.0, compare=False)

    @property
    def blind(self) -> float:
        """Share that a guess without looking gets right: the commonest class."""
        return float(np.bincount(self.truth).max() / len(self.truth))

    @property
    def learned_nothing(self) -> bool:
        """Whether it says (nearly) the same of every picture."""
        return bool(np.bincount(self.predicted).max() > 0.99 * len(self.predicted))


def first(part: Part, count: int) -> Part:
    """At most so many pictures from its beginning."""
    return Part(part.images[:count], part.labels[:count])


def augmentation(s: dict[str, Any], side: int) -> Affine | None:
    """Flips, rotations and crops of the settings; None where all are off."""
    if not (s["flip"] or s["rotate"] or s["crop"]):
        return None
    return Affine(s["rotate"], 0.0, s["crop"] / side, 0.0, 0.5 if s["flip"] else 0.0)


@dataclass(frozen=True)
class Prepare:
    """Bytes (B, 1, H, W) to the network's input: moved about, then scaled."""

    scaling: Scaling
    augment: Affine | None

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        x = x.float()
        if self.augment is not None:
            x = self.augment(x, generator)
        return self.scaling(x)


def make_optimizer(net: nn.Module, s: dict[str, Any]) -> torch.optim.SGD:
    """SGD with momentum; only weights decay, biases and norms do not."""
    weights = [p for p in net.parameters() if p.ndim >= 2]
    others = [p for p in net.parameters() if p.ndim < 2]
    groups = [
        {"params": weights, "weight_decay": s["decay"]},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=s["rate"], momentum=s["momentum"], fused=True)


class Training:
    """A network on its way; `step()` until `finished`.

    Args:
        s: All settings of the lab, checked.
        fold: Hold out this one of the `folds` parts instead of the validation pictures.
        limit: Learn from at most so many of the pictures.
        name: Within an experiment.
        checks: How often it is looked at meanwhile.
    """

    def __init__(
        self,
        s: dict[str, Any],
        fold: int | None = None,
        limit: int | None = None,
        name: str = "",
        checks: int = CHECKS,
    ) -> None:
        self.s, self.fold, self.limit, self.name = s, fold, limit, name
        pictures = load(s["data"])
        train = subset(pictures.train, int(s["pictures"]), s["seed"])
        self.held = pictures.validation
        if fold is not None:
            kept, out = folds(len(train), s["folds"])[fold]
            train, self.held = train.take(kept), train.take(out)
        if limit is not None:
            train = first(train, limit)
        self.train = train
        self.few_train, self.few_held = first(train, LOOKED_AT), first(self.held, LOOKED_AT)
        self.scaling = scaling_of(s["scaling"], train.images)
        prepare = Prepare(self.scaling, augmentation(s, pictures.side))
        tensors = (train.images, train.labels)
        self.batches = Shuffled(tensors, int(s["batch"]), s["seed"], prepare)
        self.device = pick_device()
        self.net = build(
            pictures.side,
            s["depth"],
            s["width"],
            s["batch_norm"],
            s["dropout"],
            s["seed"],
            self.device,
        )
        self.optimizer = make_optimizer(self.net, s)
        self.schedule = get_schedule(s["schedule"])
        self.per_epoch = self.batches.steps_per_epoch
        self.steps = s["epochs"] * self.per_epoch
        self.checks = {math.ceil(self.steps * i / checks) for i in range(1, checks + 1)}
        self.done = 0
        self.blown_up = False
        self.seconds = 0.0
        self._epoch: Iterator[tuple[Tensor, ...]] = iter(())
        self.outcome: Outcome | None = None

    @property
    def fast_bf16(self) -> bool:
        """Whether bf16 was asked for and is used here."""
        return bool(self.s["bf16"]) and has_fast_bf16()

    @property
    def finished(self) -> bool:
        return self.blown_up or self.done >= self.steps

    @property
    def progress(self) -> float:
        """0-1, of all steps."""
        return 1.0 if self.finished else self.done / self.steps

    def step(self) -> Moment:
        """Learn from one batch."""
        started = time.perf_counter()
        if self.done % self.per_epoch == 0:
            self._epoch = self.batches(self.done // self.per_epoch)
        x, label = (t.to(self.device) for t in next(self._epoch))
        rate = self.rate(self.done)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.net.train()
        with autocast(self.fast_bf16):
            y = self.net(x.contiguous(memory_format=torch.channels_last))
        loss = nn.functional.cross_entropy(y.float(), label)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.done += 1
        value = loss.item()
        self.blown_up = not math.isfinite(value)
        train = validation = None
        if self.done in self.checks and not self.blown_up:
            train, validation = self.accuracy(self.few_train), self.accuracy(self.few_held)
        self.seconds += time.perf_counter() - started
        epoch = self.done / self.per_epoch
        return Moment(self.done, self.steps, epoch, value, rate, train, validation)

    def rate(self, step: int) -> float:
        """The learning rate of a step (from 0)."""
        warmup = round(self.s["warmup"] * self.steps)
        return self.s["rate"] * self.schedule(step, self.steps, warmup)

    @torch.no_grad()
    def logits(self, images: Tensor) -> Tensor:
        """What the network says of pictures as they are: (N, 10), float32."""
        self.net.eval()
        parts = [
            self.net(self.scaling(part.float()).to(self.device)).float().cpu()
            for part in images.split(EVALUATION_BATCH)
        ]
        return torch.cat(parts)

    def accuracy(self, part: Part) -> float:
        """Share of the pictures that it gets right."""
        return (self.logits(part.images).argmax(1) == part.labels).float().mean().item()

    def finish(self) -> Outcome:
        """Measure the network on the held-out pictures."""
        y = self.logits(self.held.images)
        confidence, predicted = y.softmax(1).nan_to_num(0.1).max(1)
        self.outcome = Outcome(
            self.name,
            self.s,
            len(self.train),
            sum(p.numel() for p in self.net.parameters()),
            (predicted == self.held.labels).float().mean().item(),
            self.accuracy(first(self.train, len(self.held))),
            nn.functional.cross_entropy(y, self.held.labels).item(),
            self.held.labels.numpy(),
            predicted.numpy(),
            confidence.numpy(),
            self.blown_up,
            self.seconds,
        )
        return self.outcome
