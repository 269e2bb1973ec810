"""Red cells, white cells and platelets in photographs of blood smears: found and counted.

Data: BCCD, https://github.com/Shenggan/BCCD_Dataset. Papers: Tian et al. 2019,
https://arxiv.org/abs/1904.01355 (FCOS); Tan and Le 2019, https://arxiv.org/abs/1905.11946
(EfficientNet). Not for clinical use.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import cast

import torch
from PIL import Image
from torch import nn

from dlportal.assets import fetch
from dlportal.assets.samples import sample_path
from dlportal.cards import Card
from dlportal.case import Evaluation, Example, Progress, Settings
from dlportal.cases.cells_training import LABELS, SIZE, train_net
from dlportal.cases.drawn_smear import draw_smear
from dlportal.data import bccd, is_available
from dlportal.data.scene import Scene
from dlportal.kinds.box_case import BoxCase
from dlportal.kinds.boxes import BoxScorer
from dlportal.messages import N_
from dlportal.nets.efficientnet_lite import fold_batch_norms
from dlportal.nets.fcos import CellFinder, Corners
from dlportal.results import Label, Result
from dlportal.training.detection_scores import Objects
from dlportal.training.events import Run
from dlportal.training.store import load_weights

SCORE, OVERLAP = 0.5, 0.5  # while the card has none
PART = (556, 0, 1196, 480)  # of the smear photograph, pixels
DRAWINGS = {"drawn": 0, "drawn_2": 3}  # seeds
# Test pictures that the page offers where the data set is present; drawn without looking.
SHOWN = (
    "BloodImage_00019",
    "BloodImage_00068",
    "BloodImage_00088",
    "BloodImage_00178",
    "BloodImage_00290",
)


class BloodCells(BoxCase):
    """Finds and counts the cells of a blood smear; the network gives 3,840 boxes."""

    labels = LABELS
    blur_sigma = 24.0  # of 512 pixels
    canvas = SIZE
    averaged = True  # as the training pictures were made smaller
    explained_kind = 5

    def __init__(self, card: Card) -> None:
        super().__init__(card)
        self.score, self.overlap = self.usual

    @property
    def usual(self) -> tuple[float, float]:
        """Chosen on validation: the least score for the counts, the overlap for the precision."""
        found = self.card.measured.constants
        return float(found.get("score", SCORE)), float(found.get("overlap", OVERLAP))

    @property
    def unusual(self) -> float:
        """The strangeness that 99 % of the validation pictures stay below."""
        return float(self.card.measured.constants.get("unusual", float("inf")))

    def load(self) -> nn.Module:
        net = load_weights(CellFinder(len(LABELS), SIZE), self.card.weights)
        # Folded, two thirds of the operations; nearly twice as fast on a CPU with channels last.
        folded: nn.Module = fold_batch_norms(net)
        return folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def predict_batch(self, raws: Sequence[Image.Image]) -> list[Result]:
        """Also looks whether each picture is like a smear, on the same feature maps."""
        if isinstance(self.net, BoxScorer):
            return super().predict_batch(raws)
        for raw in raws:
            self.check(raw)
        net = cast(CellFinder, self.net)
        maps = net.maps(self.collate([self.encode(raw) for raw in raws]).to(self.device))
        y = net.rows(net.answers(maps)).float().cpu()
        found: list[Result] = []
        for number, raw in enumerate(raws):
            own = [f[number : number + 1] for f in maps]
            strange = float(net.strangeness(own, self.inner(raw.size)))
            answer = replace(self.decode(y[number], raw), inside=strange <= self.unusual)
            found.append(answer)
        return found

    @torch.inference_mode()
    def strangeness(self, raw: Image.Image) -> float:
        """How unlike a smear the picture looks."""
        net = cast(CellFinder, self.net)
        maps = net.maps(self.encode(raw).to(self.device))
        return float(net.strangeness(maps, self.inner(raw.size)))

    def inner(self, size: tuple[int, int]) -> Corners:
        """Where a picture of this size lies on the canvas, as shares."""
        whole = torch.tensor([[0.0, 0.0, *size]])
        left, top, right, bottom = self.letterbox(size).to_canvas(whole)[0].tolist()
        return left, top, right, bottom

    def golden(self) -> Image.Image:
        """A smear drawn by code."""
        return draw_smear(seed=1)[0]

    def examples(self) -> list[Example[Image.Image]]:
        found = [
            Example(
                "smear", Label("", "Smear photograph", "血涂片照片"), load_part, FROM_CBC, "rbc"
            ),
            Example(
                "smear_whole", Label("", "The whole smear", "整张血涂片"), load_smear, FROM_CBC
            ),
            Example(
                "drawn", Label("", "Drawn smear", "画出的血涂片"), partial(drawn, 0), DRAWN, "rbc"
            ),
            Example(
                "drawn_2",
                Label("", "Drawn smear 2", "画出的血涂片 2"),
                partial(drawn, DRAWINGS["drawn_2"]),
                DRAWN,
                "rbc",
            ),
        ]
        if is_available(bccd.NAME):
            found += [
                Example(
                    stem,
                    Label("", f"Test {number}", f"测试 {number}"),
                    partial(load_scene, stem),
                    N_("From the test part of BCCD, MIT."),
                    "rbc",
                )
                for number, stem in enumerate(SHOWN, start=1)
            ]
        return [
            *found,
            Example(
                "tissue",
                Label("", "Tissue, no blood", "组织切片，不是血"),
                partial(photograph, "ihc"),
                N_("Photograph: CMMI, no known restrictions, from scikit-image."),
            ),
            Example(
                "coffee",
                Label("", "A cup of coffee", "一杯咖啡"),
                partial(photograph, "coffee"),
                N_("Photograph: Rachel Michetti, CC0, from scikit-image."),
            ),
        ]

    def marked(self, example_id: str | None) -> Objects | None:
        """What people marked in a picture of the data set, or what was drawn."""
        if example_id in DRAWINGS:
            return draw_smear(DRAWINGS[example_id])[1]
        if example_id in SHOWN and is_available(bccd.NAME):
            return scenes()[example_id].objects
        return None

    def right(self, example_id: str) -> tuple[str, ...]:
        """Ids of the kinds that are in an example."""
        if example_id in ("smear", "smear_whole"):
            return tuple(label.id for label in LABELS)
        marks = self.marked(example_id)
        return () if marks is None else tuple(LABELS[k].id for k in sorted(set(marks.classes)))

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
        """Average precision and counts on a part of BCCD, or on a folder laid out like it.

        Args:
            split: "train", "validation" or "test".
            data: See `dlportal.data.bccd.load`.
            limit: Pictures at most.
            progress: Called with steps done and in all.
        """
        from dlportal.cases import cells_evaluation as evaluation

        return evaluation.evaluate(self, split, data, limit, progress)


FROM_CBC = N_("Photograph from the package cbc, MIT. Another microscope than the data set's.")
DRAWN = N_("Drawn by us with code: nobody's blood, and every cell is known.")


def drawn(seed: int) -> Image.Image:
    return draw_smear(seed)[0]


def load_smear() -> Image.Image:
    return Image.open(fetch("blood-smear")).convert("RGB")


def load_part() -> Image.Image:
    """A part in which cells are about as large as in the data set's pictures."""
    return load_smear().crop(PART)


def photograph(name: str) -> Image.Image:
    return Image.open(sample_path(name)).convert("RGB")


@lru_cache(maxsize=1)
def scenes() -> dict[str, Scene]:
    """The test pictures by file stem."""
    return {scene.path.stem: scene for scene in bccd.load("test")}


def load_scene(stem: str) -> Image.Image:
    return Image.open(scenes()[stem].path).convert("RGB")


CASE = BloodCells
