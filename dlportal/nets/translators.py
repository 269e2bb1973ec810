"""Several translators as one network, and one that judges a given translation."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from dlportal.nets.translator import END, PAD, START, Translator


class Translators(nn.Module):
    """Several translators, and the directions they serve.

    Args:
        nets: By name.
        directions: For each direction the name of its translator and the language it writes.
    """

    def __init__(
        self, nets: Mapping[str, Translator], directions: Sequence[tuple[str, str]]
    ) -> None:
        super().__init__()
        self.nets = nn.ModuleDict(nets)
        self.directions = tuple(directions)

    def serving(self, direction: int) -> tuple[Translator, str]:
        """The translator of a direction, and the language it writes."""
        name, language = self.directions[direction]
        return self.nets[name], language  # type: ignore[return-value]

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, V) of the first part of each translation.

        `x` (B, 1 + S) holds the direction's number, the same in all rows, and the source.
        """
        net, language = self.serving(int(x[0, 0]))
        seen = x[:, 1:] != PAD
        source = net.read(net.embed(x[:, 1:]), seen)
        start = torch.full_like(x[:, 0], START)
        return net.following(start, net.remember(source, seen), language)


class Judge(nn.Module):
    """How probable a given translation is, and each of its words, with those before it given.

    Args:
        net: The translator.
        language: That the translation is in.
        parts: Its word parts, END not included.
        words: First part of each word, and where the last one stops.
    """

    def __init__(
        self, net: Translator, language: str, parts: Sequence[int], words: Sequence[int]
    ) -> None:
        super().__init__()
        self.net, self.language, self.bounds = net, language, tuple(words)
        start = net.start[language]
        ids = [start + part for part in (START, *parts, END)]
        self.ids: Tensor
        self.register_buffer("ids", torch.tensor(ids, device=net.words.weight.device))

    def embed(self, ids: Tensor) -> Tensor:
        return self.net.embed(ids)

    def from_embeddings(self, e: Tensor, mask: Tensor) -> Tensor:
        """Log-odds (B, 1 + words): of the whole translation and of each word, each by the
        geometric mean of its parts' probabilities."""
        seen = mask.bool()
        source = self.net.read(e, seen)
        states = self.net.write(source, seen, self.ids[:-1].expand(len(e), -1))
        logs = self.net.logits(states, self.language).float().log_softmax(dim=2)
        goal = self.ids[1:] - self.net.start[self.language]
        each = logs.gather(2, goal.expand(len(e), -1)[:, :, None])[:, :, 0]  # (B, T)
        spans = [(0, each.shape[1]), *pairwise(self.bounds)]
        means = torch.stack([each[:, a:b].mean(dim=1) for a, b in spans], dim=1)
        means = means.clamp(max=-1e-6)
        return means - torch.log(-torch.expm1(means))

    def forward(self, x: Tensor) -> Tensor:
        return self.from_embeddings(self.embed(x), x != PAD)
