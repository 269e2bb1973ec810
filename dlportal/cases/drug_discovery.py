"""Drug discovery: what a molecule would measure in five laboratories, and which atoms say so.

Data: MoleculeNet, Wu et al. 2018, https://arxiv.org/abs/1703.00564. A raw input is a SMILES.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.case import Case, Evaluation, Example, Progress, Settings
from dlportal.cases.known_drugs import DRUGS
from dlportal.data.moleculenet import SOURCES
from dlportal.data.smiles import parse
from dlportal.explain.base import Differentiable
from dlportal.kinds import molecule
from dlportal.kinds.rule_of_five import RuleOfFive
from dlportal.messages import N_, InputError
from dlportal.results import Label, Result

if TYPE_CHECKING:
    from rdkit.Chem import Mol

    from dlportal.cards import Card
    from dlportal.nets.property_nets import PropertyNets
    from dlportal.training.events import Run

LARGEST = 150  # atoms without hydrogens
SURE = 1.645  # standard deviations around a yes-or-no answer's log-odds
FROM_CHEMISTRY = N_("A structure from chemistry textbooks, not from the datasets.")

SETS = {
    "esol": Label("esol", "Solubility in water", "水中溶解度"),
    "lipophilicity": Label("lipophilicity", "Lipophilicity", "脂溶性"),
    "bbbp": Label("bbbp", "Crosses into the brain", "能进入大脑"),
    "bace": Label("bace", "Blocks BACE-1", "抑制 BACE-1"),
    "tox21": Label("tox21", "Toxicity assays", "毒性检测"),
}
UNITS = {"esol": "log mol/L", "lipophilicity": "log D"}
ASSAYS = (
    Label("nr_ar", "Androgen receptor", "雄激素受体"),
    Label("nr_ar_lbd", "Androgen receptor (binding part)", "雄激素受体（结合域）"),
    Label("nr_ahr", "Aryl hydrocarbon receptor", "芳香烃受体"),
    Label("nr_aromatase", "Aromatase", "芳香化酶"),
    Label("nr_er", "Estrogen receptor", "雌激素受体"),
    Label("nr_er_lbd", "Estrogen receptor (binding part)", "雌激素受体（结合域）"),
    Label("nr_ppar_gamma", "PPAR-gamma", "PPAR-γ 受体"),
    Label("sr_are", "Oxidative stress", "氧化应激"),
    Label("sr_atad5", "DNA damage (ATAD5)", "DNA 损伤（ATAD5）"),
    Label("sr_hse", "Heat shock", "热休克"),
    Label("sr_mmp", "Mitochondrial membrane", "线粒体膜"),
    Label("sr_p53", "p53 alarm", "p53 警报"),
)
LABELS = (*(SETS[name] for name in SETS if name != "tox21"), *ASSAYS)
"""One for each output."""
PLACES = {"esol": slice(0, 1), "lipophilicity": slice(1, 2), "bbbp": slice(2, 3),
          "bace": slice(3, 4), "tox21": slice(4, 16)}  # fmt: skip
PROPERTY_OF = tuple(name for name, place in PLACES.items() for _ in range(place.stop - place.start))


@dataclass(frozen=True)
class Estimate(Result):
    """One answer.

    Attributes:
        label: What it is about.
        set: The data it was learned from.
        value: In `unit`, or a calibrated probability of yes where that is "".
        low: With `high`, what the ensemble leaves open: for numbers an interval that held nine of
            ten validation molecules, for probabilities its members' spread.
        high: See `low`.
        usual: The training mean, or how often the answer was yes.
        unit: "" for a probability.
    """

    label: Label
    set: str
    value: float
    low: float
    high: float
    usual: float
    unit: str


@dataclass(frozen=True)
class Prediction(Result):
    """What is foreseen of a molecule.

    Attributes:
        smiles: Canonical.
        formula: Such as C9H8O4.
        estimates: One for each output; Tox21's twelve last.
        familiar: For each set the share of the molecule's surroundings of atoms that its training
            molecules have, in [0, 1].
        inside: For each set whether that is as much as nearly all validation molecules had.
        rule: Lipinski's rule of five.
    """

    smiles: str
    formula: str
    estimates: tuple[Estimate, ...]
    familiar: dict[str, float]
    inside: dict[str, bool]
    rule: RuleOfFive

    def of(self, name: str) -> tuple[Estimate, ...]:
        """The answers of one set."""
        return self.estimates[PLACES[name]]


@lru_cache(maxsize=512)
def known(smiles: str) -> tuple[Mol, Tensor]:
    """A molecule and its table; kept, since each is asked for several times. Do not change them."""
    mol = parse(smiles)
    check_size(mol)
    return mol, molecule.pack(mol)


def check_size(mol: Mol) -> None:
    """Raise `InputError` for what the networks have no words for."""
    atoms = list(mol.GetAtoms())
    if len(atoms) > LARGEST:
        raise InputError(
            N_("The molecule has {n} atoms without hydrogens; the limit is {limit}. Draw a part."),
            n=len(atoms),
            limit=LARGEST,
        )
    if any(atom.GetAtomicNum() == 0 for atom in atoms):
        raise InputError(N_("A * stands for any atom. Put an element in its place."))
    if all(atom.GetAtomicNum() == 1 for atom in atoms):
        raise InputError(N_("There is nothing but hydrogen. Give a molecule with other atoms."))
    if max(atom.GetDegree() for atom in atoms) > molecule.NEIGHBOURS:
        raise InputError(
            N_("An atom has more than {limit} neighbours. Give a smaller complex."),
            limit=molecule.NEIGHBOURS,
        )


class DrugDiscovery(Case[str]):
    """Five properties of a molecule. A raw input is a SMILES."""

    kind = "molecule"
    labels = LABELS
    asked: int | None = None

    def load(self) -> nn.Module:
        # Imported here: torch_geometric takes a second, and a list of cases has no use for it.
        from dlportal.nets.property_nets import build
        from dlportal.training.store import load_weights

        return load_weights(build(), self.card.weights)

    def check(self, raw: str) -> None:
        if not isinstance(raw, str):
            raise InputError(N_("This is not a SMILES. Type one, such as CCO for ethanol."))
        if len(raw) > self.card.limits.characters:
            raise InputError(
                N_("The SMILES has {n} characters; the limit is {limit}. Draw a smaller molecule."),
                n=f"{len(raw):,}",
                limit=f"{self.card.limits.characters:,}",
            )
        known(raw)

    def read(self, given: str) -> str:
        return given.strip() if len(given) <= self.card.limits.characters else given

    def encode(self, raw: str) -> Tensor:
        return known(raw)[1]

    def collate(self, xs: Sequence[Tensor]) -> Tensor:
        return molecule.collate(xs)

    def constants(self, name: str) -> dict[str, Any]:
        """What a training found for one set, beside the weights."""
        return dict(self.card.measured.constants["sets"][name])

    def temperatures(self) -> Tensor:
        """Of each output, shape (16,); 1 for numbers."""
        return torch.tensor([self.constants(n).get("temperature", 1.0) for n in PROPERTY_OF])

    def probabilities(self, y: Tensor) -> Tensor:
        """Outputs (B, 32) to (B, 16) in [0, 1].

        Calibrated probabilities of yes; for a number, the share of training molecules that would
        lie below it if they were normally distributed, so that maps can be measured alike.
        """
        mean = y[:, : len(LABELS)].float()
        odds = torch.sigmoid(mean / self.temperatures().to(mean))
        center, spread = self.nets.scale[:2].to(mean).T
        rank = torch.special.ndtr((mean[:, :2] - center) / spread)
        return torch.cat([rank, odds[:, 2:]], dim=1)

    def decode(self, y: Tensor, raw: str) -> Prediction:
        from rdkit import Chem
        from rdkit.Chem.rdMolDescriptors import CalcMolFormula

        mol = known(raw)[0]
        mean, spread = y[: len(LABELS)].tolist(), y[len(LABELS) :].tolist()
        familiar = self.familiar(mol)
        return Prediction(
            smiles=Chem.MolToSmiles(mol),
            formula=CalcMolFormula(mol),
            estimates=tuple(self.estimate(i, mean[i], spread[i]) for i in range(len(LABELS))),
            familiar=familiar,
            inside={n: v >= self.constants(n)["familiar_from"] for n, v in familiar.items()},
            rule=RuleOfFive.of(mol),
        )

    def estimate(self, index: int, mean: float, spread: float) -> Estimate:
        """One output with what the ensemble leaves open."""
        name = PROPERTY_OF[index]
        found, place = self.constants(name), PLACES[name]
        if name in UNITS:
            reach = found["reach"] * (spread + found["usual_spread"])
            usual = float(self.nets.scale[index, 0])
            ends = mean - reach, mean + reach
            return Estimate(LABELS[index], name, mean, *ends, usual, UNITS[name])
        odds = [(mean + k * SURE * spread) / found["temperature"] for k in (0, -1, 1)]
        value, low, high = (1 / (1 + math.exp(-max(-50.0, min(50.0, o)))) for o in odds)
        usual = float(found["base_rate"][index - place.start])
        return Estimate(LABELS[index], name, value, low, high, usual, "")

    def familiar(self, mol: Mol) -> dict[str, float]:
        """For each set, how much of the molecule its training molecules have."""
        from dlportal.nets.property_nets import FOLD, familiarity

        numbers = torch.from_numpy(molecule.circles(mol, FOLD)[:, 1:].ravel())
        return {name: familiarity(self.nets, name, numbers) for name in SOURCES}

    @property
    def nets(self) -> PropertyNets:
        """The networks; those of one set alone where `asking` made this case."""
        net: Any = self.net
        return net

    def asking(self, index: int) -> Self:
        """The same case for explanations of one output: the other sets' networks stay silent."""
        from dlportal.nets.property_nets import OneSet

        other = self.with_net(OneSet(self.nets, PROPERTY_OF[index]))
        other.asked = index
        return other

    def targets(self, raw: str) -> list[int]:
        """The four single answers, then the likeliest of the twelve assays."""
        if self.asked is not None:
            return [self.asked]
        with torch.inference_mode():
            p = self.probabilities(self.net(self.encode(raw).to(self.device)))[0]
        assay = PLACES["tox21"].start + int(p[PLACES["tox21"]].argmax())
        return [0, 1, 2, 3, assay]

    def masker(self, raw: str) -> molecule.AtomMasker:
        """Hides atoms; they are named by element and number."""
        mol, x = known(raw)
        names = tuple(f"{atom.GetSymbol()}{atom.GetIdx() + 1}" for atom in mol.GetAtoms())
        return molecule.AtomMasker(x.to(self.device), names)

    def differentiable(self, raw: str) -> Differentiable:
        """From no atom at all to the molecule, along whether each atom is there."""
        x = known(raw)[1].to(self.device)
        nothing = x.clone()
        nothing[..., molecule.PRESENCE] = 0

        def reduce(attribution: Tensor) -> np.ndarray:
            return attribution[0, :, molecule.PRESENCE].float().cpu().numpy()

        return Differentiable(x, nothing, self.net, reduce)

    def literal(self, raw: str) -> str:
        return repr(raw)

    def examples(self) -> list[Example[str]]:
        return [
            Example(name, label, lambda smiles=smiles: smiles, FROM_CHEMISTRY)  # type: ignore[misc]
            for name, (label, smiles) in DRUGS.items()
        ]

    def golden(self) -> str:
        return DRUGS["caffeine"][1]

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        from dlportal.training.molecule_training import train_nets

        return train_nets(settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        from dlportal.training.molecule_evaluation import evaluate

        return evaluate(self, split, data, limit, progress)


CASE = DrugDiscovery
