"""A decoder of the Llama family, written out so that every intermediate value can be shown.

Paper: Touvron et al. 2023, https://arxiv.org/abs/2302.13971 (grouped-query attention: Ainslie
et al. 2023, https://arxiv.org/abs/2305.13245). Gives the same numbers as transformers'
`LlamaForCausalLM`; a test compares them. The residual stream is float32 whatever the weights
are, so bf16 weights cost little accuracy and half the memory.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ROWS = 16  # texts of a batch that run at once where nothing is followed by gradients


@dataclass(frozen=True)
class Shape:
    """The sizes of a decoder."""

    layers: int
    width: int
    hidden: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    rope_base: float
    epsilon: float
    longest: int = 2048  # positions that the rotary tables are made for

    @classmethod
    def read(cls, folder: Path) -> "Shape":
        """From a `config.json` as transformers writes it."""
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return cls(
            layers=config["num_hidden_layers"],
            width=config["hidden_size"],
            hidden=config["intermediate_size"],
            heads=config["num_attention_heads"],
            kv_heads=config["num_key_value_heads"],
            head_size=config["head_dim"],
            vocabulary=config["vocab_size"],
            rope_base=config["rope_parameters"]["rope_theta"],
            epsilon=config["rms_norm_eps"],
        )


@dataclass
class Cache:
    """Keys and values of the tokens read so far, one pair a layer: (1, kv_heads, room, size)."""

    keys: list[Tensor]
    values: list[Tensor]
    length: int = 0

    @property
    def room(self) -> int:
        return self.keys[0].shape[2]


@dataclass(frozen=True)
class Trace:
    """What happened inside while a text was read.

    Attributes:
        states: Residual stream before the first layer and after each, (layers + 1, T, width).
        attention: Weights from each position (rows) to each (columns), (layers, heads, T, T).
    """

    states: Tensor
    attention: Tensor


class Norm(nn.Module):
    """Root-mean-square norm of float32 input; the output has the weight's dtype."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        y = F.rms_norm(x, (x.shape[-1],), eps=self.epsilon)
        return y.to(self.weight.dtype) * self.weight


class Layer(nn.Module):
    """Attention and feed-forward of one layer; both add to the residual stream (B, T, width)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        heads = shape.heads + 2 * shape.kv_heads
        self.attention_norm = Norm(shape.width, shape.epsilon)
        self.qkv = nn.Linear(shape.width, heads * shape.head_size, bias=False)
        self.out = nn.Linear(shape.heads * shape.head_size, shape.width, bias=False)
        self.feed_norm = Norm(shape.width, shape.epsilon)
        self.gate_up = nn.Linear(shape.width, 2 * shape.hidden, bias=False)
        self.down = nn.Linear(shape.hidden, shape.width, bias=False)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (B, heads, T, size), keys and values (B, kv_heads, T, size), rotated."""
        s = self.shape
        y = times(self.qkv, self.attention_norm(x))
        y = y.view(*x.shape[:2], -1, s.head_size).transpose(1, 2)
        turned = rotate(y[:, : s.heads + s.kv_heads], cos, sin)
        return turned[:, : s.heads], turned[:, s.heads :], y[:, s.heads + s.kv_heads :]

    def finish(self, x: Tensor, mixed: Tensor) -> Tensor:
        """Add attention's output (B, heads, T, size) and the feed-forward to the stream."""
        x = x + times(self.out, mixed.transpose(1, 2).flatten(2))
        gate, up = times(self.gate_up, self.feed_norm(x)).chunk(2, dim=-1)
        return x + times(self.down, F.silu(gate) * up)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        q, k, v = self.project(x, cos, sin)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return self.finish(x, mixed)


class Llama(nn.Module):
    """A decoder whose `forward` gives the logits of the next token.

    Args:
        shape: Its sizes.
        pad: Id that fills up shorter texts on the right; it is never read.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, shape: Shape, pad: int) -> None:
        super().__init__()
        self.shape = shape
        self.pad = pad
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.layers: Any = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.width, shape.epsilon)
        cos, sin = rotary_tables(shape)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def embed(self, ids: Tensor) -> Tensor:
        """Token embeddings: ids (B, T) to (B, T, width), float32."""
        return self.embedding(ids).float()

    def forward(self, ids: Tensor) -> Tensor:
        """Logits (B, vocabulary) of the token after each text; ids (B, T), padded right."""
        if torch.is_grad_enabled():
            return self.from_embeddings(self.embed(ids), (ids != self.pad).long())
        return torch.cat(
            [self.from_embeddings(self.embed(x), (x != self.pad).long()) for x in ids.split(ROWS)]
        )

    def from_embeddings(self, e: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, vocabulary) after the last token that the mask (B, T) keeps."""
        x = self.read(e)
        last = mask.sum(dim=1) - 1
        return self.logits(x[torch.arange(len(x), device=x.device), last])

    def read(self, e: Tensor) -> Tensor:
        """Residual stream after the last layer, (B, T, width), of embeddings (B, T, width)."""
        cos, sin = self.cos[: e.shape[1]], self.sin[: e.shape[1]]
        for layer in self.layers:
            e = layer(e, cos, sin)
        return e

    def logits(self, x: Tensor) -> Tensor:
        """Logits (..., vocabulary) of residual streams (..., width), by the tied embedding."""
        return times(self.embedding, self.norm(x))

    def cache(self, room: int) -> Cache:
        """An empty cache for `room` tokens."""
        s, weight = self.shape, self.embedding.weight

        def empty() -> list[Tensor]:
            return [weight.new_zeros(1, s.kv_heads, room, s.head_size) for _ in range(s.layers)]

        return Cache(empty(), empty())

    def step(self, ids: Tensor, cache: Cache) -> Tensor:
        """Read more tokens of one text.

        Args:
            ids: Shape (1, T): the whole prompt, then one token at a time.
            cache: Changed in place.

        Returns:
            Logits (vocabulary,) of the token that comes next, float32.
        """
        start, count = cache.length, ids.shape[1]
        end = cache.length = start + count
        cos, sin = self.cos[start:end], self.sin[start:end]
        x = self.embed(ids)
        for layer, keys, values in zip(self.layers, cache.keys, cache.values, strict=True):
            q, k, v = layer.project(x, cos, sin)
            keys[:, :, start:end], values[:, :, start:end] = k, v
            mixed = F.scaled_dot_product_attention(
                q, keys[:, :, :end], values[:, :, :end], is_causal=count > 1, enable_gqa=True
            )
            x = layer.finish(x, mixed)
        return self.logits(x[0, -1]).float()

    def trace(self, ids: Tensor) -> Trace:
        """Read one text, ids (1, T), and keep every layer's state and attention."""
        x = self.embed(ids)
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        group = self.shape.heads // self.shape.kv_heads
        future = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool, device=x.device).triu(1)
        states, attention = [x[0]], []
        for layer in self.layers:
            q, k, v = layer.project(x, cos, sin)
            k, v = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
            scores = (q @ k.transpose(-1, -2)).float() * self.shape.head_size**-0.5
            weights = scores.masked_fill(future, -torch.inf).softmax(dim=-1)
            x = layer.finish(x, weights.to(v.dtype) @ v)
            states.append(x[0])
            attention.append(weights[0])
        return Trace(torch.stack(states), torch.stack(attention))


def times(layer: nn.Linear | nn.Embedding, x: Tensor) -> Tensor:
    """Weight times x, (..., in) to (..., out).

    One row, as in generating token by token, goes to the matrix-vector kernel: on the CPU it
    reads bf16 weights a third faster than the matrix kernel.
    """
    weight = layer.weight
    if x.numel() == weight.shape[1] and not torch.is_grad_enabled():
        return torch.mv(weight, x.reshape(-1)).view(*x.shape[:-1], -1)
    return F.linear(x, weight)


def rotary_tables(shape: Shape) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the positions' angles, each (longest, head_size).

    Paper: Su et al. 2021, https://arxiv.org/abs/2104.09864
    """
    exponents = torch.arange(0, shape.head_size, 2).float() / shape.head_size
    angles = torch.outer(torch.arange(shape.longest).float(), shape.rope_base**-exponents)
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn queries or keys (..., T, size) by the angle of their position."""
    low, high = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-high, low], dim=-1) * sin


def load_llama(folder: Path, pad: int, dtype: torch.dtype) -> Llama:
    """Build a decoder from a folder that transformers wrote (config.json, model.safetensors).

    Args:
        folder: Where the files are.
        pad: See `Llama`.
        dtype: Of the weights; the rotary tables follow.
    """
    from safetensors.torch import load_file

    shape = Shape.read(folder)
    with torch.device("meta"):
        net = Llama(shape, pad)
    state = dict(own_names(load_file(folder / "model.safetensors"), shape.layers))
    net.load_state_dict({k: v.to(dtype) for k, v in state.items()}, assign=True)
    net.cos, net.sin = (table.to(dtype) for table in rotary_tables(shape))
    return net


def own_names(state: dict[str, Tensor], layers: int) -> Iterator[tuple[str, Tensor]]:
    """transformers' tensors under the names used here; projections of one input are joined."""
    yield "embedding.weight", state["model.embed_tokens.weight"]
    yield "norm.weight", state["model.norm.weight"]
    for i in range(layers):
        there, here = f"model.layers.{i}.", f"layers.{i}."
        qkv = [state[f"{there}self_attn.{name}_proj.weight"] for name in "qkv"]
        gate_up = [state[f"{there}mlp.{name}_proj.weight"] for name in ("gate", "up")]
        yield here + "qkv.weight", torch.cat(qkv)
        yield here + "out.weight", state[there + "self_attn.o_proj.weight"]
        yield here + "gate_up.weight", torch.cat(gate_up)
        yield here + "down.weight", state[there + "mlp.down_proj.weight"]
        yield here + "attention_norm.weight", state[there + "input_layernorm.weight"]
        yield here + "feed_norm.weight", state[there + "post_attention_layernorm.weight"]
