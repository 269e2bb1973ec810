"""How sure a tagger is of each name it found, as a network of its own."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

SMALLEST = 1e-6  # probability; keeps log-odds finite


class NameScorer(nn.Module):
    """Log-odds of names: that every word of a name has the tag it got.

    Args:
        tagger: Maps packed ids (B, T) to tag logits (B, T, tags).
        names: For each name the positions (in tokens) of its words, and their tags.
        shift: Added to the tag logits, (tags,).
        temperature: Divides them.
    """

    shift: Tensor

    def __init__(
        self,
        tagger: Any,
        names: Sequence[tuple[list[int], list[int]]],
        shift: Tensor,
        temperature: float,
    ) -> None:
        super().__init__()
        self.tagger = tagger
        self.names = tuple(names)
        self.register_buffer("shift", shift)
        self.temperature = temperature

    def embed(self, ids: Tensor) -> Tensor:
        return self.tagger.embed(ids)

    def from_embeddings(self, e: Tensor, mask: Tensor) -> Tensor:
        """Log-odds (B, names)."""
        return self.score(self.tagger.from_embeddings(e, mask))

    def forward(self, ids: Tensor) -> Tensor:
        """Log-odds (B, names) of packed ids (B, T)."""
        return self.score(self.tagger(ids))

    def score(self, y: Tensor) -> Tensor:
        """Log-odds (B, names) of tag logits (B, T, tags)."""
        logs = torch.log_softmax((y.float() + self.shift) / self.temperature, dim=-1)
        told = [logs[:, places, tags].sum(dim=1) for places, tags in self.names]
        p = torch.stack(told, dim=1).exp().clamp(SMALLEST, 1 - SMALLEST)
        return torch.logit(p)
