"""The Chinese reader: vectors of characters, learned from scratch."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.kinds.passage_zh import ASKED, SHAPES
from dlportal.nets.passage_match import (
    CODE,
    PARAGRAPH,
    PART,
    QUESTION,
    SENTENCE,
    SHAPE,
    UNIT,
    question_columns,
    question_length,
    runs,
    same,
)
from dlportal.nets.passage_reader import PassageReader, clues_of

CHINESE = 1 << 17  # added to code points, so that they cannot be taken for MiniLM's ids
START, HIDDEN = 1, 2  # stand for signs among the code points
PAD_ROW, UNKNOWN_ROW, FIRST_ROW = 0, 3, 4  # of the embedding
EMBEDDING, WIDTH, LONGEST = 64, 96, 32


class ChineseReader(nn.Module):
    """Scores (B, T, 32) of all spans of up to 32 characters; [0, 0] is "no answer".

    Args:
        table: Rows of the embedding by code point, (65536,), int16.
        rarity: How much a character's match counts, by code point, (65536,), in [0, 1].
        rows: Of the embedding.
        dropout: In training.
    """

    table: Tensor
    rarity: Tensor
    asks: Tensor
    longest = LONGEST

    def __init__(self, table: Tensor, rarity: Tensor, rows: int, dropout: float = 0.25) -> None:
        super().__init__()
        self.register_buffer("table", table)
        self.register_buffer("rarity", rarity)
        asks = torch.zeros(len(table), dtype=torch.long)
        for number, character in enumerate(ASKED, start=1):
            asks[ord(character)] = number
        self.register_buffer("asks", asks, persistent=False)
        self.embedding = nn.Embedding(rows, EMBEDDING, padding_idx=PAD_ROW)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.reader = PassageReader(
            EMBEDDING, WIDTH, len(SHAPES), len(ASKED), 3, 2, LONGEST, 0, dropout
        )

    def embed(self, x: Tensor) -> Tensor:
        """What gradients can follow, (B, T, D): embeddings, matches, shapes, question words."""
        code = (x[..., CODE] - CHINESE).clamp(min=0)
        equal = same(torch.where(code > HIDDEN, code, 0), x)
        matches = [m.float() for m in (equal, *runs(equal))]
        shapes = F.one_hot(x[..., SHAPE], len(SHAPES)).float()
        asks = torch.where(x[..., PART] == QUESTION, self.asks[code], 0)
        asked = F.one_hot(asks, len(ASKED) + 1)[..., 1:].float()
        return torch.cat([self.embedding(self.table[code].long()), *matches, shapes, asked], dim=-1)

    def from_embeddings(self, e: Tensor, x: Tensor) -> Tensor:
        """Scores of `embed`'s output; `x` tells where question, clauses and sentences are."""
        parts = [EMBEDDING, *[question_length(x)] * 3, len(SHAPES), len(ASKED)]
        words, *matches, shapes, asks = e.split(parts, dim=-1)
        if self.training:  # nothing in them can learn
            matches = [m.detach() for m in matches]
        code = (x[..., CODE] - CHINESE).clamp(min=0)
        theirs = question_columns(code, x, nothing=0)
        weights = torch.where(theirs > HIDDEN, self.rarity[theirs], 0.0)
        inside = x[..., PART] == PARAGRAPH
        asked = asks.amax(dim=1)
        clues = clues_of(matches, weights, x, [x[..., SENTENCE], x[..., UNIT]])
        return self.reader(words, clues, shapes, asked, x, (inside, inside))

    def forward(self, x: Tensor) -> Tensor:
        """Scores (B, T, 32) of the input (B, T, 6)."""
        return self.from_embeddings(self.embed(x), x)
