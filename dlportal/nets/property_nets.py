"""Five ensembles that read the same molecule, one for each set of measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from dlportal.data.moleculenet import SOURCES
from dlportal.kinds.molecule import unpack
from dlportal.kinds.molecule_features import ATOM_FEATURES, BOND_FEATURES, CIRCLES, descriptors
from dlportal.nets.fingerprint_net import BothKinds, FingerprintNet, Reading
from dlportal.nets.molecule_net import MoleculeNet, Sizes

SEEDS = 3
"""Trainings of each set, from different beginnings."""
MEMBERS = 2
"""Networks of each kind in each training: of the graph, and of the fingerprint."""
GRAPHS = {"esol": 6}
"""Networks of the graph in each training of a set where more of them helped on validation."""
READINGS = {"bbbp": Reading(), "bace": Reading(), "tox21": Reading()}
"""Of the sets whose molecules are read by fingerprint, too; where it was tried and did not help on
validation they are not."""
FOLD = 2**18
"""Places of the surroundings that a set's training molecules have."""


class PropertyNets(nn.Module):
    """What is measured of a molecule, foreseen, with the ensembles' disagreement.

    Args:
        sizes: What comes in.
        tasks: Answers of each set, in the order of the outputs.
        trainings: Of each set.
    """

    scale: Tensor
    seen: Tensor

    def __init__(self, sizes: Sizes, tasks: Mapping[str, int], trainings: int) -> None:
        super().__init__()
        self.sizes, self.tasks, self.trainings = sizes, dict(tasks), trainings
        self.nets = nn.ModuleDict(
            {
                name: BothKinds(
                    MoleculeNet(sizes, n, trainings * graphs_of(name)),
                    FingerprintNet(sizes, n, trainings * MEMBERS, READINGS[name])
                    if name in READINGS
                    else None,
                    trainings,
                )
                for name, n in tasks.items()
            }
        )
        # Mean and standard deviation of the training measurements; 0 and 1 for yes and no.
        self.register_buffer("scale", torch.tensor([[0.0, 1.0]]).repeat(len(tasks), 1))
        self.register_buffer("seen", torch.zeros(len(tasks), FOLD // 8, dtype=torch.uint8))

    @property
    def places(self) -> dict[str, slice]:
        """Where each set's answers stand among the outputs."""
        out, start = {}, 0
        for name, n in self.tasks.items():
            out[name] = slice(start, start + n)
            start += n
        return out

    def each(self, x: Tensor, name: str) -> Tensor:
        """What every member of one set says, in its unit (logits for yes and no).

        Args:
            x: Molecules' tables, shape (B, A, width).
            name: The set.

        Returns:
            Shape (members, B, tasks).
        """
        center, spread = self.scale[list(self.tasks).index(name)]
        return self.nets[name](unpack(x)) * spread + center

    def forward(self, x: Tensor) -> Tensor:
        """Map tables (B, A, width) to means over members, then their standard deviations,
        shape (B, 2 × tasks)."""
        graphs = unpack(x)
        said = [
            self.nets[name](graphs) * spread + center  # (members, B, tasks of the set)
            for name, (center, spread) in zip(self.tasks, self.scale, strict=True)
        ]
        means = [y.mean(dim=0) for y in said]
        return torch.cat([*means, *(y.std(dim=0, correction=0) for y in said)], dim=-1)

    @torch.no_grad()
    def see(self, name: str, surroundings: Sequence[int]) -> None:
        """Note the surroundings (below `FOLD`) that the training molecules of a set have."""
        row = self.seen[list(self.tasks).index(name)]
        for number in set(surroundings):
            row[number // 8] |= 1 << number % 8

    def has_seen(self, name: str, surroundings: Tensor) -> Tensor:
        """Whether surroundings, shape (N,), occur among a set's training molecules; (N,) bool."""
        row = self.seen[list(self.tasks).index(name)]
        return (row[surroundings // 8].long() >> surroundings % 8) & 1 == 1


class OneSet(nn.Module):
    """The networks of one set, at their places among the outputs; zeros at all others."""

    def __init__(self, all_sets: PropertyNets, name: str) -> None:
        super().__init__()
        self.name, self.tasks = name, all_sets.tasks
        self.place = all_sets.places[name]
        self.width = sum(all_sets.tasks.values())
        self.net = all_sets.nets[name]
        self.scale: Tensor
        self.register_buffer("scale", all_sets.scale)

    def forward(self, x: Tensor) -> Tensor:
        """As `PropertyNets`: (B, A, width) to (B, 2 × tasks)."""
        center, spread = self.scale[list(self.tasks).index(self.name)]
        said = self.net(unpack(x)) * spread + center
        y = said.new_zeros(len(x), 2 * self.width)
        y[:, self.place] = said.mean(dim=0)
        y[:, self.width + self.place.start : self.width + self.place.stop] = said.std(
            dim=0, correction=0
        )
        return y


def graphs_of(name: str) -> int:
    """How many networks of the graph each training of a set has."""
    return GRAPHS.get(name, MEMBERS)


def build(seeds: int = SEEDS) -> PropertyNets:
    """The networks as they are before training."""
    sizes = Sizes(ATOM_FEATURES, BOND_FEATURES, CIRCLES, len(descriptors()))
    tasks = {name: len(source.columns) for name, source in SOURCES.items()}
    return PropertyNets(sizes, tasks, seeds)


def familiarity(nets: PropertyNets, name: str, numbers: Tensor) -> float:
    """Share of a molecule's surroundings that the training molecules of a set have, 0 to 1.

    Args:
        nets: The networks.
        name: The set.
        numbers: The surroundings, below `FOLD`; 0 is none. Without any (a single atom, alone) the
            molecule is as unfamiliar as can be.
    """
    numbers = numbers[numbers > 0]
    return float(nets.has_seen(name, numbers).float().mean()) if len(numbers) else 0.0


def join(nets: Sequence[nn.Module], into: nn.Module) -> None:
    """Put the members of several trainings side by side; buffers are the first one's."""
    states = [net.state_dict() for net in nets]
    parameters = dict(into.named_parameters())
    joined = {
        name: torch.cat([state[name] for state in states]) if name in parameters else tensor
        for name, tensor in states[0].items()
    }
    into.load_state_dict(joined)
