"""MiniLM that gives every word part a tag, and sees how its word is written."""

import torch
from torch import Tensor, nn

from dlportal.nets.minilm import WIDTH, Encoder, own_state
from dlportal.nets.word_shape import SHAPES, STEP


class Tagger(nn.Module):
    """Logits for each token: encoder with adapters, an embedding of the word's shape, a head.

    Args:
        tags: Number of logits.
        rank: Rank of the adapters.
        dropout: Before each layer of the head, in training.
    """

    def __init__(self, tags: int, rank: int = 16, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = Encoder(rank)
        # Two places: before the encoder, so that context counts, and right before the head.
        self.shape_in = nn.Embedding(len(SHAPES), WIDTH)
        self.shape_out = nn.Embedding(len(SHAPES), WIDTH)
        nn.init.zeros_(self.shape_in.weight)
        nn.init.zeros_(self.shape_out.weight)
        self.head = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(WIDTH, WIDTH),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(WIDTH, tags),
        )

    def shipped_state(self) -> dict[str, Tensor]:
        """What the repository holds of this network."""
        return own_state(self)

    def embed(self, ids: Tensor) -> Tensor:
        """Word embeddings beside shape embeddings: packed ids (B, T) to (B, T, 768)."""
        words = self.encoder.embed(ids % STEP)
        shapes = ids // STEP
        # How a word is written belongs to the word: both are attributed together.
        return torch.cat([words + self.shape_in(shapes), self.shape_out(shapes)], dim=-1)

    def from_embeddings(self, e: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, T, tags) of `embed`'s output and a 0/1 mask (B, T)."""
        inner, outer = e.split(WIDTH, dim=-1)
        return self.head(self.encoder(inner, mask) + outer)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits (B, T, tags) of packed ids (B, T), padded with 0."""
        return self.from_embeddings(self.embed(ids), (ids != 0).long())
