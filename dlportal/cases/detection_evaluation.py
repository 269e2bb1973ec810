"""What `evaluate object_detection` measures: average precision, and maps of bundled pictures."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torchvision.ops import box_iou

from dlportal.cards import Bilingual, Measured, Metric, Slice
from dlportal.case import Evaluation, Progress
from dlportal.data import coco_mini
from dlportal.data.scene import Scene
from dlportal.explain import explainers_for
from dlportal.explain.report import Row, faithful_shares, measure_methods
from dlportal.training import metrics
from dlportal.training.detection_scores import HALF, Matches, MeanPrecision, Objects, match
from dlportal.training.said import Said, evaluate_command

LEAST = 0.005  # score from which Darknet's own evaluation counts boxes
PHOTOGRAPHS = "bundled_photographs"
ENOUGH = 5  # objects of a kind from which its average precision is drawn
BLIND = "always the commonest box"


def evaluate(
    case: Any, data: Path | None, limit: int | None, progress: Progress | None
) -> Evaluation:
    """Measure on the data set's pictures (or a folder like it), then the maps."""
    started = time.monotonic()
    scenes = coco_mini.load(data)
    if limit is not None:
        scenes = [scenes[i] for i in np.random.default_rng(0).permutation(len(scenes))[:limit]]
    found = []
    for number, scene in enumerate(scenes, start=1):
        with Image.open(scene.path) as picture:
            found.append(case.candidates(picture.convert("RGB"), LEAST))
        if progress is not None:
            progress(number, len(scenes))
    name = coco_mini.NAME if data is None else data.name
    truth = [scene.objects for scene in scenes]
    said = Said(name, "test", evaluate_command(case.card.id, data=data), case.card.model)
    measured = scores(case, found, truth, scenes, said)
    if data is None and limit is None:
        measured = with_maps(case, measured, progress)
    seconds = time.monotonic() - started
    return Evaluation(case.card.id, "test", len(scenes), seconds, measured)


def above(matches: Matches, score: float, said: Said, model: str | None = None) -> list[Metric]:
    """Precision and recall of the boxes above a score, with intervals over pictures."""
    pictures = len(matches.counts)
    sure = matches.scores > score
    right, shown = (
        np.bincount(matches.picture[rows], minlength=pictures)
        for rows in (sure & matches.hits, sure)
    )
    objects = matches.counts.sum(axis=1)
    parts = (("precision", shown), ("recall", objects))
    return [
        said.metric(name, metrics.ratio, right, below, n=int(below.sum()), model=model)
        for name, below in parts
        if below.sum()
    ]


def scores(
    case: Any,
    found: Sequence[Objects],
    truth: Sequence[Objects],
    scenes: Sequence[Scene],
    said: Said,
) -> Measured:
    """Average precision of all kinds and of each, beside a guess that does not look."""
    kinds, pictures = len(case.labels), len(truth)
    matches = match(found, truth, kinds)
    blind = match(guesses(scenes), truth, kinds)
    counts, seen = matches.counts.sum(axis=0), (matches.counts > 0).sum(axis=0)
    each = {
        int(k): said.metric("average_precision", MeanPrecision(int(k)), matches, n=int(counts[k]))
        for k in np.flatnonzero(counts)
    }
    order = sorted(each, key=lambda k: -counts[k])
    return Measured(
        case=case.card.id,
        parameters=sum(p.numel() for p in case.net.parameters()),
        metrics=[
            said.metric("map50", MeanPrecision(), matches, n=pictures),
            *above(matches, case.score, said),
        ],
        baselines=[
            said.metric("map50", MeanPrecision(), blind, n=pictures, model=BLIND),
            *above(blind, case.score, said, BLIND),
        ],
        slices=[
            Slice(part=Bilingual(en=case.labels[k].en, zh=case.labels[k].zh), metric=each[k])
            for k in order
            if counts[k] >= ENOUGH and seen[k] > 1
        ],
        constants={
            "per_class": [
                {
                    "class": case.labels[k].id,
                    "objects": int(counts[k]),
                    "pictures": int(seen[k]),
                    "average_precision": each[k].value,
                    # Drawing pictures again says nothing where a kind is in one of them.
                    "low": each[k].low if seen[k] > 1 else None,
                    "high": each[k].high if seen[k] > 1 else None,
                }
                for k in order
            ]
        },
    )


def guesses(scenes: Sequence[Scene]) -> list[Objects]:
    """One box a picture: the commonest kind, always at the same place.

    The place is that of the marked object that would be right in the most of these very pictures:
    a guess that has seen the answers, so that it is rather too good.
    """
    kinds = np.concatenate([scene.objects.classes for scene in scenes])
    common = int(np.bincount(kinds).argmax()) if len(kinds) else 0
    sizes = [np.array([*scene.size, *scene.size]) for scene in scenes]
    known = [
        torch.from_numpy(scene.objects.corners[scene.objects.classes == common] / size)
        for scene, size in zip(scenes, sizes, strict=True)
    ]
    every = torch.cat([*known, torch.tensor([[0.25, 0.25, 0.75, 0.75]], dtype=torch.float64)])
    right = sum((box_iou(every, boxes) >= HALF).any(dim=1).long() for boxes in known if len(boxes))
    place = every[int(torch.as_tensor(right).argmax())].numpy()
    return [Objects.marked((place * size)[None], np.array([common])) for size in sizes]


def with_maps(
    case: Any,
    measured: Measured,
    progress: Progress | None,
    data: str = PHOTOGRAPHS,
    shown: Sequence[str] | None = None,
) -> Measured:
    """Add how many of the bundled pictures have a map that beats chance on both curves.

    `shown` names examples to be looked at, instead of all; `data` is what they are called.
    """
    examples = [
        e
        for e in case.examples()
        if e.truth and (shown is None or e.id in shown) and case.predict(e.load()).boxes
    ]
    rows = measure_methods(case, examples, explainers_for(case), progress)
    shares, chance = faithful_shares(rows, Said(data, "test", evaluate_command(case.card.id), ""))
    table = [as_table_row(case, row) for row in rows]
    return measured.model_copy(
        update={
            "metrics": [*measured.metrics, *shares],
            "baselines": [*measured.baselines, chance],
            "constants": {**measured.constants, "faithfulness": table},
        }
    )


def as_table_row(case: Any, row: Row) -> dict[str, Any]:
    """What the page's table shows of one map: that of the surest box."""
    quality = row.quality
    kind = case.predict(row.example.load()).boxes[row.target].label.id
    return {
        "photograph": row.example.id,
        "method": row.method,
        "class": kind,
        "right": kind in case.right(row.example.id),
        "verdict": quality.verdict,
        "insertion_gain": round(quality.insertion.difference, 4),
        "insertion_wins": quality.insertion.wins,
        "deletion_gain": round(quality.deletion.difference, 4),
        "deletion_wins": quality.deletion.wins,
        "maps": quality.maps,
    }
