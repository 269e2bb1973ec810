"""The networks behind `credit_default`: what they make of nineteen numbers, and what they may not.

The risk never falls when a delay of 0 months or more gets longer, and never rises when a payment
grows: that follows from how the numbers are led through the networks, whatever these learn.
"""

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.data.uci_credit import BILL, PAID, STATUS
from dlportal.nets.monotone import MonotoneEnsemble

THOUSAND = 1000.0
SMALL = 500.0  # New Taiwan dollars; below it a bill's share paid says nothing


def squeeze(money: Tensor) -> Tensor:
    """Sign and logarithm of money, so that 1,000 and 10,000 lie as far apart as 10,000 and
    100,000; `expand` undoes it."""
    return money.sign() * torch.log1p(money.abs() / THOUSAND)


def expand(x: Tensor) -> Tensor:
    return x.sign() * torch.expm1(x.abs()) * THOUSAND


def total(x: Tensor) -> Tensor:
    return x.sum(dim=1, keepdim=True)


def rising_part(x: Tensor) -> Tensor:
    """What may only raise the risk: delays, and payments with their sign turned.

    Args:
        x: Encoded rows, shape (B, 19): money squeezed, status as it is.

    Returns:
        Shape (B, 42). Every entry rises, or stays, with each delay, and falls, or stays, with
        each payment.
    """
    late, paid = x[:, STATUS].clamp(min=0), x[:, PAID]
    money, bill = expand(paid), expand(x[:, BILL])
    steps = [(late - k).clamp(0, 1) for k in range(3)]
    share = money[:, :5] / bill[:, 1:].clamp(min=SMALL)  # of the statement a month before
    return torch.cat(
        [
            *steps,
            late / 8,
            late.amax(dim=1, keepdim=True) / 2,
            total(late) / 6,
            total(steps[0]) / 3,
            total(steps[0] + steps[1]) / 4,
            -paid,
            -share.clamp(0, 1.2),
            -(total(money) / total(bill).clamp(min=SMALL)).clamp(0, 1.5),
            -paid.amin(dim=1, keepdim=True),
            -squeeze(total(money)),
        ],
        dim=1,
    )


def free_part(x: Tensor) -> Tensor:
    """Everything else: cards paid in full or not used, statements, limit; shape (B, 33).

    Status 0 and above gives the same here, so that delays speak through `rising_part` alone.
    """
    bill, limit = expand(x[:, BILL]), expand(x[:, :1]).clamp(min=THOUSAND)
    no_debt = -x[:, STATUS]
    in_full, unused = no_debt.clamp(0, 1), (no_debt - 1).clamp(0, 1)
    used = (bill / limit).clamp(-0.5, 1.5)
    return torch.cat(
        [
            in_full,
            unused,
            x[:, BILL],
            used,
            x[:, :1],
            used.mean(dim=1, keepdim=True),
            (bill[:, :1] - bill[:, 5:]) / limit.clamp(min=10 * THOUSAND),
            total(in_full) / 3,
            (bill[:, :5] - bill[:, 1:]) / limit,
        ],
        dim=1,
    )


class CreditNet(nn.Module):
    """Several monotone networks whose log-odds of default are averaged.

    Args:
        members: Number of networks.
    """

    up_center: Tensor
    up_spread: Tensor
    free_center: Tensor
    free_spread: Tensor

    def __init__(self, members: int = 6) -> None:
        super().__init__()
        sizes = {"up": rising_part(torch.zeros(1, 19)), "free": free_part(torch.zeros(1, 19))}
        for name, part in sizes.items():
            self.register_buffer(f"{name}_center", torch.zeros(part.shape[1]))
            self.register_buffer(f"{name}_spread", torch.ones(part.shape[1]))
        n_up, n_free = (part.shape[1] for part in sizes.values())
        self.members = MonotoneEnsemble(members, n_up, n_free)

    @torch.no_grad()
    def fit_scale(self, x: Tensor) -> None:
        """Centre and spread of what the networks see, from training rows (N, 19)."""
        for name, part in (("up", rising_part(x)), ("free", free_part(x))):
            getattr(self, f"{name}_center").copy_(part.mean(dim=0))
            getattr(self, f"{name}_spread").copy_(part.std(dim=0) + 1e-3)

    def each(self, x: Tensor) -> Tensor:
        """Log-odds of default of every member, shape (members, B)."""
        up = (rising_part(x) - self.up_center) / self.up_spread
        free = (free_part(x) - self.free_center) / self.free_spread
        # No clamp on `up`: beyond it a longer delay would not count any more.
        free = free.clamp(-5, 5)
        y: Tensor = self.members(up, free)
        return y

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, 2) of paying and default, which sum to zero: both have one explanation."""
        score = self.each(x).mean(dim=0)
        return torch.stack([-score / 2, score / 2], dim=1)


def encode(rows: np.ndarray) -> Tensor:
    """What the networks get: rows (N, 19) with their money squeezed, float32."""
    x = torch.from_numpy(np.asarray(rows, np.float64)).float()
    money = squeeze(x)
    x = x.clone()
    for part in (slice(0, 1), BILL, PAID):
        x[:, part] = money[:, part]
    return x


@torch.inference_mode()
def logits(net: nn.Module, x: Tensor) -> Tensor:
    """Logits (N, 2) of many encoded rows, on the CPU."""
    device = next(net.parameters()).device
    return torch.cat([net(part.to(device)).float().cpu() for part in x.split(16_384)])
