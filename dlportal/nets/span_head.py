"""Scores of all spans of a paragraph at once, and of "no answer".

A span's score is a start's plus an end's plus how well the two go together plus what its length
is worth; one softmax over all spans, and over "no answer" at place 0, makes them probabilities
(globally normalised, as Lee et al. 2016, https://arxiv.org/abs/1611.01436). The probability of a
start or an end is the sum over its spans.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

IMPOSSIBLE = -1e4  # score of what is no span


class SpanHead(nn.Module):
    """Scores (B, T, longest): of the span of `k + 1` tokens that starts at `t`.

    Place [0, 0] holds the score of "no answer".

    Args:
        width: Of the tokens' states.
        clues: Number of coverage values a token.
        shapes: Number of shapes a token can have.
        asked: Number of question words that are told apart.
        query: Width of the question's state.
        longest: Tokens of a span at most.
        rank: Of the form that joins start and end.
    """

    def __init__(
        self,
        width: int,
        clues: int,
        shapes: int,
        asked: int,
        query: int,
        longest: int,
        rank: int = 32,
    ) -> None:
        super().__init__()
        self.longest = longest
        self.ends = nn.Linear(width + clues, 2)
        self.gate = nn.Linear(query, 2 * width)
        self.kind = nn.Parameter(torch.zeros(asked, shapes, 2))  # "how many" likes numbers
        self.left, self.right = nn.Linear(width, rank), nn.Linear(width, rank)
        self.length = nn.Parameter(-0.05 * torch.arange(longest).float())
        self.length_by = nn.Parameter(torch.zeros(asked, longest))
        self.nothing = nn.Linear(width + clues, 1)

    def forward(
        self,
        z: Tensor,
        clues: Tensor,
        shapes: Tensor,
        asked: Tensor,
        query: Tensor,
        first: Tensor,
        last: Tensor,
    ) -> Tensor:
        """Scores (B, T, longest).

        Args:
            z: States (B, T, width).
            clues: (B, T, clues).
            shapes: One-hot (B, T, shapes).
            asked: Which question words occur, (B, asked).
            query: The question's state (B, query).
            first: Where a span may start, bool (B, T).
            last: Where it may end, bool (B, T).
        """
        both = torch.cat([z, clues.to(z.dtype)], dim=-1)
        gates = self.gate(query).unsqueeze(1).chunk(2, dim=-1)
        asks = torch.stack([(z * gate).sum(dim=-1) for gate in gates], dim=-1)
        kinds = torch.einsum("bts,bw,wsk->btk", shapes, asked, self.kind)
        ends = self.ends(both).float() + asks.float() / z.shape[-1] ** 0.5 + kinds.float()
        start = ends[..., 0].masked_fill(~first, IMPOSSIBLE)
        end = ends[..., 1].masked_fill(~last, IMPOSSIBLE)
        more = self.longest - 1
        following = F.pad(end, (0, more), value=IMPOSSIBLE).unfold(1, self.longest, 1)
        right = F.pad(self.right(z).float(), (0, 0, 0, more)).unfold(1, self.longest, 1)
        left = self.left(z).float()
        joined = torch.einsum("btd,btdk->btk", left, right) / left.shape[-1] ** 0.5
        length = self.length + asked.float() @ self.length_by
        scores = start.unsqueeze(-1) + following + joined + length.unsqueeze(1)
        inside = both.float().masked_fill(~(first | last).unsqueeze(-1), IMPOSSIBLE)
        nothing = self.nothing(inside.amax(dim=1))
        return torch.cat([with_nothing(scores[:, :1], nothing), scores[:, 1:]], dim=1)


def with_nothing(row: Tensor, nothing: Tensor) -> Tensor:
    """Place [0, 0] of a first row (B, 1, longest) replaced by the score of "no answer" (B, 1)."""
    return torch.cat([nothing.unsqueeze(1), row[..., 1:]], dim=-1)
