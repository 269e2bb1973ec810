"""Ten kinds of clothes on photographs: EfficientNet-Lite2, fine-tuned here.

Data: Clothing dataset (small), Grigorev et al. 2020, CC0,
https://github.com/alexeygrigorev/clothing-dataset-small
"""

from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from dlportal.assets.samples import sample_path
from dlportal.cards import Card
from dlportal.case import Evaluation, Example, Progress, Settings
from dlportal.cases.clothes_on_floor import DRAWINGS, draw
from dlportal.cases.clothing_training import enlarged, in_parts, train_net
from dlportal.data import clothing, dataset_tree, is_available
from dlportal.kinds.familiar_image import FamiliarImageCase
from dlportal.messages import N_
from dlportal.nets.clothing_net import ClothingNet
from dlportal.results import Label
from dlportal.training.events import Run
from dlportal.training.store import load_weights

# Ids are the names of the data set's folders.
LABELS = (
    Label("dress", "Dress", "连衣裙"),
    Label("hat", "Hat", "帽子"),
    Label("longsleeve", "Long sleeve", "长袖衫"),
    Label("outwear", "Outerwear", "外套"),
    Label("pants", "Pants", "长裤"),
    Label("shirt", "Shirt", "衬衫"),
    Label("shoes", "Shoes", "鞋"),
    Label("shorts", "Shorts", "短裤"),
    Label("skirt", "Skirt", "半身裙"),
    Label("t-shirt", "T-shirt", "T恤"),
)
CAT = N_("Photograph: Stéfan van der Walt, CC0, from scikit-image.")
CUP = N_("Photograph: Rachel Michetti, CC0, from scikit-image.")
DRAWN = N_("Drawn by us, as if it lay on a floor.")
SHOWN = 384  # pixels of the square that maps are laid over


class ClothingClassification(FamiliarImageCase):
    """Dress, hat, long sleeve, outerwear, pants, shirt, shoes, shorts, skirt or T-shirt."""

    labels = LABELS
    net: ClothingNet

    def load(self) -> nn.Module:
        net = load_weights(ClothingNet(len(LABELS)), self.card.weights)
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, raw: Image.Image) -> Tensor:
        """Shape (1, 3, 176, 176), about -1 to 1: the whole picture on a grey square."""
        x = torch.from_numpy(clothing.framed(raw).copy()).permute(2, 0, 1).unsqueeze(0)
        return enlarged(x).contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def strangeness(self, x: Tensor) -> Tensor:
        """How unlike photographs of clothes pictures (N, 3, 96, 96), uint8, are, (N,): above 1
        they are marked.

        The worse of two looks, at what is seen and at its texture, each as a multiple of what
        nearly all validation pictures stay below.
        """
        return self.worst(in_parts(lambda part: self.net.look(part)[1], x))

    def seen(self, raw: Image.Image) -> Image.Image:
        """What maps are laid over: the whole picture on its grey square."""
        picture = raw.convert("RGB")
        picture.thumbnail((SHOWN, SHOWN))
        return clothing.squared(picture)

    def golden(self) -> Image.Image:
        """Smooth random colours, 80×96: a picture that is nobody's."""
        coarse = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
        return Image.fromarray(coarse).resize((80, 96), Image.Resampling.BICUBIC)

    def examples(self) -> list[Example[Image.Image]]:
        found = [
            Example(name, label, partial(draw, name), DRAWN, truth)
            for name, (truth, label, *_look) in DRAWINGS.items()
        ]
        if is_available(clothing.NAME):
            found = [
                Example(
                    f"test_{label.id}",
                    label,
                    partial(from_test, index),
                    N_("From the test part of the clothing dataset, CC0."),
                    label.id,
                )
                for index, label in enumerate(LABELS)
            ] + found
        return [
            *found,
            Example("cat", Label("cat", "A cat", "一只猫"), partial(photograph, "chelsea"), CAT),
            Example("cup", Label("cup", "Coffee", "咖啡"), partial(photograph, "coffee"), CUP),
        ]

    def right(self, example_id: str) -> tuple[str, ...]:
        """The class that is right for an example; none where none is."""
        truth = next((e.truth for e in self.examples() if e.id == example_id), "")
        return (truth,) if truth else ()

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
        """Measure on the data set, or on a folder with one folder of pictures for each class."""
        from dlportal.cases import clothing_evaluation as evaluation

        return evaluation.evaluate(self, split, data, limit, progress)


@lru_cache(maxsize=1)
def test_pictures() -> tuple[Path, ...]:
    """One picture of each class of the test part, drawn without looking."""
    rng = np.random.default_rng(0)
    files = clothing.listed(dataset_tree(clothing.NAME, "validation"))
    of_class = ([path for path, label in files if label == k] for k in range(len(LABELS)))
    return tuple(paths[int(rng.integers(len(paths)))] for paths in of_class)


def from_test(index: int) -> Image.Image:
    return Image.open(test_pictures()[index]).convert("RGB")


def photograph(name: str) -> Image.Image:
    """A picture without clothes, to see the warning."""
    return Image.open(sample_path(name)).convert("RGB")


CASE = ClothingClassification
