"""SmoothGrad: average the gradient over noisy copies."""

from typing import Any

import torch

from dlportal.case import Case, Knob, Progress
from dlportal.explain.base import HasDifferentiable
from dlportal.explain.method import Attribution, Method, Passes, batch_size, gradient, is_picture
from dlportal.messages import N_


class SmoothGrad(Method):
    """Average the gradient, or its square, over copies of the picture with noise.

    Papers: Smilkov et al. 2017, https://arxiv.org/abs/1706.03825; the squares, which proved more
    faithful, are of Hooker et al. 2019, https://arxiv.org/abs/1806.10758
    A pixel's value is the sum over its colours, without sign.
    """

    name = "smooth_grad"
    title = N_("SmoothGrad")
    about = N_("Averages the squared slope of the class over copies of the picture with noise.")
    paper = "https://arxiv.org/abs/1706.03825"
    signed = False
    knobs = (
        Knob(
            "average",
            N_("Average of"),
            default="squares",
            choices=("squares", "slopes"),
            choice_labels=(N_("Squared slopes"), N_("Slopes")),
            help=N_("Squares keep slopes that change their sign with the noise."),
        ),
        Knob(
            "samples",
            N_("Samples"),
            default=32,
            low=8,
            high=128,
            step=8,
            help=N_("Noisy copies. More of them, a calmer map; time grows with them."),
        ),
        Knob(
            "noise",
            N_("Noise, % of the range"),
            default=15,
            low=5,
            high=50,
            step=5,
            help=N_("Standard deviation, as a share of the distance of darkest and brightest."),
        ),
    )

    def supports(self, case: Case) -> bool:
        return is_picture(case) and isinstance(case, HasDifferentiable)

    def attribute(
        self, case: Any, raw: Any, target: int, settings: dict[str, Any], progress: Progress | None
    ) -> Attribution:
        view = case.differentiable(raw)
        spread = settings["noise"] / 100 * float(view.x.max() - view.x.min())
        generator = torch.Generator().manual_seed(0)
        samples = settings["samples"]
        passes = Passes(samples, progress)
        mean = torch.zeros_like(view.x)
        while passes.done < samples:
            count = min(batch_size(case, gradients=True), samples - passes.done)
            noise = torch.randn((count, *view.x.shape[1:]), generator=generator).to(view.x)
            slopes = gradient(view.forward, view.x + spread * noise, target)
            if settings["average"] == "squares":
                slopes = slopes.square()
            mean += slopes.sum(dim=0, keepdim=True) / samples
            passes.add(count)
        return Attribution(view.reduce(mean.abs()), passes.done)
