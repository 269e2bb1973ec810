"""The pictures of the practice lab: Fashion-MNIST, or scikit-learn's digits where it is not here.

All parts are kept as one tensor of bytes each; a batch is an index into it.
"""

import threading
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from dlportal.data import fashion_mnist, is_available
from dlportal.results import Label

VALIDATION = 2000  # pictures, at most
CLOTHES = (
    Label("t_shirt", "T-shirt", "T恤"),
    Label("trouser", "Trouser", "裤子"),
    Label("pullover", "Pullover", "套头衫"),
    Label("dress", "Dress", "连衣裙"),
    Label("coat", "Coat", "外套"),
    Label("sandal", "Sandal", "凉鞋"),
    Label("shirt", "Shirt", "衬衫"),
    Label("sneaker", "Sneaker", "运动鞋"),
    Label("bag", "Bag", "包"),
    Label("ankle_boot", "Ankle boot", "短靴"),
)
DIGITS = tuple(Label(str(n), str(n), str(n)) for n in range(10))
LABELS = {"fashion_mnist": CLOTHES, "digits": DIGITS}
_loading = threading.Lock()  # two visitors at once: the second waits instead of reading it again


@dataclass(frozen=True)
class Part:
    """Pictures (N, 1, side, side), uint8 in 0-255, and their classes (N,), int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Tensor) -> "Part":
        """The rows with these indices, in this order."""
        return Part(self.images[rows], self.labels[rows])


@dataclass(frozen=True)
class Pictures:
    """The three parts of a data set; `test` is for the very end."""

    name: str
    train: Part
    validation: Part
    test: Part

    @property
    def side(self) -> int:
        return self.train.images.shape[-1]


def usable(data: str) -> str:
    """The data set itself, or "digits" where Fashion-MNIST is not on this machine."""
    return data if data == "digits" or is_available("fashion_mnist") else "digits"


def load(data: str) -> Pictures:
    """Read a data set; it is kept for the next call.

    Args:
        data: "fashion_mnist" (54,000 / 2,000 / 10,000 pictures of 28 × 28) or "digits"
            (1,000 / 397 / 400 of 8 × 8).

    Raises:
        AssetError: Fashion-MNIST is not here and not to be had.
        ValueError: Another name.
    """
    with _loading:
        return _load(data)


@lru_cache(maxsize=2)
def _load(data: str) -> Pictures:
    if data == "fashion_mnist":
        parts = fashion_mnist.load()
        train, validation, test = (
            Part(torch.from_numpy(p.images.copy())[:, None], torch.from_numpy(p.labels))
            for p in (parts.train, parts.validation, parts.test)
        )
        g = torch.Generator().manual_seed(0)
        return Pictures(data, train, validation.take(mixed(len(validation), g)[:VALIDATION]), test)
    if data == "digits":
        return _digits()
    raise ValueError(f"no data {data!r}; data: {', '.join(LABELS)}")


def _digits() -> Pictures:
    """Handwritten digits that come with scikit-learn, mixed once and for all."""
    from sklearn.datasets import load_digits

    pixels, label = load_digits(return_X_y=True)
    images = torch.tensor(pixels).reshape(-1, 1, 8, 8).mul(255 / 16).round().to(torch.uint8)
    rows = mixed(len(label), torch.Generator().manual_seed(0))
    whole = Part(images, torch.tensor(label).long()).take(rows)
    parts = (slice(0, 1000), slice(1000, 1397), slice(1397, None))
    train, validation, test = (Part(whole.images[p], whole.labels[p]) for p in parts)
    return Pictures("digits", train, validation, test)


def mixed(n: int, g: torch.Generator) -> Tensor:
    """The numbers below n in random order."""
    return torch.randperm(n, generator=g)


def subset(part: Part, count: int, seed: int) -> Part:
    """`count` random pictures, or all; a larger subset of the same seed holds the smaller one."""
    return part.take(mixed(len(part), torch.Generator().manual_seed(seed))[:count])


def folds(n: int, k: int) -> list[tuple[Tensor, Tensor]]:
    """k-fold cross-validation of rows that are mixed already: (kept, held out) k times.

    Every row is held out exactly once.
    """
    place = torch.arange(n) % k
    return [((place != i).nonzero()[:, 0], (place == i).nonzero()[:, 0]) for i in range(k)]


@dataclass(frozen=True)
class Scaling:
    """x ↦ (x - shift) / size, of pixels in 0-255."""

    shift: float
    size: float

    def __call__(self, x: Tensor) -> Tensor:
        return (x - self.shift) / self.size


def scaling_of(kind: str, images: Tensor) -> Scaling:
    """How pixels become numbers for the network.

    Args:
        kind: "raw" leaves 0-255, "unit" divides by 255, "standard" also takes away the mean and
            divides by the standard deviation.
        images: The training pictures: mean and deviation come from these alone.
    """
    if kind == "raw":
        return Scaling(0.0, 1.0)
    if kind == "unit":
        return Scaling(0.0, 255.0)
    if kind == "standard":
        few = images[:5000].double()
        return Scaling(few.mean().item(), few.std(correction=0).item())
    raise ValueError(f"no scaling {kind!r}; scalings: raw, unit, standard")
