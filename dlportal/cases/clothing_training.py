"""The data and the training of `clothing_classification`: first a head alone, then the whole net.

The head that logistic regression finds on the untouched body is both the rival (frozen features)
and the start of the fine-tuning (Kumar et al. 2022, https://arxiv.org/abs/2202.10054).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from dlportal.assets import fetch
from dlportal.case import Settings
from dlportal.data import clothing
from dlportal.data.splits import Images
from dlportal.device import autocast, pick_device
from dlportal.messages import N_
from dlportal.nets.clothing_net import SIDE, ClothingNet, texture, untouched
from dlportal.nets.efficientnet_lite import CHANNELS, MEAN, STD
from dlportal.training import calibration, metrics
from dlportal.training.augment import Exposure, ResizedCrop, cut_out, tinted
from dlportal.training.averaging import Averaged
from dlportal.training.batches import Shuffled
from dlportal.training.events import Event, Run
from dlportal.training.fit import Plan, fit, seed_everything
from dlportal.training.store import save_weights

USUAL = 0.985  # share of the validation pictures that each of the two marks lets pass
SMOOTHING = 0.1  # of the labels; some of them are wrong
MIXED = 0.2  # both parameters of the beta distribution that says how much of another picture
PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0)  # C of the logistic regression; validation picks one
STAGES = 7  # of the body
FALL = 0.8  # factor on the learning rate from one stage to the one before it
# Edges and colours need no new lesson, and at full size they would take half of the time.
STILL = ("body.conv_stem.", "body.bn1.", "body.blocks.0.", "body.blocks.1.")
EXPOSED = Exposure(brightness=0.12, contrast=0.3, gamma=0.25)
TINT = 0.4


@dataclass(frozen=True)
class Recipe:
    """How much is learned: pictures, passes over them, pixels a side, and the peak learning rate."""

    pictures: int
    epochs: int
    side: int
    # Low: from a good head, large steps would first spoil the features it stands on.
    rate: float = 4e-4


RECIPES = {
    "quick": Recipe(pictures=400, epochs=2, side=SIDE),
    "full": Recipe(pictures=100_000, epochs=12, side=SIDE, rate=6e-4),
}
ENOUGH = 150  # pictures that settle the rest where a training was stopped
# After the full training: on from there with the validation pictures, too.
MORE = Recipe(pictures=100_000, epochs=4, side=SIDE, rate=1.5e-4)


def bytes_of(part: Images) -> tuple[Tensor, Tensor]:
    """Pictures (N, 3, 96, 96), uint8, and labels (N,)."""
    x = torch.from_numpy(part.images).permute(0, 3, 1, 2).contiguous()
    return x, torch.from_numpy(part.labels)


def enlarged(x: Tensor) -> Tensor:
    """Pictures (N, 3, 96, 96), uint8, as a network is asked: normalised, (N, 3, 176, 176)."""
    small = (x.float() / 255 - MEAN) / STD
    # The same interpolation as of the crops in training.
    return F.interpolate(small, (SIDE, SIDE), mode="bilinear", align_corners=False)


def augment(side: int) -> Callable[[Tensor, torch.Generator], Tensor]:
    """Other light, other colours, another part, turned, mirrored, half of them with a hole."""
    # Most of the picture stays: without its sleeves a long sleeve would be a T-shirt.
    crop = ResizedCrop(side, least=0.7, degrees=10.0)

    def change(x: Tensor, generator: torch.Generator) -> Tensor:
        x = tinted(EXPOSED(x.float() / 255, generator), TINT, generator)
        # Normalised first: 0, what surrounds a picture, is then the grey of the frame.
        return cut_out(crop((x - MEAN) / STD, generator), side // 4, generator)

    return change


def train_net(settings: Settings, run: Run) -> nn.Module:
    """Train from the seed; validation picks the epoch, the temperature and the gate."""
    recipe = RECIPES[settings.budget]
    parts = clothing.load()
    (x, labels), (x_valid, labels_valid) = bytes_of(parts.train), bytes_of(parts.validation)
    few = torch.randperm(len(x), generator=torch.Generator().manual_seed(settings.seed))
    few = few[: recipe.pictures].sort().values
    x, labels = x[few], labels[few]
    run.facts["pictures"] = {"train": len(x), "validation": len(x_valid)}
    with torch.random.fork_rng(devices=[]):
        seed_everything(settings.seed)
        start = untouched(fetch("efficientnet-lite2"))
    run.emit(Event("message", text=N_("The untouched network looks at every picture once.")))
    if run.cancelled():
        x, labels, x_valid, labels_valid = spread(x, labels, x_valid, labels_valid)
    start_from_frozen(start, (x, labels), (x_valid, labels_valid), run)
    net = fine_tuned(start, (x, labels), (x_valid, labels_valid), recipe, settings.seed, run)
    if run.cancelled():  # what follows looks at every picture: a minute on a slow machine
        x, labels, x_valid, labels_valid = spread(x, labels, x_valid, labels_valid)
    run.constants["temperature"] = calibration.fit_temperature(logits(net, x_valid), labels_valid)
    if settings.budget == "full" and not run.cancelled():
        run.facts["validation"] = quality(net, x_valid, labels_valid)
        # The temperature stays: with these pictures learned there are none left to fit it on.
        both = torch.cat([x, x_valid]), torch.cat([labels, labels_valid])
        net = fine_tuned(net, both, None, MORE, settings.seed + 1, run, "both")
    run.constants["unusual"] = learn_usual(net, (x, labels), x_valid)
    return net


def spread(*parts: Tensor) -> list[Tensor]:
    """A few rows of each from everywhere, of all classes: a training that was stopped ends with
    them."""
    return [rows[torch.linspace(0, len(rows) - 1, ENOUGH).long()] for rows in parts]


@torch.no_grad()
def learn_usual(net: ClothingNet, train: tuple[Tensor, Tensor], x_valid: Tensor) -> list[float]:
    """Learn what photographs of clothes look like.

    Returns:
        The strangeness, of what is seen and of its texture, that nearly all validation pictures
        stay below.
    """

    def both(part: Tensor) -> Tensor:
        early, f = net.both(part)
        return torch.cat([f.mean(dim=(2, 3)).float(), texture(early)], dim=1)

    x, labels = train
    found = in_parts(both, x)
    net.cpu().learn_usual(found[:, :CHANNELS], found[:, CHANNELS:], labels)
    net.to(pick_device())
    return in_parts(lambda part: net.look(part)[1], x_valid).quantile(USUAL, dim=0).tolist()


def start_from_frozen(
    net: ClothingNet, train: tuple[Tensor, Tensor], valid: tuple[Tensor, Tensor], run: Run
) -> None:
    """Fit the head to the untouched body's features, or take up what an interrupted run found."""
    net.to(pick_device(), memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    path = run.folder / f"frozen-{len(train[0])}.safetensors"
    f_valid = pooled(net, valid[0])
    if not path.exists():
        weight, bias = regression(pooled(net, train[0]), train[1], f_valid, valid[1])
        save_weights({"weight": weight, "bias": bias}, path, half=False)
    found = load_file(path)
    with torch.no_grad():
        for kept, first, name in (
            (net.frozen_weight, net.body.classifier.weight, "weight"),
            (net.frozen_bias, net.body.classifier.bias, "bias"),
        ):
            kept.copy_(found[name])
            first.copy_(found[name])
    y = f_valid @ found["weight"].T + found["bias"]
    run.facts["frozen"] = {
        "accuracy": metrics.accuracy(valid[1], y.argmax(1)),
        "loss": F.cross_entropy(y, valid[1]).item(),
    }


def regression(f: Tensor, labels: Tensor, f_valid: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Logistic regression on features (N, 1280); validation picks the penalty.

    Returns:
        Weights (10, 1280) and biases (10,).
    """
    from sklearn.linear_model import LogisticRegression

    found = []
    for penalty in PENALTIES:
        model = LogisticRegression(C=penalty, max_iter=500).fit(f.numpy(), labels.numpy())
        loss = metrics.log_loss(valid.numpy(), model.predict_proba(f_valid.numpy()))
        found.append((loss, penalty, model))
    _loss, _penalty, model = min(found, key=lambda row: row[:2])
    coefficients = model.coef_.astype(np.float32), model.intercept_.astype(np.float32)
    return torch.from_numpy(coefficients[0]), torch.from_numpy(coefficients[1])


def quality(net: nn.Module, x: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy and mean cross-entropy, before any temperature."""
    y = logits(net, x)
    return {
        "accuracy": metrics.accuracy(labels, y.argmax(1)),
        "loss": F.cross_entropy(y, labels).item(),
    }


def fine_tuned(
    start: ClothingNet,
    train: tuple[Tensor, Tensor],
    valid: tuple[Tensor, Tensor] | None,
    recipe: Recipe,
    seed: int,
    run: Run,
    name: str = "fit",
) -> ClothingNet:
    """The whole network learns; what is kept is an average over the last steps.

    Without `valid` the last epoch counts.
    """
    net = ClothingNet()
    net.load_state_dict(start.state_dict())
    for place, parameter in net.named_parameters():
        parameter.requires_grad_(not place.startswith(STILL))
    smooth = Averaged(net, decay=0.98)
    batches = Shuffled(train, 64, seed, augment(recipe.side))
    plan = Plan(
        epochs=recipe.epochs,
        rate=recipe.rate,
        metric="steps" if valid is None else "loss",
        higher_is_better=valid is None,
        weight_decay=0.05,
        warmup=0.15,
        # bf16 gains nothing here: backwards through depthwise convolutions it is the slower one.
        bf16=False,
        factors=rates(),
        seed=seed,
    )

    def validate(net: nn.Module) -> dict[str, float]:
        if valid is None:
            return {"steps": float(net.steps)}  # type: ignore[arg-type]
        with autocast():
            return quality(net, *valid)

    fit(smooth, batches, mixed_loss, validate, plan, run, name)
    found = smooth.averaged()
    assert isinstance(found, ClothingNet)
    return found


def rates() -> dict[str, float]:
    """Factors on the learning rate: lower the nearer to the pixels."""
    found = {f"net.body.blocks.{k}.": FALL ** (STAGES - k) for k in range(STAGES)}
    return found | {"net.body.conv_head.": 1.0, "net.body.bn2.": 1.0}


def mixed_loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy of pictures that show through each other.

    Paper: Zhang et al. 2018, https://arxiv.org/abs/1710.09412 (mixup)
    """
    net.step()  # type: ignore[operator]
    x, labels = batch
    share = float(torch.distributions.Beta(MIXED, MIXED).sample())
    y = net(share * x + (1 - share) * x.roll(1, 0)).float()
    own = F.cross_entropy(y, labels, label_smoothing=SMOOTHING)
    other = F.cross_entropy(y, labels.roll(1), label_smoothing=SMOOTHING)
    return share * own + (1 - share) * other


@torch.inference_mode()
def logits(net: nn.Module, x: Tensor) -> Tensor:
    """Logits (N, classes) on the CPU, of pictures (N, 3, 96, 96), uint8."""
    return in_parts(net, x)


@torch.no_grad()
def pooled(net: ClothingNet, x: Tensor) -> Tensor:
    """Means of the last feature maps, (N, 1280), of pictures (N, 3, 96, 96), uint8."""
    return in_parts(lambda part: net.features(part).mean(dim=(2, 3)), x)


def in_parts(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply a network, or a part of one, to a few pictures at a time."""
    device = pick_device()
    found = []
    for part in x.split(64):
        ready = enlarged(part).to(device, memory_format=torch.channels_last)
        found.append(function(ready).float().cpu())
    return torch.cat(found)
