"""The training of the tour's networks.

The sixteen for pictures share one loop: each step shows every network the same pictures, so that
pictures, order and number of steps are the same for all four kinds. The LSTM that listens to
spoken digits has a short loop of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.labs.arch_data import load, tensors
from dlportal.labs.arch_nets import KINDS, LearningCNN
from dlportal.labs.arch_speech import SpokenLSTM, speech_parts
from dlportal.labs.arch_tour import ORDERS, SEEDS, TASKS, Tour, name_of, shuffle
from dlportal.training import calibration
from dlportal.training.batches import Shuffled
from dlportal.training.events import Run
from dlportal.training.fit import Plan, fit, seed_everything

RATE = 3e-3  # at its peak
SLOWER = {"mlp": 0.5, "attention": 0.5}  # factors on it
BATCH = {"fashion": 128, "digits": 64, "speech": 64}
DIGITS_EVERY = 2  # batches of clothes: there are far fewer digits
SPEECH_EPOCHS, SPEECH_RATE = 40, 5e-3
Part = tuple[Tensor, Tensor]  # pictures (N, 1, 28, 28) and classes (N,)


@dataclass(frozen=True)
class Recipe:
    """Passes over the clothes, seeds, and how many clothes are learned from at most.

    `listens`: whether the LSTM for spoken digits is trained too.
    """

    epochs: int
    seeds: int = 1
    clothes: int | None = None
    listens: bool = False


RECIPES = {"quick": Recipe(2, clothes=12_000), "full": Recipe(5, seeds=SEEDS, listens=True)}


class BothTasks:
    """Batches of clothes, with every second a batch of digits, as {task: (pictures, classes)}."""

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


@cache
def parts() -> tuple[dict[str, Part], dict[str, Part]]:
    """The training and the validation part of each task's pictures; kept, a second to read."""
    splits = {task: load(task) for task in TASKS}
    train = {task: tensors(found.train) for task, found in splits.items()}
    return train, {task: tensors(found.validation) for task, found in splits.items()}


def train_tour(settings: Settings, run: Run) -> Tour:
    """Train all networks: with the full budget from three seeds, else from one.

    The first seed's networks for pictures come last: their curve is what a visitor compares.
    """
    recipe = RECIPES[settings.budget]
    net = Tour(recipe.seeds)
    train, valid = parts()
    if recipe.clothes is not None:
        train["fashion"] = some(train["fashion"], recipe.clothes)
    run.facts["pictures"] = {
        task: {"train": len(train[task][1]), "validation": len(valid[task][1])} for task in TASKS
    }
    seeds = [settings.seed + more for more in range(recipe.seeds)]
    run.facts["seeds"] = seeds
    if recipe.listens:
        for place, seed in enumerate(seeds):
            net.speech[str(place)] = train_listener(seed, run, f"speech-{place}")
    for place, seed in reversed(list(enumerate(seeds))):
        if run.cancelled():
            break
        part = train_pictures(train, valid, recipe, seed, run, f"seed-{place}" if place else "fit")
        for name, learned in part.nets.items():
            net.nets[f"{name}-{place}" if place else name] = learned
    run.constants["temperatures"] = temperatures(net, valid)
    return net


def train_pictures(
    train: dict[str, Part], valid: dict[str, Part], recipe: Recipe, seed: int, run: Run, name: str
) -> Tour:
    """Train the sixteen networks for pictures together; each starts from the same seed."""
    net = Tour(1)
    with torch.random.fork_rng(devices=[]):
        for key in net.nets:
            seed_everything(seed)
            kind = key.rsplit("-", 1)[1]
            net.nets[key] = LearningCNN() if kind == "cnn" else KINDS[kind]()
    net.speech.clear()  # trained on its own

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
            f"nets.{key}": SLOWER[kind]
            for key in net.nets
            if (kind := key.rsplit("-", 1)[1]) in SLOWER
        },
        seed=seed,
    )
    fit(net, BothTasks(train["fashion"], train["digits"], seed), loss, validate, plan, run, name)
    for key, learned in list(net.nets.items()):
        if isinstance(learned, LearningCNN):
            net.nets[key] = learned.folded().to(next(learned.parameters()).device).eval()
    return net


def train_listener(seed: int, run: Run, name: str) -> SpokenLSTM:
    """Train the LSTM that listens to spoken digits.

    Raises:
        AssetError: The recordings are not on this machine.
    """
    parts = speech_parts()
    seed_everything(seed)
    net = SpokenLSTM()

    def loss(net: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        x, lengths, digits = batch
        return F.cross_entropy(net(x, lengths).float(), digits)

    def validate(net: nn.Module) -> dict[str, float]:
        x, lengths, digits = parts["validation"]
        return {"accuracy": float((heard(net, x, lengths).argmax(1) == digits).float().mean())}

    plan = Plan(epochs=SPEECH_EPOCHS, rate=SPEECH_RATE, weight_decay=0.05, seed=seed)
    batches = Shuffled(parts["train"], BATCH["speech"], seed)
    return fit(net, batches, loss, validate, plan, run, name)  # type: ignore[return-value]


@torch.inference_mode()
def heard(net: nn.Module, x: Tensor, lengths: Tensor) -> Tensor:
    """Logits (N, 10) of the listening LSTM, on the CPU."""
    device = next(net.parameters()).device
    parts = zip(x.split(500), lengths.split(500))
    return torch.cat([net(a.to(device), b.to(device)).float().cpu() for a, b in parts])


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
    """What makes the confidence of each of the first seed's networks honest, by its name.

    Where no validation picture is answered wrongly nothing can be learned about confidence: 1.
    """
    found = {}
    for task in TASKS:
        x, labels = valid[task]
        for order in ORDERS:
            seen = shuffle(x) if order == ORDERS[1] else x
            for kind in KINDS:
                y = logits(net.of(task, order, kind), seen)
                wrong = bool((y.argmax(1) != labels).any())
                name = name_of(task, order, kind)
                found[name] = calibration.fit_temperature(y, labels) if wrong else 1.0
    return found


@torch.inference_mode()
def logits(net: nn.Module, x: Tensor) -> Tensor:
    """Logits (N, 10) on the CPU, a few hundred pictures at a time."""
    device = next(net.parameters()).device
    return torch.cat([net(part.to(device)).float().cpu() for part in x.split(500)])
