"""Cases whose answer is boxes on a picture."""

import copy
from functools import lru_cache
from typing import ClassVar, Self, TypeVar

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms.functional import gaussian_blur

from dlportal.kinds.boxes import BoxScorer, Letterbox, as_picture, corners_of, pick_boxes
from dlportal.kinds.image import ImageCase
from dlportal.messages import N_, InputError
from dlportal.results import Box, Boxes
from dlportal.training.detection_scores import Objects

FINE = 4  # the blur is computed on a picture so many times smaller

C = TypeVar("C", bound="BoxCase")


class BoxCase(ImageCase):
    """Finds objects: boxes with a kind and a score.

    Its network maps a letterboxed picture (1, 3, H, W) to rows: centre, size, how sure it is,
    and each kind's probability, see `pick_boxes`. The case of `about` maps it to how well each of
    the boxes that were found in one picture is found again.
    """

    canvas: ClassVar[tuple[int, int]]  # width and height of the network's input
    averaged: ClassVar[bool] = False  # how pictures are made smaller, see `Letterbox`
    explained: ClassVar[int] = 12  # boxes of a picture that can be explained, the surest ones
    explained_kind: ClassVar[int] = 12  # of one kind
    score: float
    overlap: float

    @property
    def usual(self) -> tuple[float, float]:
        """The least score and the largest overlap where nobody chose others."""
        raise NotImplementedError

    def at(self, score: float, overlap: float) -> Self:
        """The same case with other thresholds, both in (0, 1)."""
        return _at(self, round(score, 4), round(overlap, 4))

    def letterbox(self, size: tuple[int, int]) -> Letterbox:
        """How a picture of this size lies in the network's input."""
        return Letterbox.around(size, self.canvas, self.averaged)

    def encode(self, raw: Image.Image) -> Tensor:
        """Lay the picture on a grey canvas: (1, 3, H, W), in [0, 1]."""
        x = self.letterbox(raw.size).place(raw)
        return x.contiguous(memory_format=torch.channels_last)

    def decode(self, y: Tensor, raw: Image.Image) -> Boxes:
        """The boxes above the score, without those that repeat a surer one."""
        rows, classes, scores = pick_boxes(y, self.score, self.overlap)
        found = self.letterbox(raw.size).to_picture(corners_of(y[rows]))
        boxes = tuple(
            Box(self.labels[k], k, p, tuple(corners))
            for k, p, corners in zip(classes.tolist(), scores.tolist(), found.tolist(), strict=True)
        )
        width, height = raw.size
        return Boxes(boxes, width, height, self.score, self.overlap, self.blind)

    @torch.inference_mode()
    def candidates(self, raw: Image.Image, least: float) -> Objects:
        """All boxes of a picture above a very low score, in its pixels."""
        y = self.net(self.encode(raw).to(self.device))[0].float().cpu()
        rows, classes, sure = pick_boxes(y, least, self.overlap)
        corners = self.letterbox(raw.size).to_picture(corners_of(y[rows]))
        return Objects(corners.numpy(), classes.numpy(), sure.numpy())

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
        rows, classes, _scores = pick_boxes(y, self.score, self.overlap)
        if not len(rows):
            raise InputError(
                N_("No object was found, so there is none to explain. Lower the least score.")
            )
        kept = few_of_each(classes.tolist(), self.explained_kind)[: self.explained]
        names = self.decode(y, raw).names
        judge = self.with_net(BoxScorer(self.net, y[rows[kept]].clone()))
        judge.labels = tuple(names[place] for place in kept)
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
        """What maps are laid over: the picture on its grey canvas."""
        return as_picture(self.encode(raw))

    def marked(self, example_id: str | None) -> Objects | None:
        """What people marked in an example; None for any other picture."""
        return None

    def code(
        self, raw: Image.Image, example: str | None, explainer: str | None, target: int | None
    ) -> str:
        text = super().code(raw, example, explainer, target)
        if (self.score, self.overlap) != self.usual:
            loaded = f"load_case({self.card.id!r})"
            text = text.replace(
                f"case = {loaded}",
                f"case = {loaded}.at(score={self.score:g}, overlap={self.overlap:g})",
            )
        return text.replace(".explain(case, raw,", ".explain(case.about(raw), raw,")


def few_of_each(classes: list[int], most: int) -> list[int]:
    """Places of the first `most` of each class, in order."""
    return [place for place, kind in enumerate(classes) if classes[:place].count(kind) < most]


@lru_cache(maxsize=64)
def _at(case: C, score: float, overlap: float) -> C:
    """One object for the same settings: visitors who share them share forward passes."""
    if (case.score, case.overlap) == (score, overlap):
        return case
    other = copy.copy(case)
    other.score, other.overlap = score, overlap
    return other
