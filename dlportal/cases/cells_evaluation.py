"""What `evaluate blood_cells` measures: boxes, counts, what nobody marked, and what is no smear."""

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dlportal.assets import AssetError
from dlportal.assets.samples import SAMPLES, sample_path
from dlportal.cards import Bilingual, Curve, Measured, Metric, Slice
from dlportal.case import Evaluation, Progress
from dlportal.cases.cells_classical import classical, stain
from dlportal.cases.cells_training import LABELS, LEAST
from dlportal.cases.detection_evaluation import above, with_maps
from dlportal.data import bccd, coco_mini, is_available
from dlportal.data.scene import Scene
from dlportal.messages import N_
from dlportal.training import metrics
from dlportal.training.detection_scores import (
    Matches,
    MeanPrecision,
    Objects,
    count_errors,
    match,
    unmarked,
)
from dlportal.training.said import Said, evaluate_command

log = logging.getLogger(__name__)

CLASSICAL = "colours, connected parts, watershed"
MEDIAN = "always the training part's median count"
ANYWHERE = "boxes of the same sizes, anywhere"
MARKED = "boxes that people marked"
WORTH = 0.05  # score from which calibration is measured
BINS = 10
STAINED = 0.7  # share of a box's inner ellipse that is stained where there is a cell
BORDER = 4  # pixels from the picture's edge
SMEARS = "blood_smears"  # those whose maps are measured
MAPPED = ("smear", "drawn")
PHOTOGRAPHS = "photographs"


def evaluate(
    case: Any, split: str, data: Path | None, limit: int | None, progress: Progress | None
) -> Evaluation:
    """Measure on a part of the data set, or of a folder like it."""
    started = time.monotonic()
    scenes = bccd.load(split, data)
    if limit is not None:
        scenes = [scenes[i] for i in np.random.default_rng(0).permutation(len(scenes))[:limit]]
    found: list[Objects] = []
    rival: list[Objects] = []
    strange: list[float] = []
    for number, scene in enumerate(scenes, start=1):
        picture = opened(scene.path)
        found.append(case.candidates(picture, LEAST))
        rival.append(classical(picture))
        strange.append(case.strangeness(picture))
        if progress is not None:
            progress(number, len(scenes))
    command = evaluate_command(case.card.id, split, data)
    said = Said(bccd.NAME if data is None else data.name, split, command, case.card.model)
    measured = scores(case, found, rival, scenes, said)
    measured.metrics.append(
        said.metric("marked_outside", metrics.mean, np.array(strange) > case.unusual, n=len(scenes))
    )
    if data is None and split == "test" and limit is None:
        measured.metrics.extend(told_apart(case, np.array(strange), said))
        if case.card.measured.metrics:  # minutes: not right after a training, whose card is empty
            measured = with_maps(case, measured, progress, SMEARS, MAPPED)
    seconds = time.monotonic() - started
    return Evaluation(case.card.id, split, len(scenes), seconds, measured)


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def scores(
    case: Any,
    found: Sequence[Objects],
    rival: Sequence[Objects],
    scenes: Sequence[Scene],
    said: Said,
) -> Measured:
    """Boxes and counts of the network, of the classical method and of the median."""
    truth = [scene.objects for scene in scenes]
    matches = match(found, truth, len(LABELS))
    classic = match(rival, truth, len(LABELS))
    sure = [f.above(case.score) for f in found]
    errors = count_errors(sure, truth, len(LABELS))
    worth = matches.scores > WORTH
    return Measured(
        case=case.card.id,
        parameters=sum(p.numel() for p in case.net.parameters()),
        metrics=[
            *precisions(matches, said),
            *counted(errors, said),
            *above(matches, case.score, said),
            *calibration(matches.hits[worth], matches.scores[worth], said),
            *forgotten(sure, scenes, said),
        ],
        baselines=[
            *precisions(classic, said, CLASSICAL),
            *counted(count_errors(rival, truth, len(LABELS)), said, CLASSICAL),
            *median(case, truth, said),
            *above(classic, 0.0, said, CLASSICAL),
            *compared(sure, scenes, said),
        ],
        slices=[
            Slice(
                part=Bilingual(en=label.en, zh=label.zh),
                metric=said.metric("count_mae", metrics.mean, errors[:, k], n=len(errors)),
            )
            for k, label in enumerate(LABELS)
        ],
        curves=[threshold_curve(found, truth, matches), *honesty(matches, worth)],
        constants={"unmarked": census(sure, scenes)},
    )


def precisions(matches: Matches, said: Said, model: str | None = None) -> list[Metric]:
    """Average precision at an overlap of one half, of all kinds and of each."""
    objects = matches.counts.sum(axis=0)
    every = [said.metric("map50", MeanPrecision(), matches, n=len(matches.counts), model=model)]
    return every + [
        said.metric(f"ap50_{label.id}", MeanPrecision(k), matches, n=int(objects[k]), model=model)
        for k, label in enumerate(LABELS)
        if objects[k]
    ]


def counted(errors: np.ndarray, said: Said, model: str | None = None) -> list[Metric]:
    """By how many cells a count is off, of all kinds (their mean) and of each."""
    n = len(errors)
    return [
        said.metric("count_mae", metrics.mean, errors.mean(axis=1), n=n, model=model),
        *(
            said.metric(f"count_mae_{label.id}", metrics.mean, errors[:, k], n=n, model=model)
            for k, label in enumerate(LABELS)
        ),
    ]


def median(case: Any, truth: Sequence[Objects], said: Said) -> list[Metric]:
    """What never looking gives."""
    usual = case.card.measured.constants.get("median_counts")
    if usual is None:
        return []
    counts = np.stack([np.bincount(t.classes, minlength=len(LABELS)) for t in truth])
    return counted(np.abs(counts - np.array(usual)), said, MEDIAN)


def calibration(hits: np.ndarray, p: np.ndarray, said: Said) -> list[Metric]:
    """How far scores are from shares, over the boxes that are worth a look."""
    if not len(hits):
        return []
    right = hits.astype(np.int64)
    return [said.metric("ece", metrics.ece, right, p, n=len(right))]


def forgotten(sure: Sequence[Objects], scenes: Sequence[Scene], said: Said) -> list[Metric]:
    """How many of the boxes that nobody marked lie on stained matter: most are cells."""
    extra = [f.take(unmarked(f, s.objects)) for f, s in zip(sure, scenes, strict=True)]
    return on_stain(extra, scenes, said, "")


def compared(sure: Sequence[Objects], scenes: Sequence[Scene], said: Said) -> list[Metric]:
    """The same of marked cells, and of such boxes put anywhere."""
    rng = np.random.default_rng(0)
    extra = [f.take(unmarked(f, s.objects)) for f, s in zip(sure, scenes, strict=True)]
    moved = [anywhere(f, s.size, rng) for f, s in zip(extra, scenes, strict=True)]
    return [
        *on_stain([s.objects for s in scenes], scenes, said, MARKED),
        *on_stain(moved, scenes, said, ANYWHERE),
    ]


def on_stain(
    found: Sequence[Objects], scenes: Sequence[Scene], said: Said, model: str
) -> list[Metric]:
    """The share of boxes on stained matter."""
    lies = [stained(f, s) for f, s in zip(found, scenes, strict=True)]
    every = np.concatenate(lies)
    if not len(every):
        return []
    return [said.metric("on_stain", metrics.mean, every, n=len(every), model=model)]


def stained(found: Objects, scene: Scene) -> np.ndarray:
    """Which boxes lie on stained matter, (N,) bool."""
    if not len(found):
        return np.zeros(0, bool)
    there = stain(np.asarray(opened(scene.path), np.float64))
    return np.array([inner_share(there, corners) >= STAINED for corners in found.corners])


def inner_share(there: np.ndarray, corners: np.ndarray) -> float:
    """The share of a box's inner ellipse where `there` is true."""
    left, top, right, bottom = (round(float(n)) for n in corners)
    part = there[max(0, top) : bottom, max(0, left) : right]
    if not part.size:
        return 0.0
    y, x = (np.linspace(-1, 1, n) for n in part.shape)
    inner = y[:, None] ** 2 + x[None] ** 2 <= 1
    return float(part[inner].mean()) if inner.any() else 0.0


def anywhere(found: Objects, size: tuple[int, int], rng: np.random.Generator) -> Objects:
    """Boxes of the same sizes at random places."""
    sides = found.corners[:, 2:] - found.corners[:, :2]
    corner = rng.uniform(size=sides.shape) * (np.array(size) - sides)
    return Objects(np.hstack([corner, corner + sides]), found.classes, found.scores)


def census(sure: Sequence[Objects], scenes: Sequence[Scene]) -> dict[str, int]:
    """How many boxes there are, how many nobody marked, and how many of these are cut off."""
    extra = [f.take(unmarked(f, s.objects)) for f, s in zip(sure, scenes, strict=True)]
    cut = [at_border(f, s.size) for f, s in zip(extra, scenes, strict=True)]
    return {
        "found": sum(map(len, sure)),
        "unmarked": sum(map(len, extra)),
        "at_border": int(sum(c.sum() for c in cut)),
        "pictures": len(scenes),
    }


def at_border(found: Objects, size: tuple[int, int]) -> np.ndarray:
    """Which boxes touch the picture's edge, (N,) bool."""
    c = found.corners.reshape(-1, 4)
    low, high = c[:, :2] < BORDER, c[:, 2:] > np.array(size) - BORDER
    return np.asarray((low | high).any(axis=1))


def threshold_curve(found: Sequence[Objects], truth: Sequence[Objects], matches: Matches) -> Curve:
    """What the least score changes: right boxes, found objects."""
    steps = np.arange(1, 20) / 20
    objects = matches.counts.sum()
    right = [int((matches.hits & (matches.scores > t)).sum()) for t in steps]
    shown = [int((matches.scores > t).sum()) for t in steps]
    return Curve(
        name=N_("What the least score changes"),
        x_label=Bilingual(en="least score", zh="最低得分"),
        y_label=Bilingual(en="share", zh="比例"),
        x=steps.tolist(),
        y={
            "precision": [r / s if s else 1.0 for r, s in zip(right, shown, strict=True)],
            "recall": [r / max(1, int(objects)) for r in right],
        },
    )


def honesty(matches: Matches, worth: np.ndarray) -> Iterator[Curve]:
    """The share of right boxes for each score, beside the score itself."""
    hits, p = matches.hits[worth], matches.scores[worth]
    place = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    filled = [b for b in range(BINS) if (place == b).any()]
    if len(filled) < 2:
        return
    said = [float(p[place == b].mean()) for b in filled]
    yield Curve(
        name=N_("When it says 80%, is the box right 80% of the time?"),
        x_label=Bilingual(en="score", zh="得分"),
        y_label=Bilingual(en="share of boxes with a mark", zh="有标注对应的框所占比例"),
        x=said,
        y={
            "share_right": [float(hits[place == b].mean()) for b in filled],
            "perfect": said,
        },
    )


def told_apart(case: Any, strange: np.ndarray, said: Said) -> Iterator[Metric]:
    """How well strangeness tells other pictures from smears: the area under the ROC curve."""
    for name, pictures in strangers():
        try:
            others = np.array([case.strangeness(picture) for picture in pictures])
        except AssetError as error:  # the data set's own numbers do not depend on them
            log.warning("%s: not measured: %s", name, error)
            continue
        truth = np.repeat([0, 1], [len(strange), len(others)])
        both = np.concatenate([strange, others])
        metric = said.metric("outside_auc", metrics.auc, truth, both, n=len(both))
        caught = said.metric("marked_outside", metrics.mean, others > case.unusual, n=len(others))
        yield metric.model_copy(update={"data": name})
        yield caught.model_copy(update={"data": name})


def strangers() -> Iterator[tuple[str, Iterator[Image.Image]]]:
    """Pictures that are no smears, by the name of their data."""
    yield PHOTOGRAPHS, (opened(sample_path(name)) for name in SAMPLES)
    if is_available(coco_mini.NAME):
        yield coco_mini.NAME, (opened(scene.path) for scene in coco_mini.load())
