"""Both readers in one network, and the five English ones that never saw a fifth of the data."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from dlportal.nets.chinese_reader import CHINESE, ChineseReader
from dlportal.nets.english_reader import EnglishReader
from dlportal.nets.passage_match import CODE
from dlportal.nets.span_head import IMPOSSIBLE

FOLDS = 5


class QuestionNet(nn.Module):
    """Scores of spans in either language.

    Args:
        english: Answers in English.
        folds: English readers, each trained without a fifth of the articles; only `evaluate`
            asks them.
        chinese: Answers in Chinese.
    """

    def __init__(
        self, english: EnglishReader, folds: list[EnglishReader], chinese: ChineseReader
    ) -> None:
        super().__init__()
        self.english, self.folds, self.chinese = english, nn.ModuleList(folds), chinese

    def shipped_state(self) -> dict[str, Tensor]:
        """What the repository holds of this network: everything but MiniLM."""
        return {k: v for k, v in self.state_dict().items() if ".body." not in f".{k}"}

    def reader(self, x: Tensor) -> Any:
        """The reader of an input (B, T, 6) that is all of one language."""
        return self.chinese if int(x[..., CODE].max()) >= CHINESE else self.english

    def embed(self, x: Tensor) -> Tensor:
        return self.reader(x).embed(x)

    def from_embeddings(self, e: Tensor, x: Tensor) -> Tensor:
        """Scores (B, T, longest) of embeddings of inputs of one language."""
        return self.reader(x).from_embeddings(e, x)

    def forward(self, x: Tensor) -> Tensor:
        """Scores (B, T, longest) of inputs (B, T, 6), of either language or mixed."""
        chinese = x[..., CODE].amax(dim=1) >= CHINESE
        if bool(chinese.all()) or not bool(chinese.any()):
            return self.reader(x)(x)
        longest = max(self.chinese.longest, self.english.longest)
        out = torch.full((*x.shape[:2], longest), IMPOSSIBLE, device=x.device)
        for rows in (chinese, ~chinese):
            y = self.reader(x[rows])(x[rows]).float()
            out[rows, :, : y.shape[-1]] = y
        return out


def renewed(net: QuestionNet) -> QuestionNet:
    """A copy with weights of its own; MiniLM's stay shared."""
    tensors = [*net.english.body.parameters(), *net.english.body.buffers()]
    return copy.deepcopy(net, {id(tensor): tensor for tensor in tensors})
