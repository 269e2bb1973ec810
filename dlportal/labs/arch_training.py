"""The training of the sixteen networks, all in one loop: each step shows every network the same
pictures, so that pictures, order and number of steps are the same for all four kinds."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.labs.arch_data import load, tensors
from dlportal.labs.arch_nets import KINDS, LearningCNN
from dlportal.labs.arch_tour import ORDERS, TASKS, Tour, shuffle
from dlportal.training import calibration
from dlportal.training.batches import Shuffled
from dlportal.training.events import Run
from dlportal.training.fit import Plan, fit, seed_everything

RATE = 3e-3  # at its peak
SLOWER = {"mlp": 0.5, "attention": 0.5}  # factors on it
BATCH = {"fashion": 128, "digits": 64}
DIGITS_EVERY = 4  # batches of clothes: there are far fewer digits
Part = tuple[Tensor, Tensor]  # pictures (N, 1, 28, 28) and classes (N,)


@dataclass(frozen=True)
class Recipe:
    """Passes over the clothes, and how many clothes are learned from at most."""

    epochs: int
    clothes: int | None = None


RECIPES = {"quick": Recipe(2, 12_000), "full": Recipe(3)}


class BothTasks:
    """Batches of clothes, with every fourth a batch of digits, as {task: (pictures, classes)}."""

    def __init__(self, clothes: Part, digits: Part, seed: int) -> None:
        self.clothes = Shuffled(clothes, BATCH["fashion"], seed)
        self.digits = Shuffled(digits, BATCH["digits"], seed)

    @property
    def steps_per_epoch(self) -> int:
        return self.clothes.steps_per_epoch

    def __call__(self, epoch: int) -> Iterator[dict[str, tuple[Tensor, ...]]]:
        digits = self.many_digits(epoch)
        for index, clothes in enumerate(self.clothes(epoch)):
            both = {"digits": next(digits)} if index % DIGITS_EVERY == 0 else {}
            yield {"fashion": clothes, **both}

    def many_digits(self, epoch: int) -> Iterator[tuple[Tensor, ...]]:
        """The digits again and again, in a new order each time."""
        again = 0
        while True:
            yield from self.digits(1000 * epoch + again)
            again += 1


def train_tour(settings: Settings, run: Run) -> Tour:
    """Train all networks together; each starts from the same seed."""
    recipe = RECIPES[settings.budget]
    net = Tour()
    with torch.random.fork_rng(devices=[]):
        for name in net.nets:
            seed_everything(settings.seed)
            kind = name.rsplit("-", 1)[1]
            net.nets[name] = LearningCNN() if kind == "cnn" else KINDS[kind]()
    splits = {task: load(task) for task in TASKS}
    train = {task: tensors(found.train) for task, found in splits.items()}
    valid = {task: tensors(found.validation) for task, found in splits.items()}
    if recipe.clothes is not None:
        train["fashion"] = some(train["fashion"], recipe.clothes)
    run.facts["pictures"] = {
        task: {"train": len(train[task][1]), "validation": len(valid[task][1])} for task in TASKS
    }

    def loss(net: nn.Module, batch: dict[str, Part]) -> Tensor:
        return sum_of_losses(net, batch)  # type: ignore[arg-type]

    def validate(net: nn.Module) -> dict[str, float]:
        return accuracies(net, valid)  # type: ignore[arg-type]

    plan = Plan(
        epochs=recipe.epochs,
        rate=RATE,
        weight_decay=0.05,
        clip=4.0,  # the norm of sixteen networks' gradients together
        factors={
            f"nets.{name}": SLOWER[kind]
            for name in net.nets
            if (kind := name.rsplit("-", 1)[1]) in SLOWER
        },
        seed=settings.seed,
    )
    batches = BothTasks(train["fashion"], train["digits"], settings.seed)
    fit(net, batches, loss, validate, plan, run)
    for name, learned in list(net.nets.items()):
        if isinstance(learned, LearningCNN):
            net.nets[name] = learned.folded().to(next(learned.parameters()).device).eval()
    run.constants["temperatures"] = temperatures(net, valid)
    return net


def some(part: Part, limit: int) -> Part:
    """The same `limit` pictures at every call."""
    rows = torch.randperm(len(part[1]), generator=torch.Generator().manual_seed(0))[:limit]
    return part[0][rows], part[1][rows]


def sum_of_losses(net: Tour, batch: dict[str, Part]) -> Tensor:
    """Cross-entropy of every network on its own order of the pixels."""
    losses = []
    for task, (x, labels) in batch.items():
        for order, seen in (("plain", x), ("shuffled", shuffle(x))):
            y = net.ask(task, order, seen).float()
            losses.append(F.cross_entropy(y.flatten(0, 1), labels.repeat_interleave(len(KINDS))))
    return torch.stack(losses).sum() * len(KINDS)


def accuracies(net: Tour, valid: dict[str, Part]) -> dict[str, float]:
    """Validation accuracy: the mean of the four kinds on clothes picks the epoch."""
    x, labels = valid["fashion"]
    found = {kind: right(net.of("fashion", "plain", kind), x, labels) for kind in KINDS}
    found |= {
        f"{kind}_shuffled": right(net.of("fashion", "shuffled", kind), shuffle(x), labels)
        for kind in KINDS
    }
    mean = sum(found[kind] for kind in KINDS) / len(KINDS)
    digits, classes = valid["digits"]
    right_digits = [right(net.of("digits", "plain", kind), digits, classes) for kind in KINDS]
    return {"accuracy": mean, **found, "digits": sum(right_digits) / len(KINDS)}


def right(net: nn.Module, x: Tensor, labels: Tensor) -> float:
    return (logits(net, x).argmax(1) == labels).float().mean().item()


def temperatures(net: Tour, valid: dict[str, Part]) -> dict[str, float]:
    """What makes each network's confidence honest, by its name."""
    found = {}
    for name in net.nets:
        task, order, _kind = name.split("-")
        x, labels = valid[task]
        y = logits(net.nets[name], shuffle(x) if order == ORDERS[1] else x)
        found[name] = calibration.fit_temperature(y, labels)
    return found


@torch.inference_mode()
def logits(net: nn.Module, x: Tensor) -> Tensor:
    """Logits (N, 10) on the CPU, a few hundred pictures at a time."""
    device = next(net.parameters()).device
    return torch.cat([net(part.to(device)).float().cpu() for part in x.split(500)])
