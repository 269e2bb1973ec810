"""What a network reads of a molecule: atoms, bonds, and descriptors shared out among the atoms.

Every descriptor of the molecule is a sum over its atoms. Some are sums by nature (logP after
Crippen, polar surface, masses, counts of groups), and each atom gets its own part; what no atom can
claim (chain indices, partial-charge bins) is shared equally. So hiding an atom takes its part of
every descriptor away, and an attribution covers the descriptors as well as the graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from rdkit.Chem import Mol

ELEMENTS = ("C", "N", "O", "S", "F", "Cl", "Br", "I", "P", "Si", "B", "Se", "Na")
RINGS = (3, 4, 5, 6, 7)
CIRCLES = 1024
"""Numbers that the surroundings of atoms are folded into."""
RADII = (0, 1, 2)
ATOM_FEATURES = 47
NEIGHBOURS = 8
"""Bonds an atom may have."""
SLOW = ("BCUT2D", "Ipc", "AvgIpc", "qed", "SPS", "MaxAbs", "MinAbs", "FpDensity")
"""Descriptors left out, by how they begin: slow, unbounded, or said by others."""
KINDS = ("SINGLE", "DOUBLE", "TRIPLE", "AROMATIC")
CIS, TRANS = ("STEREOZ", "STEREOCIS"), ("STEREOE", "STEREOTRANS")
BOND_FEATURES = len(KINDS) + 4


@cache
def descriptors() -> tuple[tuple[str, Any], ...]:
    """Names and functions of RDKit's two-dimensional descriptors, without the `SLOW` ones."""
    from rdkit.Chem import Descriptors

    return tuple((name, f) for name, f in Descriptors.descList if not name.startswith(SLOW))


@cache
def fragments() -> dict[str, Any]:
    """Patterns of the functional groups that RDKit counts."""
    from rdkit.Chem import Fragments

    return {name: count.__defaults__[1] for name, count in Fragments.fns}


def own_parts(mol: Mol) -> Iterator[tuple[str, np.ndarray]]:
    """Descriptors that each atom has a part of, as shape (atoms,)."""
    from rdkit import Chem
    from rdkit.Chem import rdMolDescriptors

    atoms = list(mol.GetAtoms())
    n = len(atoms)
    table = Chem.GetPeriodicTable()
    mass = np.array([atom.GetMass() for atom in atoms])
    hydrogens = np.array([atom.GetTotalNumHs() for atom in atoms])
    yield "HeavyAtomMolWt", mass
    yield "MolWt", mass + hydrogens * table.GetAtomicWeight(1)
    logp, refraction = crippen(mol)
    yield "MolLogP", logp
    yield "MolMR", refraction
    yield "TPSA", np.array(rdMolDescriptors._CalcTPSAContribs(mol))
    nitrogen_or_oxygen = np.array([atom.GetAtomicNum() in (7, 8) for atom in atoms])
    yield "NHOHCount", nitrogen_or_oxygen * hydrogens
    yield "NOCount", nitrogen_or_oxygen
    yield "NumHeteroatoms", np.array([atom.GetAtomicNum() not in (1, 6) for atom in atoms])
    yield "HeavyAtomCount", np.array([atom.GetAtomicNum() > 1 for atom in atoms])
    rings = np.zeros((2, n))
    for ring in mol.GetRingInfo().AtomRings():
        rings[0, list(ring)] += 1 / len(ring)
        if all(mol.GetAtomWithIdx(i).GetIsAromatic() for i in ring):
            rings[1, list(ring)] += 1 / len(ring)
    yield "RingCount", rings[0]
    yield "NumAromaticRings", rings[1]
    for name, pattern in fragments().items():
        part = np.zeros(n)
        for match in mol.GetSubstructMatches(pattern, uniquify=True):
            part[list(match)] += 1 / len(match)
        yield name, part


def crippen(mol: Mol) -> tuple[np.ndarray, np.ndarray]:
    """Parts of logP and molar refractivity; an atom's hydrogens count as its own.

    Paper: Wildman and Crippen 1999, https://doi.org/10.1021/ci990307l
    """
    from rdkit import Chem
    from rdkit.Chem import rdMolDescriptors

    full = Chem.AddHs(mol)
    parts = np.array(rdMolDescriptors._CalcCrippenContribs(full))  # (atoms with hydrogens, 2)
    n = mol.GetNumAtoms()
    out = parts[:n].copy()
    for atom in list(full.GetAtoms())[n:]:
        out[atom.GetNeighbors()[0].GetIdx()] += parts[atom.GetIdx()]
    return out[:, 0], out[:, 1]


def descriptor_values(mol: Mol) -> np.ndarray:
    """The molecule's descriptors, shape (descriptors,), float32: the sums of `contributions`."""
    return np.array([finite(f(mol)) for _name, f in descriptors()], np.float32)


def contributions(mol: Mol) -> np.ndarray:
    """Each atom's part of every descriptor, shape (atoms, descriptors), float32."""
    own = dict(own_parts(mol))
    n = mol.GetNumAtoms()
    out = np.empty((n, len(descriptors())), np.float32)
    values = descriptor_values(mol)
    for column, (name, _f) in enumerate(descriptors()):
        value, part = values[column], own.get(name)
        if part is None:
            out[:, column] = value / n
        else:  # what the parts leave over (hydrogens on their own) is everybody's
            out[:, column] = part + (value - part.sum()) / n
    return out


def finite(value: float) -> float:
    """Within a million; 0 where it is not defined."""
    return float(np.clip(np.nan_to_num(value, nan=0.0, posinf=1e6, neginf=-1e6), -1e6, 1e6))


def one_of(value: Any, choices: Any) -> list[float]:
    """One-hot, with a last place for anything else."""
    found = [float(value == choice) for choice in choices]
    return [*found, float(not any(found))]


def atom_features(mol: Mol) -> np.ndarray:
    """What is known of each atom, shape (atoms, `ATOM_FEATURES`), float32."""
    from rdkit.Chem import rdMolDescriptors, rdPartialCharges
    from rdkit.Chem.EState import EStateIndices

    rdPartialCharges.ComputeGasteigerCharges(mol)
    area = rdMolDescriptors._CalcLabuteASAContribs(mol)[0]
    polar = rdMolDescriptors._CalcTPSAContribs(mol)
    logp, refraction = crippen(mol)
    state = EStateIndices(mol)
    rings = mol.GetRingInfo()
    rows = []
    for i, atom in enumerate(mol.GetAtoms()):
        charge = finite(atom.GetDoubleProp("_GasteigerCharge"))
        rows.append(
            [
                *one_of(atom.GetSymbol(), ELEMENTS),
                *one_of(atom.GetDegree(), range(1, 5)),
                *one_of(atom.GetTotalNumHs(), range(4)),
                *one_of(str(atom.GetHybridization()), ("SP", "SP2", "SP3")),
                *one_of(str(atom.GetChiralTag()), ("CHI_TETRAHEDRAL_CW", "CHI_TETRAHEDRAL_CCW")),
                *(float(rings.IsAtomInRingOfSize(i, size)) for size in RINGS),
                float(atom.IsInRing()),
                float(atom.GetIsAromatic()),
                float(np.clip(atom.GetFormalCharge(), -2, 2)),
                float(atom.GetFormalCharge() != 0),
                atom.GetMass() / 30,
                2 * float(np.clip(charge, -2, 2)),
                float(logp[i]),
                float(refraction[i]) / 4,
                polar[i] / 15,
                area[i] / 8,
                float(np.clip(finite(state[i]), -20, 20)) / 6,
            ]
        )
    return np.array(rows, np.float32)


def circles(mol: Mol, fold: int = CIRCLES) -> np.ndarray:
    """Numbers of each atom's surroundings within `RADII` bonds, shape (atoms, len(RADII)).

    Paper: Rogers and Hahn 2010, https://doi.org/10.1021/ci100050t
    They are Morgan's, folded into `fold` places; 0 stands for none, where a wider one adds nothing.
    """
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADII[-1], fpSize=fold - 1)
    output = rdFingerprintGenerator.AdditionalOutput()
    output.AllocateBitInfoMap()
    generator.GetFingerprint(mol, additionalOutput=output)
    out = np.zeros((mol.GetNumAtoms(), len(RADII)), np.int64)
    for bit, places in output.GetBitInfoMap().items():
        for atom, radius in places:
            out[atom, radius] = 1 + bit
    return out


def bond_features(bond: Any) -> list[bool]:
    """Kind, ring, conjugation and double-bond geometry, `BOND_FEATURES` of them."""
    geometry = str(bond.GetStereo())
    return [
        *(str(bond.GetBondType()) == kind for kind in KINDS),
        bond.IsInRing(),
        bond.GetIsConjugated(),
        geometry in CIS,
        geometry in TRANS,
    ]


def bonds(mol: Mol) -> tuple[np.ndarray, np.ndarray]:
    """Every bond in both directions.

    Returns:
        Ends, shape (2, E), int64, and features, shape (E, `BOND_FEATURES`), 0 or 1, float32.
    """
    ends, features = [], []
    for bond in mol.GetBonds():
        a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        ends += [(a, b), (b, a)]
        features += [bond_features(bond)] * 2
    return (
        np.array(ends, np.int64).reshape(-1, 2).T,
        np.array(features, np.float32).reshape(-1, BOND_FEATURES),
    )
