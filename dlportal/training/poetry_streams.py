"""Long texts cut into windows, and what a character network makes of them."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dlportal.device import autocast, pick_device
from dlportal.nets.char_gpt import HIDDEN, PAD, CharGPT

AT_ONCE = 64  # windows that are read together


class Windows:
    """Batches of windows of one long text, shifted anew in each epoch.

    Every epoch shows every character about once; which windows there are and their order depend
    on seed and epoch alone.

    Args:
        ids: The text, (N,).
        context: Characters of a window.
        size: Windows of a batch.
        seed: Of shift and order.
        before: Called with the number of steps done before each step.
        beside: What else is known of each place, (N, ...); batches are then pairs of windows and of
            what is known of all their characters but the first.
        starts: Where poems begin in the text, sorted; a window that would begin less than half its
            length later begins there instead.
    """

    def __init__(
        self,
        ids: Tensor,
        context: int,
        size: int,
        seed: int,
        before: Callable[[int], None] | None = None,
        starts: Tensor | None = None,
        beside: Tensor | None = None,
    ) -> None:
        self.ids, self.context, self.size, self.seed = ids, context, size, seed
        self.before, self.starts, self.beside = before, starts, beside
        self.steps_per_epoch = (len(ids) - context - 1) // context // size

    def __call__(self, epoch: int) -> Iterator[Any]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        shift = int(torch.randint(self.context, (1,), generator=generator))
        count = (len(self.ids) - shift - 1) // self.context
        order = torch.randperm(count, generator=generator)
        inside = torch.arange(self.context + 1)
        for step in range(self.steps_per_epoch):
            if self.before is not None:
                self.before(epoch * self.steps_per_epoch + step)
            places = shift + self.context * order[step * self.size : (step + 1) * self.size]
            rows = self.aligned(places)[:, None] + inside
            windows = self.ids[rows]
            yield windows if self.beside is None else (windows, self.beside[rows[:, 1:]])

    def aligned(self, places: Tensor) -> Tensor:
        """The same places, or the beginning of a poem shortly before."""
        if self.starts is None:
            return places
        begun = self.starts[torch.searchsorted(self.starts, places, right=True) - 1]
        return torch.where(places - begun < self.context // 2, begun, places)


def next_loss(hidden: float) -> Callable[[CharGPT, Tensor], Tensor]:
    """Mean nats of the next character, with a share of the characters hidden at the input: so the
    network knows what a hidden one is when an explanation asks."""

    def loss(net: CharGPT, windows: Tensor) -> Tensor:
        y = net.everywhere(partly_hidden(windows[:, :-1], hidden))
        return F.cross_entropy(y.flatten(0, 1), windows[:, 1:].flatten(), ignore_index=PAD)

    return loss


def counted_loss(hidden: float, share: float) -> Callable[[CharGPT, tuple[Tensor, Tensor]], Tensor]:
    """As `next_loss`, but what is learned is partly (`share`) what counting foretells: so the
    network doubts where the text could have gone on otherwise.

    Hinton et al. 2015, https://arxiv.org/abs/1503.02531 (answers of another model as targets).
    """

    def loss(net: CharGPT, batch: tuple[Tensor, Tensor]) -> Tensor:
        windows, foretold = batch
        y = net.everywhere(partly_hidden(windows[:, :-1], hidden)).flatten(0, 1)
        own = F.cross_entropy(y, windows[:, 1:].flatten())
        counted = F.cross_entropy(y, foretold.float().flatten(0, 1))
        return (1 - share) * own + share * counted

    return loss


def partly_hidden(x: Tensor, share: float) -> Tensor:
    """Characters (B, T), a share of them hidden."""
    return torch.where(torch.rand(x.shape, device=x.device) < share, HIDDEN, x)


@torch.inference_mode()
def nats(net: CharGPT, ids: Tensor, stride: int, bf16: bool = False) -> Tensor:
    """Negative log-likelihoods (N - 1,) of all characters of ids (N,) but the first.

    Windows begin every `stride` characters and each gives the last `stride` of its characters, so
    that all (but those of the first window) have the context less `stride` before them, or more.
    With a stride of the context, windows stand side by side.
    """
    context = net.shape.context
    device, found = pick_device(), torch.full((len(ids) - 1,), torch.nan)
    net = net.to(device)
    starts = list(range(0, max(1, len(ids) - 1 - context + stride), stride))
    for place in range(0, len(starts), AT_ONCE):
        batch = starts[place : place + AT_ONCE]
        rows = [ids[start : start + context + 1] for start in batch]
        width = max(len(row) for row in rows)
        x = torch.full((len(rows), width), PAD)
        for row, part in zip(x, rows):
            row[: len(part)] = part
        with autocast(bf16):
            y = net.everywhere(x[:, :-1].to(device)).cpu()
        lost = F.cross_entropy(y.transpose(1, 2), x[:, 1:], reduction="none")
        for start, part, row in zip(batch, rows, lost):
            new = 0 if start == 0 else context - stride
            found[start + new : start + len(part) - 1] = row[new : len(part) - 1]
    return found
