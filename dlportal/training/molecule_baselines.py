"""What stands beside the networks: a random forest on fingerprints, on the same molecules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlportal.cards import Metric
from dlportal.data import moleculenet
from dlportal.data.moleculenet import SOURCES
from dlportal.training.metrics import interval

if TYPE_CHECKING:
    from dlportal.training.molecule_evaluation import Judged

BITS, RADIUS, TREES = 2048, 2, 100
FOREST = "random forest on Morgan fingerprints"


def fingerprints(smiles: Sequence[str]) -> np.ndarray:
    """Morgan fingerprints, shape (N, `BITS`), 0 or 1.

    Paper: Rogers and Hahn 2010, https://doi.org/10.1021/ci100050t
    """
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    with rdBase.BlockLogs():
        mols = [Chem.MolFromSmiles(text) for text in smiles]
    return np.stack([generator.GetFingerprintAsNumPy(mol) for mol in mols]).astype(np.float32)


def forest(x: np.ndarray, y: np.ndarray, yes_no: bool, asked: np.ndarray) -> np.ndarray:
    """Answers of a forest that learned rows (N, `BITS`) with measurements (N,)."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    if yes_no:
        model = RandomForestClassifier(TREES, n_jobs=1, random_state=0, class_weight="balanced")
        return model.fit(x, y.astype(np.int64)).predict_proba(asked)[:, 1]
    return (
        RandomForestRegressor(TREES, n_jobs=1, random_state=0, max_features=0.3)
        .fit(x, y)
        .predict(asked)
    )


def baselines(one: Judged) -> Iterator[Metric]:
    """The score, on the molecules that the networks were asked, of a forest that learned from the
    same ones as they."""
    whole = moleculenet.load(one.name)
    train = whole.take(moleculenet.learned_rows(whole, one.name))
    x, asked = fingerprints(train.smiles), fingerprints(one.smiles)
    said = np.empty_like(one.y)
    for task in range(one.y.shape[1]):
        known = np.isfinite(train.y[:, task])
        yes_no = SOURCES[one.name].yes_no
        said[:, task] = forest(x[known], train.y[known, task], yes_no, asked)
    yield one.metric(one.main, interval(one.score, one.y, said), FOREST)
