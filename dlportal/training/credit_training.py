"""Training the credit networks: all members in one loop, the epoch chosen on validation rows."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.cases.credit_net import CreditNet, encode, logits
from dlportal.data import uci_credit
from dlportal.data.credit_costs import LOSS, Counts
from dlportal.data.margins import Margins
from dlportal.training.batches import Shuffled
from dlportal.training.calibration import fit_temperature, softmax
from dlportal.training.events import Run
from dlportal.training.fit import Plan, fit, seed_everything
from dlportal.training.metrics import auc

BATCH = 256
RECIPES = {"quick": (2, 8), "full": (8, 25)}
"""Members and epochs."""


def each_loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy of every member by itself."""
    x, y = batch
    assert isinstance(net, CreditNet)
    score = net.each(x)  # (members, B)
    return F.binary_cross_entropy_with_logits(score, y.float().expand_as(score))


def train_net(settings: Settings, run: Run) -> nn.Module:
    """Train; `run` gets the constants that prediction needs.

    These are the temperature, the typical row, the range of the training rows and how their
    columns are distributed, the share of defaults, and the counts of validation customers from
    which the threshold follows.
    """
    members, epochs = RECIPES[settings.budget]
    parts = uci_credit.load()
    x, y = encode(parts.train.x), torch.from_numpy(parts.train.default)
    x_valid, y_valid = encode(parts.validation.x), parts.validation.default
    run.facts["customers"] = {"train": len(x), "validation": len(x_valid)}
    with torch.random.fork_rng(devices=[]):
        seed_everything(settings.seed)
        net = CreditNet(members)
    net.fit_scale(x)

    def validate(net: nn.Module) -> dict[str, float]:
        y_hat = logits(net, x_valid)
        loss = F.cross_entropy(y_hat, torch.from_numpy(y_valid))
        return {"auc": auc(y_valid, (y_hat[:, 1] - y_hat[:, 0]).numpy()), "loss": loss.item()}

    fit(
        net,
        Shuffled((x, y), BATCH, settings.seed),
        each_loss,
        validate,
        Plan(
            epochs=epochs,
            rate=2e-3,
            weight_decay=0.02,
            metric="auc",
            seed=settings.seed,
            bf16=False,  # money spans six digits
        ),
        run,
    )
    y_hat = logits(net, x_valid)
    temperature = fit_temperature(y_hat.numpy(), y_valid)
    counts = Counts.of(y_valid, softmax(y_hat, temperature)[:, 1])
    run.constants.update(
        temperature=temperature,
        typical=np.median(parts.train.x, axis=0).tolist(),
        low=parts.train.x.min(axis=0).tolist(),
        high=parts.train.x.max(axis=0).tolist(),
        margins=Margins.of(parts.train.x).to_json(),
        default_rate=float(parts.train.default.mean()),
        validation_counts=counts.to_json(),
        loss=LOSS,
        threshold=counts.best(LOSS),
    )
    return net
