"""Networks to race on: one that separates two half circles, and one for Fashion-MNIST.

All optimizers get the same first weights and the same mini-batches, and advance side by side.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dlportal.labs.practice_data import load, usable
from dlportal.labs.race_optimizers import OPTIMIZERS, build

BATCH = 32
HELD = 250  # pictures, at most, on which the networks for pictures are measured


def moons(seed, points=512):
    """Two interleaved half circles with noise: x (points, 2), labels (points,)."""
    random = torch.Generator().manual_seed(seed)
    angle = torch.pi * torch.rand(points, generator=random)
    label = torch.arange(points) % 2
    side = 1.0 - 2.0 * label
    x = torch.stack(
        [side * torch.cos(angle) + label - 0.5, side * torch.sin(angle) + 0.5 * label - 0.25], 1
    )
    return x + 0.15 * torch.randn(points, 2, generator=random), label


def small_net():
    """Two hidden layers of 16 tanh units."""
    return nn.Sequential(
        nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 2)
    )


def picture_net(side):
    """Two convolutions, 5 × 5 with stride 2, and a linear layer: 11,274 parameters for 28 × 28."""
    left = -(-side // 4)
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(8, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * left * left, 10),
    )


@torch.no_grad()
def set_weights(net, seed):
    """First weights from a seed: uniform within 1/√inputs, as torch's own layers have them."""
    random = torch.Generator().manual_seed(seed)
    for layer in net:
        if hasattr(layer, "weight"):
            bound = 1 / math.sqrt(layer.weight[0].numel())
            layer.weight.uniform_(-bound, bound, generator=random)
            layer.bias.uniform_(-bound, bound, generator=random)
    return net


@dataclass(frozen=True)
class Task:
    """What a network learns.

    Attributes:
        train, label: Examples and their classes; bytes are scaled to [0, 1] batch by batch.
        held, held_label: On which the loss is measured.
        look: Steps between two measurements.
    """

    name: str
    train: Tensor
    label: Tensor
    held: Tensor
    held_label: Tensor
    look: int

    def net(self, seed: int) -> nn.Sequential:
        """A network before its first step."""
        net = small_net() if self.name == "moons" else picture_net(self.train.shape[-1])
        return set_weights(net, seed)


def task_of(s: dict[str, Any]) -> Task:
    """The task of the settings' track; digits where Fashion-MNIST cannot be had."""
    if s["track"] == "net":
        x, label = moons(s["seed"])
        return Task("moons", x, label, x, label, look=1)
    name = usable("fashion_mnist")
    pictures = load(name)
    held = pictures.validation
    x, label = held.images[:HELD].float() / 255, held.labels[:HELD]
    return Task(name, pictures.train.images, pictures.train.labels, x, label, look=1)


@dataclass(frozen=True)
class Look:
    """A measurement after some steps: by optimizer, mean loss and accuracy (0-1)."""

    step: int
    losses: dict[str, float]
    accuracy: dict[str, float]


class Racer:
    """One network with its optimizer, its batches and its noise."""

    def __init__(self, task: Task, name: str, s: dict[str, Any]) -> None:
        self.task, self.noise = task, 0.1 * s["noise"]
        self.random = torch.Generator().manual_seed(s["seed"] + 1)
        size = (s["steps"], BATCH)
        self.batches = torch.randint(len(task.label), size, generator=self.random)
        self.net = task.net(s["seed"])
        self.parameters = list(self.net.parameters())
        self.optimizer = build(name, self.parameters, s)

    def step(self, number: int) -> None:
        rows = self.batches[number]
        x = self.task.train[rows]
        x = x.float() / 255 if x.dtype == torch.uint8 else x
        self.optimizer.zero_grad()
        nn.functional.cross_entropy(self.net(x), self.task.label[rows]).backward()
        if self.noise:
            for parameter in self.parameters:
                assert parameter.grad is not None
                noise = torch.randn(parameter.shape, generator=self.random)
                parameter.grad += self.noise * noise
        self.optimizer.step()

    @torch.no_grad()
    def measure(self) -> tuple[float, float]:
        """Loss and accuracy on the held examples."""
        z = self.net(self.task.held)
        right = (z.argmax(1) == self.task.held_label).float().mean().item()
        return nn.functional.cross_entropy(z, self.task.held_label).item(), right


def race_nets(
    s: dict[str, Any], names: Sequence[str] = OPTIMIZERS, look: int | None = None
) -> Iterator[Look]:
    """Train a network with each optimizer, side by side.

    Args:
        s: The settings.
        names: Of the optimizers.
        look: Steps between two measurements; the task's if None.

    Yields:
        A measurement before the first step, every `look` steps, and after the last.
    """
    task = task_of(s)
    racers = {name: Racer(task, name, s) for name in names}
    look, step = look or task.look, 0
    while True:
        found = {name: racer.measure() for name, racer in racers.items()}
        yield Look(
            step,
            {name: loss for name, (loss, _right) in found.items()},
            {name: right for name, (_loss, right) in found.items()},
        )
        if step >= s["steps"]:
            return
        for _step in range(min(look, s["steps"] - step)):
            for racer in racers.values():
                racer.step(step)
            step += 1
