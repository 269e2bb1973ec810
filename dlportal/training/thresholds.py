"""Where to draw the line for each of several yes/no answers."""

import numpy as np

DRAWS = 100  # resamples of the validation rows


def f1_thresholds(truth: np.ndarray, p: np.ndarray, seed: int = 0) -> np.ndarray:
    """The threshold of each label that makes its F1 highest.

    Rare labels have a handful of rows, where the single best line is luck: the median of the best
    lines of resampled rows is taken.

    Args:
        truth: Shape (N, K), 0 or 1.
        p: Probabilities (N, K).
        seed: Of the resampling.

    Returns:
        Shape (K,), in [0, 1]; a probability at or above it says yes.
    """
    rng = np.random.default_rng(seed)
    rows = len(truth)
    weights = np.stack(
        [np.bincount(rng.integers(0, rows, rows), minlength=rows) for _ in range(DRAWS)]
    )
    return np.array([_best(truth[:, k], p[:, k], weights) for k in range(truth.shape[1])])


def _best(truth: np.ndarray, p: np.ndarray, weights: np.ndarray) -> float:
    """Median over weightings (D, N) of the best threshold of one label."""
    order = np.argsort(-p, kind="stable")
    scores, drawn = p[order], weights[:, order].astype(np.float64)
    hits = np.cumsum(drawn * truth[order], axis=1)
    f1 = 2 * hits / np.maximum(1.0, np.cumsum(drawn, axis=1) + hits[:, -1:])
    f1[:, np.append(np.diff(scores) == 0, False)] = -1.0  # no line between equal scores
    lines = (scores + np.append(scores[1:], 0.0)) / 2
    return float(np.median(lines[f1.argmax(axis=1)]))
