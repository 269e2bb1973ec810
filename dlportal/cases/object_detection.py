"""Everyday objects in photographs: YOLOv3-tiny finds and names those of COCO's 80 kinds.

Papers: Redmon and Farhadi 2018, https://arxiv.org/abs/1804.02767 (YOLOv3);
Lin et al. 2014, https://arxiv.org/abs/1405.0312 (COCO).
"""

import csv
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import nn

from dlportal.assets import fetch_bundle
from dlportal.assets.samples import sample_path
from dlportal.case import Evaluation, Example, Progress
from dlportal.data import coco_mini, is_available
from dlportal.data.scene import Scene
from dlportal.kinds.box_case import BoxCase
from dlportal.messages import N_, InputError
from dlportal.nets.larger_detector import LargerDetector
from dlportal.nets.yolov3_tiny import SIDE, read_darknet
from dlportal.results import Box, Boxes, Label
from dlportal.training.detection_scores import Objects

LABELS = Path(__file__).with_name("coco_labels.csv")
SCORE, OVERLAP = 0.25, 0.45  # Darknet's own settings
GREY = (128, 128, 128)

STEFAN = N_("Photograph: Stéfan van der Walt, CC0, from scikit-image.")
NASA = N_("Photograph: NASA, public domain, from scikit-image.")
SHEET = ("chelsea", "coffee", "hopper", "camera")  # four photographs put together
CELL, MARGIN = (320, 240), 10  # of the sheet, pixels
BACK = 2.0  # how many times its size a picture's ground is, after a step back


@dataclass(frozen=True)
class Shown:
    """A bundled picture: its name, how it is made, the kinds in it, its credit.

    `space` is how many times its own size the grey ground around a photograph is.
    """

    label: Label
    photograph: str
    kinds: tuple[str, ...]
    credit: str
    space: float = 1.0

    def load(self) -> Image.Image:
        if not self.photograph:
            return on_one_sheet()
        return with_space(load_photograph(self.photograph), self.space)


PICTURES: tuple[Shown, ...] = (
    Shown(
        Label("sheet", "Four photographs", "四张照片"),
        "",
        ("cat", "cup", "dining_table", "person", "tie", "spoon"),
        N_(
            "Put together by us: Chelsea (Stéfan van der Walt, CC0), coffee (Rachel Michetti, CC0), Grace Hopper (U.S. Navy, public domain), cameraman (Lav Varshney, CC0)."
        ),
    ),
    Shown(
        Label("coffee", "Coffee", "咖啡"),
        "coffee",
        ("cup", "spoon", "dining_table"),
        N_("Photograph: Rachel Michetti, CC0, from scikit-image."),
    ),
    Shown(
        Label("cameraman", "Cameraman", "摄影师"),
        "camera",
        ("person",),
        N_("Photograph: Lav Varshney, CC0, from scikit-image."),
    ),
    Shown(Label("cat", "Cat, close up", "猫，近看"), "chelsea", ("cat",), STEFAN),
    Shown(
        Label("cat_far", "The same cat, a step back", "同一只猫，退后一步"),
        "chelsea",
        ("cat",),
        STEFAN,
        BACK,
    ),
    Shown(Label("astronaut", "Astronaut", "宇航员"), "astronaut", ("person",), NASA),
    Shown(
        Label("astronaut_far", "Astronaut, a step back", "宇航员，退后一步"),
        "astronaut",
        ("person",),
        NASA,
        BACK,
    ),
    Shown(
        Label("flower", "Dahlia: none of its kinds", "大丽花：不在所识种类中"),
        "flower",
        (),
        N_("Photograph: vultilion, CC BY 2.0, from scikit-learn."),
    ),
)
RIGHT = {shown.label.id: shown.kinds for shown in PICTURES}
# Pictures of the data set that the page offers where it is present.
SCENES = ("000000008021", "000000001000", "000000007511", "000000006818", "000000002153")


@cache
def read_labels() -> tuple[Label, ...]:
    """COCO's 80 kinds in the network's order."""
    with LABELS.open(encoding="utf-8", newline="") as file:
        return tuple(Label(row["id"], row["en"], row["zh"]) for row in csv.DictReader(file))


class ObjectDetection(BoxCase):
    """Finds objects in photographs; the network gives 2,535 boxes."""

    labels = read_labels()
    blur_sigma = 24.0  # of 416 pixels
    canvas = (SIDE, SIDE)
    score, overlap = SCORE, OVERLAP

    @property
    def usual(self) -> tuple[float, float]:
        return SCORE, OVERLAP

    def load(self) -> nn.Module:
        net = read_darknet(fetch_bundle("yolov3-tiny") / "yolov3-tiny.weights")
        # Nearly twice as fast on a CPU.
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def larger(self, raw: Image.Image, net: LargerDetector) -> Boxes:
        """What the larger network finds, at the same thresholds."""
        corners, kinds, scores = net.find(raw, self.score, self.overlap)
        places = {label.id: k for k, label in enumerate(self.labels)}
        boxes = tuple(
            Box(self.labels[places[kind]], places[kind], p, tuple(box))
            for box, kind, p in zip(corners.tolist(), kinds, scores.tolist(), strict=True)
        )
        return Boxes(boxes, *raw.size, self.score, self.overlap)

    def golden(self) -> Image.Image:
        """Smooth random colours, 320 × 240: a picture that is nobody's."""
        coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        return Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC)

    def examples(self) -> list[Example[Image.Image]]:
        found = [
            Example(shown.label.id, shown.label, shown.load, shown.credit, (*shown.kinds, "")[0])
            for shown in PICTURES
        ]
        if is_available(coco_mini.NAME):
            credits = coco_mini.credits()
            for number, stem in enumerate(SCENES, start=1):
                label = Label(stem, f"COCO {number}", f"COCO {number}")
                found.append(Example(stem, label, partial(load_scene, stem), credits[stem]))
        return found

    def marked(self, example_id: str | None) -> Objects | None:
        """What people marked in a picture of the data set; None for any other picture."""
        if example_id not in SCENES or not is_available(coco_mini.NAME):
            return None
        return scenes()[example_id].objects

    def right(self, example_id: str) -> tuple[str, ...]:
        """Ids of the kinds that are in a bundled photograph."""
        return RIGHT[example_id]

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Average precision on the 27 pictures, or on a folder laid out like them.

        Args:
            split: "test", the only one: nothing was trained here.
            data: A folder with `images/` and `labels_yolo/`, see `dlportal.data.coco_mini`.
            limit: Pictures at most.
            progress: Called with steps done and in all.
        """
        from dlportal.cases import detection_evaluation as evaluation

        if split != "test":
            raise InputError(
                N_("No split {split}. Choose from: {known}."), split=split, known="test"
            )
        return evaluation.evaluate(self, data, limit, progress)


def load_photograph(name: str) -> Image.Image:
    return Image.open(sample_path(name)).convert("RGB")


def with_space(picture: Image.Image, times: float) -> Image.Image:
    """The picture in the middle of a grey ground `times` as large."""
    if times == 1:
        return picture
    width, height = (round(times * n) for n in picture.size)
    ground = Image.new("RGB", (width, height), GREY)
    ground.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
    return ground


def on_one_sheet() -> Image.Image:
    """Four bundled photographs beside and below one another, on grey."""
    width, height = CELL
    sheet = Image.new("RGB", (2 * width, 2 * height), GREY)
    for place, name in enumerate(SHEET):
        small = ImageOps.contain(load_photograph(name), (width - 2 * MARGIN, height - 2 * MARGIN))
        left, top = width * (place % 2), height * (place // 2)
        corner = left + (width - small.width) // 2, top + (height - small.height) // 2
        sheet.paste(small, corner)
    return sheet


@lru_cache(maxsize=1)
def scenes() -> dict[str, Scene]:
    """The data set's pictures by file stem."""
    return {scene.path.stem: scene for scene in coco_mini.load()}


def load_scene(stem: str) -> Image.Image:
    return Image.open(scenes()[stem].path).convert("RGB")


CASE = ObjectDetection
