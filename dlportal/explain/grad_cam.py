"""Grad-CAM, without hooks."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from dlportal.case import Case, Knob, Progress
from dlportal.explain.base import HasFeatureMaps
from dlportal.explain.method import Attribution, Method, Passes, gradient, is_picture
from dlportal.messages import N_


class GradCam(Method):
    """Weight the last feature maps by how much the class depends on each, and add them up.

    Paper: Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391
    The network is split into `features` and `head`, so that nothing hooks into a network that
    many threads share. The last maps are coarse (7×7 for 224 pixels); `shifts` moves the
    picture by fractions of a cell and averages the maps, moved back, into a finer one.
    """

    name = "grad_cam"
    title = N_("Grad-CAM")
    about = N_("Adds up the last feature maps, each weighted by how much the class depends on it.")
    paper = "https://arxiv.org/abs/1610.02391"
    signed = False
    knobs = (
        Knob(
            "shifts",
            N_("Shifts a side"),
            default=1,
            low=1,
            high=4,
            step=1,
            help=N_("The picture is also moved by parts of a cell; more shifts, a finer map."),
        ),
    )

    def supports(self, case: Case) -> bool:
        return is_picture(case) and isinstance(case.net, HasFeatureMaps)

    def attribute(
        self, case: Any, raw: Any, target: int, settings: dict[str, Any], progress: Progress | None
    ) -> Attribution:
        x = case.encode(raw).to(case.device)
        n = settings["shifts"]
        passes = Passes(2 * n * n, progress)
        total = torch.zeros(x.shape[-2:])
        cell = None
        for i in range(n):
            for j in range(n):
                if cell is None:
                    dy = dx = 0
                else:
                    dy, dx = (round((k + 0.5) / n * s - s / 2) for k, s in zip((i, j), cell))
                moved = torch.roll(x, (dy, dx), (2, 3))
                cam = weighted_maps(case.net, moved, target, passes)
                cell = cell or tuple(a // b for a, b in zip(x.shape[-2:], cam.shape))
                fine = interpolate(cam[None, None], x.shape[-2:], mode="bicubic")[0, 0]
                total += torch.roll(fine, (-dy, -dx), (0, 1)).cpu()
        return Attribution(total.clamp(min=0).numpy() / n**2, passes.done)


def weighted_maps(net: Any, x: Tensor, target: int, passes: Passes) -> Tensor:
    with torch.no_grad():
        f = net.features(x)
    slope = gradient(net.head, f, target)
    passes.add(2)
    return torch.relu((f * slope.mean(dim=(2, 3), keepdim=True)).sum(dim=1)[0])
