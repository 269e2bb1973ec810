"""Many molecules in flat tensors, from which batches are cut without touching single atoms."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlportal.assets import cache_dir
from dlportal.kinds import molecule_features
from dlportal.kinds.molecule_features import (
    atom_features,
    bonds,
    circles,
    descriptor_values,
)
from dlportal.nets.molecule_net import Graphs


def starts(counts: np.ndarray) -> np.ndarray:
    """Where each run of rows begins, and the end, shape (N + 1,)."""
    return np.concatenate([[0], np.cumsum(counts)])


def fingerprint(smiles: Sequence[str]) -> str:
    """Tells tables apart: by the molecules, RDKit's version, and how features are computed."""
    code = Path(molecule_features.__file__).read_bytes()
    state = hashlib.sha256(code + version("rdkit").encode())
    state.update("\n".join(smiles).encode())
    return state.hexdigest()[:24]


def runs(begin: np.ndarray, end: np.ndarray) -> Tensor:
    """The rows of several runs, one after the other."""
    counts = end - begin
    first = np.repeat(begin - starts(counts)[:-1], counts)
    return torch.from_numpy(np.arange(counts.sum()) + first)


@dataclass(frozen=True)
class MoleculeTable:
    """N molecules.

    Attributes:
        atoms: Features of all atoms, shape (atoms, F).
        circles: Their surroundings, shape (atoms, R).
        ends: Bonds, counted within the molecule, shape (2, bonds).
        bonds: Their features, shape (bonds, G).
        descriptors: Shape (N, D).
        first_atom: Where each molecule's atoms begin, shape (N + 1,).
        first_bond: The same of its bonds.
    """

    atoms: Tensor
    circles: Tensor
    ends: Tensor
    bonds: Tensor
    descriptors: Tensor
    first_atom: np.ndarray
    first_bond: np.ndarray

    @classmethod
    def of(cls, smiles: Sequence[str], tell: Callable[[int], bool] | None = None) -> MoleculeTable:
        """Compute what is known of molecules.

        Args:
            smiles: Readable ones.
            tell: Called with how many are done; returns True to stop there.
        """
        from rdkit import Chem, rdBase

        parts = []
        with rdBase.BlockLogs():
            for text in smiles:
                mol = Chem.MolFromSmiles(text)
                ends, kinds = bonds(mol)
                parts.append(
                    (atom_features(mol), circles(mol), ends.T, kinds, descriptor_values(mol)[None])
                )
                if tell is not None and tell(len(parts)):
                    break
        columns = list(zip(*parts, strict=True))
        flat = [torch.from_numpy(np.concatenate(column)) for column in columns]
        first = [starts(np.array([len(rows) for rows in columns[i]])) for i in (0, 2)]
        return cls(flat[0], flat[1], flat[2].T, flat[3], flat[4], *first)

    @classmethod
    def kept(
        cls, smiles: Sequence[str], tell: Callable[[int], bool] | None = None
    ) -> MoleculeTable:
        """As `of`, but computed once: the next training finds it in the cache."""
        path = cache_dir() / "molecules" / f"{fingerprint(smiles)}.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as file:
                found = {name: file[name] for name in file.files}
            tensors = {n: torch.from_numpy(v) for n, v in found.items() if "first" not in n}
            return cls(**tensors, first_atom=found["first_atom"], first_bond=found["first_bond"])
        table = cls.of(smiles, tell)
        if len(table) == len(smiles):  # not where it was stopped
            table.keep(path)
        return table

    def keep(self, path: Path) -> None:
        """Write the table, at once or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        with partial.open("wb") as file:
            arrays: dict[str, Any] = {
                f.name: np.asarray(getattr(self, f.name)) for f in fields(self)
            }
            np.savez(file, **arrays)
        partial.replace(path)

    def __len__(self) -> int:
        return len(self.descriptors)

    def take(self, rows: np.ndarray) -> tuple[Tensor, ...]:
        """The molecules with these indices: the fields of `Graphs`, in order."""
        atom = runs(self.first_atom[rows], self.first_atom[rows + 1])
        bond = runs(self.first_bond[rows], self.first_bond[rows + 1])
        count = self.first_atom[rows + 1] - self.first_atom[rows]
        bonded = self.first_bond[rows + 1] - self.first_bond[rows]
        shift = torch.from_numpy(np.repeat(starts(count)[:-1], bonded))
        return (
            self.atoms[atom],
            self.circles[atom],
            torch.ones(len(atom)),
            self.ends[:, bond] + shift,
            self.bonds[bond],
            torch.from_numpy(np.repeat(np.arange(len(rows)), count)),
            self.descriptors[torch.from_numpy(rows)],
        )


class MoleculeBatches:
    """Shuffled molecules with their measurements, in an order that depends on the epoch alone.

    Args:
        table: All molecules.
        rows: Indices of those to learn from.
        y: Their measurements, shape (len(rows), tasks), float32; NaN where there is none.
        size: Molecules of a batch; a last incomplete batch is left out.
        seed: Of the order.
    """

    def __init__(
        self, table: MoleculeTable, rows: np.ndarray, y: np.ndarray, size: int, seed: int
    ) -> None:
        self.table, self.rows, self.y, self.seed = table, rows, torch.from_numpy(y), seed
        self.size = min(size, len(rows))

    @property
    def steps_per_epoch(self) -> int:
        return len(self.rows) // self.size

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, ...]]:
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.rows))
        for batch in np.split(order[: self.steps_per_epoch * self.size], self.steps_per_epoch):
            yield (*self.table.take(self.rows[batch]), self.y[torch.from_numpy(batch)])


@torch.inference_mode()
def ask(
    net: Callable[[Graphs], Tensor], table: MoleculeTable, rows: np.ndarray, size: int = 128
) -> np.ndarray:
    """What every member says of molecules, shape (members, len(rows), tasks), float64."""
    said = [net(Graphs(*table.take(part))) for part in np.split(rows, range(size, len(rows), size))]
    return torch.cat(said, dim=1).double().cpu().numpy()
