"""The data and the training of `image_generation`."""

from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.data import fashion_mnist, mnist_10k
from dlportal.data.splits import Images
from dlportal.device import autocast, pick_device
from dlportal.nets.flow_net import ANY, SIDE, FlowNet, pack
from dlportal.nets.flow_sampling import draw_noise, guided_field, walk
from dlportal.training import metrics
from dlportal.training.averaging import Averaged
from dlportal.training.batches import Shuffled
from dlportal.training.events import Run
from dlportal.training.fit import Plan, fit, seed_everything

FORGET = 0.1  # of the pictures learn "any class" instead of their own
HELD = 1000  # validation pictures whose loss is looked at
LOOKED_AT = 200  # pictures that are drawn after each epoch
SHEET = 20  # of them are kept to be looked at
KINDS = 10  # of clothes; digits come after them


@dataclass(frozen=True)
class Recipe:
    """How much is learned: the net's widths, pictures of an epoch, epochs, rows of a batch."""

    width: int
    deep: int
    pictures: int
    epochs: int
    batch: int
    rate: float
    decay: float
    digits: bool


RECIPES = {
    "quick": Recipe(32, 64, 8000, 3, 64, 3e-3, 0.99, digits=False),
    "full": Recipe(32, 96, 63_000, 6, 64, 2e-3, 0.999, digits=True),
}


def tensors(part: Images) -> tuple[Tensor, Tensor]:
    """Pictures (N, 1, 28, 28) in [-1, 1], -1 is black, and labels (N,)."""
    x = torch.from_numpy(part.images.copy()).float().div(127.5).sub(1).unsqueeze(1)
    return x, torch.from_numpy(part.labels)


def pictures(digits: bool, which: str) -> tuple[Tensor, Tensor]:
    """Clothes and, if wanted, digits of one part, with their classes 0 to 19."""
    x, labels = tensors(getattr(fashion_mnist.load(), which))
    if digits:
        more, kinds = tensors(getattr(mnist_10k.load(), which))
        x, labels = torch.cat([x, more]), torch.cat([labels, kinds + KINDS])
    return x, labels


def train_net(settings: Settings, run: Run) -> nn.Module:
    """Train from the seed; returns the network with averaged weights."""
    recipe = RECIPES[settings.budget]
    x, kinds = pictures(recipe.digits, "train")
    held, look = held_out(recipe.digits), draw_noise(LOOKED_AT, settings.seed)
    few = torch.randperm(len(x), generator=torch.Generator().manual_seed(settings.seed))
    few = few[: recipe.pictures]
    with torch.random.fork_rng(devices=[]):
        seed_everything(settings.seed)
        net = Averaged(FlowNet(recipe.width, recipe.deep), recipe.decay)
    run.facts["pictures"] = {"train": len(few), "validation": len(held[0])}
    judge = load_judge()
    plan = Plan(
        epochs=recipe.epochs,
        rate=recipe.rate,
        metric="loss",
        higher_is_better=False,
        warmup=0.05,
        weight_decay=0.01,
        betas=(0.9, 0.99),
        seed=settings.seed,
    )

    def validate(net: nn.Module) -> dict[str, float]:
        kind = torch.arange(LOOKED_AT) % KINDS
        drawn = generate(net, look, kind, guidance=2.0, steps=6)
        keep_sheet(drawn[:SHEET], sheet_path(run.folder, len(run.curve) + 1))
        return {
            "loss": flow_loss(net, *held),
            "class_agreement": metrics.accuracy(kind, judge(drawn).argmax(dim=1)),
        }

    batches = Shuffled((x[few], kinds[few]), recipe.batch, settings.seed)
    fit(net, batches, step_loss, validate, plan, run)
    return net.averaged()


def sheet_path(folder: Path, epoch: int) -> Path:
    """Where a training leaves the pictures that it drew after an epoch, counted from 1."""
    return folder / f"drawn-{epoch:03d}.png"


def keep_sheet(x: Tensor, path: Path) -> None:
    """Write pictures (N, 1, 28, 28) in [0, 1] as rows of ten, whole or not at all."""
    rows = x[: len(x) // KINDS * KINDS].view(-1, KINDS, SIDE, SIDE)
    sheet = rows.permute(0, 2, 1, 3).reshape(-1, KINDS * SIDE)
    path.parent.mkdir(parents=True, exist_ok=True)  # the first comes before any checkpoint
    partial = path.with_suffix(".partial")
    Image.fromarray(sheet.mul(255).round().byte().numpy()).save(partial, "PNG")
    partial.replace(path)


def step_loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Mean squared error of the velocity at a random time of each picture's way.

    Times are the sigmoid of a normal number: the middle, where most is decided, comes more often
    (Esser et al. 2024, https://arxiv.org/abs/2403.03206, section 3.1).
    """
    net.step()  # type: ignore[operator]
    x, kind = batch
    noise = torch.randn(x.shape).to(x)
    t = torch.randn(len(x)).sigmoid().to(x)
    forget = torch.rand(len(x)).to(x.device) < FORGET
    kind = torch.where(forget, torch.full_like(kind, ANY), kind)
    return velocity_error(net, x, noise, t, kind)


def velocity_error(net: nn.Module, x: Tensor, noise: Tensor, t: Tensor, kind: Tensor) -> Tensor:
    """Mean squared error of the velocity between noise and pictures, a scalar."""
    between = torch.lerp(noise, x, t[:, None, None, None])
    return (net(pack(between, t, kind)).float() - (x - noise)).square().mean()


def held_out(digits: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Validation pictures, and for each a fixed noise and time, and its class."""
    x, kinds = pictures(digits, "validation")
    generator = torch.Generator().manual_seed(0)
    rows = torch.randperm(len(x), generator=generator)[:HELD]
    noise = torch.randn(x[rows].shape, generator=generator)
    t = torch.rand(len(rows), generator=generator)
    return x[rows], noise, t, kinds[rows]


@torch.inference_mode()
def flow_loss(net: nn.Module, x: Tensor, noise: Tensor, t: Tensor, kinds: Tensor) -> float:
    """`velocity_error` over all these pictures."""
    device = pick_device()
    errors = [
        velocity_error(net, *(part.to(device) for part in parts)).item() * len(parts[0])
        for parts in zip(*(each.split(250) for each in (x, noise, t, kinds)), strict=True)
    ]
    return sum(errors) / len(x)


@torch.inference_mode()
def generate(
    net: nn.Module, noise: Tensor, kind: Tensor, guidance: float, steps: int, size: int = 200
) -> Tensor:
    """Make a picture of each noise, `size` at a time.

    Args:
        net: Reads what `pack` gives.
        noise: Shape (N, 1, 28, 28).
        kind: Classes, (N,).
        guidance: See `guided_field`.
        steps: See `walk`.
        size: Pictures at a time; so many fit a processor's cache.

    Returns:
        Shape (N, 1, 28, 28), in [0, 1], on the CPU.
    """
    device, made = pick_device(), []
    for start, to in zip(noise.split(size), kind.split(size), strict=True):
        with autocast():
            path = walk(guided_field(net, to.to(device), guidance), start.to(device), steps)
        made.append(to_pixels(path[-1]))
    return torch.cat(made)


def to_pixels(x: Tensor) -> Tensor:
    """From [-1, 1] to [0, 1], what lies outside cut off, on the CPU, in float32."""
    return x.float().add(1).div(2).clamp(0, 1).cpu()


def load_judge() -> "Judge":
    """The shipped classifier of clothes."""
    from dlportal.case import load_case

    return Judge(load_case("fashion_classification").net)


@dataclass(frozen=True)
class Judge:
    """A classifier that looks at pictures it did not make."""

    net: nn.Module

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Tensor:
        """Logits (N, 10) of pictures (N, 1, 28, 28) in [0, 1]."""
        device = pick_device()
        return torch.cat([self.net(part.to(device)).float().cpu() for part in x.split(500)])
