"""Leave one out: hide one part at a time."""

from typing import Any

import torch

from dlportal.case import Case, Knob, Progress
from dlportal.explain.method import (
    OUTPUT,
    Attribution,
    Method,
    Passes,
    ask,
    batch_size,
    in_batches,
    is_list,
)
from dlportal.messages import N_


class LeaveOneOut(Method):
    """Hide each part alone and note by how much the output falls.

    Paper: Li et al. 2016, https://arxiv.org/abs/1612.08220
    It misses what two parts say alike: either can go without a change.
    """

    name = "leave_one_out"
    title = N_("Leave one out")
    about = N_("Hides each part alone and notes by how much the class falls.")
    paper = "https://arxiv.org/abs/1612.08220"
    knobs = (
        Knob(
            "window",
            N_("Neighbours hidden together"),
            default=1,
            low=1,
            high=5,
            step=1,
            help=N_("A part's value is then the mean over the runs it belongs to."),
        ),
        OUTPUT,
    )

    def supports(self, case: Case) -> bool:
        return is_list(case)

    def attribute(
        self, case: Any, raw: Any, target: int, settings: dict[str, Any], progress: Progress | None
    ) -> Attribution:
        masker = case.masker(raw)
        (parts,) = masker.shape
        window = min(settings["window"], parts)
        # Row i hides `window` neighbours from part i on.
        runs = torch.zeros(parts - window + 1, parts)
        for i, run in enumerate(runs):
            run[i : i + window] = 1
        passes = Passes(len(runs) + 1, progress)
        keep = torch.cat([torch.ones(1, parts), 1 - runs])
        masks = in_batches(keep, batch_size(case))
        y = ask(case, masker, masks, target, passes, settings["output"])
        drops = y[0] - y[1:]
        values = (drops @ runs) / runs.sum(dim=0)
        return Attribution(values.numpy(), passes.done)
