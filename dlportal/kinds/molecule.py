"""Molecules as one tensor whose atoms can be hidden.

A molecule with A atoms is a table of shape (A, `Layout.width`): for each atom whether it is there,
its neighbours and what binds it to them, its surroundings' numbers, its features, and its part of
every descriptor. To hide an atom is to write 0 where it says that it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dlportal.kinds.molecule_features import (
    ATOM_FEATURES,
    BOND_FEATURES,
    NEIGHBOURS,
    RADII,
    atom_features,
    bonds,
    circles,
    contributions,
)

if TYPE_CHECKING:
    from rdkit.Chem import Mol

    from dlportal.nets.molecule_net import Graphs

PRESENCE = 0
NEIGHBOUR = slice(1, 1 + NEIGHBOURS)
BINDING = slice(NEIGHBOUR.stop, NEIGHBOUR.stop + NEIGHBOURS)
CIRCLE = slice(BINDING.stop, BINDING.stop + len(RADII))
ATOM = slice(CIRCLE.stop, CIRCLE.stop + ATOM_FEATURES)
DESCRIPTOR = slice(ATOM.stop, None)
POWERS = 2.0 ** np.arange(BOND_FEATURES)
"""A bond's features, each 0 or 1, are packed into one number."""


def pack(mol: Mol) -> Tensor:
    """A molecule as a table, shape (1, A, width), float32; neighbours count from 1."""
    features, parts = atom_features(mol), contributions(mol)
    out = np.zeros((len(features), DESCRIPTOR.start + parts.shape[1]), np.float32)
    out[:, PRESENCE] = 1
    ends, kinds = bonds(mol)
    used = np.zeros(len(features), np.int64)
    for (speaker, hearer), kind in zip(ends.T, kinds, strict=True):
        out[hearer, NEIGHBOUR.start + used[hearer]] = 1 + speaker
        out[hearer, BINDING.start + used[hearer]] = kind @ POWERS
        used[hearer] += 1
    out[:, CIRCLE] = circles(mol)
    out[:, ATOM] = features
    out[:, DESCRIPTOR] = parts
    return torch.from_numpy(out)[None]


def collate(tables: Sequence[Tensor]) -> Tensor:
    """Join tables; atoms that a molecule lacks are atoms that are not there."""
    longest = max(table.shape[1] for table in tables)
    out = torch.zeros(len(tables), longest, tables[0].shape[2])
    for row, table in zip(out, tables, strict=True):
        row[: table.shape[1]] = table[0]
    return out


def unpack(x: Tensor) -> Graphs:
    """Tables (B, A, width) as graphs, with gradients through what says that an atom is there."""
    from dlportal.nets.molecule_net import Graphs

    batch, atoms, _width = x.shape
    presence = x[..., PRESENCE]
    molecule, hearer, slot = x[..., NEIGHBOUR].nonzero(as_tuple=True)
    speaker = x[molecule, hearer, NEIGHBOUR.start + slot].long() - 1
    packed = x[molecule, hearer, BINDING.start + slot].long()
    shifts = torch.arange(BOND_FEATURES, device=x.device)
    first = molecule * atoms
    flat = x.flatten(0, 1)
    return Graphs(
        atoms=flat[:, ATOM],
        circles=flat[:, CIRCLE].long(),
        presence=presence.flatten(),
        ends=torch.stack([first + speaker, first + hearer]),
        bonds=((packed.unsqueeze(1) >> shifts) & 1).to(x.dtype),
        owner=torch.arange(batch, device=x.device).repeat_interleave(atoms),
        descriptors=(x[..., DESCRIPTOR] * presence.unsqueeze(-1)).sum(dim=1),
    )


@dataclass(frozen=True)
class AtomMasker:
    """Hides atoms of one molecule: what they say, hear and add to the descriptors is gone.

    `x` is the molecule's table, shape (1, A, width); `parts` names its atoms.
    """

    x: Tensor
    parts: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.parts),)

    def render(self, keep: Tensor) -> Tensor:
        x = self.x.repeat(len(keep), 1, 1)
        x[..., PRESENCE] = keep.to(x)
        return x
