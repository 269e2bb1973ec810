"""Lipinski's rule of five: four counts that most drugs taken by mouth keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdkit.Chem import Mol

LIMITS = {"weight": 500.0, "logp": 5.0, "donors": 5, "acceptors": 10}
"""Weight in g/mol; the computed logarithm of octanol over water; hydrogens on N and O; N and O."""


@dataclass(frozen=True)
class RuleOfFive:
    """What the rule looks at.

    Paper: Lipinski et al. 1997, https://doi.org/10.1016/S0169-409X(96)00423-1
    It was drawn from drugs that are swallowed; it is no verdict on any molecule.

    Attributes:
        weight: In g/mol.
        logp: After Crippen.
        donors: Hydrogens on nitrogen and oxygen.
        acceptors: Nitrogens and oxygens.
    """

    weight: float
    logp: float
    donors: int
    acceptors: int

    @classmethod
    def of(cls, mol: Mol) -> RuleOfFive:
        from rdkit.Chem import rdMolDescriptors

        return cls(
            float(rdMolDescriptors._CalcMolWt(mol)),
            float(rdMolDescriptors.CalcCrippenDescriptors(mol)[0]),
            int(rdMolDescriptors.CalcNumLipinskiHBD(mol)),
            int(rdMolDescriptors.CalcNumLipinskiHBA(mol)),
        )

    @property
    def broken(self) -> tuple[str, ...]:
        """Which limits it exceeds; one is usually forgiven."""
        return tuple(name for name, limit in LIMITS.items() if getattr(self, name) > limit)
