"""Message passing on molecules, joined with descriptors; several networks side by side.

Gilmer et al. 2017, https://arxiv.org/abs/1704.01212; the messages are those of GINE, Hu et al.
2020, https://arxiv.org/abs/1905.12265. All members of an ensemble run in one pass: their tensors
have a leading axis, which costs little more time than one member alone.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

with warnings.catch_warnings():  # its own use of torch.jit, which torch means to drop
    warnings.simplefilter("ignore", FutureWarning)
    from torch_geometric.nn import MessagePassing
    from torch_geometric.utils import scatter


class Sizes(NamedTuple):
    """What comes in: features of an atom and of a bond, numbers of surroundings, descriptors."""

    atoms: int
    bonds: int
    circles: int
    descriptors: int


@dataclass(frozen=True)
class Graphs:
    """Molecules of a batch, their N atoms one after the other.

    Attributes:
        atoms: Features, shape (N, F).
        circles: Numbers of each atom's surroundings, shape (N, R); 0 is none.
        presence: 1 for an atom that is there, 0 for a hidden one, shape (N,).
        ends: Bonds in both directions, shape (2, E): who speaks, who hears.
        bonds: Features, shape (E, G).
        owner: Each atom's molecule, shape (N,).
        descriptors: Of the molecules, shape (B, D).
    """

    atoms: Tensor
    circles: Tensor
    presence: Tensor
    ends: Tensor
    bonds: Tensor
    owner: Tensor
    descriptors: Tensor

    def pool(self, h: Tensor, reduce: str = "sum") -> Tensor:
        """Gather atoms (members, N, H) into molecules (members, B, H)."""
        return scatter(h, self.owner, dim=-2, dim_size=len(self.descriptors), reduce=reduce)

    def sizes(self) -> Tensor:
        """Atoms that are there in each molecule, shape (B, 1)."""
        return self.pool(self.presence.unsqueeze(-1))


class SideBySide(nn.Module):
    """A linear layer for each member: (members, N, inputs) or (N, inputs) to (members, N, outputs)."""

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(members, 1, outputs))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class Surroundings(nn.Module):
    """A vector for the surroundings of each atom, summed up over their radii.

    Summed over a molecule's atoms this is a linear layer on its Morgan counts, without the counts.
    """

    def __init__(self, members: int, numbers: int, outputs: int) -> None:
        super().__init__()
        self.members = members
        self.weight = nn.Parameter(0.1 * torch.randn(members, numbers, outputs))

    def forward(self, circles: Tensor) -> Tensor:
        """(N, R) numbers to (members, N, outputs); 0 gives zeros."""
        table = self.weight.transpose(0, 1).flatten(1)  # one look-up for all members
        out = torch.zeros(len(circles), table.shape[1], device=table.device)
        for column in circles.unbind(1):
            out = out + F.embedding(column, table) * (column > 0).unsqueeze(-1)
        return out.unflatten(-1, (self.members, -1)).transpose(0, 1)


class Messages(MessagePassing):
    """One round: every atom adds up what its neighbours say, each through its bond."""

    def __init__(self, members: int, hidden: int, bonds: int, dropout: float) -> None:
        super().__init__(aggr="sum", node_dim=-2)
        self.bonds = SideBySide(members, bonds, hidden)
        self.first = SideBySide(members, hidden, hidden)
        self.second = SideBySide(members, hidden, hidden)
        self.dropout = dropout

    def forward(self, h: Tensor, graphs: Graphs) -> Tensor:
        """(members, N, hidden) to the same; hidden atoms say nothing."""
        heard = self.propagate(
            graphs.ends, h=h, bond=self.bonds(graphs.bonds), presence=graphs.presence.unsqueeze(-1)
        )
        out = self.second(F.relu(self.first(h + heard)))
        out = F.relu(F.layer_norm(out, out.shape[-1:]))
        return h + F.dropout(out, self.dropout, self.training)

    def message(self, h_j: Tensor, bond: Tensor, presence_j: Tensor) -> Tensor:
        return F.relu(h_j + bond) * presence_j


class Ranks(nn.Module):
    """Descriptors by their rank among the training molecules, on a normal scale.

    Counts with long tails and logarithms alike become numbers between about -2.7 and 2.7; between
    the stored quantiles the scale is straight, so that gradients pass.
    """

    places: Tensor
    scores: Tensor

    def __init__(self, columns: int, knots: int = 33) -> None:
        super().__init__()
        self.register_buffer("places", torch.zeros(columns, knots))
        self.register_buffer("scores", torch.zeros(columns, knots))

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Take the quantiles of training rows, shape (N, columns)."""
        knots = self.places.shape[1]
        levels = torch.linspace(0, 1, knots)
        for column, values in enumerate(torch.quantile(x, levels, dim=0).T):
            place, count = torch.unique_consecutive(values, return_counts=True)
            last = count.cumsum(0) - 1
            middle = (levels[last] + levels[last - count + 1]) / 2  # equal values share a rank
            score = torch.special.ndtri(middle.clamp(0.003, 0.997))
            self.places[column] = F.pad(place, (0, knots - len(place)), value=float(place[-1]))
            self.scores[column] = F.pad(score, (0, knots - len(score)), value=float(score[-1]))

    def forward(self, x: Tensor) -> Tensor:
        """(B, columns) to the same shape."""
        x = x.T.contiguous()
        right = torch.searchsorted(self.places, x.detach()).clamp(1, self.places.shape[1] - 1)
        low, high = (self.places.gather(1, right - k) for k in (1, 0))
        under, over = (self.scores.gather(1, right - k) for k in (1, 0))
        share = ((x - low) / (high - low).clamp(min=1e-6)).clamp(0, 1)
        return (under + share * (over - under)).T


class MoleculeNet(nn.Module):
    """Graph, surroundings and descriptors, each summed over atoms, into one answer per task.

    Args:
        sizes: What comes in.
        tasks: Number of answers.
        members: Networks side by side.
        hidden: Width of atoms.
        rounds: Of messages.
        around: Width of surroundings.
        width: Units where everything comes together.
        dropout: Share of units left out while training.
    """

    def __init__(
        self,
        sizes: Sizes,
        tasks: int,
        members: int,
        hidden: int = 64,
        rounds: int = 3,
        around: int = 24,
        width: int = 96,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.ranks = Ranks(sizes.descriptors)
        self.atoms = SideBySide(members, sizes.atoms, hidden)
        self.rounds = nn.ModuleList(
            Messages(members, hidden, sizes.bonds, dropout / 2) for _ in range(rounds)
        )
        self.circles = Surroundings(members, sizes.circles, around)
        self.descriptors = SideBySide(members, sizes.descriptors, hidden)
        self.first = SideBySide(members, 4 * hidden + around, width)
        self.second = SideBySide(members, width, tasks)
        self.dropout = dropout

    def forward(self, graphs: Graphs) -> Tensor:
        """What every member says of every molecule, shape (members, B, tasks)."""
        present = graphs.presence.unsqueeze(-1)
        h = self.atoms(graphs.atoms)
        for messages in self.rounds:
            h = messages(h, graphs)
        h = F.relu(h) * present
        total = graphs.pool(h)
        parts = [
            total / 10,
            total / (graphs.sizes() + 0.1),
            graphs.pool(h, "max"),
            F.relu(graphs.pool(self.circles(graphs.circles) * present)),
            F.relu(self.descriptors(self.ranks(graphs.descriptors))),
        ]
        out = F.dropout(torch.cat(parts, dim=-1), self.dropout, self.training)
        out = F.relu(self.first(out))
        return self.second(F.dropout(out, self.dropout, self.training))
