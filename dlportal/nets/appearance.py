"""What pictures of a kind look like: tells others apart without knowing any of them."""

import torch
from torch import Tensor, nn

FLAT = 0.02  # standard deviation of pixels in [0, 1] below which a picture is blank


class Appearance(nn.Module):
    """A Gaussian with a few principal directions, fitted to pictures of equal size.

    Probabilistic principal component analysis: Tipping and Bishop 1999,
    https://doi.org/10.1111/1467-9868.00196
    Each picture is first brought to zero mean and unit variance, so that exposure does not count.
    """

    centre: Tensor
    basis: Tensor
    spread: Tensor
    rest: Tensor

    def __init__(self, pixels: int, directions: int = 32) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(pixels))
        self.register_buffer("basis", torch.zeros(directions, pixels))
        self.register_buffer("spread", torch.ones(directions))
        self.register_buffer("rest", torch.ones(()))

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Learn from pictures (N, C, H, W) in [0, 1]."""
        flat = normalise(x).double()
        centre = flat.mean(dim=0)
        _, values, vectors = torch.linalg.svd(flat - centre, full_matrices=False)
        variances = values.square() / len(flat)
        n = len(self.basis)
        self.centre.copy_(centre)
        self.basis.copy_(vectors[:n])
        self.spread.copy_(variances[:n].sqrt())
        self.rest.copy_((variances[n:].sum() / (flat.shape[1] - n)).sqrt())

    def forward(self, x: Tensor) -> Tensor:
        """How unusual pictures (B, C, H, W) are, (B,): about 1 for the training pictures, more for
        others; infinite for blank ones.

        It is the squared Mahalanobis distance, divided by its expectation.
        """
        flat = normalise(x) - self.centre
        along = flat @ self.basis.T
        outside = flat.square().sum(dim=1) - along.square().sum(dim=1)
        distance = (along / self.spread).square().sum(dim=1) + outside / self.rest.square()
        score = distance / flat.shape[1]
        return torch.where(x.flatten(1).std(dim=1) < FLAT, torch.inf, score)


def normalise(x: Tensor) -> Tensor:
    """Pictures (B, C, H, W) as rows (B, C·H·W) of zero mean and unit variance."""
    flat = x.flatten(1)
    flat = flat - flat.mean(dim=1, keepdim=True)
    return flat / flat.std(dim=1, keepdim=True).clamp(min=1e-6)
