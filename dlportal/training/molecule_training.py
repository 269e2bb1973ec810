"""Training the property networks: three ensembles for each set, one after the other.

Each set has its own networks, which see that set's molecules alone. The number of epochs was
chosen on validation molecules; the last epoch is kept, since the best of many on so few molecules
would be chance. Where the answer is yes or no, a full training then starts once more, with the
validation molecules among those that are learned from.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.data import moleculenet
from dlportal.data.moleculenet import SOURCES, TRAIN, VALIDATION, Molecules
from dlportal.kinds.molecule_features import circles
from dlportal.messages import N_, InputError
from dlportal.nets.fingerprint_net import FingerprintNet
from dlportal.nets.molecule_net import Graphs, MoleculeNet, Sizes
from dlportal.nets.property_nets import (
    FOLD,
    MEMBERS,
    READINGS,
    SEEDS,
    PropertyNets,
    build,
    familiarity,
    graphs_of,
    join,
)
from dlportal.training.calibration import fit_temperature
from dlportal.training.events import Event, Run
from dlportal.training.fit import Plan, fit, seed_everything
from dlportal.training.metrics import auc, rmse
from dlportal.training.molecule_table import MoleculeBatches, MoleculeTable, ask

COVERAGE = 0.9
"""Share of the validation molecules whose measurement lies in its interval."""
KNOWN = 0.05
"""Share of the validation molecules that count as unlike the training molecules."""


@dataclass(frozen=True)
class Recipe:
    """How the networks of one set are trained."""

    epochs: int
    batch: int = 64
    rate: float = 2e-3
    weight_decay: float = 0.02


RECIPES = {
    "esol": Recipe(40),
    "lipophilicity": Recipe(20),
    "bbbp": Recipe(6),
    "bace": Recipe(14),
    "tox21": Recipe(6, batch=128),
}


# Of the networks that read fingerprints and descriptors.
PRINTS = {name: Recipe(30, rate=1e-3, weight_decay=0.05) for name in READINGS}


def train_nets(settings: Settings, run: Run) -> PropertyNets:
    """Train all sets (a quick training: one seed of one set, `settings.part`).

    `run` gets what prediction needs: temperatures, intervals, base rates, what is familiar.

    Raises:
        InputError: No such part.
    """
    quick = settings.budget == "quick"
    names = [settings.part or "esol"] if quick else list(SOURCES)
    if names[0] not in SOURCES:
        raise InputError(
            N_("There is no set {part}. Choose one of: {sets}."),
            part=settings.part,
            sets=", ".join(SOURCES),
        )
    nets = build(1 if quick else SEEDS)
    for name in names:
        data = moleculenet.load(name)
        table = compute(name, data, run)
        if run.cancelled():
            return nets
        train_set(name, data, table, data.rows(TRAIN), settings, run, nets)
        if run.cancelled():
            return nets
        constants = measure_constants(name, data, table, nets)
        run.constants.setdefault("sets", {})[name] = constants
        if not quick and SOURCES[name].yes_no:
            rows = moleculenet.learned_rows(data, name)
            train_set(name, data, table, rows, settings, run, nets)
            if run.cancelled():
                return nets
            learn_familiar(name, data, rows, nets)
    return nets


def compute(name: str, data: Molecules, run: Run) -> MoleculeTable:
    """Features and descriptors of a set's molecules; stops where the training is stopped."""
    run.emit(Event("message", text=f"{name}: features of {len(data):,} molecules"))

    def tell(_done: int) -> bool:
        run.hold(1, lambda: None)
        return run.cancelled()

    return MoleculeTable.kept(data.smiles, tell)


def standardise(y: np.ndarray, yes_no: bool) -> tuple[float, float]:
    """Mean and standard deviation of training measurements; 0 and 1 for yes and no."""
    return (0.0, 1.0) if yes_no else (float(y.mean()), float(y.std()))


def train_set(
    name: str,
    data: Molecules,
    table: MoleculeTable,
    rows: np.ndarray,
    settings: Settings,
    run: Run,
    nets: PropertyNets,
) -> None:
    """Train the ensembles of one set, of both kinds, on these molecules; put them into `nets`."""
    nets.scale[list(SOURCES).index(name)] = torch.tensor(
        standardise(data.y[rows], SOURCES[name].yes_no)
    )
    for kind in ("prints", "graph") if name in READINGS else ("graph",):
        train_kind(kind, name, data, table, rows, settings, run, nets)
        if run.cancelled():
            return


def train_kind(
    kind: str,
    name: str,
    data: Molecules,
    table: MoleculeTable,
    rows: np.ndarray,
    settings: Settings,
    run: Run,
    nets: PropertyNets,
) -> None:
    """Train one set's networks of one kind, `prints` or `graph`, on these molecules."""
    yes_no = SOURCES[name].yes_no
    once_more = np.isin(data.rows(VALIDATION), rows).any()
    center, spread = standardise(data.y[rows], yes_no)
    y = ((data.y[rows] - center) / spread).astype(np.float32)
    recipe = (PRINTS if kind == "prints" else RECIPES)[name]
    trained = []
    for seed in range(nets.trainings):
        number = settings.seed * 1000 + seed
        with torch.random.fork_rng(devices=[]):
            seed_everything(number)
            net = beginner(kind, name, nets.sizes, data.y.shape[1])
        net.ranks.fit(table.descriptors[torch.from_numpy(rows)])
        begin_at_base_rate(net, y, yes_no)
        batches = MoleculeBatches(table, rows, y, recipe.batch, number)
        validate = (
            epochs_alone(run) if once_more else validation(name, data, table, center, spread, run)
        )
        loss = yes_no_loss if yes_no else number_loss
        called = f"{name}-{seed}" if kind == "graph" else f"{name}-{kind}-{seed}"
        called += "-all" if once_more else ""
        fit(net, batches, loss, validate, plan_of(recipe, number), run, called)
        trained.append(net.cpu())
        if run.cancelled():
            return
    join(trained, getattr(nets.nets[name], kind))


def beginner(kind: str, name: str, sizes: Sizes, tasks: int) -> MoleculeNet | FingerprintNet:
    """The members of one training, which know nothing yet."""
    if kind == "prints":
        return FingerprintNet(sizes, tasks, MEMBERS, READINGS[name])
    return MoleculeNet(sizes, tasks, graphs_of(name))


def plan_of(recipe: Recipe, seed: int) -> Plan:
    return Plan(
        epochs=recipe.epochs,
        rate=recipe.rate,
        weight_decay=recipe.weight_decay,
        metric="epoch",
        clip=5.0,
        seed=seed,
        bf16=False,  # sums over atoms need the precision
    )


def begin_at_base_rate(net: MoleculeNet | FingerprintNet, y: np.ndarray, yes_no: bool) -> None:
    """Let the untrained networks say how often each answer is yes."""
    if yes_no:
        share = torch.from_numpy(np.nanmean(y, axis=0)).float().clamp(0.01, 0.99)
        with torch.no_grad():
            net.second.bias.add_(torch.logit(share))


def number_loss(net: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Squared error of every member by itself, straight for errors above one deviation."""
    *fields, y = batch
    said = net(Graphs(*fields))
    return F.smooth_l1_loss(said, y.expand_as(said))


def yes_no_loss(net: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Cross-entropy of every member by itself; what was not measured does not count."""
    *fields, y = batch
    said = net(Graphs(*fields))
    known = torch.isfinite(y)
    target = torch.nan_to_num(y).expand_as(said)
    each = F.binary_cross_entropy_with_logits(said, target, reduction="none")
    return (each * known).sum() / (known.sum() * len(said)).clamp(min=1)


def mean_auc(y: np.ndarray, said: np.ndarray) -> float:
    """AUC averaged over tasks, of the molecules measured in each; arrays (N, tasks)."""
    areas = []
    for truth, score in zip(y.T, said.T, strict=True):
        known = np.isfinite(truth)
        if 0 < truth[known].sum() < known.sum():
            areas.append(auc(truth[known], score[known]))
    return float(np.mean(areas)) if areas else math.nan


def validation(
    name: str, data: Molecules, table: MoleculeTable, center: float, spread: float, run: Run
) -> Callable[[nn.Module], dict[str, float]]:
    """Scores on the validation molecules. They do not choose the epoch."""
    rows = data.rows(VALIDATION)

    def validate(net: nn.Module) -> dict[str, float]:
        said = ask(net, table, rows).mean(axis=0) * spread + center
        if SOURCES[name].yes_no:
            found = {"auc": mean_auc(data.y[rows], said)}
        else:
            found = {"rmse": rmse(data.y[rows][:, 0], said[:, 0])}
        # Grows with every epoch, also after an interruption: so the last one is kept.
        return {**found, "epoch": float(len(run.curve))}

    return validate


def epochs_alone(run: Run) -> Callable[[nn.Module], dict[str, float]]:
    """Where no molecules are left to judge by."""
    return lambda _net: {"epoch": float(len(run.curve))}


def measure_constants(
    name: str, data: Molecules, table: MoleculeTable, nets: PropertyNets
) -> dict[str, float | list[float]]:
    """What prediction needs beside the weights: from training and validation molecules."""
    place = list(SOURCES).index(name)
    center, spread = nets.scale[place].tolist()
    train, held = data.rows(TRAIN), data.rows(VALIDATION)
    said = ask(nets.nets[name].eval(), table, held) * spread + center
    found: dict[str, float | list[float]] = {}
    if SOURCES[name].yes_no:
        known = np.isfinite(data.y[held])
        found["temperature"] = fit_temperature(said.mean(axis=0)[known], data.y[held][known])
        found["base_rate"] = np.nanmean(data.y[train], axis=0).round(4).tolist()
    else:
        found |= conformal(data.y[held][:, 0], said[:, :, 0])
    familiar = learn_familiar(name, data, train, nets)
    found["familiar_from"] = round(float(np.quantile(familiar[held], KNOWN)), 4)
    return found


def conformal(y: np.ndarray, said: np.ndarray) -> dict[str, float]:
    """How wide an interval must be, in units of disagreement plus its usual size.

    Paper: Vovk, Gammerman and Shafer 2005, https://doi.org/10.1007/b106715; scaled by the spread
    after Papadopoulos et al. 2008.

    Args:
        y: Measurements, shape (N,).
        said: Of every member, shape (members, N).
    """
    spread = said.std(axis=0)
    usual = float(np.median(spread))
    misses = np.sort(np.abs(y - said.mean(axis=0)) / (spread + usual))
    rank = min(len(y) - 1, math.ceil((len(y) + 1) * COVERAGE) - 1)
    return {"usual_spread": round(usual, 5), "reach": round(float(misses[rank]), 5)}


def surroundings(smiles: str) -> Tensor:
    """Numbers of what surrounds a molecule's atoms, within one bond and within two; 0 is none."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
    return torch.from_numpy(circles(mol, FOLD)[:, 1:].ravel())


def learn_familiar(name: str, data: Molecules, rows: np.ndarray, nets: PropertyNets) -> np.ndarray:
    """Note the surroundings of these molecules of a set; returns all molecules' familiarity."""
    found = [surroundings(text) for text in data.smiles]
    learned = torch.cat([found[int(row)] for row in rows])
    nets.see(name, learned[learned > 0].tolist())
    return np.array([familiarity(nets, name, numbers) for numbers in found])
