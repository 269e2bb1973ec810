"""A small reader of a paragraph: what the question says, where it is met, then convolutions.

It knows words only by their vectors, which the two languages get in their own ways. The question
attends to each token (aligned embeddings: Chen et al. 2017, DrQA, https://arxiv.org/abs/1704.00051);
the paragraph goes through gated dilated convolutions (Dauphin et al. 2017,
https://arxiv.org/abs/1612.08083), which are as fast as they are simple.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.nets.passage_match import (
    PARAGRAPH,
    PART,
    QUESTION,
    RADII,
    coverage,
    question_length,
)
from dlportal.nets.span_head import IMPOSSIBLE, SpanHead

DILATIONS = (1, 2, 4, 8)  # of the paragraph's layers
QUESTION_WORDS = 24  # width of what is kept of the question's own words (who, how many)


class GatedConv(nn.Module):
    """A residual layer: norm, dilated convolution of three places, gate."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.conv = nn.Conv1d(width, 2 * width, 3, padding=dilation, dilation=dilation)
        self.dropout = nn.Dropout(dropout)

    def forward(self, h: Tensor, kept: Tensor) -> Tensor:
        """(B, T, width), and a mask (B, T, 1) of the places that may be seen."""
        new = self.conv((self.norm(h) * kept).transpose(1, 2)).transpose(1, 2)
        return h + self.dropout(F.glu(new, dim=-1))


class PassageReader(nn.Module):
    """Scores (B, T, longest) of all spans of a paragraph; [0, 0] is "no answer".

    Args:
        vectors: Width of the words' vectors.
        width: Of the states.
        shapes: Number of shapes a token can have.
        asked: Number of question words that are told apart.
        matches: How many kinds of matches with the question are given.
        groups: In how many kinds of surroundings beside the windows a match counts.
        longest: Tokens of an answer at most.
        more: How many other clues a token gets.
        dropout: In training.
        dilations: Of the paragraph's layers.
    """

    def __init__(
        self,
        vectors: int,
        width: int,
        shapes: int,
        asked: int,
        matches: int,
        groups: int,
        longest: int,
        more: int,
        dropout: float,
        dilations: tuple[int, ...] = DILATIONS,
    ) -> None:
        super().__init__()
        clues = matches * (2 * (len(RADII) + 1 + groups) + 3) + more
        query = width + QUESTION_WORDS
        self.shape = nn.Linear(shapes, 8, bias=False)
        self.asked = nn.Linear(asked, QUESTION_WORDS, bias=False)
        self.question_in = nn.Linear(vectors, width)
        self.question = nn.ModuleList(GatedConv(width, d, dropout) for d in (1, 2))
        self.attend = nn.Linear(width, 1)
        self.align = nn.Linear(vectors, 64)
        self.inner = nn.Linear(3 * vectors + 8 + clues + query, width)
        self.layers = nn.ModuleList(GatedConv(width, d, dropout) for d in dilations)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.head = SpanHead(width, clues, shapes, asked, query, longest)

    def forward(
        self,
        words: Tensor,
        clues: Tensor,
        shapes: Tensor,
        asked: Tensor,
        x: Tensor,
        ends: tuple[Tensor, Tensor],
    ) -> Tensor:
        """Scores of all spans.

        Args:
            words: Vectors (B, T, vectors).
            clues: What the question's matches tell of each token, (B, T, clues); see `clues_of`.
            shapes: One-hot (B, T, shapes).
            asked: Which question words occur, (B, asked).
            x: The input (B, T, 6).
            ends: Where a span may start, and where it may end, bool (B, T).
        """
        words = self.dropout(words)
        query, aligned = self.read_question(words, x)
        query = torch.cat([query, self.asked(asked).to(query.dtype)], dim=-1)
        parts = [words, aligned, words * aligned, self.shape(shapes), clues]
        parts.append(query.unsqueeze(1).expand(-1, words.shape[1], -1))
        h = self.inner(torch.cat([part.to(words.dtype) for part in parts], dim=-1))
        kept = (x[..., PART] == PARAGRAPH).unsqueeze(-1).to(h.dtype)
        for layer in self.layers:
            h = layer(h, kept)
        z = self.dropout(self.norm(h))
        return self.head(z, clues, shapes, asked, query, *ends)

    def read_question(self, words: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """The question's state (B, width), and for each place what it resembles in it."""
        end = question_length(x) + 1
        kept = x[:, 1:end, PART] == QUESTION
        theirs = words[:, 1:end]
        h = self.question_in(theirs)
        for layer in self.question:
            h = layer(h, kept.unsqueeze(-1).to(h.dtype))
        weights = self.attend(h).squeeze(-1).float().masked_fill(~kept, IMPOSSIBLE)
        query = torch.einsum("bq,bqd->bd", torch.softmax(weights, dim=1).to(h.dtype), h)
        a, b = F.relu(self.align(words)), F.relu(self.align(theirs))
        alike = torch.einsum("btd,bqd->btq", a, b).float()
        alike = torch.softmax(alike.masked_fill(~kept.unsqueeze(1), IMPOSSIBLE), dim=-1)
        return query, torch.einsum("btq,bqd->btd", alike.to(theirs.dtype), theirs)


def clues_of(matches: list[Tensor], weights: Tensor, x: Tensor, groups: list[Tensor]) -> Tensor:
    """How much of the question is near each token, and what its neighbours match, (B, T, clues).

    Args:
        matches: Each (B, T, Q): how well a token meets the question's tokens, in [0, 1].
        weights: Of the question's tokens, (B, Q).
        x: The input (B, T, 6).
        groups: Numbers (B, T) that say which tokens belong together.
    """
    found = [part for m in matches for part in (coverage(m, weights, x, groups), beside(m))]
    return torch.cat(found, dim=-1)


def beside(matches: Tensor) -> Tensor:
    """The best match of the token before, the token after, and those around: (B, T, 3)."""
    best = matches.amax(dim=-1)  # (B, T)
    before, after = F.pad(best, (1, 0))[:, :-1], F.pad(best, (0, 1))[:, 1:]
    around = F.avg_pool1d(best.unsqueeze(1), 5, 1, 2).squeeze(1)
    return torch.stack([before, after, around], dim=-1)
