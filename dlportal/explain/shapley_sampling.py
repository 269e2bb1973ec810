"""Shapley values by sampling orders."""

from collections.abc import Iterator
from typing import Any

import torch

from dlportal.case import Case, Knob, Progress
from dlportal.explain.method import (
    Attribution,
    Method,
    Passes,
    answer_keep,
    batch_size,
    is_list,
)
from dlportal.messages import N_


class ShapleySampling(Method):
    """Reveal the parts in random orders; a part's value is its mean gain in the logit.

    Paper: Castro et al. 2009, https://doi.org/10.1016/j.cor.2008.04.004
    Computed by captum on the mask of what is kept. The gains of every order add up to
    f(x) - f(nothing), so the residual is rounding alone. Orders come with their opposites,
    which lowers the noise.
    """

    name = "shapley_sampling"
    title = N_("Shapley sampling")
    about = N_("Reveals the parts in many random orders; a part counts what it adds on average.")
    paper = "https://doi.org/10.1016/j.cor.2008.04.004"
    knobs = (
        Knob(
            "samples",
            N_("Samples"),
            default=32,
            low=8,
            high=256,
            step=8,
            help=N_("Random orders. More of them, less noise; time grows with them."),
        ),
    )

    def supports(self, case: Case) -> bool:
        return is_list(case)

    def attribute(
        self, case: Any, raw: Any, target: int, settings: dict[str, Any], progress: Progress | None
    ) -> Attribution:
        from captum.attr import ShapleyValueSampling

        masker = case.masker(raw)
        (parts,) = masker.shape
        samples = settings["samples"]
        passes = Passes(samples * parts + 3, progress)
        forward = answer_keep(case, masker, target, passes)
        sampler = ShapleyValueSampling(forward)
        # Captum draws from the global generator, which other threads share; this one is seeded.
        sampler.permutation_generator = orders
        values = sampler.attribute(
            torch.ones(1, parts),
            baselines=0,
            n_samples=samples,
            perturbations_per_eval=batch_size(case),
        )[0].numpy()
        nothing, everything = forward(torch.tensor([[0.0], [1.0]]).expand(2, parts)).tolist()
        total = everything - nothing
        return Attribution(values, passes.done, residual=float(values.sum()) - total, total=total)


def orders(parts: int, count: int, seed: int = 0) -> Iterator[list[int]]:
    """Random orders of the parts, each followed by its opposite."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count // 2):
        order = torch.randperm(parts, generator=generator).tolist()
        yield order
        yield order[::-1]
