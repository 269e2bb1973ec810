"""Pneumonia from 28 × 28 chest X-rays of children: five small CNNs. Not for clinical use.

Data: PneumoniaMNIST, Yang et al. 2023, https://doi.org/10.1038/s41597-022-01721-8, from Kermany
et al. 2018, https://doi.org/10.1016/j.cell.2018.02.010.

The probability is meant for a stated prevalence of one half: three quarters of the training
pictures show pneumonia, which is how they were collected and not how often children have it.
`at_prevalence` turns it into that of any other; the decision is at one half.
"""

import logging
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor, nn

from dlportal.assets import AssetError, fetch_bundle
from dlportal.cards import Card, Metric
from dlportal.case import Evaluation, Example, Progress, Settings
from dlportal.cases.xray_measures import measure
from dlportal.cases.xray_strangers import tell_apart
from dlportal.cases.xray_training import (
    LABELS,
    PREVALENCE,
    SIDE,
    XrayNet,
    looked,
    read_data,
    tensors,
    train_net,
)
from dlportal.data import is_available, pneumoniamnist
from dlportal.data.splits import pick_split
from dlportal.kinds.familiar_image import FamiliarImageCase
from dlportal.kinds.image import to_tensor
from dlportal.messages import N_
from dlportal.results import Label
from dlportal.training import metrics
from dlportal.training.events import Run
from dlportal.training.said import Said, evaluate_command
from dlportal.training.store import load_weights

log = logging.getLogger(__name__)

COLOURED = 0.06  # mean difference between a pixel's channels, 0-1, from which a picture is coloured
DATA = "pneumoniamnist"
FLOWER = N_("Photograph: vultilion, CC BY 2.0, from scikit-learn.")


def shrink(picture: Image.Image) -> Image.Image:
    """Make a photograph what MedMNIST made of it: grey, the middle square, 28 × 28.

    Bilinear came closest to the dataset's own pictures of the 16 examples (mean difference 3 of
    255 grey levels, correlation 0.99).
    """
    return middle_square(picture.convert("L")).resize((SIDE, SIDE), Image.Resampling.BILINEAR)


def middle_square(picture: Image.Image) -> Image.Image:
    """The largest square in the middle."""
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def colourfulness(picture: Image.Image) -> float:
    """Mean difference between the largest and smallest channel of a pixel, in [0, 1]."""
    if picture.mode != "RGB":
        picture = picture.convert("RGB")
    # Shrunk roughly first: an X-ray has millions of pixels, and an average is all that counts.
    few = picture.resize((64, 64), Image.Resampling.BOX, reducing_gap=2.0)
    small = np.asarray(few, np.float32)
    return float((small.max(axis=2) - small.min(axis=2)).mean() / 255)


def at_prevalence(probability: Any, prevalence: float) -> Any:
    """P(pneumonia) where a share `prevalence` of the children has it (Bayes).

    Args:
        probability: Number or array in [0, 1], for a prevalence of one half.
        prevalence: In (0, 1).
    """
    sick = probability * prevalence
    return sick / (sick + (1 - probability) * (1 - prevalence))


def threshold_for(miss: float, alarm: float) -> float:
    """The probability above which calling it pneumonia costs less.

    Elkan 2001, https://www.ijcai.org/Proceedings/01/IJCAI-01/a68.pdf
    """
    return alarm / (alarm + miss)


class ChestXray(FamiliarImageCase):
    """Normal or pneumonia."""

    labels = LABELS
    blur_sigma = 4.0  # of 28 pixels

    net: XrayNet

    def load(self) -> nn.Module:
        return load_weights(XrayNet(), self.card.weights)

    def encode(self, raw: Image.Image) -> Tensor:
        """Shape (1, 1, 28, 28), in [0, 1]."""
        return to_tensor(shrink(raw))

    @property
    def blind(self) -> float:
        return max(PREVALENCE, 1 - PREVALENCE)

    def foreign(self, raw: Image.Image) -> bool:
        """Whether it has colours, which X-rays have not."""
        return colourfulness(raw) > COLOURED

    def strangeness(self, x: Tensor) -> Tensor:
        """How unlike X-rays encoded pictures (B, 1, 28, 28) are, (B,): above 1 they are marked.

        The worse of two looks, at the pixels and at the features, each as a multiple of what
        nearly all validation pictures stay below.
        """
        return self.worst(looked(self.net, x)[1])

    def seen(self, raw: Image.Image) -> Image.Image:
        """The part of the picture that maps are laid over."""
        return middle_square(raw)

    def golden(self) -> Image.Image:
        """A drawn chest: two dark ellipses on grey."""
        y, x = np.mgrid[-1:1:280j, -1:1:280j]
        lungs = sum(np.exp(-(((x - c) / 0.3) ** 4) - (y / 0.7) ** 4) for c in (-0.45, 0.45))
        return Image.fromarray((190 - 130 * lungs).astype(np.uint8))

    def examples(self) -> list[Example[Image.Image]]:
        found = [
            Example(
                f"{truth}_{number}",
                Label("", f"{truth.capitalize()} {number}", f"{LABELS[index].zh} {number}"),
                partial(self.photograph, file),
                N_("X-ray: Kermany et al. 2018, CC BY 4.0. Left out of the training."),
                truth,
            )
            for index, truth, number, file in PHOTOGRAPHS
        ]
        if is_available(DATA):
            found += [
                Example(
                    f"test_{row}",
                    Label("", f"Test {number}", f"测试 {number}"),
                    partial(from_test, row),
                    N_("From the test part of PneumoniaMNIST, 28 × 28 pixels, CC BY 4.0."),
                )
                for number, row in enumerate(TEST_ROWS, start=1)
            ]
        return [
            *found,
            Example("flower", Label("", "A flower", "一朵花"), flower, FLOWER),
            Example("drawn", Label("", "A drawing", "一幅画"), self.golden, N_("Drawn by us.")),
        ]

    def photograph(self, file: str) -> Image.Image:
        return self.read(str(fetch_bundle("chest-xrays") / file))

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        return train_net(settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Measure on PneumoniaMNIST, or on an `.npz` file (or a folder with one) like it."""
        started = time.monotonic()
        parts = read_data(data)
        part = pick_split(parts, split, limit)
        if progress is not None:
            progress(0, len(part))
        said = Said(
            data=DATA if data is None else data.stem,
            split=split,
            command=evaluate_command(self.card.id, split),
            model=self.card.model,
        )
        y, _unlike = looked(self.net, tensors(part)[0])
        measured = measure(y.numpy(), self.temperature, part, parts.train, said)
        strange = self.strangeness(tensors(part)[0])
        found = [
            *measured.metrics,
            said.metric("marked_outside", metrics.mean, (strange > 1).numpy()),
        ]
        extra = {}
        if data is None and split == "test" and limit is None:
            found += tell_apart(self, strange, said)
            try:
                found.append(self.photographs_right(said))
            except AssetError as error:  # the dataset's own numbers do not depend on them
                log.warning("the photographs were not measured: %s", error)
                extra["photographs"] = str(error)
        measured = measured.model_copy(
            update={
                "case": self.card.id,
                "parameters": sum(p.numel() for p in self.net.parameters()),
                "metrics": found,
            }
        )
        if progress is not None:
            progress(len(part), len(part))
        seconds = time.monotonic() - started
        return Evaluation(self.card.id, split, len(part), seconds, measured, extra)

    def photographs_right(self, said: Said) -> Metric:
        """Accuracy on the sixteen photographs, which were kept out of the training."""
        shown = [example for example in self.examples() if example.truth]
        truth = [[label.id for label in LABELS].index(example.truth) for example in shown]
        found = [self.predict(example.load()).best.index for example in shown]  # type: ignore[attr-defined]
        return replace(said, data="photographs").metric(
            "accuracy", metrics.accuracy, np.array(truth), np.array(found)
        )


PHOTOGRAPHS = tuple(
    (index, LABELS[index].id, number, file)
    for index, files in enumerate(
        (
            [f"NORMAL2-IM-{n}-0001.jpeg" for n in (1427, 1430, 1431, 1436, 1437, 1438, 1440, 1442)],
            [
                f"person{person}_bacteria_{n}.jpeg"
                for person, n in (
                    (1946, 4874),
                    (1946, 4875),
                    (1947, 4876),
                    (1949, 4880),
                    (1950, 4881),
                    (1951, 4882),
                    (1952, 4883),
                    (1954, 4886),
                )
            ],
        )
    )
    for number, file in enumerate(files, start=1)
)
TEST_ROWS = (60, 180, 300, 420, 540)  # drawn without looking


def flower() -> Image.Image:
    """A colour photograph, to see the warning."""
    from sklearn.datasets import load_sample_image

    return Image.fromarray(load_sample_image("flower.jpg"))


def from_test(row: int) -> Image.Image:
    return Image.fromarray(pneumoniamnist.load().test.images[row])


CASE = ChestXray
