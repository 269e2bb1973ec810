"""A linear chain of tags: which tag follows which, learned, and everything summed exactly.

Papers: Lafferty, McCallum and Pereira 2001, https://repository.upenn.edu/handle/20.500.14332/6188;
the posterior of a part of the chain by a constrained sum: Culotta and McCallum 2004,
https://aclanthology.org/N04-4028/
"""

import torch
from torch import Tensor, nn

NEVER = -1e4  # score of what is impossible; finite, so that sums and gradients stay numbers


class LinearChain(nn.Module):
    """Score of a sequence of tags: emissions, and a learned number for each pair of neighbours.

    Args:
        allowed: Whether tag j may follow tag i, (K, K) bool.
        first: Whether a text may begin with the tag, (K,) bool.
        last: Whether it may end with it, (K,) bool.
    """

    allowed: Tensor
    first: Tensor
    last: Tensor

    def __init__(self, allowed: Tensor, first: Tensor, last: Tensor) -> None:
        super().__init__()
        k = len(first)
        self.pairs = nn.Parameter(torch.zeros(k, k))
        self.begin, self.end = nn.Parameter(torch.zeros(k)), nn.Parameter(torch.zeros(k))
        self.register_buffer("allowed", allowed, persistent=False)
        self.register_buffer("first", first, persistent=False)
        self.register_buffer("last", last, persistent=False)

    def scores(self) -> tuple[Tensor, Tensor, Tensor]:
        """From tag to tag (K, K), at the beginning (K,) and at the end (K,)."""
        return (
            self.pairs.masked_fill(~self.allowed, NEVER),
            self.begin.masked_fill(~self.first, NEVER),
            self.end.masked_fill(~self.last, NEVER),
        )

    def forwards(self, y: Tensor, mask: Tensor, scale: float = 1.0) -> Tensor:
        """Log-sums over all beginnings that end in a tag at a place, (B, T, K).

        Args:
            y: Emissions (B, T, K), float32.
            mask: 1 at characters, 0 at padding on the right, (B, T); padding repeats the last sum.
            scale: What emissions and transitions are multiplied by: 1 / temperature.
        """
        pairs, begin, _end = (s * scale for s in self.scores())
        sums = [begin + scale * y[:, 0]]
        for t in range(1, y.shape[1]):
            step = torch.logsumexp(sums[-1].unsqueeze(2) + pairs, dim=1) + scale * y[:, t]
            sums.append(torch.where(mask[:, t, None].bool(), step, sums[-1]))
        return torch.stack(sums, dim=1)

    def backwards(self, y: Tensor, mask: Tensor, scale: float = 1.0) -> Tensor:
        """Log-sums over everything after a place, given its tag, (B, T, K); as `forwards`."""
        pairs, _begin, end = (s * scale for s in self.scores())
        sums = [end.expand(len(y), -1)]
        for t in range(y.shape[1] - 1, 0, -1):
            step = torch.logsumexp(pairs + (sums[-1] + scale * y[:, t]).unsqueeze(1), dim=2)
            sums.append(torch.where(mask[:, t, None].bool(), step, sums[-1]))
        return torch.stack(sums[::-1], dim=1)

    def log_sum(self, y: Tensor, mask: Tensor, scale: float = 1.0) -> Tensor:
        """Log-sum over all sequences of tags, (B,)."""
        end = scale * self.scores()[2]
        return torch.logsumexp(self.forwards(y, mask, scale)[:, -1] + end, dim=1)

    def score(self, y: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Score (B,) of the tags (B, T)."""
        pairs, begin, end = self.scores()
        kept = mask.to(y.dtype)
        seen = (y.gather(2, tags.unsqueeze(2)).squeeze(2) * kept).sum(dim=1)
        moved = (pairs[tags[:, :-1], tags[:, 1:]] * kept[:, 1:]).sum(dim=1)
        final = tags.gather(1, mask.long().sum(dim=1, keepdim=True) - 1).squeeze(1)
        return begin[tags[:, 0]] + seen + moved + end[final]

    def loss(self, y: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Negative log-likelihood (B,) of the tags (B, T)."""
        return self.log_sum(y, mask) - self.score(y, tags, mask)

    @torch.no_grad()
    def best(self, y: Tensor, mask: Tensor) -> list[list[int]]:
        """The likeliest tags of each text, without padding (Viterbi)."""
        pairs, begin, end = self.scores()
        total, came = begin + y[:, 0], []
        for t in range(1, y.shape[1]):
            value, place = (total.unsqueeze(2) + pairs).max(dim=1)
            kept = mask[:, t, None].bool()
            came.append(torch.where(kept, place, torch.arange(len(begin), device=y.device)))
            total = torch.where(kept, value + y[:, t], total)
        tag = (total + end).argmax(dim=1)
        path = [tag]
        for place in reversed(came):
            tag = place.gather(1, tag.unsqueeze(1)).squeeze(1)
            path.append(tag)
        rows = torch.stack(path[::-1], dim=1).tolist()
        return [row[:n] for row, n in zip(rows, mask.long().sum(dim=1).tolist(), strict=True)]
