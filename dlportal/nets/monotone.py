"""Networks that can only answer more when some of their inputs grow, whatever they learn.

Paper: Runje and Shankaranarayana 2023, https://arxiv.org/abs/2205.11775
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Linear(nn.Module):
    """The linear layers of several networks side by side: (M, B, I) to (M, B, O).

    Args:
        members: Number of networks M.
        inputs: I.
        outputs: O.
        positive: Whether only the sizes of the weights count, not their signs.
    """

    def __init__(self, members: int, inputs: int, outputs: int, positive: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(members, inputs, outputs) / math.sqrt(inputs))
        self.bias = nn.Parameter(torch.zeros(members, 1, outputs))
        self.positive = positive

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, x, self.weight.abs() if self.positive else self.weight)


def rising(x: Tensor) -> Tensor:
    """Bend a third of the units upward, a third downward, and level off a third.

    All three rise with their input; convex ones alone could only make convex functions.
    """
    up, down, level = x.chunk(3, dim=-1)
    return torch.cat([F.relu(up), -F.relu(-down), torch.tanh(level)], dim=-1)


class MonotoneEnsemble(nn.Module):
    """Networks of two hidden layers whose output never falls when one of the first inputs rises.

    The other inputs pass through layers of their own, without constraint, and shift the units of
    the monotone ones, so that they may say how much a rise counts but not turn it around.

    Args:
        members: Number of networks M, which differ in their first weights.
        rising_inputs: Inputs that may only raise the output.
        free_inputs: All others.
        hidden: Units of each hidden layer, a multiple of 3.
        width: Units of what the free inputs become.
        dropout: Share of units left out while training.
    """

    def __init__(
        self,
        members: int,
        rising_inputs: int,
        free_inputs: int,
        hidden: int = 48,
        width: int = 24,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.members = members
        self.free_in = Linear(members, free_inputs, 64)
        self.free_out = Linear(members, 64, width)
        self.first = Linear(members, rising_inputs, hidden, positive=True)
        self.first_shift = Linear(members, width, hidden)
        self.second = Linear(members, hidden, hidden, positive=True)
        self.second_shift = Linear(members, width, hidden)
        self.last = Linear(members, hidden, 1, positive=True)
        self.last_shift = Linear(members, width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, up: Tensor, free: Tensor) -> Tensor:
        """Map (B, rising_inputs) and (B, free_inputs) to what each network says, (M, B)."""
        up, free = (x.expand(self.members, *x.shape) for x in (up, free))
        e = F.relu(self.free_out(self.dropout(F.relu(self.free_in(free)))))
        h = self.dropout(rising(self.first(up) + self.first_shift(e)))
        h = self.dropout(rising(self.second(h) + self.second_shift(e)))
        return (self.last(h) + self.last_shift(e)).squeeze(-1)
