"""ImageNet classification: one of 1000 classes for a photograph, by EfficientNet-Lite0."""

import csv
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from dlportal.assets import fetch
from dlportal.assets.samples import sample_path
from dlportal.case import Evaluation, Example, Progress
from dlportal.kinds.image import ImageCase, to_tensor
from dlportal.messages import N_, InputError
from dlportal.nets.efficientnet_lite import MEAN, SIDE, STD, fold_batch_norms, pretrained
from dlportal.results import Classes, Label, Score

LABELS = Path(__file__).with_name("imagenet_labels.csv")
RESIZED = 256  # pixels of the shorter side before the crop, as for the published accuracy
LONGEST = 4  # shorter sides; what lies beyond would be cropped away after all
SHOWN = 5  # classes of an answer
CREDIT = {
    "chelsea": N_("Photograph: Stéfan van der Walt, CC0, from scikit-image."),
    "coffee": N_("Photograph: Rachel Michetti, CC0, from scikit-image."),
    "rocket": N_("Photograph: SpaceX, public domain, from scikit-image."),
    "china": N_("Photograph: danielbuechele, CC BY 2.0, from scikit-learn."),
    "flower": N_("Photograph: vultilion, CC BY 2.0, from scikit-learn."),
    "astronaut": N_("Photograph: NASA, public domain, from scikit-image."),
}
# Bundled photographs and the classes that are right for them (WordNet ids), the likeliest first.
# Two have none: the thousand classes know no dahlia and no astronaut. The cat's stripes make it
# a tabby or a tiger cat; a launch vehicle is nearest to a missile.
PHOTOGRAPHS: tuple[tuple[str, Label, tuple[str, ...]], ...] = (
    ("chelsea", Label("chelsea", "Chelsea the cat", "猫咪 Chelsea"), ("n02123159", "n02123045")),
    ("coffee", Label("coffee", "Coffee", "咖啡"), ("n07920052", "n07930864", "n03063599")),
    ("rocket", Label("rocket", "Rocket", "火箭"), ("n03773504", "n04008634")),
    ("china", Label("palace", "Summer Palace", "颐和园"), ("n03877845",)),
    ("flower", Label("flower", "Dahlia", "大丽花"), ()),
    ("astronaut", Label("astronaut", "Astronaut", "宇航员"), ()),
)
RIGHT = {label.id: right for _name, label, right in PHOTOGRAPHS}


@cache
def read_labels() -> tuple[Label, ...]:
    """The 1000 classes in the network's order; ids are WordNet's."""
    with LABELS.open(encoding="utf-8", newline="") as file:
        return tuple(Label(row["wnid"], row["en"], row["zh"]) for row in csv.DictReader(file))


def load_photograph(name: str) -> Image.Image:
    return Image.open(sample_path(name)).convert("RGB")


class ImageNetClassification(ImageCase):
    """Names what a photograph shows: the five likeliest of 1000 classes.

    Paper: Deng et al. 2009, https://doi.org/10.1109/CVPR.2009.5206848 (ImageNet)
    """

    labels = read_labels()

    def load(self) -> nn.Module:
        net = fold_batch_norms(pretrained(fetch("efficientnet-lite0")))
        # Twice as fast on a CPU, for one picture and for batches.
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def seen(self, raw: Image.Image) -> Image.Image:
        """The middle of the picture as the network sees it, 224×224."""
        picture = middle(raw.convert("RGB"))
        # Cut off and rounded as torchvision's Resize and CenterCrop do, to the pixel.
        width, height = (RESIZED * side // min(picture.size) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.BICUBIC)
        left, top = round((width - SIDE) / 2), round((height - SIDE) / 2)
        return picture.crop((left, top, left + SIDE, top + SIDE))

    def encode(self, raw: Image.Image) -> Tensor:
        """Resize, crop and scale a picture as the published weights expect it.

        Returns:
            Shape (1, 3, 224, 224), about -1 to 1.
        """
        x = (to_tensor(self.seen(raw)) - MEAN) / STD
        return x.contiguous(memory_format=torch.channels_last)

    def decode(self, y: Tensor, raw: Image.Image) -> Classes:
        best = self.probabilities(y).topk(SHOWN)
        scores = zip(best.indices.tolist(), best.values.tolist())
        return Classes(
            scores=tuple(Score(self.labels[i], p, i) for i, p in scores),
            blind=1 / len(self.labels),
        )

    def examples(self) -> list[Example[Image.Image]]:
        return [
            Example(label.id, label, partial(load_photograph, name), CREDIT[name], (*right, "")[0])
            for name, label, right in PHOTOGRAPHS
        ]

    def right(self, example_id: str) -> tuple[str, ...]:
        """Ids of the classes that are right for a bundled photograph; none where none fits."""
        return RIGHT[example_id]

    def golden(self) -> Image.Image:
        """Smooth random colours, 320×240: a picture that is nobody's."""
        coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        return Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Measure the explanations of the bundled photographs, or the accuracy on a folder.

        Args:
            split: "test", the only one.
            data: A folder laid out like ImageNet's validation set: a folder of pictures for
                each class, named by its WordNet id. ImageNet itself may not be passed on, so it
                is not here, and without `data` no accuracy is measured.
            limit: Photographs at most; of a folder, pictures at most.
            progress: Called with maps (or pictures) done and in all.
        """
        from dlportal.cases import imagenet_evaluation as evaluation

        if split != "test":
            raise InputError(
                N_("No split {split}. Choose from: {known}."), split=split, known="test"
            )
        if data is not None:
            return evaluation.on_folder(self, data, limit, progress)
        return evaluation.on_photographs(self, limit, progress)


def middle(picture: Image.Image) -> Image.Image:
    """Cut a very long picture to its middle: resizing all of it could take gigabytes."""
    width, height = picture.size
    longest = LONGEST * min(width, height)
    if max(width, height) <= longest:
        return picture
    left, top = max(0, (width - longest) // 2), max(0, (height - longest) // 2)
    return picture.crop((left, top, min(width, left + longest), min(height, top + longest)))


CASE = ImageNetClassification
