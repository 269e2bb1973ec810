"""A small ensemble that foresees the next day's variance and return, one for each year."""

import math

import torch
from torch import Tensor, nn


class Forecaster(nn.Module):
    """Several small networks side by side; their logarithms of variance are averaged.

    A straight line through the columns (a HAR model in logarithms) plus a hidden layer for what
    is not straight, such as that falls unsettle more than rises. The return has a line of its own.

    Args:
        columns: Number of columns F.
        members: Number of networks K.
        hidden: Units of the hidden layer.
        dropout: Share of units left out while training.
    """

    center: Tensor
    spread: Tensor
    offset: Tensor

    def __init__(
        self, columns: int, members: int = 8, hidden: int = 24, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(columns))
        self.register_buffer("spread", torch.ones(columns))
        self.register_buffer("offset", torch.zeros(1))
        self.line = nn.Parameter(torch.zeros(members, columns, 1))
        self.first = nn.Parameter(torch.randn(members, columns, hidden) / math.sqrt(columns))
        self.bias = nn.Parameter(torch.zeros(members, 1, hidden))
        self.second = nn.Parameter(0.1 * torch.randn(members, hidden, 1) / math.sqrt(hidden))
        self.level = nn.Parameter(torch.zeros(members, 1, 1))
        self.drift = nn.Parameter(torch.zeros(members, columns, 1))
        self.drift_level = nn.Parameter(torch.zeros(members, 1, 1))
        self.dropout = nn.Dropout(dropout)

    def each(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What every member says, each of shape (K, B): logarithm of the next day's variance over
        the past year's, and the next return in units of its past size."""
        z = ((x - self.center) / self.spread).clamp(-6, 6).expand(len(self.line), -1, -1)
        bent = self.dropout(torch.nn.functional.silu(z @ self.first + self.bias)) @ self.second
        h = z @ self.line + bent + self.level + self.offset
        m = z @ self.drift + self.drift_level
        return h.squeeze(-1), m.squeeze(-1)

    def forward(self, x: Tensor) -> Tensor:
        """Map raw columns (B, F) to (B, 3).

        Two logits, calmer and wilder, whose difference is the logarithm of the variance over the
        past year's; so the probability of "wilder" is v / (v + usual). Then the return.
        """
        h, m = self.each(x)
        h, m = h.mean(dim=0), m.mean(dim=0)
        return torch.stack([-h / 2, h / 2, m], dim=1)


class YearlyForecasters(nn.Module):
    """One `Forecaster` a year, each trained on the years before.

    Rows begin with the place of their year's network, so that rows of several years can share a
    pass and every day is foreseen by a network that has not seen it.

    Args:
        columns: Number of columns F.
        years: Calendar years, rising.
        **settings: Of each `Forecaster`.
    """

    def __init__(self, columns: int, years: tuple[int, ...], **settings: float) -> None:
        super().__init__()
        self.years = years
        self.nets = nn.ModuleList(Forecaster(columns, **settings) for _ in years)  # type: ignore[arg-type]

    def of(self, place: int) -> Forecaster:
        """The network at one place in `years`."""
        net = self.nets[place]
        assert isinstance(net, Forecaster)
        return net

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 1 + F), the first column a place in `years`, to (B, 3)."""
        place = x[:, 0].round().long()
        y = x.new_zeros(len(x), 3)
        for index in place.unique().tolist():
            rows = (place == index).nonzero().squeeze(1)
            y = y.index_put((rows,), self.of(index)(x[rows, 1:]))
        return y
