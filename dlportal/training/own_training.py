"""Training on a visitor's own table: a small network, and gradient boosting beside it.

It takes at most a minute on two cores, whatever the table's size: the number of steps is fixed
and their batches grow with the rows.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dlportal.data.own_table import Ready
from dlportal.nets.periodic import PeriodicEnsemble
from dlportal.training.calibration import fit_temperature, softmax
from dlportal.training.metrics import auc, average_precision, ece, interval
from dlportal.training.tabular_baselines import Score, gradient_boosting

STEPS, LOOKS = 800, 20
"""Steps of the training, and how often validation rows are looked at."""
RATE, DECAY = 2e-3, 0.03
MOST_VALIDATION = 10_000
INTERVAL = 300
"""Resamples of the intervals."""
NETWORK, BOOSTING = "network", "gradient boosting"


@dataclass(frozen=True)
class Scored:
    """A model on the test rows: value, low and high of each metric."""

    average_precision: tuple[float, float, float]
    auc: tuple[float, float, float]


@dataclass(frozen=True)
class Result:
    """What came of it; both models on the same test rows and columns.

    Attributes:
        scores: By model.
        ece: Expected calibration error of the network on test rows.
        base: Share of yes among the test rows: average precision of a draw by lot.
        top: Share of yes among the hundredth of the test rows that the network ranks highest.
        seconds: Of everything.
    """

    scores: dict[str, Scored]
    ece: float
    base: float
    top: float
    seconds: float


@dataclass(frozen=True)
class Frame:
    """How far it is; `result` in the last frame alone."""

    step: int
    loss: float
    validation: float
    result: Result | None = None


def train(ready: Ready, seed: int = 0) -> Iterator[Frame]:
    """Train the network, then the baseline, then measure both; a frame every 40 steps."""
    started = time.monotonic()
    x = scaled(ready)
    y = torch.from_numpy(ready.y)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = PeriodicEnsemble(x.shape[1], members=2, hidden=128, dropout=0.2)
    optimizer = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    train_rows = torch.from_numpy(ready.train)
    held = ready.validation[:: -(-len(ready.validation) // MOST_VALIDATION)]
    size = int(np.clip(len(ready.train) // 60, 128, 1024))
    best, best_state, losses = -math.inf, net.state_dict(), []
    every = STEPS // LOOKS
    for step in range(1, STEPS + 1):
        net.train()
        rows = train_rows[torch.randint(len(train_rows), (size,), generator=generator)]
        with torch.random.fork_rng(devices=[]):  # dropout by seed, whoever else draws meanwhile
            torch.manual_seed(seed * 1_000_003 + step)
            loss = step_loss(net, x[rows], y[rows])
        for group in optimizer.param_groups:
            group["lr"] = RATE * rate(step)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if step % every == 0:
            value = average_precision(ready.y[held], score(net, x[held]))
            if value > best:
                best = value
                best_state = {k: v.detach().clone() for k, v in net.state_dict().items()}
            yield Frame(step, float(np.mean(losses[-every:])), value)
    net.load_state_dict(best_state)
    last = float(np.mean(losses[-every:]))
    boosted = gradient_boosting(x[ready.train].numpy(), ready.y[ready.train], seed)
    yield Frame(STEPS, last, best)
    yield Frame(STEPS, last, best, measure(ready, x, net, boosted, started))


def scaled(ready: Ready) -> Tensor:
    """Columns around 0 with spread 1, as the training rows have them, cut at 8."""
    center = ready.x[ready.train].mean(axis=0)
    spread = ready.x[ready.train].std(axis=0) + 1e-6
    return torch.from_numpy(((ready.x - center) / spread).clip(-8, 8).astype(np.float32))


def rate(step: int) -> float:
    """Warm-up over a tenth of the steps, then a cosine down to 0."""
    return min(step / (0.1 * STEPS), 0.5 * (1 + math.cos(math.pi * step / STEPS)))


def step_loss(net: PeriodicEnsemble, x: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy of every member by itself."""
    y_hat = net.each(x)
    return F.cross_entropy(y_hat.flatten(0, 1), y.repeat(len(y_hat)))


@torch.inference_mode()
def logits(net: PeriodicEnsemble, x: Tensor) -> np.ndarray:
    net.eval()
    return torch.cat([net(part) for part in x.split(16_384)]).numpy()


def score(net: PeriodicEnsemble, x: Tensor) -> np.ndarray:
    """Log-odds of yes, shape (N,)."""
    y_hat = logits(net, x)
    return y_hat[:, 1] - y_hat[:, 0]


def measure(
    ready: Ready, x: Tensor, net: PeriodicEnsemble, boosted: Score, started: float
) -> Result:
    """Both models on the test rows, once."""
    truth = ready.y[ready.test]
    own = score(net, x[ready.test])
    models = {NETWORK: own, BOOSTING: boosted(x[ready.test].numpy())}
    temperature = fit_temperature(logits(net, x[ready.validation]), ready.y[ready.validation])
    p = softmax(logits(net, x[ready.test]), temperature)[:, 1]
    top = np.argsort(-own)[: max(1, len(own) // 100)]
    return Result(
        scores={
            name: Scored(
                interval(average_precision, truth, values, n=INTERVAL),
                interval(auc, truth, values, n=INTERVAL),
            )
            for name, values in models.items()
        },
        ece=ece(truth, p),
        base=float(truth.mean()),
        top=float(truth[top].mean()),
        seconds=time.monotonic() - started,
    )
