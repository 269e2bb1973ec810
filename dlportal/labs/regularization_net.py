"""A small network trained with any of six remedies against overfitting; every run from a seed.

L1: Tibshirani 1996, https://doi.org/10.1111/j.2517-6161.1996.tb02080.x
Weight decay beside Adam: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101
Dropout: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
Batch normalisation: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.labs.backprop_net import start
from dlportal.labs.regularization_data import TASKS, parts
from dlportal.results import Result

METHODS = ("l1", "l2", "dropout", "batchnorm", "early", "augment")
BATCH = 20
EVERY = 2  # epochs between two frames
NEAR = 1e-3  # a weight below is as good as gone
EDGES = np.linspace(-1.5, 1.5, 62)  # of the histogram; the middle bin is centred on 0
GRID, REACH = 32, 2.4  # points a side of the border's map, from -REACH to REACH
PICTURED = 16  # units whose weights are kept as pictures
BLIND = 0.9  # of the loss of a blind guess: a network above it has learnt next to nothing
SEEN = 8  # examples of the last batch that are kept


class Dropout(nn.Module):
    """Silence each unit with probability `p` while training, and scale the others by 1/(1 - p).

    The same as `nn.Dropout`, with a random generator of its own: one that visitors share would
    make their runs depend on each other.
    """

    def __init__(self, p: float, generator: torch.Generator) -> None:
        super().__init__()
        self.p, self.generator = p, generator
        self.kept = torch.ones(0, dtype=torch.bool)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        self.kept = torch.rand(x.shape, generator=self.generator) >= self.p
        return x * self.kept / (1 - self.p)


def build(s: dict[str, Any], generator: torch.Generator) -> nn.Sequential:
    """Two hidden layers of ReLU units, float64, with the batch norm and dropout of the settings."""
    task, units = TASKS[s["data"]], s["units"]
    layers: list[nn.Module] = []
    for inputs in (task.inputs, units):
        layers.append(nn.Linear(inputs, units))
        if s["batchnorm"]:
            layers.append(nn.BatchNorm1d(units))
        layers.append(nn.ReLU())
        if s["dropout"]:
            layers.append(Dropout(s["p"], generator))
    return nn.Sequential(*layers, nn.Linear(units, task.classes)).double()


@torch.no_grad()
def shrink(weights: list[Tensor], by: float) -> None:
    """L1's own step, in place: pull every weight towards 0 by `by`, and stop there."""
    for w in weights:
        w.copy_(nn.functional.softshrink(w, by))


@dataclass(frozen=True)
class Frame(Result):
    """A network after some epochs.

    Attributes:
        epoch: How many.
        train_loss, val_loss: Mean cross-entropy, without penalty, dropout and augmentation.
        train_accuracy, val_accuracy: Share of the given labels, in [0, 1].
        counts: Weights (biases left out) in each bin of `EDGES`, the outer bins open.
        zero, near: Share of weights that are exactly 0, and of those below `NEAR`.
        norm: Root of the sum of squared weights.
        picture: The probability of class 1 on the grid, shape (GRID, GRID), or for pictures the
            first weights, shape (PICTURED, side, side). Empty where nobody looks at it.
        kept: Units that dropout left on for the last batch's first example, shape (layers,
            units); None without dropout.
        before, seen: Some examples of the last batch, before and after augmentation, shape (SEEN,
            inputs); None without it.
        spread: Mean and standard deviation of the first layer's sums over the last batch, before
            and after batch norm, shape (2, 2, units); None without it.
    """

    epoch: int
    train_loss: float
    val_loss: float
    train_accuracy: float
    val_accuracy: float
    counts: np.ndarray
    zero: float
    near: float
    norm: float
    picture: np.ndarray
    kept: np.ndarray | None = None
    before: np.ndarray | None = None
    seen: np.ndarray | None = None
    spread: np.ndarray | None = None

    @property
    def gap(self) -> float:
        """Validation loss above training loss."""
        return self.val_loss - self.train_loss


@dataclass(frozen=True)
class Outcome(Result):
    """How a training ended.

    Attributes:
        epoch: Of the weights that were kept.
        frame: The network with these weights.
        test_accuracy: On fresh examples with right labels, in [0, 1].
    """

    epoch: int
    frame: Frame
    test_accuracy: float


class Trial:
    """One training, a frame every `EVERY` epochs; `drawn` tells whether frames have pictures."""

    def __init__(self, s: dict[str, Any], drawn: bool = True) -> None:
        self.s, self.task, self.drawn = s, TASKS[s["data"]], drawn
        self.parts = parts(s["data"], s["points"], s["noise"], s["label_noise"], s["seed"])
        seed = s["seed"]
        self.order = torch.Generator().manual_seed(seed + 2)
        self.chance = torch.Generator().manual_seed(seed + 3)  # of dropout and augmentation
        self.net = build(s, self.chance)
        start(self.net, "he", seed)
        linears = [layer for layer in self.net if isinstance(layer, nn.Linear)]
        self.weights = [layer.weight for layer in linears]
        others = [p for p in self.net.parameters() if all(p is not w for w in self.weights)]
        decay = s["decay"] if s["l2"] else 0.0
        groups = [
            {"params": self.weights, "weight_decay": decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, s["rate"], fused=True)
        self.last = torch.arange(BATCH), self.parts.x[:BATCH]
        self.frames: list[Frame] = []
        self.best = 0  # frame with the lowest validation loss, while early stopping still looks
        self.stop: int | None = None  # frame at which early stopping gives up
        self.best_state: dict[str, Tensor] = {}
        self.record()

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.frames[-1].epoch >= self.s["epochs"]

    @property
    def over(self) -> bool:
        """Whether all epochs are done or early stopping has put an end to it."""
        return self.finished or (self.s["early"] and self.stop is not None)

    def advance(self) -> None:
        """Train until the next frame."""
        for _epoch in range(EVERY):
            order = torch.randperm(len(self.parts.y), generator=self.order)
            for batch in order.split(BATCH):
                self.step(batch)
        self.record()

    def step(self, batch: Tensor) -> None:
        """One update from the examples with these indices."""
        s, x = self.s, self.parts.x[batch]
        if s["augment"]:
            x = self.task.vary(x, s["variation"], self.chance)
        loss = nn.functional.cross_entropy(self.net(x), self.parts.y[batch])
        if s["l1"] and s["l1_way"] == "gradient":
            loss = loss + s["l1_strength"] * sum(w.abs().sum() for w in self.weights)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if s["l1"] and s["l1_way"] == "threshold":
            shrink(self.weights, s["rate"] * s["l1_strength"])
        self.last = batch, x

    @torch.no_grad()
    def record(self) -> None:
        """Measure the network, and see whether early stopping would stop here."""
        p = self.parts
        self.net.eval()
        train_loss, train_accuracy = measure(self.net, p.x, p.y)
        val_loss, val_accuracy = measure(self.net, p.val_x, p.val_y)
        w = torch.cat([w.ravel() for w in self.weights])
        counts, _edges = np.histogram(w.numpy().clip(EDGES[0], EDGES[-1]), EDGES)
        frame = Frame(
            epoch=EVERY * len(self.frames),
            train_loss=train_loss,
            val_loss=val_loss,
            train_accuracy=train_accuracy,
            val_accuracy=val_accuracy,
            counts=counts,
            zero=(w == 0).double().mean().item(),
            near=(w.abs() < NEAR).double().mean().item(),
            norm=w.norm().item(),
            picture=self.picture() if self.drawn else np.empty(0),
            **(self.insides() if self.drawn else {}),
        )
        self.net.train()
        self.frames.append(frame)
        self.watch()

    def watch(self) -> None:
        """Early stopping: remember the best weights until they have been the best too long."""
        now = len(self.frames) - 1
        if self.stop is not None:
            return
        if now == 0 or self.frames[now].val_loss < self.frames[self.best].val_loss:
            self.best = now
            self.best_state = {k: v.clone() for k, v in self.net.state_dict().items()}
        elif EVERY * (now - self.best) >= self.s["patience"]:
            self.stop = now

    def picture(self) -> np.ndarray:
        """The border's map, or the first weights as pictures."""
        if self.task.pictures:
            side = round(self.task.inputs**0.5)
            rows = self.weights[0][:PICTURED].detach().float().numpy()
            return rows.reshape(-1, side, side).copy()
        p = self.net(grid_points()).softmax(1)[:, 1]
        return p.reshape(GRID, GRID).float().numpy()

    def insides(self) -> dict[str, Any]:
        """What dropout, augmentation and batch norm did in the last batch."""
        found: dict[str, Any] = {}
        batch, x = self.last
        drops = [layer for layer in self.net if isinstance(layer, Dropout)]
        if drops and len(drops[0].kept):
            found["kept"] = torch.stack([layer.kept[0] for layer in drops]).numpy()
        if self.s["augment"]:
            found |= {"before": self.parts.x[batch][:SEEN].numpy(), "seen": x[:SEEN].numpy()}
        norm = self.net[1]
        if isinstance(norm, nn.BatchNorm1d):
            z = self.net[0](x)
            new = nn.functional.batch_norm(z, None, None, norm.weight, norm.bias, training=True)
            found["spread"] = torch.stack(
                [torch.stack([v.mean(0), v.std(0, correction=0)]) for v in (z, new)]
            ).numpy()
        return found

    def stopping(self, at: int) -> tuple[int, int | None]:
        """What early stopping knows at frame `at`: the best frame so far, and the frame in which
        it stopped, if it has (the training may have gone further than `at`)."""
        if self.stop is not None and self.stop <= at:
            return self.best, self.stop
        return min(range(at + 1), key=lambda k: self.frames[k].val_loss), None

    def learns_nothing(self, at: int) -> bool:
        """Whether, after some epochs, the training loss is still about that of a blind guess."""
        frame = self.frames[at]
        return frame.epoch >= 20 and frame.train_loss > BLIND * math.log(self.task.classes)

    def kept_frame(self, at: int) -> int:
        """The frame whose weights one has after frame `at`: with early stopping, once it has
        stopped, the best; otherwise the same."""
        best, stop = self.stopping(at)
        return best if self.s["early"] and stop is not None else at

    def finish(self) -> Outcome:
        """Train to the end (or to early stopping) and ask the test examples, once."""
        while not self.over:
            self.advance()
        return self.outcome()

    @torch.no_grad()
    def outcome(self) -> Outcome:
        """The test accuracy of the weights that one keeps; with early stopping those that were
        the best on validation data."""
        own = self.net.state_dict()
        if self.s["early"]:
            at = self.best
            own = {k: v.clone() for k, v in own.items()}
            self.net.load_state_dict(self.best_state)
        else:
            at = len(self.frames) - 1
        self.net.eval()
        _loss, accuracy = measure(self.net, self.parts.test_x, self.parts.test_y)
        self.net.load_state_dict(own)
        self.net.train()
        return Outcome(self.frames[at].epoch, self.frames[at], accuracy)


def measure(net: nn.Module, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Mean cross-entropy and accuracy."""
    z = net(x)
    return nn.functional.cross_entropy(z, y).item(), (z.argmax(1) == y).double().mean().item()


def grid_points() -> Tensor:
    """The plane's grid, row by row from below, shape (GRID², 2)."""
    axis = torch.linspace(-REACH, REACH, GRID, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x.ravel(), y.ravel()], 1)
