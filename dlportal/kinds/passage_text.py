"""Words of a question and of a window of its paragraph that can be hidden one by one."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dlportal.kinds.chinese import PIECE
from dlportal.kinds.passages import Passage, Window
from dlportal.nets.chinese_reader import CHINESE, HIDDEN
from dlportal.nets.minilm import MASK
from dlportal.nets.passage_match import CODE, PARAGRAPH, PART, QUESTION, SHAPE, STEM, UNIT


@dataclass(frozen=True)
class PassageMasker:
    """Hides words of one input behind the mask; what a hidden word matches is gone, too.

    `x` has shape (1, T, 6); `word_of` names the word of each position, -1 for signs.
    """

    x: Tensor
    word_of: Tensor
    parts: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.parts),)

    @property
    def empty(self) -> Tensor:
        """The input with every word hidden, (1, T, 6)."""
        return torch.where(
            (self.word_of >= 0).view(1, -1, 1).to(self.x.device), hidden(self.x), self.x
        )

    def render(self, keep: Tensor) -> Tensor:
        padded = torch.cat([keep, torch.ones(len(keep), 1)], dim=1)  # index -1: always kept
        kept = (padded[:, self.word_of] > 0.5).unsqueeze(-1)  # (M, T, 1)
        return torch.where(kept.to(self.x.device), self.x, hidden(self.x))


def hidden(x: Tensor) -> Tensor:
    """An input with the mask in every place; where words and sentences end stays known."""
    out = x.clone()
    chinese = bool(x[..., CODE].max() >= CHINESE)
    out[..., CODE] = CHINESE + HIDDEN if chinese else MASK
    out[..., STEM] = out[..., SHAPE] = 0
    return out


def words_of(passage: Passage, window: Window) -> tuple[list[str], list[int]]:
    """Words of the question and of a window, and for each token the index of its word (-1: sign).

    Chinese: single characters, and Latin words or numbers whole.
    """
    if passage.language == "zh":
        return chinese_words(passage, window)
    word_of: list[int] = []
    names: list[str] = []
    seen: dict[tuple[int, int], int] = {}
    places = english_places(passage, window)
    for row, (start, end) in zip(window.x, places, strict=True):
        part = int(row[PART])
        if part not in (QUESTION, PARAGRAPH):
            word_of.append(-1)
            continue
        unit = part, int(row[UNIT])
        text = passage.question if part == QUESTION else passage.paragraph
        if unit not in seen:
            seen[unit] = len(names)
            names.append("")
        names[seen[unit]] += text[start:end]
        word_of.append(seen[unit])
    return names, word_of


def english_places(passage: Passage, window: Window) -> list[tuple[int, int]]:
    """Characters of each token; signs have none."""
    from dlportal.kinds.passage_en import english_tokens
    from dlportal.nets.minilm import load_tokenizer

    asked = english_tokens(load_tokenizer(), passage.question)[1]
    return [(0, 0), *asked, (0, 0), (0, 0), *window.places, (0, 0)]


def chinese_words(passage: Passage, window: Window) -> tuple[list[str], list[int]]:
    begin, end = window.places[0][0], window.places[-1][1]
    names: list[str] = []
    word_of = np.full(len(window.x), -1)
    for text, start in ((passage.question, 1), (passage.paragraph[begin:end], window.start)):
        for found in PIECE.finditer(text):
            word_of[start + found.start() : start + found.end()] = len(names)
            names.append(found[0])
    return names, word_of.tolist()
