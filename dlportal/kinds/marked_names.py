"""Text cases that mark names, and judge the names they found."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import torch
from torch import nn

from dlportal.case import Example
from dlportal.kinds.text import WRITTEN, TextCase
from dlportal.kinds.words import numbered
from dlportal.results import Label


class NameMarkingCase(TextCase):
    """A text with its names marked; what is explained is how sure one of the names is.

    `offered` are the examples: id, text, name in both languages. `Judge` is the network that
    answers for the names of one text; `about` puts it in place of the case's own.
    """

    offered: ClassVar[Sequence[tuple[str, str, str, str]]]
    Judge: ClassVar[type[nn.Module]]
    net: Any

    @abstractmethod
    def about(self, raw: str) -> Self:
        """The case as a judge of the names it found: how likely is each of them?

        Raises:
            InputError: No name was found.
        """

    def targets(self, raw: str) -> list[int]:
        """Names worth explaining: the surest first."""
        if not isinstance(self.net, self.Judge):
            return self.about(raw).targets(raw)
        with torch.inference_mode():
            y = self.net(self.encode(raw).to(self.device))[0]
        return y.argsort(descending=True)[:3].tolist()

    def examples(self) -> list[Example[str]]:
        return [
            Example(i, Label(i, en, zh), lambda text=text: text, WRITTEN)  # type: ignore[misc]
            for i, text, en, zh in self.offered
        ]

    def golden(self) -> str:
        return self.offered[0][1]

    def code(self, raw: str, example: str | None, explainer: str | None, target: int | None) -> str:
        lines = super().code(raw, example, explainer, target)
        return lines.replace(".explain(case, raw,", ".explain(case.about(raw), raw,")


def name_labels(texts: Sequence[str], kinds: Sequence[Label]) -> tuple[Label, ...]:
    """Names as labels, with their types; numbered where one repeats."""
    return tuple(
        Label(text, f"{text} ({kind.en})", f"{text}（{kind.zh}）")
        for text, kind in zip(numbered(texts), kinds, strict=True)
    )
