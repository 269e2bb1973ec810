"""A small GPT that reads and writes single characters.

Papers: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762 (causal self-attention); Su et al.
2021, https://arxiv.org/abs/2104.09864 (rotary positions); Henry et al. 2020,
https://arxiv.org/abs/2010.04245 (normed queries and keys); So et al. 2021,
https://arxiv.org/abs/2109.08668 (squared ReLU); Peng et al. 2023,
https://arxiv.org/abs/2305.13048 (each position mixed with the one before); Roy et al. 2022,
https://arxiv.org/abs/2207.06366 (embeddings of the last n characters at the input).
Gal and Ghahramani 2016, https://arxiv.org/abs/1512.05287: dropout that hides the same channels
at every position of a text, which also saves most of the random numbers.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PAD, HIDDEN = 0, 1  # ids: fills up on the right; stands for a hidden or unknown character
FORM_IDS = {"five": 2, "seven": 3, "ci": 4, "mixed": 5}  # marks before a Chinese poem
END = 6  # the mark after it
FIRST = 8  # the alphabet's ids begin here
PRIME = 2_654_435_761  # spreads numbers of n-grams over a table (Knuth's multiplicative hash)
TIED_FROM = 1000  # characters from which on the table of the input also gives the output


@dataclass(frozen=True)
class Shape:
    """The sizes of a network; `rows` are those of each table of n-grams but the pairs', and
    `alike` says whether dropout hides the same channels at every position."""

    layers: int
    width: int
    heads: int
    orders: int = 1  # 1: single characters; 3: pairs and threes have embeddings too
    rows: int = 8192
    dropout: float = 0.1
    alike: bool = True
    context: int = 128  # characters that the network sees at most


@dataclass
class Memory:
    """What a layer keeps of the characters read so far: keys, values (1, H, T, size), last state."""

    keys: Tensor | None = None
    values: Tensor | None = None
    last: Tensor | None = None


@dataclass
class Reading:
    """A text being read: its ids so far, and each layer's memory."""

    ids: list[int] = field(default_factory=list)
    layers: list[Memory] = field(default_factory=list)


class Layer(nn.Module):
    """Attention and feed-forward of one layer; both add to the stream (B, T, width)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.shape = shape
        self.mix = nn.Parameter(torch.zeros(width))
        self.sharpness = nn.Parameter(torch.full((shape.heads, 1, 1), 1.2))
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.down.weight)

    def forward(
        self, x: Tensor, turn: tuple[Tensor, Tensor], mask: Tensor, memory: Memory | None = None
    ) -> tuple[Tensor, Tensor]:
        """The stream after this layer, and where each position looked, (B, H, T, T)."""
        y = norm(x)
        q, k, v = self.project(self.smear(y, memory), turn)
        if memory is not None:
            if memory.keys is not None and memory.values is not None:
                k, v = torch.cat([memory.keys, k], dim=2), torch.cat([memory.values, v], dim=2)
            memory.keys, memory.values, memory.last = k, v, y[:, -1:]
        # Written out: for so few characters three times as fast on a CPU as the fused kernel.
        weights = torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + mask, dim=-1)
        mixed = (weights @ v).transpose(1, 2).flatten(2)
        x = x + drop(self.out(mixed), self.shape, self.training)
        y = self.down(F.relu(self.up(norm(x))).square())
        return x + drop(y, self.shape, self.training), weights

    def smear(self, y: Tensor, memory: Memory | None) -> Tensor:
        """Each position with a share, learned for each channel, of the one before."""
        before = F.pad(y, (0, 0, 1, -1))
        if memory is not None and memory.last is not None:
            before = torch.cat([memory.last, before[:, 1:]], dim=1)
        return y + self.mix.to(y.dtype) * (before - y)

    def project(self, y: Tensor, turn: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, (B, H, T, size) each."""
        parts = self.qkv(y).view(*y.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k, v = parts.unbind(0)
        q = rotate(norm(q), *turn) * self.sharpness.to(q.dtype)
        return q, rotate(norm(k), *turn), v


class CharGPT(nn.Module):
    """Causal self-attention over characters; `forward` gives the logits of the next one.

    Args:
        alphabet: Sorted code points (C,) of the characters that have an id, from `FIRST` on.
        shape: Its sizes.
    """

    alphabet: Tensor
    cos: Tensor
    sin: Tensor
    mask: Tensor

    def __init__(self, alphabet: Tensor, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("alphabet", alphabet)
        self.vocabulary = FIRST + len(alphabet)
        self.tied = len(alphabet) >= TIED_FROM
        self.embedding = nn.Embedding(self.vocabulary, shape.width)
        nn.init.normal_(self.embedding.weight, std=0.02 if self.tied else 1.0)
        sizes = [self.vocabulary**2, *[shape.rows] * (shape.orders - 2)][: shape.orders - 1]
        self.grams: Any = nn.ModuleList(nn.Embedding(rows, shape.width) for rows in sizes)
        for weight in self.grams.parameters():
            nn.init.zeros_(weight)
        self.layers: Any = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        if not self.tied:
            self.head = nn.Linear(shape.width, self.vocabulary, bias=False)
            nn.init.zeros_(self.head.weight)
        cos, sin = rotary_tables(shape.context, shape.width // shape.heads)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        mask = torch.full((shape.context, shape.context), -1e4).triu(1)
        self.register_buffer("mask", mask, persistent=False)

    def numbers(self, points: Tensor) -> Tensor:
        """Ids of code points; what the alphabet lacks becomes `HIDDEN`."""
        place = torch.searchsorted(self.alphabet, points).clamp_max(len(self.alphabet) - 1)
        return torch.where(self.alphabet[place] == points, place + FIRST, HIDDEN)

    def embed(self, ids: Tensor) -> Tensor:
        """Embeddings of characters and of the n-grams that end there, (B, T) to (B, T, width)."""
        e, number, before = self.embedding(ids), ids, ids
        for order, table in enumerate(self.grams, start=2):
            before = F.pad(before, (1, 0))[:, :-1]
            number = number + before * self.vocabulary ** (order - 1)
            spread = number if order == 2 else number * PRIME % 2**32
            e = e + table(spread % table.num_embeddings)
        return e

    def forward(self, ids: Tensor) -> Tensor:
        """Logits (B, vocabulary) of the character after each text; ids (B, T), padded right."""
        return self.from_embeddings(self.embed(ids), (ids != PAD).long())

    def from_embeddings(self, e: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, vocabulary) after the last character that the mask (B, T) keeps."""
        x = self.read(e)
        last = mask.sum(dim=1) - 1
        return self.logits(x[torch.arange(len(x), device=x.device), last])

    def everywhere(self, ids: Tensor) -> Tensor:
        """Logits (B, T, vocabulary) after every character of ids (B, T)."""
        return self.logits(self.read(self.embed(ids)))

    def read(self, e: Tensor, reading: Reading | None = None, start: int = 0) -> Tensor:
        """The stream after the last layer, (B, T, width), of embeddings (B, T, width)."""
        x = self.enter(e)
        end = start + e.shape[1]
        turn = self.cos[start:end].to(x.dtype), self.sin[start:end].to(x.dtype)
        mask = self.mask[start:end, :end].to(x.dtype)
        for place, layer in enumerate(self.layers):
            x, _ = layer(x, turn, mask, reading.layers[place] if reading else None)
        return x

    def enter(self, e: Tensor) -> Tensor:
        """The stream before the first layer; bf16 throughout where autocast is on."""
        x = drop(norm(e), self.shape, self.training)
        kind = x.device.type
        return x.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else x

    def logits(self, x: Tensor) -> Tensor:
        """Logits (..., vocabulary) of streams (..., width), float32."""
        y = norm(x)
        if self.tied:
            return F.linear(y, self.embedding.weight).float()
        return self.head(y).float()

    def step(self, ids: list[int], reading: Reading) -> Tensor:
        """Read more characters of one text; logits (vocabulary,) of the one that comes next.

        Where the context is full, reading starts again with the last half of it: positions and
        contexts stay those of the training.
        """
        most = self.shape.context
        if not reading.layers or len(reading.ids) + len(ids) > most:
            kept = (reading.ids + ids)[-most // 2 :] if reading.layers else ids[-most:]
            ids, reading.ids = kept, []
            reading.layers = [Memory() for _ in self.layers]
        start, orders = len(reading.ids), self.shape.orders
        reading.ids = reading.ids + ids
        seen = max(0, start - orders + 1)
        e = self.embed(torch.tensor([reading.ids[seen:]], device=self.alphabet.device))
        return self.logits(self.read(e[:, start - seen :], reading, start)[0, -1])


def norm(x: Tensor) -> Tensor:
    """Root-mean-square norm without weights."""
    return F.rms_norm(x, (x.shape[-1],))


def drop(x: Tensor, shape: Shape, training: bool) -> Tensor:
    """Hide channels (B, T, width), at every position the same ones or others."""
    rate = shape.dropout
    if not training or rate <= 0:
        return x
    if not shape.alike:
        return F.dropout(x, rate)
    kept = torch.empty(x.shape[0], 1, x.shape[2], dtype=x.dtype, device=x.device)
    return x * kept.bernoulli_(1 - rate).div_(1 - rate)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn queries or keys (..., T, size) by the angle of their position."""
    low, high = x.chunk(2, dim=-1)
    return torch.cat([low * cos - high * sin, low * sin + high * cos], dim=-1)


def rotary_tables(context: int, size: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the positions' angles, each (context, size / 2)."""
    exponents = torch.arange(0, size, 2).float() / size
    angles = torch.outer(torch.arange(context).float(), 2000.0**-exponents)
    return angles.cos(), angles.sin()


def sized(shapes: dict[str, tuple[int, ...]], context: int) -> CharGPT:
    """An untrained network of the sizes that a file of weights has (`saved_shapes`)."""
    width = shapes["embedding.weight"][1]
    layers = sum(name.endswith("qkv.weight") for name in shapes)
    orders = 1 + sum(name.startswith("grams.") for name in shapes)
    rows = shapes.get("grams.1.weight", (8192,))[0]
    heads = shapes["layers.0.sharpness"][0]
    alphabet = torch.zeros(shapes["alphabet"], dtype=torch.long)
    return CharGPT(alphabet, Shape(layers, width, heads, orders, rows, context=context))
