"""All networks of the architecture tour in one.

Sixteen for pictures (two tasks, two orders of pixels, four kinds) and one that listens, each
trained from several seeds. The first seed's are those the page asks; the others tell how much a
number depends on the seed.
"""

import torch
from torch import Tensor, nn

from dlportal.labs.arch_nets import KINDS, SIDE
from dlportal.labs.arch_speech import SpokenLSTM

TASKS = ("fashion", "digits")
ORDERS = ("plain", "shuffled")  # of the pixels they learned from
ORDER_SEED = 0
SEEDS = 3  # trainings of every network


def pixel_order() -> Tensor:
    """The one permutation of the 784 pixels that "shuffled" means everywhere, (784,)."""
    return torch.randperm(SIDE * SIDE, generator=torch.Generator().manual_seed(ORDER_SEED))


def shuffle(x: Tensor) -> Tensor:
    """Move every pixel to its new place: (B, 1, 28, 28) to the same shape."""
    return x.flatten(1)[:, pixel_order().to(x.device)].view_as(x)


def shift(x: Tensor, right: int, down: int) -> Tensor:
    """Move pictures (B, 1, 28, 28); what leaves is lost, what is new is black (0)."""
    moved = torch.zeros_like(x)
    height, width = x.shape[-2:]
    moved[..., max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)] = x[
        ..., max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)
    ]
    return moved


def name_of(task: str, order: str, kind: str, seed: int = 0) -> str:
    """Where a network lies: the first seed's names have no number."""
    return f"{task}-{order}-{kind}" + (f"-{seed}" if seed else "")


class Tour(nn.Module):
    """The networks by name: `of(task, order, kind, seed)` and `listener(seed)`.

    Args:
        seeds: How many trainings of each it holds.
    """

    def __init__(self, seeds: int = SEEDS) -> None:
        super().__init__()
        self.seeds = seeds
        self.nets = nn.ModuleDict(
            {
                name_of(task, order, kind, seed): make()
                for seed in range(seeds)
                for task in TASKS
                for order in ORDERS
                for kind, make in KINDS.items()
            }
        )
        self.speech = nn.ModuleDict({str(seed): SpokenLSTM() for seed in range(seeds)})

    def of(self, task: str, order: str, kind: str, seed: int = 0) -> nn.Module:
        return self.nets[name_of(task, order, kind, seed)]

    def listener(self, seed: int = 0) -> nn.Module:
        return self.speech[str(seed)]

    def ask(self, task: str, order: str, x: Tensor) -> Tensor:
        """Logits of the four kinds on pictures as they are given: (B, 1, 28, 28) to (B, 4, 10)."""
        return torch.stack([self.of(task, order, kind)(x) for kind in KINDS], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Every network of the first seed on the order of pixels it learned from.

        Args:
            x: Pictures (B, 1, 28, 28), in [0, 1], pixels in their ordinary order.

        Returns:
            Logits (B, 2 tasks, 2 orders, 4 kinds, 10).
        """
        seen = {"plain": x, "shuffled": shuffle(x)}
        return torch.stack(
            [torch.stack([self.ask(t, o, seen[o]) for o in ORDERS], dim=1) for t in TASKS], dim=1
        )
