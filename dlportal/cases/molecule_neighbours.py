"""Training molecules that resemble a molecule, where the datasets are at hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dlportal.data import is_available, moleculenet

BITS, RADIUS = 2048, 2


@dataclass(frozen=True)
class Neighbour:
    """A training molecule.

    Attributes:
        smiles: Canonical.
        similarity: Shared over all bits of the two fingerprints (Tanimoto), in [0, 1].
        y: Its measurements; NaN where there is none.
    """

    smiles: str
    similarity: float
    y: tuple[float, ...]


def here() -> bool:
    """Whether the training molecules lie on this machine."""
    return is_available(moleculenet.NAME)


def generator() -> Any:
    from rdkit.Chem import rdFingerprintGenerator

    return rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)


@lru_cache(maxsize=8)
def training_fingerprints(name: str) -> tuple[moleculenet.Molecules, list[Any]]:
    """The training molecules of a set with their fingerprints; takes a few seconds once."""
    from rdkit import Chem, rdBase

    whole = moleculenet.load(name)
    train = whole.take(moleculenet.learned_rows(whole, name))
    make = generator()
    with rdBase.BlockLogs():
        found = [make.GetFingerprint(Chem.MolFromSmiles(text)) for text in train.smiles]
    return train, found


def nearest(smiles: str, name: str, count: int = 4) -> list[Neighbour]:
    """The most similar training molecules of a set, the nearest first.

    Raises:
        AssetError: The dataset is not here.
    """
    from rdkit import Chem, DataStructs

    train, prints = training_fingerprints(name)
    own = generator().GetFingerprint(Chem.MolFromSmiles(smiles))
    likeness = DataStructs.BulkTanimotoSimilarity(own, prints)
    best = sorted(range(len(train)), key=lambda row: -likeness[row])[:count]
    return [Neighbour(train.smiles[r], likeness[r], tuple(train.y[r].tolist())) for r in best]
