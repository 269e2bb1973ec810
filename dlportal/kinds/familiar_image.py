"""Pictures that are classified, and looked at whether they resemble the training pictures."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dlportal.kinds.image import ImageCase
from dlportal.results import Classes, Result, Score

MARKS = 2  # of strangeness


class FamiliarImageCase(ImageCase):
    """One of several classes, with a warning where the picture is unlike the training's.

    The network's `look` gives logits (B, classes) and two marks of strangeness (B, 2) in one pass.
    """

    net: Any

    @cached_property
    def unusual(self) -> Tensor:
        """What each mark of strangeness says of nearly all validation pictures, (2,)."""
        return torch.tensor(self.card.measured.constants.get("unusual", [np.inf] * MARKS))

    @property
    def blind(self) -> float:
        """The probability of being right without looking."""
        return 1 / len(self.labels)

    def foreign(self, raw: Image.Image) -> bool:
        """Whether a picture is none of ours at first sight, before the network looks."""
        return False

    def worst(self, unlike: Tensor) -> Tensor:
        """The worse of the two marks (B, 2), as a multiple of what is usual, (B,): above 1 a
        picture is marked."""
        return (unlike / self.unusual).amax(dim=1)

    @torch.inference_mode()
    def predict_batch(self, raws: Sequence[Image.Image]) -> list[Result]:
        """Also looks whether each picture is like the training pictures."""
        for raw in raws:
            self.check(raw)
        x = self.collate([self.encode(raw) for raw in raws]).to(self.device)
        y, unlike = (part.float().cpu() for part in self.net.look(x))
        inside = (self.worst(unlike) <= 1).tolist()
        return [
            self.answer(row, alike and not self.foreign(raw))
            for row, raw, alike in zip(y, raws, inside, strict=True)
        ]

    @torch.inference_mode()
    def decode(self, y: Tensor, raw: Image.Image) -> Classes:
        unlike = self.net.look(self.encode(raw).to(self.device))[1].float().cpu()
        return self.answer(y, bool(self.worst(unlike)[0] <= 1) and not self.foreign(raw))

    def answer(self, y: Tensor, inside: bool) -> Classes:
        p = self.probabilities(y).tolist()
        order = sorted(range(len(p)), key=lambda i: -p[i])
        return Classes(tuple(Score(self.labels[i], p[i], i) for i in order), self.blind, inside)
