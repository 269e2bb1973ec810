"""Batches of texts: similar lengths together, so that little is padded."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

POOL = 20  # batches that are sorted by length together


class TextBatches:
    """Padded batches of token ids with labels, in an order that depends on seed and epoch alone.

    Args:
        ids: Token ids of N texts.
        labels: First axis N.
        size: Texts of a batch.
        seed: Seed of the order.
        pad: Id that fills up shorter texts.
    """

    def __init__(
        self, ids: Sequence[Sequence[int]], labels: Tensor, size: int, seed: int = 0, pad: int = 0
    ) -> None:
        if len(ids) != len(labels):
            raise ValueError(f"{len(ids)} texts but {len(labels)} labels")
        self.ids, self.labels = ids, labels
        self.size, self.seed, self.pad = size, seed, pad

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.ids) // self.size)

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = torch.randperm(len(self.ids), generator=generator).tolist()
        batches = []
        for start in range(0, len(order), self.size * POOL):
            pool = sorted(order[start : start + self.size * POOL], key=lambda i: len(self.ids[i]))
            batches += [pool[i : i + self.size] for i in range(0, len(pool), self.size)]
        for index in torch.randperm(len(batches), generator=generator).tolist():
            rows = batches[index]
            yield pad_texts([self.ids[row] for row in rows], self.pad), self.labels[rows]


def pad_texts(ids: Sequence[Sequence[int]], pad: int = 0) -> Tensor:
    """Ids of several texts as one tensor (B, T), filled up on the right."""
    out = torch.full((len(ids), max(len(row) for row in ids)), pad)
    for target, row in zip(out, ids, strict=True):
        target[: len(row)] = torch.tensor(row)
    return out


@torch.inference_mode()
def all_logits(
    net: torch.nn.Module,
    ids: Sequence[Sequence[int]],
    size: int = 64,
    pad: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Logits (N, ...) of N texts, float32 on the CPU, run in batches of similar length.

    `progress` is called before each batch with texts done and in all; what it raises ends the work.
    """
    device = next(net.parameters()).device
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    found: list[Tensor | None] = [None] * len(ids)
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        if progress is not None:
            progress(start, len(order))
        y = net(pad_texts([ids[row] for row in rows], pad).to(device)).float().cpu()
        for row, logits in zip(rows, y, strict=True):
            found[row] = logits
    return torch.stack([logits for logits in found if logits is not None])
