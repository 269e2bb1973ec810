"""Five sets of molecules with measured properties, split by scaffold.

Wu et al. 2018, MoleculeNet, https://arxiv.org/abs/1703.00564. Read from each file: the SMILES and
the measurement alone. ESOL's column of predictions, BACE's pIC50 (its class says no more than
whether that lies above 7) and its descriptors are never looked at.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from dlportal.data.files import dataset_file
from dlportal.messages import N_, InputError

NAME = "moleculenet"
TRAIN, VALIDATION, TEST = range(3)
SPLITS = ("train", "validation", "test")
SHARES = (0.8, 0.1)  # of the molecules in training and validation; the rest is the test part
TOX21 = (
    "NR-AR",
    "NR-AR-LBD",
    "NR-AhR",
    "NR-Aromatase",
    "NR-ER",
    "NR-ER-LBD",
    "NR-PPAR-gamma",
    "SR-ARE",
    "SR-ATAD5",
    "SR-HSE",
    "SR-MMP",
    "SR-p53",
)


@dataclass(frozen=True)
class Source:
    """Where a set lies: `columns` hold the measurements, blank where there is none."""

    file: str
    columns: tuple[str, ...]
    yes_no: bool


SOURCES = {
    "esol": Source(
        "ESOL_delaney-processed.csv", ("measured log solubility in mols per litre",), False
    ),
    "lipophilicity": Source("Lipophilicity.csv", ("exp",), False),
    "bbbp": Source("BBBP.csv", ("p_np",), True),
    "bace": Source("bace.csv", ("Class",), True),
    "tox21": Source("tox21.csv", TOX21, True),
}


@dataclass(frozen=True)
class Molecules:
    """The molecules of one set, each once.

    Attributes:
        smiles: Canonical, N of them.
        y: Shape (N, tasks), float64; NaN where nothing was measured.
        split: Shape (N,): `TRAIN`, `VALIDATION` or `TEST`.
        dropped: Rows of the file that are left out, by reason: `unreadable`, `repeated`.
    """

    smiles: tuple[str, ...]
    y: np.ndarray
    split: np.ndarray
    dropped: dict[str, int]

    def __len__(self) -> int:
        return len(self.smiles)

    def take(self, rows: np.ndarray) -> "Molecules":
        """The molecules with these indices, in this order."""
        smiles = tuple(self.smiles[row] for row in rows)
        return Molecules(smiles, self.y[rows], self.split[rows], self.dropped)

    def rows(self, split: int) -> np.ndarray:
        """Indices of a part, rising."""
        return np.flatnonzero(self.split == split)


def learned_rows(data: Molecules, name: str) -> np.ndarray:
    """Indices of the molecules that the shipped networks of a set, and their rivals, learned from.

    Answers of yes or no: the training and the validation molecules, once the latter have chosen
    the recipe and the temperature; they have rarer scaffolds, as those that are asked about have.
    Numbers: the training molecules alone, since an interval holds what it promises only of
    molecules that the networks have not learned.
    """
    parts = (TRAIN, VALIDATION) if SOURCES[name].yes_no else (TRAIN,)
    return np.flatnonzero(np.isin(data.split, parts))


@cache
def load(name: str) -> Molecules:
    """One set, the same on every machine.

    Raises:
        AssetError: The file is neither here nor to be had, or is another.
        ValueError: No such set.
    """
    if name not in SOURCES:
        raise ValueError(f"no set {name!r}; sets: {', '.join(SOURCES)}")
    return read(dataset_file(NAME, SOURCES[name].file), name)


def recognise(path: Path) -> str:
    """Which of the sets a CSV is laid out like.

    Raises:
        InputError: None of them.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = set(next(csv.reader(file), ()))
    except (OSError, UnicodeDecodeError, csv.Error):
        header = set()
    for name, source in SOURCES.items():
        if {"smiles", *source.columns} <= header:
            return name
    wanted = "; ".join(f"{n}: {s.columns[0]}" for n, s in SOURCES.items())
    raise InputError(
        N_("{file} needs a column smiles and the measurements of one set ({wanted})."),
        file=path.name,
        wanted=wanted,
    )


def read(path: Path, name: str) -> Molecules:
    """Read a CSV laid out like one of the sets.

    Measurements of one molecule that stands there several times are averaged; classes that
    contradict each other count as not measured.

    Raises:
        InputError: Not a CSV, a column is missing, a cell is no number, or no molecule is left.
    """
    smiles: list[str] = []
    values: list[list[np.ndarray]] = []
    repeated = unreadable = 0
    places: dict[str, int] = {}
    for given, row in rows_of(path, SOURCES[name]):
        canonical = canonicalise(given)
        if canonical is None:
            unreadable += 1
        elif canonical in places:
            values[places[canonical]].append(row)
            repeated += 1
        else:
            places[canonical] = len(smiles)
            smiles.append(canonical)
            values.append([row])
    if not smiles:
        raise InputError(N_("{file} holds no readable molecule."), file=path.name)
    y = np.stack([joined(rows, SOURCES[name].yes_no) for rows in values])
    kept = np.isfinite(y).any(axis=1)
    smiles = [s for s, good in zip(smiles, kept, strict=True) if good]
    dropped = {"unreadable": unreadable, "repeated": repeated + int((~kept).sum())}
    return Molecules(tuple(smiles), y[kept], scaffold_split(smiles), dropped)


def rows_of(path: Path, source: Source) -> Iterable[tuple[str, np.ndarray]]:
    """SMILES and measurements, row by row; columns are found by their names."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"smiles", *source.columns} - set(reader.fieldnames or ())
            if missing:
                raise InputError(
                    N_("{file} has no column {column}. Lay it out like {original}."),
                    file=path.name,
                    column=min(missing),
                    original=source.file,
                )
            for line, row in enumerate(reader, start=2):
                yield row["smiles"] or "", numbers(row, source, path.name, line)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(N_("{file} is no readable CSV file."), file=path.name) from error


def numbers(row: dict[str, str], source: Source, file: str, line: int) -> np.ndarray:
    """The measurements of one row, NaN where a cell is blank.

    Raises:
        InputError: A cell is no number, or no 0 or 1 where one is due.
    """
    cells = [(row[column] or "").strip() for column in source.columns]
    try:
        found = np.array([float(cell) if cell else np.nan for cell in cells])
        wrong = source.yes_no and not np.isin(found[np.isfinite(found)], (0, 1)).all()
    except ValueError:
        wrong = True
    if wrong:
        raise InputError(
            N_("{file}, line {line}: {cells} is not what this column holds."),
            file=file,
            line=line,
            cells=", ".join(cells)[:60],
        )
    return found


def joined(rows: Sequence[np.ndarray], yes_no: bool) -> np.ndarray:
    """One row from the rows of a molecule, shape (tasks,)."""
    known = np.stack(rows)
    count = np.isfinite(known).sum(axis=0)
    mean = np.where(count > 0, np.nansum(known, axis=0) / np.maximum(count, 1), np.nan)
    return np.where(np.isin(mean, (0, 1)), mean, np.nan) if yes_no else mean


def canonicalise(smiles: str) -> str | None:
    """RDKit's canonical SMILES, or None where it is no molecule."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles) if smiles.strip() else None
    return Chem.MolToSmiles(mol) if mol is not None and mol.GetNumAtoms() else None


def scaffold(smiles: str) -> str:
    """The ring systems of a molecule and what links them; "" where it has no ring.

    Paper: Bemis and Murcko 1996, https://doi.org/10.1021/jm9602928
    """
    from rdkit import rdBase
    from rdkit.Chem.Scaffolds import MurckoScaffold

    with rdBase.BlockLogs():
        return str(MurckoScaffold.MurckoScaffoldSmiles(smiles=smiles, includeChirality=False))


def scaffold_split(smiles: Sequence[str]) -> np.ndarray:
    """The field's usual split: molecules with one scaffold stay together, and the commonest
    scaffolds go into training first, so that the test part is full of rare ones.

    Args:
        smiles: N readable molecules.

    Returns:
        Shape (N,): `TRAIN`, `VALIDATION` or `TEST`. No chance is involved.
    """
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(smiles):
        groups.setdefault(scaffold(text), []).append(row)
    order = sorted(groups.values(), key=lambda rows: (len(rows), rows[0]), reverse=True)
    room = [SHARES[0] * len(smiles), sum(SHARES) * len(smiles)]
    split = np.full(len(smiles), TEST)
    train = validation = 0
    for rows in order:
        if train + len(rows) <= room[0]:
            split[rows] = TRAIN
            train += len(rows)
        elif train + validation + len(rows) <= room[1]:
            split[rows] = VALIDATION
            validation += len(rows)
    return split
