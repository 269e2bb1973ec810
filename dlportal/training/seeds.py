"""What several seeds say together: one value, and an interval that knows of seeds and test rows."""

from typing import Any

import numpy as np

DRAWS = 1000


def over_seeds(right: Any, seed: int = 0) -> tuple[float, float, float]:
    """Share answered right, over seeds and rows, with a 95 % interval.

    Trainings and test rows are both drawn again, with replacement, so that the interval covers
    another training as well as another test set. With three seeds it is still a narrow guess at
    what other seeds would do.

    Args:
        right: Whether each row was answered right, shape (seeds, rows).
        seed: Of the resampling.

    Returns:
        Value, lower and upper bound.

    Raises:
        ValueError: Not two axes.
    """
    right = np.asarray(right, dtype=np.float64)
    if right.ndim != 2 or not right.size:
        raise ValueError(f"need (seeds, rows), not {right.shape}")
    seeds, rows = right.shape
    rng = np.random.default_rng(seed)
    drawn = np.empty(DRAWS)
    for index in range(DRAWS):
        some = right[rng.integers(0, seeds, seeds)].mean(axis=0)
        drawn[index] = some[rng.integers(0, rows, rows)].mean()
    low, high = np.percentile(drawn, [2.5, 97.5])
    value = float(right.mean())
    return value, min(float(low), value), max(float(high), value)
