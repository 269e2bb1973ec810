"""Muon beside torch's own."""

import pytest
import torch
from torch import nn

from dlportal.training.muon import Muon, orthogonal

SHAPES = ((8, 24), (24, 8), (16, 16), (16, 16))


def test_steps_are_those_of_torch() -> None:
    torch.manual_seed(0)
    first = [torch.randn(shape) for shape in SHAPES]
    ours = [nn.Parameter(p.clone()) for p in first]
    theirs = [nn.Parameter(p.clone()) for p in first]
    a = Muon([{"params": ours}], lr=0.02, weight_decay=0.05)
    b = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.05)
    for _ in range(5):
        for x, y in zip(ours, theirs, strict=True):
            x.grad = torch.randn_like(x)
            y.grad = x.grad.clone()
        a.step()
        b.step()
    for x, y, start in zip(ours, theirs, first, strict=True):
        moved = (y - start).norm()
        assert (x - y).norm() < 0.02 * moved  # torch's own rounds to bf16
        assert moved > 0


@pytest.mark.parametrize("shape", [(2, 8, 24), (2, 24, 8)])
def test_singular_values_come_near_one(shape: tuple[int, int, int]) -> None:
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape, generator=torch.manual_seed(0))))
    assert values.min() > 0.4 and values.max() < 1.6


def test_its_state_is_taken_up_again() -> None:
    torch.manual_seed(0)
    start, grads = torch.randn(6, 4), torch.randn(3, 6, 4)

    def go(parameter: nn.Parameter, optimizer: Muon, gradients: torch.Tensor) -> None:
        for grad in gradients:
            parameter.grad = grad.clone()
            optimizer.step()

    whole = nn.Parameter(start.clone())
    go(whole, Muon([{"params": [whole]}], 0.02, 0.0), grads)
    half = nn.Parameter(start.clone())
    first = Muon([{"params": [half]}], 0.02, 0.0)
    go(half, first, grads[:2])
    later = Muon([{"params": [half]}], 0.02, 0.0)
    later.load_state_dict(first.state_dict())
    go(half, later, grads[2:])
    assert torch.equal(whole, half)


def test_what_has_no_gradient_stays() -> None:
    parameter = nn.Parameter(torch.ones(3, 2))
    Muon([{"params": [parameter]}], 0.02, 0.1).step()
    assert torch.equal(parameter, torch.ones(3, 2))
