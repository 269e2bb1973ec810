"""Occlusion: slide a patch over the picture."""

from typing import Any

import torch

from dlportal.case import Case, Knob, Progress
from dlportal.explain.method import (
    OUTPUT,
    Attribution,
    Method,
    Passes,
    answer_keep,
    batch_size,
    is_picture,
)
from dlportal.messages import N_


class Occlusion(Method):
    """Hide one window after another and note by how much the output falls.

    Paper: Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901
    Computed by captum on the mask of what is kept; a pixel gets the mean over its windows. That
    map has steps as wide as the stride; a mean over one stride turns them into slopes, close to
    the map that a stride of one pixel would give.
    """

    name = "occlusion"
    title = N_("Occlusion")
    about = N_("Hides one window after another and notes by how much the class falls.")
    paper = "https://arxiv.org/abs/1311.2901"
    knobs = (
        Knob(
            "window",
            N_("Window, % of the side"),
            default=20,
            low=5,
            high=50,
            step=5,
            help=N_("Small windows show detail and miss what only counts together."),
        ),
        Knob(
            "stride",
            N_("Stride, % of the window"),
            default=35,
            low=25,
            high=100,
            step=5,
            help=N_("Small strides give a smooth map and take more passes."),
        ),
        OUTPUT,
    )

    def supports(self, case: Case) -> bool:
        return is_picture(case)

    def attribute(
        self, case: Any, raw: Any, target: int, settings: dict[str, Any], progress: Progress | None
    ) -> Attribution:
        from captum.attr import Occlusion as Captums
        from scipy.ndimage import uniform_filter

        masker = case.masker(raw)
        windows = tuple(max(1, round(n * settings["window"] / 100)) for n in masker.shape)
        strides = tuple(max(1, round(n * settings["stride"] / 100)) for n in windows)
        places = [1 + -(-(n - w) // s) for n, w, s in zip(masker.shape, windows, strides)]
        passes = Passes(1 + places[0] * places[1], progress)
        forward = answer_keep(case, masker, target, passes, settings["output"])
        values = Captums(forward).attribute(
            torch.ones(1, *masker.shape),
            sliding_window_shapes=windows,
            strides=strides,
            baselines=0,
            perturbations_per_eval=batch_size(case),
        )
        smooth = uniform_filter(values[0].numpy(), size=strides, mode="nearest")
        return Attribution(smooth, passes.done)
