"""Explanations: one method a file, `faithfulness.py` measures them, `EXPLAINERS` lists them."""

from typing import Any

from dlportal.explain.base import Explainer
from dlportal.explain.d_rise import DRise
from dlportal.explain.grad_cam import GradCam
from dlportal.explain.integrated_gradients import IntegratedGradients
from dlportal.explain.leave_one_out import LeaveOneOut
from dlportal.explain.occlusion import Occlusion
from dlportal.explain.rise import Rise
from dlportal.explain.shapley_sampling import ShapleySampling
from dlportal.explain.smooth_grad import SmoothGrad

__all__ = ["EXPLAINERS", "explainers_for", "get_explainer"]

METHODS: tuple[Explainer, ...] = (
    GradCam(),
    Occlusion(),
    Rise(),
    DRise(),
    LeaveOneOut(),
    ShapleySampling(),
    IntegratedGradients(),
    SmoothGrad(),
)
EXPLAINERS = {method.name: method for method in METHODS}


def get_explainer(name: str) -> Explainer:
    """Find a method.

    Raises:
        ValueError: No such method (names the valid ones).
    """
    if name not in EXPLAINERS:
        raise ValueError(f"no explainer {name!r}; explainers: {', '.join(EXPLAINERS)}")
    return EXPLAINERS[name]


def explainers_for(case: Any) -> list[Explainer]:
    """The methods that fit what a case offers, in the order they are shown."""
    return [explainer for explainer in EXPLAINERS.values() if explainer.supports(case)]
