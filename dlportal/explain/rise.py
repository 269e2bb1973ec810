"""RISE: show the network random parts of the picture."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from dlportal.case import Case, Knob, Progress
from dlportal.explain.base import HasBoxes
from dlportal.explain.method import Attribution, Method, Passes, ask, batch_size, is_picture
from dlportal.messages import N_


class Rise(Method):
    """Correlate what random masks show with what the network says.

    Paper: Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421
    A mask keeps each cell of a coarse grid with probability 1/2, is enlarged and shifted by part
    of a cell. Two things differ from the paper, with the same order of pixels in the limit: masks
    come with their opposites, and a pixel's value is the covariance of the probability with its
    being kept, not the mean over the masks that keep it. Both lower the noise of few samples,
    and values below zero then mean "against".
    """

    name = "rise"
    title = N_("RISE")
    about = N_("Shows random halves of the picture and notes which pixels raise the class.")
    paper = "https://arxiv.org/abs/1806.07421"
    knobs = (
        Knob(
            "samples",
            N_("Samples"),
            default=512,
            low=64,
            high=4096,
            step=64,
            help=N_("More masks, less noise; time grows with them."),
        ),
        Knob(
            "cells",
            N_("Cells a side"),
            default=7,
            low=3,
            high=14,
            step=1,
            help=N_("A finer grid shows detail and needs more samples."),
        ),
    )

    def supports(self, case: Case) -> bool:
        return is_picture(case) and not isinstance(case, HasBoxes)  # a box needs `DRise`

    def attribute(
        self, case: Any, raw: Any, target: int, settings: dict[str, Any], progress: Progress | None
    ) -> Attribution:
        masker = case.masker(raw)
        samples = settings["samples"]
        passes = Passes(samples, progress)
        size = batch_size(case)

        def masks() -> Iterator[Tensor]:
            return random_masks(masker.shape, settings["cells"], samples, size)

        scores = ask(case, masker, masks(), target, passes, "probability")
        scores -= scores.mean()
        # The masks are drawn again rather than kept: a thousand of them are 200 MB.
        values = torch.zeros(masker.shape)
        for keep, part in zip(masks(), scores.split(size)):
            values += torch.einsum("b,bhw->hw", part, keep)
        return Attribution((values / samples).numpy(), passes.done)


def random_masks(
    shape: tuple[int, ...], cells: int, count: int, size: int, seed: int = 0
) -> Iterator[Tensor]:
    """Yield `count` masks, each beside its opposite, whatever the batch size the same ones.

    Args:
        shape: Height and width.
        cells: Of the grid, a side.
        count: Masks in all, even.
        size: Masks a batch, even.
        seed: Of the random numbers.

    Yields:
        Shape (B, H, W), in [0, 1].
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = shape
    tall, wide = -(-height // cells), -(-width // cells)  # a cell in pixels
    pairs = count // 2
    grids = torch.rand((pairs, 1, cells + 1, cells + 1), generator=generator).round()
    tops = torch.randint(tall, (pairs,), generator=generator).tolist()
    lefts = torch.randint(wide, (pairs,), generator=generator).tolist()
    for start in range(0, pairs, size // 2):
        part = slice(start, start + size // 2)
        enlarged = ((cells + 1) * tall, (cells + 1) * wide)
        large = interpolate(grids[part], enlarged, mode="bilinear")[:, 0]
        places = zip(large, tops[part], lefts[part])
        masks = torch.stack([m[t : t + height, l : l + width] for m, t, l in places])
        yield torch.stack([masks, 1 - masks], dim=1).flatten(0, 1)
