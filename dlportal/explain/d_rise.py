"""D-RISE: RISE for one box of a detector."""

from dlportal.case import Case, Knob
from dlportal.explain.base import HasBoxes
from dlportal.explain.method import is_picture
from dlportal.explain.rise import Rise
from dlportal.messages import N_


class DRise(Rise):
    """Show random parts of the picture and note in which of them the box is found again.

    Paper: Petsiuk et al. 2021, https://arxiv.org/abs/2006.03204
    The masks and the weighing are those of `Rise`; that the network's answer is the likeness of
    the most alike box makes it D-RISE, and that is what the case of `about` answers. The paper
    takes 5,000 masks of 16 × 16 cells; fewer and coarser ones fit a page.
    """

    name = "d_rise"
    title = N_("D-RISE")
    about = N_("Shows random halves of the picture and notes where the same box is found again.")
    paper = "https://arxiv.org/abs/2006.03204"
    knobs = (
        Rise.knobs[0],
        Knob(
            "cells",
            N_("Cells a side"),
            default=8,
            low=4,
            high=16,
            step=1,
            help=N_("A finer grid shows detail and needs more samples."),
        ),
    )

    def supports(self, case: Case) -> bool:
        return is_picture(case) and isinstance(case, HasBoxes)
