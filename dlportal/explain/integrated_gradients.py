"""Integrated gradients."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlportal.case import Case, Knob, Progress
from dlportal.explain.base import Differentiable, HasDifferentiable
from dlportal.explain.method import (
    Attribution,
    Method,
    Passes,
    batch_size,
    gradient,
    in_batches,
    pick,
)
from dlportal.messages import N_


class IntegratedGradients(Method):
    """Average the gradient along a straight path from a baseline.

    Paper: Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365
    Scores should sum to f(x) - f(baseline); `residual` is the gap. The path is sampled at
    Gauss-Legendre points, as captum does by default, but in batches that fit the processor's
    caches instead of all at once: the same values sooner, in less memory, and it can be stopped.
    """

    name = "integrated_gradients"
    title = N_("Integrated gradients")
    about = N_("Follows the class's slope on the way from an empty input to this one.")
    paper = "https://arxiv.org/abs/1703.01365"
    knobs = (
        Knob(
            "steps",
            N_("Steps"),
            default=32,
            low=8,
            high=256,
            step=8,
            help=N_("Points on the way. More of them, a smaller gap; time grows with them."),
        ),
        Knob(
            "baseline",
            N_("Starting from"),
            default="hidden",
            choices=("hidden", "zero"),
            choice_labels=(N_("Everything hidden"), N_("Zeros")),
            help=N_(
                "Hidden: a blurred picture, mask tokens, typical values. Zeros: mean grey, no words."
            ),
        ),
    )

    def supports(self, case: Case) -> bool:
        return isinstance(case, HasDifferentiable)

    def attribute(
        self, case: Any, raw: Any, target: int, settings: dict[str, Any], progress: Progress | None
    ) -> Attribution:
        view = case.differentiable(raw)
        hidden = settings["baseline"] == "hidden"
        baseline = view.baseline if hidden else torch.zeros_like(view.x)
        passes = Passes(settings["steps"] + 2, progress)
        slope = mean_slope(case, view, baseline, target, settings["steps"], passes)
        values = view.reduce(slope * (view.x - baseline))
        with torch.inference_mode():
            y = view.forward(torch.cat([baseline, view.x]))
        passes.add(2)
        empty, full = pick(case, y, target, "logit").tolist()
        total = full - empty
        return Attribution(values, passes.done, residual=float(values.sum()) - total, total=total)


def mean_slope(
    case: Case, view: Differentiable, baseline: Tensor, target: int, steps: int, passes: Passes
) -> Tensor:
    """Integrate the gradient over the path by Gauss-Legendre quadrature; shaped like `view.x`."""
    points, weights = np.polynomial.legendre.leggauss(steps)  # on [-1, 1], weights sum to 2
    column = (-1,) + (1,) * (view.x.dim() - 1)
    places = torch.from_numpy((points + 1) / 2).to(view.x).view(column)
    shares = torch.from_numpy(weights / 2).to(view.x).view(column)
    slope = torch.zeros_like(view.x)
    size = batch_size(case, gradients=True)
    for place, share in zip(in_batches(places, size), in_batches(shares, size)):
        path = baseline + place * (view.x - baseline)
        slope += (share * gradient(view.forward, path, target)).sum(dim=0, keepdim=True)
        passes.add(len(path))
    return slope
