"""What the four networks compute inside, written out as the formulas say.

Every function repeats a part of a network by hand; tests compare it with torch's own layers.
Pictures are (1, 1, 28, 28) in [0, 1].
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dlportal.labs.arch_nets import CNN, MLP, SIDE, AttentionNet, RowLSTM

# The side of a map's cell in pixels, after none, one and two poolings.
JUMPS = (1, 2, 2, 4)


@dataclass(frozen=True)
class Weighed:
    """One hidden unit of the MLP: z = b + Σ w x.

    Attributes:
        weights: Shape (28, 28).
        products: Weight times pixel, (28, 28).
        bias: b.
        z: Their sum; the unit says max(0, z).
    """

    weights: Tensor
    products: Tensor
    bias: float
    z: float


@torch.no_grad()
def weigh(net: MLP, x: Tensor, unit: int) -> Weighed:
    """Unit `unit` (from 0) of the first layer."""
    weights = net.first.weight[unit].view(SIDE, SIDE)
    products = weights * x[0, 0]
    bias = float(net.first.bias[unit])
    return Weighed(weights, products, bias, bias + float(products.sum()))


@dataclass(frozen=True)
class Convolved:
    """One number of a feature map: z = b + Σ over input maps c and window places i, j.

    Attributes:
        window: What lies under the filter, (C, k, k); 0 beyond the border.
        kernel: The filter, (C, k, k).
        parts: Σ over i, j of their product for every input map, (C,).
        bias: b.
        z: The sum; the map holds max(0, z).
    """

    window: Tensor
    kernel: Tensor
    parts: Tensor
    bias: float
    z: float


@torch.no_grad()
def convolve(net: CNN, x: Tensor, layer: int, channel: int, row: int, column: int) -> Convolved:
    """The number of map `channel` at a cell of the layer's own grid; all counted from 0."""
    before, _after = net.maps(x)[layer]
    kernel = net.convolutions[layer].weight[channel]  # type: ignore[union-attr,index]
    size = kernel.shape[-1]
    padded = F.pad(before[0], [size // 2] * 4)
    window = padded[:, row : row + size, column : column + size]
    parts = (window * kernel).sum(dim=(1, 2))
    bias = float(net.convolutions[layer].bias[channel])  # type: ignore[union-attr,index]
    return Convolved(window, kernel, parts, bias, bias + float(parts.sum()))


@dataclass(frozen=True)
class Gates:
    """An LSTM over its steps; all (steps, units): rows of a picture, or frames of a sound.

    Attributes:
        i, f, o: How far the input, forget and output gates are open, in (0, 1).
        g: What might be stored, in (-1, 1).
        c: The cell: c = f c_before + i g.
        h: The hidden state: h = o tanh(c).
    """

    i: Tensor
    f: Tensor
    o: Tensor
    g: Tensor
    c: Tensor
    h: Tensor


@torch.no_grad()
def read_rows(net: RowLSTM, x: Tensor) -> Gates:
    """Read a picture row by row: 28 steps."""
    return read_steps(net.lstm, x[0, 0])


@torch.no_grad()
def read_steps(lstm: Any, x: Tensor) -> Gates:
    """Read inputs (steps, size) one after another, as `nn.LSTM` does."""
    h = c = torch.zeros(lstm.hidden_size, device=x.device)
    steps = []
    for part in x:
        sums = lstm.weight_ih_l0 @ part + lstm.bias_ih_l0
        sums = sums + lstm.weight_hh_l0 @ h + lstm.bias_hh_l0
        i, f, g, o = sums.chunk(4)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g
        h = o * c.tanh()
        steps.append((i, f, o, g, c, h))
    return Gates(*(torch.stack(parts) for parts in zip(*steps)))


@torch.no_grad()
def answers_so_far(net: Any, gates: Gates) -> Tensor:
    """Class probabilities if the input ended after each step, (steps, 10)."""
    return net.classify(gates.h).softmax(-1)


@dataclass(frozen=True)
class Looks:
    """One head of one block.

    Attributes:
        scores: q · k / √d of every pair of patches, (16, 16); rows ask, columns are looked at.
        weights: Their softmax along the rows.
        found: Weights times values, (16, 32).
        d: Numbers in a query.
    """

    scores: Tensor
    weights: Tensor
    found: Tensor
    d: int


@torch.no_grad()
def look(net: AttentionNet, x: Tensor, block: int, head: int) -> Looks:
    """softmax(Q Kᵀ / √d) V, block and head counted from 0."""
    q, k, v = net.blocks[block].queries_keys_values(net.tokens(x)[block])  # type: ignore[operator]
    q, k, v = q[0, head], k[0, head], v[0, head]
    scores = q @ k.T / q.shape[-1] ** 0.5
    powers = (scores - scores.max(dim=-1, keepdim=True).values).exp()
    weights = powers / powers.sum(dim=-1, keepdim=True)
    return Looks(scores, weights, weights @ v, q.shape[-1])


def field(layer: int, cell: int) -> tuple[int, int]:
    """First and last pixel (along one axis) that a cell of a CNN layer can see, by counting."""
    first = last = cell
    for at in range(layer, -1, -1):
        reach = 2 if at == 0 else 1  # half the filter
        first, last = first - reach, last + reach
        if at in (1, 3):  # a pooling stands before these
            first, last = 2 * first, 2 * last + 1
    return max(0, first), min(SIDE - 1, last)


# Units whose reach is compared: the network's kind and, for the CNN, the layer.
REACHES = (("cnn", 0), ("cnn", 1), ("cnn", 2), ("cnn", 3), ("rnn", 0), ("attention", 0), ("mlp", 0))


def reach(net: torch.nn.Module, x: Tensor, layer: int, row: int, column: int) -> Tensor:
    """How strongly each pixel moves what a network holds at a place: |∂ unit / ∂ pixel|.

    Args:
        net: One of the four.
        x: Pictures (B, 1, 28, 28).
        layer: Of the CNN, from 0.
        row, column: The place, in pixels from 0: the cell of the map, the patch (after the first
            block), or the last row read. The MLP has no places.

    Returns:
        Mean over pictures of the size of the gradient, (28, 28). Of all channels at that place
        the sum is taken.
    """
    with torch.inference_mode(False), torch.enable_grad():
        x = x.clone().requires_grad_(True)
        held = at_place(net, x, layer, row, column)
        (gradient,) = torch.autograd.grad(held.sum(), x)
    return gradient.abs().mean(dim=(0, 1))


def at_place(net: torch.nn.Module, x: Tensor, layer: int, row: int, column: int) -> Tensor:
    """What a network holds at a place, (B, channels)."""
    if isinstance(net, CNN):
        cell = JUMPS[layer]
        return net.maps(x)[layer][1][:, :, row // cell, column // cell]
    if isinstance(net, RowLSTM):
        return net.lstm(x.squeeze(1))[0][:, row]
    if isinstance(net, AttentionNet):
        patch = row // net.PATCH * (SIDE // net.PATCH) + column // net.PATCH
        return net.tokens(x)[1][:, patch]
    if isinstance(net, MLP):
        return net.first(x.flatten(1))
    raise ValueError(f"no places in a {type(net).__name__}")


def noise(pictures: int = 16) -> Tensor:
    """Random pictures: whatever can be seen is seen in one of them, (B, 1, 28, 28)."""
    return torch.rand(pictures, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def extent(values: Tensor) -> tuple[int, int]:
    """Height and width of the part of a map (28, 28) that is not zero."""
    seen = values > 1e-9 * float(values.max())
    rows, columns = seen.any(dim=1).nonzero(), seen.any(dim=0).nonzero()
    if not len(rows):
        return 0, 0
    return int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1
