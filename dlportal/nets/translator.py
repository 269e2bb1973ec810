"""An encoder-decoder Transformer that translates out of and into several languages.

Paper: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; layers normalise first (Xiong et
al. 2020, https://arxiv.org/abs/2002.04745); one table of word parts for reading and writing
(Press and Wolf 2017, https://arxiv.org/abs/1608.05859); the first token on the decoder's side
names the language (Johnson et al. 2017, https://arxiv.org/abs/1611.04558).
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.nets.word_parts import WordParts

PAD, HIDDEN = 0, 1  # filling, and a part that is not shown
FIRST = 2  # from here on the blocks of the languages
START, END, UNKNOWN = 0, 1, 2  # of every block: begins, ends a sentence, stands for the unknown


NEVER = -1e4  # added to a score of attention: no look there


class Attention(nn.Module):
    """Attention of several heads over queries (B, T, D), keys and values (B, S, D)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ask = nn.Linear(width, width)
        self.tell = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        """(B, T, D) to (B, heads, T, D / heads)."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

    def pairs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, heads, S, D / heads)."""
        keys, values = self.tell(x).chunk(2, dim=2)
        return self.split(keys), self.split(values)

    def weigh(self, x: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
        """How much each query looks at each key, (B, heads, T, S), rows sum to 1.

        `mask` is added: 0 where it may look, very negative where not. Written out, since the
        CPU's fused attention is slower on sentences this short.
        """
        queries = self.split(self.ask(x)) * keys.shape[-1] ** -0.5
        scores = torch.matmul(queries, keys.transpose(2, 3)).float()
        return torch.softmax(scores if mask is None else scores + mask, dim=-1)

    def forward(
        self, x: Tensor, pairs: tuple[Tensor, Tensor], mask: Tensor | None = None
    ) -> Tensor:
        keys, values = pairs
        y = torch.matmul(self.weigh(x, keys, mask).to(values.dtype), values)
        return self.out(y.transpose(1, 2).flatten(2))


class Feed(nn.Module):
    """Two layers on every position by itself."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, inner)
        self.down = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.relu(self.up(x)))


class Reading(nn.Module):
    """A layer of the encoder."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.feed = Feed(width, inner)
        self.dropout = dropout

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        z = self.first(x)
        z = self.attention(z, self.attention.pairs(z), mask)
        x = x + drop(z, self.dropout, self.training)
        return x + drop(self.feed(self.second(x)), self.dropout, self.training)


class Writing(nn.Module):
    """A layer of the decoder."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.third = nn.LayerNorm(width)
        self.itself = Attention(width, heads)
        self.source = Attention(width, heads)
        self.feed = Feed(width, inner)
        self.dropout = dropout

    def forward(
        self, x: Tensor, source: tuple[Tensor, Tensor], mask: Tensor, later: Tensor
    ) -> Tensor:
        z = self.first(x)
        z = self.itself(z, self.itself.pairs(z), later)
        x = x + drop(z, self.dropout, self.training)
        z = self.source(self.second(x), source, mask)
        x = x + drop(z, self.dropout, self.training)
        return x + drop(self.feed(self.third(x)), self.dropout, self.training)

    def step(self, x: Tensor, memory: "Memory", number: int) -> Tensor:
        """The same for the last place alone, (B, 1, D); what came before is in `memory`."""
        z = self.first(x)
        past = memory.extend(number, *self.itself.pairs(z))
        x = x + self.itself(z, past)
        x = x + self.source(self.second(x), memory.source[number], memory.mask)
        return x + self.feed(self.third(x))


class Memory:
    """Keys and values of the source, and of what was written so far, for each decoder layer."""

    def __init__(self, source: list[tuple[Tensor, Tensor]], mask: Tensor) -> None:
        self.source, self.mask = source, mask
        self.past: list[tuple[Tensor, Tensor] | None] = [None] * len(source)
        self.length = 0

    def extend(self, number: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Add one place to a layer; returns all of its keys and values."""
        before = self.past[number]
        if before is not None:
            keys = torch.cat([before[0], keys], dim=2)
            values = torch.cat([before[1], values], dim=2)
        self.past[number] = keys, values
        return keys, values

    def reorder(self, rows: Tensor) -> None:
        """Go on with other rows; the source of each stays the same sentence's."""
        self.past = [pair and (pair[0][rows], pair[1][rows]) for pair in self.past]


def unseen(seen: Tensor) -> Tensor:
    """What is added to attention scores (B, 1, 1, S), so that nothing looks at the filling."""
    return torch.where(seen, 0.0, NEVER)[:, None, None, :]


def drop(x: Tensor, rate: float, training: bool) -> Tensor:
    """Dropout that hides the same features at all places of a sentence: as good, and far cheaper.

    Paper: Gal and Ghahramani 2016, https://arxiv.org/abs/1512.05287
    """
    if not training or rate == 0:
        return x
    kept = torch.empty(x.shape[0], 1, x.shape[2], device=x.device).bernoulli_(1 - rate)
    return x * (kept / (1 - rate)).to(x.dtype)


def positions(length: int, width: int) -> Tensor:
    """Sines and cosines of a place, (length, width)."""
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(1e4) / width))
    angles = torch.arange(length)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)


class Translator(nn.Module):
    """Reads a sentence of one language and writes it in another.

    Args:
        parts: Word parts of each language.
        width: Of all vectors; `heads` must divide it.
    """

    def __init__(
        self,
        parts: Mapping[str, WordParts],
        width: int = 192,
        heads: int = 4,
        inner: int = 512,
        layers: tuple[int, int] = (4, 2),
        dropout: float = 0.2,
        longest: int = 128,
    ) -> None:
        super().__init__()
        self.width, self.dropout, self.longest = width, dropout, longest
        self.start: dict[str, int] = {}
        self.parts = dict(parts)
        self.sizes = {language: found.size for language, found in parts.items()}
        total = FIRST
        for language, size in self.sizes.items():
            self.start[language] = total
            total += size
        self.words = nn.Embedding(total, width, padding_idx=PAD)
        nn.init.normal_(self.words.weight, std=width**-0.5)
        with torch.no_grad():
            self.words.weight[PAD] = 0
        for language, found in self.parts.items():
            self.register_buffer(f"parts_{language}", found.packed())
        self.places: Tensor
        self.register_buffer("places", positions(longest, width), persistent=False)
        self.encoder: Any = nn.ModuleList(
            Reading(width, heads, inner, dropout) for _ in range(layers[0])
        )
        self.decoder: Any = nn.ModuleList(
            Writing(width, heads, inner, dropout) for _ in range(layers[1])
        )
        self.read_norm, self.write_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def embed(self, ids: Tensor) -> Tensor:
        return self.words(ids) * math.sqrt(self.width)

    def read(self, e: Tensor, seen: Tensor) -> Tensor:
        """States (B, S, D) from embeddings (B, S, D) and which of them are no filling (B, S)."""
        mask = unseen(seen)
        x = drop(e + self.places[: e.shape[1]], self.dropout, self.training)
        for layer in self.encoder:
            x = layer(x, mask)
        return self.read_norm(x)

    def write(self, source: Tensor, seen: Tensor, ids: Tensor) -> Tensor:
        """States (B, T, D) after each of the tokens written so far (B, T)."""
        mask = unseen(seen)
        x = F.dropout(self.embed(ids) + self.places[: ids.shape[1]], self.dropout, self.training)
        later = torch.full((ids.shape[1],) * 2, NEVER, device=ids.device).triu(1)
        for layer in self.decoder:
            x = layer(x, layer.source.pairs(source), mask, later)
        return self.write_norm(x)

    def table(self, language: str) -> Tensor:
        start = self.start[language]
        return self.words.weight[start : start + self.sizes[language]]

    def logits(self, states: Tensor, language: str) -> Tensor:
        return F.linear(states, self.table(language))

    def remember(self, source: Tensor, seen: Tensor) -> Memory:
        """What `following` needs of the source's states (B, S, D)."""
        pairs = [layer.source.pairs(source) for layer in self.decoder]
        return Memory(pairs, unseen(seen))

    def following(self, parts: Tensor, memory: Memory, language: str) -> Tensor:
        """Logits (B, V) of the part after these (B,), numbered within their language."""
        x = self.embed(parts + self.start[language])[:, None] + self.places[memory.length]
        for number, layer in enumerate(self.decoder):
            x = layer.step(x, memory, number)
        memory.length += 1
        return self.logits(self.write_norm(x)[:, 0], language)

    def looks(self, source: Tensor, seen: Tensor, ids: Tensor) -> Tensor:
        """Where the decoder looks in the source while it writes what follows each token.

        Returns:
            Shape (layers, heads, T, S) for one sentence; rows sum to 1.
        """
        found = []
        x = self.embed(ids) + self.places[: ids.shape[1]]
        later = torch.full((ids.shape[1],) * 2, NEVER, device=ids.device).triu(1)
        for layer in self.decoder:
            pairs = layer.source.pairs(source)
            z = layer.first(x)
            asked = layer.second(x + layer.itself(z, layer.itself.pairs(z), later))
            found.append(layer.source.weigh(asked, pairs[0], unseen(seen))[0])
            x = layer(x, pairs, unseen(seen), later)
        return torch.stack(found)
