"""The data, the network and the training of `chest_xray`."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.data import pneumoniamnist
from dlportal.data.splits import Images, Splits
from dlportal.device import autocast
from dlportal.nets.appearance import Appearance
from dlportal.nets.familiar import Familiar
from dlportal.nets.small_cnn import Ensemble, SmallCNN
from dlportal.results import Label
from dlportal.training import calibration, metrics
from dlportal.training.augment import Affine, Exposure
from dlportal.training.batches import Shuffled
from dlportal.training.events import Run
from dlportal.training.fit import Plan, fit, seed_everything

SIDE = 28
WIDTH = 32  # channels of each member's first stage
PREVALENCE = 0.5  # what the probabilities are meant for
LABELS = (Label("normal", "normal", "正常"), Label("pneumonia", "pneumonia", "肺炎"))

# The photographs shown as examples are in the data, too (14 train, 2 validation). They were
# taken out, so that what the network says of them is about pictures it never saw: the hashes
# are of their 28 × 28 pixels.
SHOWN = frozenset(
    [
        "b1d4e132465b",
        "dba546cab116",
        "98e186f4dc52",
        "fe45022d674a",
        "31ca2b0724f7",
        "48f059ec59c9",
        "f9d0a53c7976",
        "36d2653e109f",
        "ace7577a9308",
        "4a212238b4b3",
        "8bf633c51530",
        "7b5975ebef35",
        "19871173205a",
        "de25c6189456",
        "254133662015",
        "e50a887bbed2",
    ]
)


class XrayNet(Ensemble):
    """The CNNs, and what an X-ray looks like (for the "unlike the training data" mark)."""

    def __init__(self, members: int = 5) -> None:
        super().__init__([SmallCNN(len(LABELS), width=WIDTH) for _ in range(members)])
        self.appearance = Appearance(SIDE * SIDE, directions=16)
        self.familiar = Familiar(members * 4 * WIDTH, len(LABELS))

    def look(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, 2) and strangeness (B, 2), by pixels and by features, with one pass."""
        f = self.features(x)
        unlike = torch.stack([self.appearance(x), self.familiar(f.mean(dim=(2, 3)).float())], dim=1)
        return self.head(f), unlike


def is_shown(image: np.ndarray) -> bool:
    """Whether a 28 × 28 picture is one of the examples."""
    return sha256(image.tobytes()).hexdigest()[:12] in SHOWN


def without_shown(part: Images) -> Images:
    return part.take(np.array([i for i, image in enumerate(part.images) if not is_shown(image)]))


def read_data(data: Path | None = None) -> Splits[Images]:
    """The dataset without the example photographs, or a visitor's data as they are.

    Raises:
        InputError: `data` is not laid out like the dataset.
        AssetError: The dataset is neither here nor to be had.
    """
    if data is not None:
        return pneumoniamnist.load(data) if data.is_dir() else pneumoniamnist.read(data)
    parts = pneumoniamnist.load()
    return Splits(without_shown(parts.train), without_shown(parts.validation), parts.test)


def tensors(part: Images) -> tuple[Tensor, Tensor]:
    """Pictures (N, 1, 28, 28) in [0, 1] and labels (N,)."""
    x = torch.from_numpy(part.images.copy()).float().div(255).unsqueeze(1)
    return x, torch.from_numpy(part.labels)


def balance(labels: Tensor) -> Tensor:
    """Weights of the two classes that make both count as one half, (2,)."""
    return len(labels) / (2 * torch.bincount(labels, minlength=2))


@dataclass(frozen=True)
class Recipe:
    members: int
    epochs: int


RECIPES = {"quick": Recipe(members=1, epochs=6), "full": Recipe(members=5, epochs=24)}
MOVED, EXPOSED = Affine(flip=0.0), Exposure()  # the heart lies on one side
SMOOTHED = 0.1  # share of each label that both classes get
# Distorted copies of each validation picture: after each epoch, and for the temperature.
CHECKED, SCALED = 2, 8
USUAL = 0.985  # share of the validation pictures that each of the two marks lets pass


def augment(members: int) -> Callable[[Tensor, torch.Generator], Tensor]:
    """A view of its own for each member: (B, 1, 28, 28) to (B, M, 28, 28)."""

    def views(x: Tensor, generator: torch.Generator) -> Tensor:
        many = EXPOSED(MOVED(x.repeat(members, 1, 1, 1), generator), generator)
        return many.view(members, len(x), SIDE, SIDE).transpose(0, 1)

    return views


def distorted(x: Tensor, copies: int) -> Tensor:
    """Copies of the validation pictures under the training's distortions.

    Validation shares patients with training and is much easier than any new hospital's data:
    what is chosen or scaled on it as it is would be too sure. Distorted, it is harder.
    """
    generator = torch.Generator().manual_seed(0)
    return EXPOSED(MOVED(x.repeat(copies, 1, 1, 1), generator), generator)


def train_net(settings: Settings, run: Run) -> nn.Module:
    """Train all members together, each from its own start and on its own distortions."""
    recipe = RECIPES[settings.budget]
    parts = read_data()
    (x, labels), (x_valid, labels_valid) = tensors(parts.train), tensors(parts.validation)
    weights = balance(labels)
    with torch.random.fork_rng(devices=[]):
        seed_everything(settings.seed)
        net = XrayNet(recipe.members)
    run.facts["pictures"] = {"train": len(x), "validation": len(x_valid)}
    hard, labels_hard = distorted(x_valid, CHECKED), labels_valid.repeat(CHECKED)
    batches = Shuffled((x, labels), 64, settings.seed, augment(recipe.members))
    plan = Plan(
        epochs=recipe.epochs,
        rate=2e-3,
        weight_decay=0.02,
        metric="loss",
        higher_is_better=False,
        seed=settings.seed,
    )

    def loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        y = net.each(batch[0])  # type: ignore[operator]
        repeated = batch[1].repeat(len(y))
        each = F.cross_entropy(
            y.flatten(0, 1).float(), repeated, reduction="none", label_smoothing=SMOOTHED
        )
        # Not given to the function above: its class weights weigh the smoothing, too.
        counted = weights.to(y.device)[repeated]
        return (each * counted).sum() / counted.sum()

    def validate(net: nn.Module) -> dict[str, float]:
        with autocast():
            y, clean = logits(net, hard), logits(net, x_valid)
        return {
            "loss": F.cross_entropy(y, labels_hard, balance(labels_hard)).item(),
            "auc": metrics.auc(labels_valid, clean[:, 1] - clean[:, 0]),
            "balanced_accuracy": metrics.balanced_accuracy(labels_valid, clean.argmax(1)),
        }

    fit(net, batches, loss, validate, plan, run)
    run.constants["temperature"] = honest_temperature(net, x_valid, labels_valid)
    run.constants["unusual"] = learn_usual(net, (x, labels), x_valid)
    return net


def learn_usual(net: XrayNet, train: tuple[Tensor, Tensor], x_valid: Tensor) -> list[float]:
    """Learn what X-rays (N, 1, 28, 28) of two classes look like, by pixels and by features.

    Returns:
        The strangeness, by pixels and by features, that nearly all validation pictures stay below.
    """
    device = next(net.parameters()).device
    x, labels = train
    with torch.no_grad():
        f = [net.features(part.to(device)).mean(dim=(2, 3)).float().cpu() for part in x.split(256)]
    net.cpu()
    net.appearance.fit(x)
    net.familiar.fit(torch.cat(f), labels)
    net.to(device)
    return looked(net, x_valid)[1].quantile(USUAL, dim=0).tolist()


@torch.inference_mode()
def logits(net: nn.Module, x: Tensor) -> Tensor:
    """Logits (N, 2) on the CPU, a few hundred pictures at a time."""
    device = next(net.parameters()).device
    return torch.cat([net(part.to(device)).float().cpu() for part in x.split(256)])


@torch.inference_mode()
def looked(net: XrayNet, x: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (N, 2) and strangeness (N, 2), by pixels and by features, on the CPU."""
    device = next(net.parameters()).device
    rows = [net.look(part.to(device)) for part in x.split(256)]
    y, unlike = (torch.cat([row[k].float().cpu() for row in rows]) for k in (0, 1))
    return y, unlike


def honest_temperature(net: nn.Module, x: Tensor, labels: Tensor) -> float:
    """The temperature on distorted validation pictures, both classes counting one half."""
    y, labels = logits(net, distorted(x, SCALED)), labels.repeat(SCALED)
    return calibration.fit_temperature(y, labels, balance(labels)[labels])
