"""The data and the training of `fashion_classification`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.data import fashion_mnist
from dlportal.data.splits import Images
from dlportal.device import autocast, pick_device
from dlportal.nets.fashion_net import FashionNet
from dlportal.training import calibration, metrics
from dlportal.training.augment import cut_out, shifted
from dlportal.training.averaging import Averaged
from dlportal.training.batches import Shuffled
from dlportal.training.events import Run
from dlportal.training.fit import Plan, fit, seed_everything

MOVED, HOLE = 2, 8  # pixels
USUAL = 0.99  # share of the validation pictures that each of the two marks of strangeness lets pass
SMOOTHING = 0.05  # of the labels; a few of them are wrong


@dataclass(frozen=True)
class Recipe:
    """How much is learned: pictures, passes over them, rows of a batch, steps averaged over."""

    pictures: int
    epochs: int
    batch: int
    decay: float


RECIPES = {
    "quick": Recipe(pictures=6000, epochs=4, batch=128, decay=0.98),
    "full": Recipe(pictures=54_000, epochs=16, batch=256, decay=0.997),
}
ENOUGH = 600  # pictures that settle the rest where a training was stopped


def tensors(part: Images) -> tuple[Tensor, Tensor]:
    """Pictures (N, 1, 28, 28) in [0, 1] and labels (N,)."""
    x = torch.from_numpy(part.images.copy()).float().div(255).unsqueeze(1)
    return x, torch.from_numpy(part.labels)


def augment(x: Tensor, generator: torch.Generator) -> Tensor:
    """Moved, mirrored, and half of them with a hole."""
    return cut_out(shifted(x, MOVED, generator), HOLE, generator)


def train_net(settings: Settings, run: Run) -> nn.Module:
    """Train from the seed; returns the network with averaged weights."""
    recipe = RECIPES[settings.budget]
    parts = fashion_mnist.load()
    (x, labels), (x_valid, labels_valid) = tensors(parts.train), tensors(parts.validation)
    few = torch.randperm(len(x), generator=torch.Generator().manual_seed(settings.seed))
    few = few[: recipe.pictures]
    with torch.random.fork_rng(devices=[]):
        seed_everything(settings.seed)
        net = Averaged(FashionNet(), recipe.decay)
    run.facts["pictures"] = {"train": len(few), "validation": len(x_valid)}
    batches = Shuffled((x[few], labels[few]), recipe.batch, settings.seed, augment)
    plan = Plan(epochs=recipe.epochs, rate=3e-3, weight_decay=0.05, warmup=0.15, seed=settings.seed)

    def loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        net.step()  # type: ignore[operator]
        y = net(batch[0]).float()
        return F.cross_entropy(y, batch[1], label_smoothing=SMOOTHING)

    def validate(net: nn.Module) -> dict[str, float]:
        with autocast():
            y = logits(net, x_valid)
        return {
            "accuracy": metrics.accuracy(labels_valid, y.argmax(1)),
            "loss": F.cross_entropy(y, labels_valid).item(),
        }

    fit(net, batches, loss, validate, plan, run)
    found: Any = net.averaged()
    if run.cancelled():  # what follows looks at every picture
        few, x_valid, labels_valid = few[:ENOUGH], x_valid[:ENOUGH], labels_valid[:ENOUGH]
    run.constants["temperature"] = calibration.fit_temperature(logits(found, x_valid), labels_valid)
    found.appearance.fit(x[few])
    found.familiar.fit(in_parts(found.pooled, x[few]), labels[few])
    usual = in_parts(found.strangeness, x_valid).quantile(USUAL, dim=0)
    run.constants["unusual"] = usual.tolist()
    return found


def logits(net: nn.Module, x: Tensor) -> Tensor:
    """Logits (N, classes) on the CPU."""
    return in_parts(net, x)


@torch.inference_mode()
def in_parts(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply a network, or a part of one, to a few hundred pictures at a time."""
    return torch.cat([function(part.to(pick_device())).float().cpu() for part in x.split(500)])
