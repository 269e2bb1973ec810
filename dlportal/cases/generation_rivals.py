"""What generated pictures are measured with: a classifier that learns from them, and a sampler
without a neural network that stands beside them."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.nets.fashion_net import FashionNet
from dlportal.training import metrics
from dlportal.training.augment import Affine, cut_out, shifted
from dlportal.training.batches import Augment, Shuffled
from dlportal.training.events import Run
from dlportal.training.fit import Plan, fit, seed_everything

WIDTH, EPOCHS, BATCH = 24, 5, 96
HELD = 0.1  # of the pictures a classifier learns from choose its epoch
HOLE = 8  # pixels


def clothes_augment(x: Tensor, generator: torch.Generator) -> Tensor:
    """Moved, mirrored, half of them with a hole: as the shipped classifier of clothes learned."""
    return cut_out(shifted(x, 2, generator), HOLE, generator)


AUGMENTS: dict[str, Augment] = {
    "clothes": clothes_augment,
    "digits": Affine(flip=0.0),  # a digit in a mirror is another sign
}


def learn(x: Tensor, labels: Tensor, augment: Augment, seed: int = 0) -> nn.Module:
    """Train a small classifier from scratch on these pictures and on nothing else.

    Even its epoch is chosen on a tenth of the same pictures, so that one that learns from
    generated pictures never meets a real one.

    Args:
        x: Shape (N, 1, 28, 28), in [0, 1], in any order.
        labels: Shape (N,), 0 to 9.
        augment: Changes the pictures of a batch.
        seed: Of weights, order and changes.

    Returns:
        A classifier of ten classes, in eval mode.
    """
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    held, kept = order[: round(HELD * len(x))], order[round(HELD * len(x)) :]
    with torch.random.fork_rng(devices=[]):
        seed_everything(seed)
        net = FashionNet(width=WIDTH)
    batches = Shuffled((x[kept], labels[kept]), BATCH, seed, augment)
    plan = Plan(epochs=EPOCHS, rate=3e-3, weight_decay=0.05, warmup=0.15, seed=seed)

    def loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return F.cross_entropy(net(batch[0]).float(), batch[1], label_smoothing=0.05)

    def validate(net: nn.Module) -> dict[str, float]:
        device = next(net.parameters()).device
        y = torch.cat([net(part.to(device)).float().cpu() for part in x[held].split(500)])
        return {"accuracy": metrics.accuracy(labels[held], y.argmax(dim=1))}

    with tempfile.TemporaryDirectory(prefix="dlportal-") as folder:
        fit(net, batches, loss, validate, plan, Run(Path(folder)))
    return net


@dataclass(frozen=True)
class Gaussians:
    """For each kind the normal distribution with the mean and covariance of its pictures.

    All that a picture's pairs of pixels say, and nothing beyond: the way from its principal
    directions back to pixels (Tipping and Bishop 1999, https://doi.org/10.1111/1467-9868.00196).

    Attributes:
        means: Shape (kinds, 784).
        roots: Shape (kinds, 784, directions): directions times the standard deviation along each.
    """

    means: Tensor
    roots: Tensor

    def sample(self, kind: Tensor, seed: int = 0) -> Tensor:
        """Draw a picture of each kind (N,); shape (N, 1, 28, 28), cut off to [0, 1]."""
        generator = torch.Generator().manual_seed(seed)
        out = torch.empty(len(kind), self.means.shape[1])
        for k in kind.unique().tolist():
            rows = kind == k
            z = torch.randn(int(rows.sum()), self.roots.shape[2], generator=generator)
            out[rows] = self.means[k] + z @ self.roots[k].T
        return out.clamp(0, 1).view(-1, 1, 28, 28)


def fit_gaussians(x: Tensor, labels: Tensor, directions: int = 200) -> Gaussians:
    """Mean and covariance of the pictures (N, 1, 28, 28) of each kind, along its main directions."""
    means, roots = [], []
    for k in range(int(labels.max()) + 1):
        pixels = x[labels == k].flatten(1)
        mean = pixels.mean(dim=0)
        values, vectors = torch.linalg.eigh(torch.cov(pixels.T))
        most = values[-directions:].clamp(min=0).sqrt()
        means.append(mean)
        roots.append(vectors[:, -directions:] * most)
    return Gaussians(torch.stack(means), torch.stack(roots))
