"""What the card of `image_generation` says: are the pictures right, varied, useful, and new?

A classifier that learns from generated pictures alone and is asked about real ones: Ravuri and
Vinyals 2019, https://arxiv.org/abs/1905.10887.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dlportal.cards import Bilingual, Confusion, Measured, Slice
from dlportal.case import Evaluation, Progress
from dlportal.cases.generation_asked import (
    GUIDANCE,
    STEPS,
    Asked,
    Sizes,
    decided,
    drawn,
    pixels,
    some,
    variety,
)
from dlportal.cases.generation_curves import by_guidance, by_steps, by_switch, histogram
from dlportal.cases.generation_guidance import pull_check
from dlportal.cases.generation_neighbours import nearest_rows
from dlportal.cases.generation_rivals import AUGMENTS, learn
from dlportal.cases.generation_training import KINDS, load_judge
from dlportal.data import fashion_mnist, is_available, mnist_10k
from dlportal.data.splits import pick_split
from dlportal.labs.practice_data import CLOTHES
from dlportal.nets.flow_sampling import draw_noise
from dlportal.training import metrics
from dlportal.training.said import Said, evaluate_command

DATA, DIGITS = "fashion_mnist", "mnist_10k"
COMMAND = "python -m dlportal evaluate image_generation"
GAUSSIAN, REAL = "a Gaussian for each kind", "as many real pictures"
REAL_TEST = "real test pictures"
PULLED = {
    "everywhere": "the pull everywhere",
    "elsewhere": "a fifth elsewhere, by chance",
    "nowhere": "no pull",
}
LEARNED_GUIDANCE, LEARNED_STEPS = 1.0, 5  # of the pictures that a classifier learns from
NEAR = 0.05  # of the real test pictures are at most so near to a training picture


def evaluate(
    case: Any, split: str, data: Path | None, limit: int | None, progress: Progress | None
) -> Evaluation:
    """Measure beside one part of the data set, or of a folder with files like its own.

    `limit` bounds the real pictures, and with them how many are drawn.
    """
    started = time.monotonic()
    parts = fashion_mnist.load(folder=data)
    part = pick_split(parts, split, limit)
    name = DATA if data is None else data.name
    metric = Said(name, split, evaluate_command(case.card.id, split), "").metric

    asked = Asked(case.net, load_judge(), parts, part, Sizes().at_most(limit), metric)
    measured = Measured(case=case.card.id, parameters=sum(t.numel() for t in case.net.parameters()))
    found: dict[str, list[Any]] = {"metrics": [], "baselines": [], "curves": [], "slices": []}
    stages: list[Callable[[Asked], dict[str, Any]]] = [useful, right_and_new, pulled]
    if data is None and is_available(DIGITS):
        stages.append(digits)  # after the clothes, whose figures come first on the card
    stages += [by_guidance, by_steps, by_switch]
    for number, stage in enumerate(stages):
        if progress is not None:
            progress(number, len(stages))
        for key, value in stage(asked).items():
            if key in found:
                found[key] += value
            else:
                measured = measured.model_copy(update={key: value})
    measured = measured.model_copy(update=found)
    if progress is not None:
        progress(len(stages), len(stages))
    return Evaluation(case.card.id, split, len(part), time.monotonic() - started, measured)


def useful(asked: Asked) -> dict[str, Any]:
    """Learn from generated pictures alone; meet real ones. Beside it: Gaussians, and the real."""
    n, metric = asked.sizes.learned, asked.metric
    x_real, labels_real = pixels(asked.part)
    truth, augment = labels_real.numpy(), AUGMENTS["clothes"]
    made, kind = drawn(asked.net, n, 0, LEARNED_GUIDANCE, LEARNED_STEPS, seed=1)
    guesses = {"": decided(learn(made, kind, augment), x_real)}
    guesses[GAUSSIAN] = decided(learn(asked.gaussians.sample(kind), kind, augment), x_real)
    guesses[REAL] = decided(learn(*some(asked.parts.train, n), augment), x_real)
    name = "train_on_synthetic_accuracy"
    own = guesses.pop("")
    return {
        "metrics": [metric(name, metrics.accuracy, truth, own)],
        "baselines": [
            metric(name, metrics.accuracy, truth, guess, model=model)
            for model, guess in guesses.items()
        ],
        "confusion": Confusion(
            labels=[label.id for label in CLOTHES],
            counts=metrics.confusion_counts(truth, own, KINDS).tolist(),
        ),
        "slices": by_kind("train_on_synthetic_accuracy", truth, own, metric),
    }


def by_kind(name: str, truth: np.ndarray, answers: np.ndarray, metric: Any) -> list[Slice]:
    """The same measure for each kind of clothes."""
    return [
        Slice(
            part=Bilingual(en=label.en, zh=label.zh),
            metric=metric(name, metrics.accuracy, truth[truth == k], answers[truth == k]),
        )
        for k, label in enumerate(CLOTHES)
        if (truth == k).any()
    ]


def digits(asked: Asked) -> dict[str, Any]:
    """The same for digits; their judge learns from the real ones here, for want of a shipped one."""
    parts = mnist_10k.load()
    part = pick_split(parts, "test", asked.sizes.learned)
    x_real, labels = pixels(part)
    truth, augment = labels.numpy(), AUGMENTS["digits"]
    sizes = asked.sizes
    made, kind = drawn(asked.net, sizes.digits, KINDS, LEARNED_GUIDANCE, LEARNED_STEPS, seed=2)
    judge = learn(*some(parts.train, sizes.digits), augment)
    shown, wanted = drawn(asked.net, sizes.judged // 2, KINDS, GUIDANCE, STEPS, seed=3)
    name, about = "train_on_synthetic_accuracy", {"data": DIGITS}
    own, real = decided(learn(made, kind, augment), x_real), decided(judge, x_real)
    agree = decided(judge, shown)
    return {
        "metrics": [
            asked.metric(name, metrics.accuracy, truth, own, **about),
            asked.metric("class_agreement", metrics.accuracy, wanted.numpy(), agree, **about),
        ],
        "baselines": [asked.metric(name, metrics.accuracy, truth, real, model=REAL, **about)],
    }


def right_and_new(asked: Asked) -> dict[str, Any]:
    """Are pictures as the page draws them of their kind, varied, and not copies?"""
    metric, n = asked.metric, asked.sizes.judged
    made, kind = drawn(asked.net, n, 0, GUIDANCE, STEPS, seed=4)
    said, wanted = asked.judge(made).argmax(dim=1).numpy(), kind.numpy()
    gaussian = asked.gaussians.sample(kind)
    theirs = asked.judge(gaussian).argmax(dim=1).numpy()
    x_real, labels_real = some(asked.part, n)
    real = asked.judge(x_real).argmax(dim=1).numpy()
    memory = asked.learned[0].flatten(1)
    near, near_real = (nearest_rows(x.flatten(1), memory)[1].numpy() for x in (made, x_real))
    limit = float(np.quantile(near_real, NEAR))
    spread, spread_gaussian = (variety(x, kind) / asked.spread for x in (made, gaussian))
    return {
        "metrics": [
            metric("class_agreement", metrics.accuracy, wanted, said),
            metric("variety", metrics.mean, spread.numpy()),
            metric("nearer_than_real", metrics.mean, (near < limit).astype(float)),
        ],
        "baselines": [
            metric("class_agreement", metrics.accuracy, wanted, theirs, model=GAUSSIAN),
            metric("class_agreement", metrics.accuracy, labels_real.numpy(), real, model=REAL_TEST),
            metric("variety", metrics.mean, spread_gaussian.numpy(), model=GAUSSIAN),
        ],
        "slices": by_kind("class_agreement", wanted, said, metric),
        "curves": [histogram(near, near_real)],
        "constants": {"near": limit},
    }


def pulled(asked: Asked) -> dict[str, Any]:
    """Is the pull enough where it is strongest?"""
    n, metric = asked.sizes.checked, asked.metric
    kind = torch.arange(n) % KINDS
    made = pull_check(asked.net, kind, draw_noise(n, 5), GUIDANCE, STEPS)
    said = {name: asked.judge(x).argmax(dim=1).numpy() for name, x in made.items()}
    return {
        "metrics": [
            metric("agreement_strongest_fifth", metrics.accuracy, kind.numpy(), said["strongest"])
        ],
        "baselines": [
            metric(
                "agreement_strongest_fifth",
                metrics.accuracy,
                kind.numpy(),
                said[name],
                model=model,
            )
            for name, model in PULLED.items()
        ],
    }
