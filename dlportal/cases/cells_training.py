"""The data, the network and the training of `blood_cells`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from dlportal.assets import fetch
from dlportal.case import Settings
from dlportal.cases.cells_familiar import AT_ONCE, learn_usual, strangeness
from dlportal.data import bccd
from dlportal.data.scene import Scene
from dlportal.device import autocast, pick_device
from dlportal.kinds.boxes import Letterbox, as_picture, corners_of, pick_boxes
from dlportal.nets.efficientnet_lite import pretrained
from dlportal.nets.fcos import CellFinder, total
from dlportal.results import Label
from dlportal.training.averaging import Averaged
from dlportal.training.box_augment import ShuffledScenes, Views
from dlportal.training.detection_scores import MeanPrecision, Objects, count_errors, match
from dlportal.training.events import Run
from dlportal.training.fit import Plan, fit, seed_everything

LABELS = (
    Label("rbc", "red blood cell", "红细胞"),
    Label("wbc", "white blood cell", "白细胞"),
    Label("platelets", "platelet", "血小板"),
)
SIZE = (512, 384)  # of the network's input; the data set's pictures are 640 × 480
LEAST = 1e-4  # calibrated score from which boxes are measured
RAW = 0.1  # the same before the calibration, which makes low scores far lower
BATCH = 8  # pictures of a training step
USUAL = 0.99  # share of the validation pictures that the mark of strangeness lets pass
OVERLAPS = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65)
SCORES = tuple(round(0.2 + 0.05 * n, 2) for n in range(13))

WILD = Views()
# At the end pictures as they will come: whole, hardly turned or resized.
CALM = Views(least=0.9, most=1.15, stretch=0.06, turned=0.0, stain=0.05, contrast=0.15, gamma=0.12)


@dataclass(frozen=True)
class Recipe:
    """How much is learned.

    Attributes:
        epochs: Times that the network is looked at.
        passes: Over the pictures in each of them.
        calm: Last epochs, in which the pictures are hardly changed.
        pictures: Of the training part at most.
        rate: Peak learning rate.
        pictures: Of the training part at most.
    """

    epochs: int
    passes: int
    calm: int
    rate: float = 2e-3
    pictures: int = 10_000


RECIPES = {
    "quick": Recipe(epochs=3, passes=1, calm=1),
    "full": Recipe(epochs=9, passes=2, calm=3),
}
ENOUGH = 12  # pictures that settle thresholds where a training was stopped
# After the full training: on from there with the validation pictures, too.
MORE = Recipe(epochs=4, passes=2, calm=2, rate=1e-3)


@dataclass(frozen=True)
class Pictures:
    """Pictures as the network gets them, with what people marked, in its pixels.

    Attributes:
        x: Shape (N, 3, H, W), uint8.
        boxes: Corners, (N, M, 4).
        labels: (N, M); -1 where there is no box.
    """

    x: Tensor
    boxes: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def and_(self, other: "Pictures") -> "Pictures":
        return Pictures(
            torch.cat([self.x, other.x]),
            torch.cat([self.boxes, other.boxes]),
            torch.cat([self.labels, other.labels]),
        )

    def take(self, rows: Tensor) -> "Pictures":
        return Pictures(self.x[rows], self.boxes[rows], self.labels[rows])

    def objects(self) -> list[Objects]:
        """What people marked in each picture."""
        return [
            Objects.marked(b[k >= 0].numpy(), k[k >= 0].numpy())
            for b, k in zip(self.boxes, self.labels, strict=True)
        ]


MOST = 64  # marked objects of a picture; the data set has at most 30


def prepared(scenes: Sequence[Scene]) -> Pictures:
    """Read and resize pictures, and move their boxes along."""
    x = torch.zeros(len(scenes), 3, SIZE[1], SIZE[0], dtype=torch.uint8)
    boxes = torch.zeros(len(scenes), MOST, 4)
    labels = torch.full((len(scenes), MOST), -1)
    side = torch.tensor([*SIZE, *SIZE])
    for row, scene in enumerate(scenes):
        box = Letterbox.around(scene.size, SIZE, averaged=True)
        with Image.open(scene.path) as picture:
            x[row] = (box.place(picture.convert("RGB"))[0] * 255).round().byte()
        n = min(MOST, len(scene.objects))
        corners = torch.from_numpy(scene.objects.corners[:n]).float()
        boxes[row, :n] = box.to_canvas(corners) * side
        labels[row, :n] = torch.from_numpy(scene.objects.classes[:n])
    return Pictures(x, boxes, labels)


def fresh_net(seed: int) -> CellFinder:
    """The backbone with ImageNet's weights, the rest at random."""
    with torch.random.fork_rng(devices=[]):
        seed_everything(seed)
        net = CellFinder(len(LABELS), SIZE, pretrained(fetch("efficientnet-lite0")).body)
    net.backbone.freeze()
    return net


def loss(net: Any, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """FCOS's losses of a batch; also takes the step of the average."""
    net.step()
    x, boxes, labels = batch
    targets = [
        {"boxes": b[k >= 0], "labels": k[k >= 0]} for b, k in zip(boxes, labels, strict=True)
    ]
    return total(net.net.losses(x, targets))


def learn(
    name: str,
    start: CellFinder,
    pictures: Pictures,
    valid: Pictures | None,
    recipe: Recipe,
    seed: int,
    run: Run,
) -> CellFinder:
    """Train a network on from `start`; without `valid` the last epoch counts."""
    net = Averaged(start, decay=0.99)
    wild = recipe.epochs - recipe.calm
    batches = ShuffledScenes(
        pictures.x,
        pictures.boxes,
        pictures.labels,
        BATCH,
        seed,
        [WILD] * wild + [CALM] * recipe.calm,
        recipe.passes,
    )
    plan = Plan(
        epochs=recipe.epochs,
        rate=recipe.rate,
        metric="steps" if valid is None else "map50",
        warmup=0.08,
        weight_decay=0.02,
        clip=5.0,
        factors={"net.backbone.blocks": 0.4},
        seed=seed,
    )

    def validate(net: nn.Module) -> dict[str, float]:
        if valid is None:
            return {"steps": float(net.steps)}  # type: ignore[arg-type]
        return precision(look(net, valid.x), valid.objects(), 0.5)

    return fit(net, batches, loss, validate, plan, run, name).averaged()  # type: ignore[operator]


def precision(rows: Tensor, truth: Sequence[Objects], overlap: float) -> dict[str, float]:
    """Average precision of all kinds and of each."""
    matches = match([picked(y, overlap, RAW) for y in rows], truth, len(LABELS))
    each = {f"ap50_{k.id}": MeanPrecision(n)(matches) for n, k in enumerate(LABELS)}
    return {"map50": MeanPrecision()(matches), **each}


@torch.inference_mode()
def look(net: nn.Module, x: Tensor) -> Tensor:
    """The network's rows of pictures (N, 3, H, W) uint8, on the CPU."""
    found = []
    for part in x.split(AT_ONCE):
        part = part.to(pick_device(), memory_format=torch.channels_last).float().div(255)
        with autocast():
            found.append(net(part).float().cpu())
    return torch.cat(found)


def picked(y: Tensor, overlap: float, least: float = LEAST) -> Objects:
    """The boxes of one picture, corners in the network's pixels."""
    rows, classes, scores = pick_boxes(y, least, overlap)
    corners = corners_of(y[rows]) * torch.tensor([*SIZE, *SIZE])
    return Objects(corners.numpy(), classes.numpy(), scores.numpy())


def train_net(settings: Settings, run: Run) -> nn.Module:
    """Train on the training part and choose on validation; a full training then goes on with both.

    Thresholds and calibration come from the network as it was before it saw the validation
    pictures; how long it goes on with them was fixed beforehand.
    """
    recipe = RECIPES[settings.budget]
    train, valid = (prepared(bccd.load(part)) for part in ("train", "validation"))
    train = train.take(torch.arange(min(recipe.pictures, len(train))))
    run.facts["pictures"] = {"train": len(train), "validation": len(valid)}
    run.constants["median_counts"] = median_counts(train).tolist()
    start = fresh_net(settings.seed)
    net = learn("chosen", start, train, valid, recipe, settings.seed, run)
    if run.cancelled():  # what follows looks at every picture: minutes on a slow machine
        train, valid = train.take(torch.arange(ENOUGH)), valid.take(torch.arange(ENOUGH))
    run.constants.update(settle(net, valid))
    if settings.budget == "full" and not run.cancelled():
        both = train.and_(valid)
        run.facts["pictures"]["both"] = len(both)
        net = learn("both", net, both, None, MORE, settings.seed + 1, run)
    learn_usual(net, train.x, settings.seed)  # not from those that draw the line below
    run.constants["unusual"] = float(np.quantile(strangeness(net, valid.x), USUAL))
    return net


def settle(net: CellFinder, valid: Pictures) -> dict[str, Any]:
    """Calibrate the scores and choose both thresholds on validation."""
    truth = valid.objects()
    rows = look(net, valid.x)
    overlap = max(OVERLAPS, key=lambda o: precision(rows, truth, o)["map50"])
    matches = match([picked(y, overlap, RAW) for y in rows], truth, len(LABELS))
    for kind in range(len(LABELS)):
        one = matches.of(kind)
        net.slopes[kind], net.shifts[kind] = platt(one.scores, one.hits)
    found = [picked(y, overlap) for y in look(net, valid.x)]

    def error(score: float) -> float:
        return float(count_errors([f.above(score) for f in found], truth, len(LABELS)).mean())

    score = min(SCORES, key=error)
    return {"overlap": overlap, "score": score, "validation_count_mae": error(score)}


def median_counts(pictures: Pictures) -> np.ndarray:
    """How many cells of each kind a picture usually has, (kinds,)."""
    kinds = range(len(LABELS))
    counts = [(pictures.labels == k).sum(dim=1).numpy() for k in kinds]
    return np.median(np.stack(counts, axis=1), axis=0)


def platt(scores: np.ndarray, hits: np.ndarray) -> tuple[float, float]:
    """Slope and shift of the scores' log odds that make them probabilities.

    Platt 1999; where all boxes are right, or all wrong, the scores stay as they are.
    """
    from sklearn.linear_model import LogisticRegression

    if hits.all() or not hits.any():
        return 1.0, 0.0
    odds = torch.logit(torch.from_numpy(scores), eps=1e-6).numpy()[:, None]
    found = LogisticRegression(C=100.0).fit(odds, hits)
    slope = float(found.coef_[0, 0])
    return (slope, float(found.intercept_[0])) if slope > 0 else (1.0, 0.0)


def changed_copies(
    case: Any, raw: Image.Image, marks: Objects | None, copies: int, seed: int
) -> list[tuple[Image.Image, np.ndarray]]:
    """A picture as the training would show it.

    Args:
        case: The case.
        raw: The picture.
        marks: What is marked in it, in its pixels.
        copies: How many.
        seed: Of the changes.

    Returns:
        Pictures and the corners of what is marked in each, (N, 4) in pixels.
    """
    x = case.encode(raw).repeat(copies, 1, 1, 1)
    boxes = torch.zeros(1, 0, 4)
    if marks is not None:
        corners = torch.from_numpy(np.asarray(marks.corners, np.float32))
        boxes = case.letterbox(raw.size).to_canvas(corners)[None] * torch.tensor([*SIZE, *SIZE])
    boxes = boxes.repeat(copies, 1, 1).float()
    labels = torch.zeros(boxes.shape[:2], dtype=torch.long)
    generator = torch.Generator().manual_seed(seed)
    x, boxes, labels = WILD(x, boxes, labels, generator)
    return [(as_picture(x[n : n + 1]), boxes[n][labels[n] >= 0].numpy()) for n in range(copies)]
