"""Networks that read a molecule's fingerprint and descriptors instead of its graph.

Rogers and Hahn 2010, https://doi.org/10.1021/ci100050t (Morgan's fingerprints). They err otherwise
than message passing does; averaged, both kinds are better than either.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.nets.molecule_net import Graphs, MoleculeNet, Ranks, SideBySide, Sizes


@dataclass(frozen=True)
class Reading:
    """How a set's fingerprint networks read.

    Attributes:
        width: Units of the one hidden layer.
        prints: Whether they get the fingerprint, or the descriptors alone.
        unseen: Share of the fingerprint left out while training.
        dropout: Share of the units left out while training.
    """

    width: int = 128
    prints: bool = True
    unseen: float = 0.2
    dropout: float = 0.5


class FingerprintNet(nn.Module):
    """Counts of surroundings and descriptors through one hidden layer, several members side by side.

    Surroundings count for the atom in their middle: hide it, and they are gone from the
    fingerprint, as its part is from the descriptors.
    """

    def __init__(self, sizes: Sizes, tasks: int, members: int, reading: Reading) -> None:
        super().__init__()
        self.numbers, self.reading, self.members = sizes.circles, reading, members
        self.ranks = Ranks(sizes.descriptors)
        self.descriptors = SideBySide(members, sizes.descriptors, reading.width)
        if reading.prints:
            self.prints = nn.Parameter(0.03 * torch.randn(members, sizes.circles, reading.width))
        self.second = SideBySide(members, reading.width, tasks)

    def counts(self, graphs: Graphs) -> Tensor:
        """How often each number occurs in each molecule, shape (B, numbers); 0 stands for none."""
        molecules = len(graphs.descriptors)
        place = graphs.owner.unsqueeze(1) * self.numbers + graphs.circles
        there = (graphs.circles > 0) * graphs.presence.unsqueeze(1)
        flat = torch.zeros(molecules * self.numbers, device=there.device, dtype=there.dtype)
        return flat.index_add(0, place.flatten(), there.flatten()).view(molecules, -1)

    def forward(self, graphs: Graphs) -> Tensor:
        """What every member says of every molecule, shape (members, B, tasks)."""
        known = self.ranks(graphs.descriptors).expand(self.members, -1, -1)
        h = self.descriptors(F.dropout(known, self.reading.unseen / 2, self.training))
        if self.reading.prints:
            counts = self.counts(graphs).log1p().expand(self.members, -1, -1)
            h = h + F.dropout(counts, self.reading.unseen, self.training) @ self.prints
        return self.second(F.dropout(F.relu(h), self.reading.dropout, self.training))


class BothKinds(nn.Module):
    """Networks of the graph and networks of the fingerprint, as one ensemble.

    Args:
        graph: Members that read the graph.
        prints: As many that read the fingerprint, where there are any.
        trainings: How many beginnings the members of each kind come from.
    """

    def __init__(self, graph: MoleculeNet, prints: FingerprintNet | None, trainings: int) -> None:
        super().__init__()
        self.graph, self.prints, self.trainings = graph, prints, trainings

    def forward(self, graphs: Graphs) -> Tensor:
        """What every member says, (members, B, tasks): those of one training stand together."""
        nets = [self.graph] if self.prints is None else [self.graph, self.prints]
        said = [net(graphs).unflatten(0, (self.trainings, -1)) for net in nets]
        return torch.cat(said, dim=1).flatten(0, 1)
