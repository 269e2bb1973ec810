"""The network that tells spoken digits apart: small CNNs over time and pitch that vote."""

import torch
from torch import Tensor

from dlportal.nets.small_cnn import Ensemble, SmallCNN

CLASSES = 10
MEMBERS = 2
WIDTH = 32
RIDGE = 0.05  # share of the mean variance that is added to every direction


class DigitNet(Ensemble):
    """Logits of ten digits, and beside them how unlike a digit a sound is.

    The latter is the sum of two: an output that was trained on what is made of the digits
    themselves (played backwards, halves of two put together, noise), which stand in for all
    other sounds (Hendrycks et al. 2019, https://arxiv.org/abs/1812.04606); and the distance of
    the last features from the nearest digit's mean (Lee et al. 2018,
    https://arxiv.org/abs/1807.03888).
    """

    means: Tensor
    precision: Tensor

    def __init__(self, members: int = MEMBERS, width: int = WIDTH) -> None:
        # Each member's last output says whether the sound is foreign.
        super().__init__([SmallCNN(CLASSES + 1, width=width) for _ in range(members)])
        wide = members * 4 * width
        self.register_buffer("means", torch.zeros(CLASSES, wide))
        self.register_buffer("precision", torch.zeros(wide, wide))

    def head(self, f: Tensor) -> Tensor:
        """Averaged logits (B, 10) of the last feature maps."""
        return super().head(f)[:, :CLASSES]

    def pooled(self, x: Tensor) -> Tensor:
        """Last features of all members, averaged over the picture: (B, 1, 40, 64) to (B, F)."""
        return self.features(x).mean(dim=(2, 3))

    @torch.no_grad()
    def fit_distance(self, x: Tensor, labels: Tensor) -> None:
        """Learn where each digit's features lie, from pictures (N, 1, 40, 64) and digits (N,)."""
        device = self.means.device
        f = torch.cat([self.pooled(part.to(device)).float() for part in x.split(256)]).double()
        labels = labels.to(device)
        means = torch.stack([f[labels == digit].mean(dim=0) for digit in range(CLASSES)])
        rest = f - means[labels]
        spread = rest.T @ rest / len(rest)
        spread += RIDGE * spread.diagonal().mean() * torch.eye(len(spread), device=device)
        self.means.copy_(means)
        self.precision.copy_(torch.linalg.inv(spread))

    def answers(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, 10) of pictures (B, 1, 40, 64), and how foreign they are, (B,)."""
        f = self.features(x)
        said = super().head(f)
        gap = f.mean(dim=(2, 3)).float().unsqueeze(1) - self.means
        distance = torch.einsum("bci,ij,bcj->bc", gap, self.precision, gap).amin(dim=1)
        return said[:, :CLASSES], said[:, CLASSES].float() + (distance + 1).log()

    @torch.inference_mode()
    def strangeness(self, x: Tensor) -> Tensor:
        """How foreign pictures are, (B,): more is less like a digit."""
        return self.answers(x)[1]
