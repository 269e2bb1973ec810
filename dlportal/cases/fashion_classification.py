"""Ten kinds of clothes on 28 × 28 grey pixels: a small network trained here from scratch.

Data: Fashion-MNIST, Xiao et al. 2017, https://arxiv.org/abs/1708.07747
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
from dlportal.cases.drawn_clothes import DRAWINGS, draw
from dlportal.cases.fashion_training import in_parts, train_net
from dlportal.data import fashion_mnist, is_available
from dlportal.kinds.familiar_image import FamiliarImageCase
from dlportal.kinds.image import to_tensor
from dlportal.labs.practice_data import CLOTHES
from dlportal.messages import N_
from dlportal.nets.fashion_net import SIDE, FashionNet
from dlportal.results import Label
from dlportal.training.events import Run
from dlportal.training.store import load_weights

DATA = "fashion_mnist"
EDGE = 0.05  # difference from the background, 0-1, below which a row or column is cut away
TEST_ROWS = (12, 40, 150, 23, 444, 1000, 4242, 9000)  # drawn without looking
DRAWN = N_("Drawn by us.")


def prepare(picture: Image.Image) -> Image.Image:
    """Make a picture what the data set's makers made of a shop's photograph, 28 × 28 grey.

    Grey, light on black, cut to what differs from the background, the longer side resized to 28
    and the shorter one filled up with black (Xiao et al. 2017, section 2). A picture of 28 × 28
    on black is taken as it is.
    """
    grey = np.asarray(picture.convert("L"), np.float32) / 255
    ground = float(np.median(border(grey)))
    if grey.shape == (SIDE, SIDE) and ground < EDGE:
        return picture.convert("L")
    if ground > 0.5:  # light: the negative, as in the data set
        grey, ground = 1 - grey, 1 - ground
    # The background becomes black, whatever it was.
    grey = np.clip((grey - ground) / max(1 - ground, EDGE), 0, 1)
    grey = trimmed(grey)
    height, width = grey.shape
    longest = max(height, width)
    size = max(1, round(SIDE * width / longest)), max(1, round(SIDE * height / longest))
    small = Image.fromarray(grey).resize(size, Image.Resampling.BOX, reducing_gap=None)
    out = Image.new("L", (SIDE, SIDE))
    pixels = Image.fromarray((np.asarray(small) * 255).round().clip(0, 255).astype(np.uint8))
    out.paste(pixels, ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2))
    return out


def border(grey: np.ndarray) -> np.ndarray:
    """The outermost pixels of a picture (H, W)."""
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])


def trimmed(grey: np.ndarray) -> np.ndarray:
    """Cut rows and columns at the sides that are all background."""
    rows, columns = (np.flatnonzero((grey > EDGE).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return grey
    return grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


class FashionClassification(FamiliarImageCase):
    """T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag or ankle boot."""

    labels = CLOTHES
    blur_sigma = 5.0  # of 28 pixels
    net: FashionNet

    def load(self) -> nn.Module:
        return load_weights(FashionNet(len(CLOTHES)), self.card.weights)

    def encode(self, raw: Image.Image) -> Tensor:
        """Shape (1, 1, 28, 28), in [0, 1], light on black."""
        return to_tensor(prepare(raw))

    @torch.inference_mode()
    def strangeness(self, x: Tensor) -> Tensor:
        """How unlike clothes encoded pictures (B, 1, 28, 28) are, (B,): above 1 they are marked.

        The worse of two looks, at the pixels and at the features, each as a multiple of what 99 %
        of the validation pictures stay below.
        """
        return self.worst(in_parts(self.net.strangeness, x))

    def seen(self, raw: Image.Image) -> Image.Image:
        """What maps are laid over: the 28 × 28 pixels."""
        return prepare(raw)

    def golden(self) -> Image.Image:
        return draw("t_shirt")

    def examples(self) -> list[Example[Image.Image]]:
        found = [
            Example(name, label, partial(draw, name), DRAWN, truth)
            for name, (label, truth) in DRAWINGS.items()
        ]
        if is_available(DATA):
            source = N_("From the test part of Fashion-MNIST, 28 × 28 pixels, MIT licence.")
            found += [
                Example(
                    f"test_{row}",
                    Label("", f"Test {number}", f"测试 {number}"),
                    partial(from_test, row),
                    source,
                    CLOTHES[int(test_part().labels[row])].id,
                )
                for number, row in enumerate(TEST_ROWS, start=1)
            ]
        cat = N_("Photograph: Stéfan van der Walt, CC0, from scikit-image.")
        return [*found, Example("cat", Label("cat", "A cat", "一只猫"), photograph_of_a_cat, cat)]

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
        """Measure on Fashion-MNIST, or on a folder with four `.gz` files like its own."""
        from dlportal.cases import fashion_evaluation as evaluation

        return evaluation.evaluate(self, split, data, limit, progress)


@lru_cache(maxsize=1)
def test_part() -> fashion_mnist.Images:
    return fashion_mnist.load().test


def from_test(row: int) -> Image.Image:
    return Image.fromarray(test_part().images[row])


def photograph_of_a_cat() -> Image.Image:
    """To see the warning."""
    return Image.open(sample_path("chelsea")).convert("RGB")


CASE = FashionClassification
