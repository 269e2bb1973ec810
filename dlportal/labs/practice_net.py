"""The network of the practice lab: convolutions, pooling, dense layers; depth and width to choose."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

DENSE = 64  # units of the dense layer before the answer
SMALLEST = 6  # sides below this are not halved any more


class Dropout(nn.Module):
    """Silence each number with probability p while training; the others grow by 1 / (1 - p).

    Paper: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
    As `nn.Dropout`, but from a generator of its own: several trainings in one process must not
    take random numbers from each other.
    """

    def __init__(self, p: float, generator: torch.Generator) -> None:
        super().__init__()
        self.p, self.generator = p, generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        kept = torch.rand(x.shape, generator=self.generator, device=x.device) >= self.p
        return x * kept / (1 - self.p)


def build(
    side: int,
    depth: int,
    width: int,
    batch_norm: bool,
    dropout: float,
    seed: int,
    device: torch.device | str = "cpu",
) -> nn.Sequential:
    """A network for grey pictures of ten kinds.

    Args:
        side: Of the pictures, pixels.
        depth: Convolutions.
        width: Channels of the first one; the second has twice, the others four times as many.
        batch_norm: Whether each convolution is normalised (Ioffe and Szegedy 2015,
            https://arxiv.org/abs/1502.03167).
        dropout: Share of the dense layer that is silenced.
        seed: Seed of the first weights (He et al. 2015, https://arxiv.org/abs/1502.01852) and of
            the dropout.
        device: Where it shall run.
    """
    g = torch.Generator().manual_seed(seed)
    silence = torch.Generator(device).manual_seed(seed + 1)
    layers: list[nn.Module] = []
    before = 1
    for number in range(depth):
        wide = width * min(4, 2**number)
        layers.append(nn.Conv2d(before, wide, 3, padding=1, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm2d(wide))
        layers.append(nn.ReLU())
        if side >= SMALLEST:
            layers.append(nn.MaxPool2d(2))
            side //= 2
        before = wide
    layers += [
        nn.Flatten(),
        nn.Linear(before * side * side, DENSE),
        nn.ReLU(),
        Dropout(dropout, silence),
        nn.Linear(DENSE, 10),
    ]
    net = nn.Sequential(*layers)
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            if layer is net[-1]:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="linear", generator=g)
            else:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=g)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return net.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


@dataclass(frozen=True)
class Layer:
    """A line of the table of layers: what it is, what it puts out (C, H, W or units), its
    parameters, and how many pixels wide the part of the picture is that one output sees."""

    kind: str
    shape: tuple[int, ...]
    parameters: int
    sees: int


def describe(net: nn.Sequential, side: int) -> Iterator[Layer]:
    """The layers in order, with shapes found by sending a picture through."""
    x = torch.zeros(1, 1, side, side, device=next(net.parameters()).device)
    sees, jump = 1, 1
    net.eval()
    with torch.no_grad():
        for layer in net:
            x = layer(x)
            if isinstance(layer, nn.Conv2d):
                sees += 2 * jump
            elif isinstance(layer, nn.MaxPool2d):
                sees, jump = sees + jump, 2 * jump
            elif isinstance(layer, nn.Flatten):
                sees = side
            parameters = sum(p.numel() for p in layer.parameters())
            yield Layer(type(layer).__name__, tuple(x.shape[1:]), parameters, min(sees, side))


def source(net: nn.Sequential) -> str:
    """The network as Python, for the script; dropouts draw from `silence`."""
    lines = []
    for layer in net:
        if isinstance(layer, nn.Conv2d):
            bias = "" if layer.bias is not None else ", bias=False"
            call = f"nn.Conv2d({layer.in_channels}, {layer.out_channels}, 3, padding=1{bias})"
        elif isinstance(layer, nn.BatchNorm2d):
            call = f"nn.BatchNorm2d({layer.num_features})"
        elif isinstance(layer, nn.Linear):
            call = f"nn.Linear({layer.in_features}, {layer.out_features})"
        elif isinstance(layer, Dropout):
            call = f"Dropout({layer.p}, silence)"
        elif isinstance(layer, nn.MaxPool2d):
            call = "nn.MaxPool2d(2)"
        else:
            call = f"nn.{type(layer).__name__}()"
        lines.append(f"    {call},\n")
    return "net = nn.Sequential(\n" + "".join(lines) + ")\n"
