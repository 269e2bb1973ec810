"""Batches from tensors in memory: shuffled and augmented without per-item Python."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

Augment = Callable[[Tensor, torch.Generator], Tensor]


class Shuffled:
    """Batches of `tensors` (equal first axis) in an order that depends on seed and epoch alone.

    That makes a resumed training see the same batches as an uninterrupted one.

    Args:
        tensors: Inputs, labels, ...: anything with N rows.
        size: Rows of a batch; a last incomplete batch is left out unless it is the only one.
        seed: Seed of the order and the augmentation.
        augment: Changes the first tensor of each batch, drawing from the given generator.
    """

    def __init__(
        self,
        tensors: Sequence[Tensor],
        size: int,
        seed: int = 0,
        augment: Augment | None = None,
    ) -> None:
        self.tensors = tuple(tensors)
        self.rows = len(self.tensors[0])
        if any(len(tensor) != self.rows for tensor in self.tensors):
            raise ValueError(f"unequal lengths: {[len(tensor) for tensor in self.tensors]}")
        self.size = min(size, self.rows)
        self.seed = seed
        self.augment = augment

    @property
    def steps_per_epoch(self) -> int:
        return self.rows // self.size

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, ...]]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = torch.randperm(self.rows, generator=generator)
        for start in range(0, self.steps_per_epoch * self.size, self.size):
            rows = order[start : start + self.size]
            first, *rest = (tensor[rows] for tensor in self.tensors)
            if self.augment is not None:
                first = self.augment(first, generator)
            yield (first, *rest)
