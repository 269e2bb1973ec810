"""What `evaluate imagenet_classification` measures: maps of photographs, accuracy on a folder."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dlportal.cards import Bilingual, Measured, Metric, Slice
from dlportal.case import Evaluation, Example, Progress
from dlportal.explain import explainers_for
from dlportal.explain.report import RANDOM, Row, faithful_shares, measure_methods
from dlportal.messages import N_, InputError
from dlportal.training.metrics import interval
from dlportal.training.said import Said

# Names in both languages, for the card.
METHODS = {
    "grad_cam": Bilingual(en="Grad-CAM", zh="Grad-CAM"),
    "occlusion": Bilingual(en="Occlusion", zh="遮挡法"),
    "rise": Bilingual(en="RISE", zh="RISE"),
    "integrated_gradients": Bilingual(en="Integrated gradients", zh="积分梯度"),
    "smooth_grad": Bilingual(en="SmoothGrad", zh="SmoothGrad"),
    RANDOM: Bilingual(en="a random map", zh="随机图"),
}
COMMAND = "python -m dlportal evaluate imagenet_classification"
DATA = "bundled_photographs"
CURVES = ("insertion", "deletion")
BATCH = 16
PICTURES = {".jpeg", ".jpg", ".png", ".webp"}


def on_photographs(case: Any, limit: int | None, progress: Progress | None) -> Evaluation:
    """Measure every method's map on the bundled photographs."""
    started = time.monotonic()
    examples = case.examples()[:limit]
    rows = measure_methods(case, examples, explainers_for(case), progress)
    methods = list(dict.fromkeys(row.method for row in rows))
    real = [method for method in methods if method != RANDOM]
    shares, random = faithful_shares(rows, Said(DATA, "test", COMMAND, ""))
    measured = Measured(
        case=case.card.id,
        parameters=sum(p.numel() for p in case.net.parameters()),
        metrics=[
            *shares,
            *(gain(of(rows, method), curve) for curve in CURVES for method in real),
        ],
        baselines=[
            random,
            *(gain(of(rows, RANDOM), curve) for curve in CURVES),
        ],
        slices=[slice_of(best(rows, example)) for example in examples],
        constants={"faithfulness": [as_table_row(case, row) for row in rows]},
    )
    return Evaluation(case.card.id, "test", len(examples), time.monotonic() - started, measured)


def of(rows: Sequence[Row], method: str) -> list[Row]:
    return [row for row in rows if row.method == method]


def best(rows: Sequence[Row], example: Example[Any]) -> Row:
    """The map of an example that is furthest above chance on its worse curve."""
    mine = [row for row in rows if row.example.id == example.id and row.method != RANDOM]
    return max(mine, key=lambda row: (row.quality.verdict == "better", row.gain))


def gain(rows: Sequence[Row], curve: str) -> Metric:
    """By how much a curve's area is better than chance, mean over the photographs."""
    differences = np.array([getattr(row.quality, curve).difference for row in rows])
    value, low, high = interval(np.mean, differences)
    return Metric(
        name=f"{curve}_gain",
        data=DATA,
        value=value,
        low=low,
        high=high,
        n=len(rows),
        command=COMMAND,
        model=METHODS[rows[0].method].en,
    )


def slice_of(row: Row) -> Slice:
    """A photograph with its best map; the interval is over the random maps."""
    name, method = row.example.label, METHODS[row.method]
    worse = min(row.quality.insertion, row.quality.deletion, key=lambda t: t.difference)
    metric = Metric(
        name="gain_on_the_worse_curve",
        data=DATA,
        value=worse.difference,
        low=worse.low,
        high=worse.high,
        n=row.quality.maps,
        command=COMMAND,
        model=method.en,
    )
    return Slice(
        part=Bilingual(en=f"{name.en}: {method.en}", zh=f"{name.zh}：{method.zh}"),
        metric=metric,
    )


def as_table_row(case: Any, row: Row) -> dict[str, Any]:
    """What the page's table shows of one map."""
    quality = row.quality
    right = case.right(row.example.id)
    return {
        "photograph": row.example.id,
        "method": row.method,
        "class": case.labels[row.target].id,
        # None where ImageNet has no class for what is seen.
        "right": case.labels[row.target].id in right if right else None,
        "verdict": quality.verdict,
        "insertion_gain": round(quality.insertion.difference, 4),
        "insertion_wins": quality.insertion.wins,
        "deletion_gain": round(quality.deletion.difference, 4),
        "deletion_wins": quality.deletion.wins,
        "maps": quality.maps,
    }


def on_folder(case: Any, folder: Path, limit: int | None, progress: Progress | None) -> Evaluation:
    """Measure top-1 and top-5 accuracy on a folder of class folders.

    Raises:
        InputError: No folder, or no pictures in folders named by WordNet ids.
    """
    started = time.monotonic()
    pictures = labelled(case, folder)
    # A limit takes pictures of all classes, not of the first ones.
    order = np.random.default_rng(0).permutation(len(pictures))[:limit]
    hits = np.zeros((len(order), 2))
    for start in range(0, len(order), BATCH):
        part = [pictures[i] for i in order[start : start + BATCH]]
        x = torch.cat([case.encode(case.read(str(path))) for path, _ in part])
        with torch.inference_mode():
            ranked = case.net(x.to(case.device)).topk(5).indices.cpu()
        truth = torch.tensor([index for _, index in part])
        right = ranked == truth[:, None]
        hits[start : start + len(part)] = torch.stack([right[:, 0], right.any(dim=1)], dim=1)
        if progress is not None:
            progress(start + len(part), len(order))
    command = f"{COMMAND} --data {folder.name}"
    metrics = [
        Metric(
            name=name,
            data=folder.name,
            value=value,
            low=low,
            high=high,
            n=len(order),
            command=command,
        )
        for name, column in (("top1_accuracy", 0), ("top5_accuracy", 1))
        for value, low, high in [interval(np.mean, hits[:, column])]
    ]
    guess = Metric(
        name="top1_accuracy",
        data=folder.name,
        value=1 / len(case.labels),
        n=len(order),
        command=command,
        model="blind guess",
    )
    measured = Measured(case=case.card.id, metrics=metrics, baselines=[guess])
    return Evaluation(case.card.id, "test", len(order), time.monotonic() - started, measured)


def labelled(case: Any, folder: Path) -> list[tuple[Path, int]]:
    """Pictures with their class indices.

    Raises:
        InputError: There are none.
    """
    indices = {label.id: i for i, label in enumerate(case.labels)}
    found = [
        (path, indices[path.parent.name])
        for path in sorted(folder.glob("*/*"))
        if path.parent.name in indices and path.suffix.lower() in PICTURES
    ]
    if not found:
        raise InputError(
            N_("{path} has no folders named like n01440764 with pictures in them."),
            path=str(folder),
        )
    return found
