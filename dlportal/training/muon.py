"""Muon for the matrices inside a network, AdamW for all else.

Paper: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/: the momentum of a matrix is
made orthogonal before it is taken as a step, so that all its directions are learned alike.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from dlportal.device import has_fast_bf16
from dlportal.training.plan import Plan

QUINTIC = (3.4445, -4.775, 2.0315)  # of the iteration that makes a matrix orthogonal
ITERATIONS = 5
MOMENTUM = 0.95


class Muon(torch.optim.Optimizer):
    """What `torch.optim.Muon` does with its defaults, with all matrices of one shape at a time,
    and in float32 where the processor has no bf16: there torch's takes ten times as long."""

    def __init__(self, groups: list[dict[str, Any]], lr: float, weight_decay: float) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            shapes: dict[torch.Size, list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    shapes.setdefault(parameter.shape, []).append(parameter)
            for shape, parameters in shapes.items():
                size = group["lr"] * max(1.0, shape[0] / shape[1]) ** 0.5
                steps = orthogonal(torch.stack([self.aim(p) for p in parameters]))
                for parameter, step in zip(parameters, steps, strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(step, alpha=-size)

    def aim(self, parameter: Tensor) -> Tensor:
        """The gradient with momentum, looked ahead (Nesterov)."""
        state, grad = self.state[parameter], parameter.grad
        assert grad is not None
        if not state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        kept = state["momentum_buffer"].lerp_(grad, 1 - MOMENTUM)
        return grad.lerp(kept, MOMENTUM)


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest orthogonal matrices, roughly: singular values end between 0.5 and 1.5.

    Args:
        matrices: (N, rows, columns).
    """
    kind = torch.bfloat16 if has_fast_bf16() else torch.float32
    tall = matrices.shape[1] > matrices.shape[2]
    x = (matrices.mT if tall else matrices).to(kind)
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp_min(1e-7)
    a, b, c = QUINTIC
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).to(matrices.dtype)


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
        group = {"params": inside, "factor": rate / plan.rate}
        muon = Muon([group], rate, plan.weight_decay)
        adamw = torch.optim.AdamW(
            [{"params": others, "factor": 1.0}],
            lr=plan.rate,
            betas=plan.betas,
            weight_decay=0.0,
            fused=True,
        )
        return Together([muon, adamw])

    return make
