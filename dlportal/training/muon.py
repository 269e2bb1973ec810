"""Muon for the matrices inside a network, AdamW for all else.

Paper: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/: the momentum of a matrix is
made orthogonal before it is taken as a step, so that all its directions are learned alike.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from dlportal.training.plan import Plan


class Together(torch.optim.Optimizer):
    """Several optimizers that step at once; their groups are those of one optimizer."""

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts
        super().__init__([group for part in parts for group in part.param_groups], {})
        # The same dictionaries, so that a new rate reaches the part that uses it.
        self.param_groups = [group for part in parts for group in part.param_groups]

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        return {str(place): part.state_dict() for place, part in enumerate(self.parts)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for place, part in enumerate(self.parts):
            part.load_state_dict(state_dict[str(place)])
        self.param_groups = [group for part in self.parts for group in part.param_groups]


def muon_for(
    start: str | tuple[str, ...], rate: float
) -> Callable[[nn.Module, Plan], torch.optim.Optimizer]:
    """What `fit` takes: Muon for the matrices whose names begin with `start`, at this rate; AdamW
    at the plan's rate, without decay, for the rest. Both follow the plan's schedule."""

    def make(net: nn.Module, plan: Plan) -> torch.optim.Optimizer:
        inside: list[Tensor] = []
        others: list[Tensor] = []
        for name, parameter in net.named_parameters():
            matrix = parameter.ndim == 2 and name.startswith(start)
            (inside if matrix else others).append(parameter)
        muon = torch.optim.Muon(
            [{"params": inside, "factor": rate / plan.rate}],
            lr=rate,
            weight_decay=plan.weight_decay,
        )
        adamw = torch.optim.AdamW(
            [{"params": others, "factor": 1.0}],
            lr=plan.rate,
            betas=plan.betas,
            weight_decay=0.0,
            fused=True,
        )
        return Together([muon, adamw])

    return make
