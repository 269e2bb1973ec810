"""The usual models for rows of numbers, to stand beside a network on the same columns.

Their settings were chosen once on validation days of another simulated world, as the network's
were; every one of them gets the same rows and the same columns.
"""

from collections.abc import Callable

import numpy as np

Score = Callable[[np.ndarray], np.ndarray]
"""Maps rows (N, F) to scores (N,), higher for yes."""


def logistic_regression(x: np.ndarray, y: np.ndarray, seed: int) -> Score:
    """Fit a logistic regression.

    Args:
        x: Standardised rows, shape (N, F).
        y: 0 or 1, shape (N,).
        seed: Unused; the fit has one solution.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=500).fit(x, y)
    return lambda rows: model.decision_function(rows)


def random_forest(x: np.ndarray, y: np.ndarray, seed: int) -> Score:
    """Fit a random forest of 100 trees, each on a third of the rows (or 50,000, if that is more).

    Paper: Breiman 2001, https://doi.org/10.1023/A:1010933404324
    """
    from sklearn.ensemble import RandomForestClassifier

    share = min(1.0, max(1 / 3, 50_000 / len(x)))
    model = RandomForestClassifier(
        100, min_samples_leaf=3, max_samples=share, n_jobs=2, random_state=seed
    ).fit(x, y)
    return lambda rows: model.predict_proba(rows)[:, 1]


def gradient_boosting(x: np.ndarray, y: np.ndarray, seed: int) -> Score:
    """Fit histogram gradient boosting (scikit-learn's, after LightGBM).

    Paper: Friedman 2001, https://doi.org/10.1214/aos/1013203451
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=300 if len(x) > 200_000 else 150,
        learning_rate=0.05,
        max_leaf_nodes=31 if len(x) > 200_000 else 15,
        min_samples_leaf=40,
        l2_regularization=5.0,
        early_stopping=False,
        random_state=seed,
    ).fit(x, y)
    return lambda rows: model.decision_function(rows)


BASELINES: dict[str, Callable[[np.ndarray, np.ndarray, int], Score]] = {
    "logistic regression": logistic_regression,
    "random forest": random_forest,
    "gradient boosting": gradient_boosting,
}
