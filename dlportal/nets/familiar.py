"""How far a picture lies from the training pictures, as a network sees them."""

import torch
from torch import Tensor, nn

SHRUNK = 0.01  # of the covariance towards a multiple of the identity, so that it can be inverted


class Familiar(nn.Module):
    """A Gaussian around each class's mean features, all with one covariance.

    Paper: Lee et al. 2018, https://arxiv.org/abs/1807.03888
    """

    means: Tensor
    whiten: Tensor

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(classes, width))
        self.register_buffer("whiten", torch.eye(width))

    @torch.no_grad()
    def fit(self, features: Tensor, labels: Tensor) -> None:
        """Learn from features (N, width) and their classes (N,)."""
        f = features.double()
        means = torch.stack([f[labels == k].mean(dim=0) for k in range(len(self.means))])
        covariance = torch.cov((f - means[labels]).T)
        level = covariance.diagonal().mean()
        covariance = (1 - SHRUNK) * covariance + SHRUNK * level * torch.eye(f.shape[1])
        # With covariance = L Lᵀ the squared length of L⁻¹ d is the Mahalanobis distance of d.
        factor = torch.linalg.cholesky(covariance)
        self.means.copy_(means)
        self.whiten.copy_(torch.linalg.inv(factor))

    def forward(self, features: Tensor) -> Tensor:
        """Squared distance of features (B, width) to the nearest class, per feature, (B,)."""
        gaps = (features.unsqueeze(1) - self.means) @ self.whiten.T
        return gaps.square().mean(dim=2).amin(dim=1)
