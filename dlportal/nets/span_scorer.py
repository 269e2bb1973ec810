"""How sure a reader is of each span it found, as a network of its own."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dlportal.kinds.judged_spans import relative

SMALLEST = 1e-6  # probability; keeps log-odds finite


class SpanScorer(nn.Module):
    """Log-odds of spans among all spans of a window and "no answer".

    Args:
        reader: Maps inputs (B, T, 6) to scores (B, T, longest).
        spans: For each span its first token and its length - 1.
        temperature: Divides the scores.
    """

    def __init__(self, reader: Any, spans: Sequence[tuple[int, int]], temperature: float) -> None:
        super().__init__()
        self.reader = reader
        self.spans = tuple(spans)
        self.temperature = temperature

    def embed(self, x: Tensor) -> Tensor:
        return self.reader.embed(x)

    def from_embeddings(self, e: Tensor, x: Tensor) -> Tensor:
        """Log-odds (B, spans)."""
        return self.score(self.reader.from_embeddings(e, x))

    def forward(self, x: Tensor) -> Tensor:
        """Log-odds (B, spans) of inputs (B, T, 6)."""
        return self.score(self.reader(x))

    def score(self, y: Tensor) -> Tensor:
        """Log-odds (B, spans) of scores (B, T, longest)."""
        logits = relative(y) / self.temperature
        total = torch.logaddexp(logits.flatten(1).logsumexp(dim=1), logits.new_zeros(len(y)))
        logs = torch.stack([logits[:, first, more] for first, more in self.spans], dim=1)
        p = (logs - total.unsqueeze(1)).exp().clamp(SMALLEST, 1 - SMALLEST)
        return torch.logit(p)
