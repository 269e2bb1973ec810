"""Training the fraud detector, on the simulated half year or on a week of it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.cases.fraud_detection import Scale
from dlportal.data.fraud_costs import CHECK_COST, measure_costs
from dlportal.data.fraud_features import COLUMNS
from dlportal.data.fraud_split import DAYS, QUICK_DAYS, WORLD_SEED, half_year, rows_of
from dlportal.messages import N_
from dlportal.nets.periodic import PeriodicEnsemble
from dlportal.training.calibration import fit_temperature
from dlportal.training.events import Event, Run
from dlportal.training.fit import Plan, fit, seed_everything
from dlportal.training.metrics import average_precision

BATCH = 2048
QUICK_SHARE = 0.25
"""Share of the honest payments that a quick training sees in an epoch; each counts four times."""


class FreshHonest:
    """Batches of all frauds and, in every epoch, other honest payments.

    Frauds are one payment in a hundred. With a share below 1 an epoch is shorter, and each kept
    honest payment is weighted so that probabilities stay right.

    Args:
        x: Standardised rows, shape (N, columns).
        y: 0 or 1, shape (N,).
        share: Share of the honest rows in an epoch.
        size: Rows of a batch.
        seed: With the epoch, it decides which rows come and in which order.
    """

    def __init__(self, x: Tensor, y: Tensor, share: float, size: int, seed: int) -> None:
        self.x, self.y, self.share, self.seed = x, y, share, seed
        self.frauds = torch.nonzero(y == 1).squeeze(1)
        self.honest = torch.nonzero(y == 0).squeeze(1)
        self.kept = max(1, round(share * len(self.honest)))
        self.size = min(size, len(self.frauds) + self.kept)

    @property
    def steps_per_epoch(self) -> int:
        return (len(self.frauds) + self.kept) // self.size

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        picked = torch.randperm(len(self.honest), generator=generator)[: self.kept]
        rows = torch.cat([self.frauds, self.honest[picked]])
        rows = rows[torch.randperm(len(rows), generator=generator)]
        for batch in rows.split(self.size)[: self.steps_per_epoch]:
            y = self.y[batch]
            yield self.x[batch], y, torch.where(y == 1, 1.0, 1 / self.share)


def weighted_loss(net: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Cross-entropy of every member of an ensemble, weighted row by row."""
    x, y, weight = batch
    assert isinstance(net, PeriodicEnsemble)
    y_hat = net.each(x)  # (members, B, 2)
    losses = F.cross_entropy(y_hat.flatten(0, 1), y.long().repeat(len(y_hat)), reduction="none")
    return (weight * losses.view(len(y_hat), -1)).mean()


@torch.inference_mode()
def logits(net: nn.Module, x: Tensor) -> Tensor:
    """Logits (N, 2) of many rows, on the CPU."""
    device = next(net.parameters()).device
    return torch.cat([net(part.to(device)).float().cpu() for part in x.split(16_384)])


def train_on_half_year(settings: Settings, run: Run) -> nn.Module:
    """Train on the training days, choose the epoch and the threshold on validation days.

    `run` gets the constants that prediction needs: scale, temperature, fraud rate, costs and
    threshold.
    """
    run.emit(Event("message", text=N_("Simulating half a year of payments.")))
    data = half_year(WORLD_SEED)
    quick = settings.budget == "quick"
    train = rows_of(data.day, QUICK_DAYS if quick else DAYS["train"])
    validation = rows_of(data.day, DAYS["validation"])
    scale = Scale.fit(data.x[train])
    x, y = scale(data.x[train]), torch.from_numpy(data.fraud[train])
    x_validation, y_validation = scale(data.x[validation]), data.fraud[validation]
    money, rate = data.amount[validation], float(data.fraud[train].mean())
    run.facts.update(payments=len(train), frauds=int(y.sum()), validation_payments=len(validation))
    del data  # a quarter of a gigabyte

    def validate(net: nn.Module) -> dict[str, float]:
        y_hat = logits(net, x_validation)
        loss = F.cross_entropy(y_hat, torch.from_numpy(y_validation))
        score = (y_hat[:, 1] - y_hat[:, 0]).numpy()
        return {"average_precision": average_precision(y_validation, score), "loss": loss.item()}

    seed_everything(settings.seed)
    net = fit(
        PeriodicEnsemble(len(COLUMNS)),
        FreshHonest(x, y, QUICK_SHARE if quick else 1.0, BATCH, settings.seed),
        weighted_loss,
        validate,
        Plan(
            epochs=6 if quick else 5,
            rate=2e-3,
            metric="average_precision",
            seed=settings.seed,
            bf16=False,  # waves need the precision
        ),
        run,
    )
    y_hat = logits(net, x_validation)
    temperature = fit_temperature(y_hat.numpy(), y_validation)
    p = torch.softmax(y_hat.double() / temperature, dim=1)[:, 1].numpy()
    costs = measure_costs(y_validation, money, p, len(DAYS["validation"]))
    run.constants.update(
        scale.to_constants(),
        temperature=temperature,
        fraud_rate=rate,
        threshold=costs.best(CHECK_COST),
        check_cost=CHECK_COST,
        costs=costs.to_json(),
    )
    return net


def train_on_week(
    rows: np.ndarray, fraud: np.ndarray, columns: tuple[int, ...], seed: int
) -> tuple[nn.Module, Scale]:
    """Train on one week, as the Handbook's protocol has it: no days to choose anything on.

    Args:
        rows: All columns of the week's payments, shape (N, columns).
        fraud: 0 or 1, shape (N,).
        columns: Which columns the network sees.
        seed: Of weights and batches.
    """
    scale = Scale.fit(rows, columns)
    seed_everything(seed)
    epochs = iter(range(1, 1000))
    with tempfile.TemporaryDirectory(prefix="dlportal-") as folder:
        net = fit(
            PeriodicEnsemble(len(columns), members=2, hidden=128, dropout=0.2),
            FreshHonest(scale(rows), torch.from_numpy(fraud), 1.0, 512, seed),
            weighted_loss,
            lambda _net: {"epoch": float(next(epochs))},  # the last epoch is the one to keep
            Plan(epochs=10, rate=2e-3, metric="epoch", weight_decay=0.03, seed=seed, bf16=False),
            Run(Path(folder)),
        )
    return net, scale
