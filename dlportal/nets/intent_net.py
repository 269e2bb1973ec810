"""Intents of several assistants from one encoder: the angle between a question and each intent.

Cosine softmax after Wang et al. 2017 (NormFace), https://arxiv.org/abs/1704.06369.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.nets.minilm import PAD, WIDTH, Encoder, average, own_state

SCALE = 20.0  # of the cosines, at the start of the training
TYPICAL = 8  # typical questions that are kept for an intent


class IntentNet(nn.Module):
    """Scores of the intents of all assistants, and how familiar a question is to each assistant.

    `typical` holds the centres of each intent's training questions, filled after the training.

    Args:
        sizes: Number of intents of each assistant.
        rank: Rank of the adapters.
        dropout: On the sentence's embedding, in training.
    """

    typical: Tensor

    def __init__(self, sizes: Sequence[int], rank: int = 16, dropout: float = 0.1) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.encoder = Encoder(rank)
        self.dropout = nn.Dropout(dropout)
        self.directions = nn.Parameter(torch.randn(sum(sizes), WIDTH) / WIDTH**0.5)
        self.scales = nn.Parameter(torch.full((len(sizes),), SCALE))
        self.register_buffer("typical", torch.zeros(sum(sizes), TYPICAL, WIDTH))

    def embed(self, ids: Tensor) -> Tensor:
        """Word embeddings, without positions: ids (B, T) to (B, T, 384)."""
        return self.encoder.embed(ids)

    def shipped_state(self) -> dict[str, Tensor]:
        """What the repository holds of this network."""
        return own_state(self)

    def sentence(self, e: Tensor, mask: Tensor) -> Tensor:
        """The meaning of a text, of length 1: (B, 384) of embeddings and a 0/1 mask (B, T)."""
        return F.normalize(average(self.encoder(e, mask), mask).float(), dim=1)

    def meaning(self, ids: Tensor) -> Tensor:
        """The same of ids (B, T), padded with 0."""
        return self.sentence(self.embed(ids), (ids != PAD).long())

    def logits(self, z: Tensor) -> Tensor:
        """Of meanings (B, 384): (B, intents), those of all assistants one after the other."""
        cosines = F.linear(z, F.normalize(self.directions, dim=1)).split(self.sizes, dim=1)
        return torch.cat([c * scale for c, scale in zip(cosines, self.scales, strict=True)], dim=1)

    def familiarity(self, z: Tensor) -> Tensor:
        """How near each assistant's intents are to meanings (B, 384): (B, assistants).

        The mean of two cosines, with the nearest intent and with the nearest typical question.
        """
        directions = F.normalize(self.directions, dim=1).split(self.sizes)
        typical = self.typical.split(self.sizes)
        return torch.stack(
            [
                (F.linear(z, d).amax(dim=1) + F.linear(z, t.flatten(0, 1)).amax(dim=1)) / 2
                for d, t in zip(directions, typical, strict=True)
            ],
            dim=1,
        )

    def from_embeddings(self, e: Tensor, mask: Tensor) -> Tensor:
        """Logits and familiarities, (B, intents + assistants)."""
        z = self.sentence(e, mask)
        return torch.cat([self.logits(self.dropout(z)), self.familiarity(z)], dim=1)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits and familiarities of ids (B, T), padded with 0: (B, intents + assistants)."""
        return self.from_embeddings(self.embed(ids), (ids != PAD).long())


class OneAssistant(nn.Module):
    """The logits of one assistant alone.

    Args:
        net: The network of all assistants, shared.
        start: Its first intent.
        stop: The first intent of the next one.
    """

    def __init__(self, net: IntentNet, start: int, stop: int) -> None:
        super().__init__()
        self.net, self.start, self.stop = net, start, stop

    def embed(self, ids: Tensor) -> Tensor:
        """Word embeddings, without positions: ids (B, T) to (B, T, 384)."""
        return self.net.embed(ids)

    def from_embeddings(self, e: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, its intents) of embeddings (B, T, 384) and a 0/1 mask (B, T)."""
        return self.net.from_embeddings(e, mask)[:, self.start : self.stop]

    def forward(self, ids: Tensor) -> Tensor:
        """Logits (B, its intents) of ids (B, T), padded with 0."""
        return self.net(ids)[:, self.start : self.stop]
