"""Everyday objects in photographs: YOLOv3-tiny finds and names those of COCO's 80 kinds.

Papers: Redmon and Farhadi 2018, https://arxiv.org/abs/1804.02767 (YOLOv3);
Lin et al. 2014, https://arxiv.org/abs/1405.0312 (COCO).
"""

import copy
import csv
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Self

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torchvision.transforms.functional import gaussian_blur

from dlportal.assets import fetch_bundle
from dlportal.assets.samples import sample_path
from dlportal.case import Evaluation, Example, Progress
from dlportal.data import coco_mini, is_available
from dlportal.kinds.boxes import (
    BoxScorer,
    Letterbox,
    as_picture,
    corners_of,
    pick_boxes,
)
from dlportal.kinds.image import ImageCase
from dlportal.messages import N_, InputError
from dlportal.nets.larger_detector import LargerDetector
from dlportal.nets.yolov3_tiny import SIDE, read_darknet
from dlportal.results import Box, Boxes, Label
from dlportal.training.detection_scores import Objects

LABELS = Path(__file__).with_name("coco_labels.csv")
SCORE, OVERLAP = 0.25, 0.45  # Darknet's own settings
GREY = (128, 128, 128)
EXPLAINED = 12  # boxes of a picture that can be explained, the surest ones
FINE = 4  # the blur is computed on a picture so many times smaller

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


class ObjectDetection(ImageCase):
    """Finds objects: boxes with a kind and a score.

    Its network maps a letterboxed picture to 2,535 boxes; the case of `about` maps it to how well
    each of the boxes that were found in one picture is found again.
    """

    labels = read_labels()
    blur_sigma = 24.0  # of 416 pixels
    score, overlap, side = SCORE, OVERLAP, SIDE

    def load(self) -> nn.Module:
        net = read_darknet(fetch_bundle("yolov3-tiny") / "yolov3-tiny.weights")
        # Nearly twice as fast on a CPU.
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def at(self, score: float, overlap: float) -> "ObjectDetection":
        """The same case with other thresholds, both in (0, 1)."""
        return _at(self, round(score, 4), round(overlap, 4))

    def encode(self, raw: Image.Image) -> Tensor:
        """Lay the picture in a grey square as Darknet does: (1, 3, 416, 416), in [0, 1]."""
        x = Letterbox.around(raw.size, SIDE).place(raw)
        return x.contiguous(memory_format=torch.channels_last)

    def decode(self, y: Tensor, raw: Image.Image) -> Boxes:
        """The boxes above the score, without those that repeat a surer one."""
        rows, classes, scores = pick_boxes(y, self.score, self.overlap)
        found = Letterbox.around(raw.size, SIDE).to_picture(corners_of(y[rows]))
        boxes = tuple(
            Box(self.labels[k], k, p, tuple(corners))
            for k, p, corners in zip(classes.tolist(), scores.tolist(), found.tolist(), strict=True)
        )
        width, height = raw.size
        return Boxes(boxes, width, height, self.score, self.overlap, self.blind)

    def larger(self, raw: Image.Image, net: LargerDetector) -> Boxes:
        """What the larger network finds, at the same thresholds."""
        corners, kinds, scores = net.find(raw, self.score, self.overlap)
        places = {label.id: k for k, label in enumerate(self.labels)}
        boxes = tuple(
            Box(self.labels[places[kind]], places[kind], p, tuple(box))
            for box, kind, p in zip(corners.tolist(), kinds, scores.tolist(), strict=True)
        )
        return Boxes(boxes, *raw.size, self.score, self.overlap)

    @property
    def blind(self) -> float | None:
        """The share of objects found by always guessing the commonest box."""
        baselines = self.card.measured.baselines
        return next((m.value for m in baselines if m.name == "recall"), None)

    def about(self, raw: Image.Image) -> Self:
        """The case as a judge of the boxes that were found in this picture.

        Raises:
            InputError: None was found.
        """
        if isinstance(self.net, BoxScorer):
            return self
        with torch.inference_mode():
            y = self.net(self.encode(raw).to(self.device))[0].cpu()
        rows = pick_boxes(y, self.score, self.overlap)[0][:EXPLAINED]
        if not len(rows):
            raise InputError(
                N_("No object was found, so there is none to explain. Lower the least score.")
            )
        found = self.decode(y, raw)
        judge = self.with_net(BoxScorer(self.net, y[rows].clone()))
        judge.labels = found.names[:EXPLAINED]
        return judge

    def probabilities(self, y: Tensor) -> Tensor:
        """Likeness is in [0, 1] as it is."""
        return y.float()

    def targets(self, raw: Image.Image) -> list[int]:
        """The boxes of `about`, the surest first."""
        return list(range(len(self.about(raw).labels)))

    def outline(self, target: int) -> tuple[float, float, float, float] | None:
        """Corners of a box of `about`, as shares of what the network sees."""
        if not isinstance(self.net, BoxScorer):
            return None
        left, top, right, bottom = self.net.wanted[target].clamp(0, 1).tolist()
        return left, top, right, bottom

    def blur(self, x: Tensor) -> Tensor:
        """As strong as `blur_sigma` says, on a smaller copy: a kernel of a hundred pixels is slow."""
        small = nn.functional.avg_pool2d(x, FINE)
        sigma = self.blur_sigma / FINE
        size = 2 * int(2 * sigma) + 1
        small = gaussian_blur(small, [size, size], [sigma, sigma])
        return nn.functional.interpolate(small, x.shape[-2:], mode="bilinear")

    def seen(self, raw: Image.Image) -> Image.Image:
        """What maps are laid over: the picture in its grey square."""
        return as_picture(self.encode(raw))

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

    def code(
        self, raw: Image.Image, example: str | None, explainer: str | None, target: int | None
    ) -> str:
        text = super().code(raw, example, explainer, target)
        if (self.score, self.overlap) != (SCORE, OVERLAP):
            loaded = f"load_case({self.card.id!r})"
            text = text.replace(
                f"case = {loaded}",
                f"case = {loaded}.at(score={self.score:g}, overlap={self.overlap:g})",
            )
        return text.replace(".explain(case, raw,", ".explain(case.about(raw), raw,")

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


@lru_cache(maxsize=64)
def _at(case: ObjectDetection, score: float, overlap: float) -> ObjectDetection:
    """One object for the same settings: visitors who share them share forward passes."""
    if (case.score, case.overlap) == (score, overlap):
        return case
    other = copy.copy(case)
    other.score, other.overlap = score, overlap
    return other


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
def scenes() -> dict[str, coco_mini.Scene]:
    """The data set's pictures by file stem."""
    return {scene.path.stem: scene for scene in coco_mini.load()}


def load_scene(stem: str) -> Image.Image:
    return Image.open(scenes()[stem].path).convert("RGB")


CASE = ObjectDetection
