"""Metrics with 95 % intervals by bootstrap.

Every metric is called as `metric(truth, prediction)` on NumPy arrays (or what `np.asarray` takes)
and also draws its own bootstrap, without a Python loop over 1,000 resamples where the maths
allow: metrics of the confusion matrix resample the matrix (multinomial counts, which is the same
distribution as resampling rows), means resample per-row values, rankings sort once and resample
weights.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlportal.cards import Metric as CardMetric

Array = np.ndarray
CHUNK = 4_000_000  # numbers held at once while resampling


def chunks(draws: int, width: int) -> list[int]:
    """Split `draws` into pieces of at most CHUNK / width."""
    size = max(1, CHUNK // max(1, width))
    return [min(size, draws - start) for start in range(0, draws, size)]


@dataclass(frozen=True)
class CountMetric:
    """A metric of the confusion matrix: `formula` maps counts (..., K, K), rows the truth."""

    name: str
    formula: Callable[[Array], Array]

    def __call__(self, truth: Any, predicted: Any) -> float:
        return float(self.formula(confusion_counts(truth, predicted).astype(np.float64)))

    def resample(self, rng: np.random.Generator, n: int, truth: Any, predicted: Any) -> Array:
        counts = confusion_counts(truth, predicted)
        filled = np.flatnonzero(counts)
        total = int(counts.sum())
        shares = counts.ravel()[filled] / total
        out = []
        for size in chunks(n, counts.size):
            drawn = np.zeros((size, counts.size))
            drawn[:, filled] = rng.multinomial(total, shares, size=size)
            out.append(self.formula(drawn.reshape(size, *counts.shape)))
        return np.concatenate(out)


@dataclass(frozen=True)
class RowMetric:
    """A metric that is a ratio of sums over rows: `rows` gives numerators and denominators."""

    name: str
    rows: Callable[..., tuple[Array, Array]]
    finish: Callable[[Array], Array] = lambda value: value

    def __call__(self, *arrays: Any) -> float:
        above, below = self.rows(*(np.asarray(array) for array in arrays))
        return float(self.finish(above.sum() / below.sum()))

    def resample(self, rng: np.random.Generator, n: int, *arrays: Any) -> Array:
        above, below = self.rows(*(np.asarray(array) for array in arrays))
        out = []
        for size in chunks(n, len(above)):
            rows = rng.integers(0, len(above), (size, len(above)))
            top, bottom = above[rows].sum(axis=1), below[rows].sum(axis=1)
            # Of few rows a draw may hold nothing to share; it does not count.
            empty = np.full(size, np.nan)
            out.append(self.finish(np.divide(top, bottom, out=empty, where=bottom != 0)))
        return np.concatenate(out)


@dataclass(frozen=True)
class RankMetric:
    """A metric of the order of scores: `formula(positive, weights, last)`.

    Rows come sorted by falling score. `positive` has shape (N,), `weights` (B, N) says how often
    each row was drawn, `last` marks the last row of each run of equal scores.
    """

    name: str
    formula: Callable[[Array, Array, Array], Array]

    def sort(self, truth: Any, scores: Any) -> tuple[Array, Array]:
        truth, scores = np.asarray(truth).astype(bool), np.asarray(scores, dtype=np.float64)
        if truth.all() or not truth.any():
            raise ValueError(f"{self.name} needs rows of both classes")
        order = np.argsort(-scores, kind="stable")
        last = np.append(np.diff(scores[order]) != 0, True)
        return truth[order].astype(np.float64), last

    def __call__(self, truth: Any, scores: Any) -> float:
        positive, last = self.sort(truth, scores)
        return float(self.formula(positive, np.ones((1, len(positive))), last)[0])

    def resample(self, rng: np.random.Generator, n: int, truth: Any, scores: Any) -> Array:
        positive, last = self.sort(truth, scores)
        rows = len(positive)
        out = []
        for size in chunks(n, rows):
            drawn = rng.integers(0, rows, (size, rows)) + rows * np.arange(size)[:, None]
            weights = np.bincount(drawn.ravel(), minlength=size * rows).reshape(size, rows)
            out.append(self.formula(positive, weights.astype(np.float64), last))
        return np.concatenate(out)


def confusion_counts(truth: Any, predicted: Any, classes: int | None = None) -> Array:
    """Counts, shape (K, K), rows the truth; K from the largest label unless given."""
    truth, predicted = np.asarray(truth).astype(np.int64), np.asarray(predicted).astype(np.int64)
    if truth.shape != predicted.shape or truth.ndim != 1 or not len(truth):
        raise ValueError(f"need two equal 1-D arrays, not {truth.shape} and {predicted.shape}")
    k = classes or max(2, int(max(truth.max(), predicted.max())) + 1)
    return np.bincount(truth * k + predicted, minlength=k * k).reshape(k, k)


def divide(above: Array, below: Array) -> Array:
    """Quotient; 0 where the denominator is 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def defined(above: Array, below: Array) -> Array:
    """Quotient; NaN for resamples in which the metric has no value (one class was not drawn)."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def diagonal(counts: Array) -> Array:
    return np.diagonal(counts, axis1=-2, axis2=-1)


def accuracy_formula(counts: Array) -> Array:
    return diagonal(counts).sum(-1) / counts.sum((-2, -1))


def balanced_formula(counts: Array) -> Array:
    support = counts.sum(-1)
    recalls = divide(diagonal(counts).copy(), support)
    return recalls.sum(-1) / (support > 0).sum(-1)


def macro_f1_formula(counts: Array) -> Array:
    both = counts.sum(-1) + counts.sum(-2)
    return divide(2 * diagonal(counts), both).sum(-1) / (both > 0).sum(-1)


def auc_formula(positive: Array, weights: Array, last: Array) -> Array:
    above = np.cumsum(weights * positive, axis=1)[:, last]
    below = np.cumsum(weights * (1 - positive), axis=1)[:, last]
    above = np.concatenate([np.zeros((len(above), 1)), above], axis=1)
    below = np.concatenate([np.zeros((len(below), 1)), below], axis=1)
    area = (np.diff(below, axis=1) * (above[:, 1:] + above[:, :-1]) / 2).sum(axis=1)
    return defined(area, above[:, -1] * below[:, -1])


def average_precision_formula(positive: Array, weights: Array, last: Array) -> Array:
    hits = np.cumsum(weights * positive, axis=1)[:, last]
    seen = np.cumsum(weights, axis=1)[:, last]
    gained = np.diff(hits, axis=1, prepend=0.0)
    return defined((gained * divide(hits, seen)).sum(axis=1), hits[:, -1])


def squared_error(truth: Array, predicted: Array) -> tuple[Array, Array]:
    error = (truth.astype(np.float64) - predicted) ** 2
    return error, np.ones_like(error)


def absolute_error(truth: Array, predicted: Array) -> tuple[Array, Array]:
    error = np.abs(truth.astype(np.float64) - predicted)
    return error, np.ones_like(error)


def log_loss_rows(truth: Array, probabilities: Array) -> tuple[Array, Array]:
    p = np.clip(two_columns(probabilities), 1e-12, 1.0)
    loss = -np.log(p[np.arange(len(p)), truth.astype(np.int64)])
    return loss, np.ones_like(loss)


def two_columns(probabilities: Array) -> Array:
    """Probabilities (N,) of the positive class become (N, 2)."""
    p = np.asarray(probabilities, dtype=np.float64)
    return np.stack([1 - p, p], axis=1) if p.ndim == 1 else p


# Of labels and predicted labels, both (N,) integers.
accuracy = CountMetric("accuracy", accuracy_formula)
balanced_accuracy = CountMetric("balanced_accuracy", balanced_formula)
macro_f1 = CountMetric("macro_f1", macro_f1_formula)
# Of binary labels and decisions, 1 the positive class.
sensitivity = CountMetric("sensitivity", lambda c: divide(c[..., 1, 1], c[..., 1, :].sum(-1)))
specificity = CountMetric("specificity", lambda c: divide(c[..., 0, 0], c[..., 0, :].sum(-1)))
precision = CountMetric("precision", lambda c: divide(c[..., 1, 1], c[..., :, 1].sum(-1)))
recall = CountMetric("recall", sensitivity.formula)
f1 = CountMetric(
    "f1", lambda c: divide(2 * c[..., 1, 1], c[..., 1, :].sum(-1) + c[..., :, 1].sum(-1))
)
# Of binary labels and scores, both (N,).
auc = RankMetric("auc", auc_formula)
average_precision = RankMetric("average_precision", average_precision_formula)
# Of numbers, both (N,).
rmse = RowMetric("rmse", squared_error, np.sqrt)
mae = RowMetric("mae", absolute_error)
# Of labels (N,) and probabilities (N, K), or (N,) of the positive class.
log_loss = RowMetric("log_loss", log_loss_rows)
# Of binary labels (N,) and probabilities (N,).
brier = RowMetric("brier", squared_error)
# Of one array: episode rewards, seconds ...
mean = RowMetric("mean", lambda values: (values.astype(np.float64), np.ones(len(values))))
# Of numerators and denominators: word errors and words give the word error rate.
ratio = RowMetric("ratio", lambda above, below: (above.astype(np.float64), below))


def ece(truth: Any, probabilities: Any, bins: int = 15) -> float:
    """Expected calibration error with bins of equal width.

    Paper: Guo et al. 2017, https://arxiv.org/abs/1706.04599

    Args:
        truth: Labels, shape (N,).
        probabilities: Shape (N, K), or (N,) of the positive class of two.
        bins: Number of bins over [0, 1].
    """
    p = two_columns(probabilities)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == np.asarray(truth)
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(p))


def r2(truth: Any, predicted: Any) -> float:
    """Share of the variance explained, at most 1."""
    truth = np.asarray(truth, dtype=np.float64)
    rest = ((truth - predicted) ** 2).sum()
    return float(1 - rest / ((truth - truth.mean()) ** 2).sum())


def multilabel_macro_f1(truth: Any, decisions: Any) -> float:
    """Mean F1 over labels; arrays (N, K) of 0 and 1."""
    truth, decisions = np.asarray(truth, dtype=bool), np.asarray(decisions, dtype=bool)
    hits = (truth & decisions).sum(axis=0).astype(np.float64)
    both = (truth.sum(axis=0) + decisions.sum(axis=0)).astype(np.float64)
    return float(divide(2 * hits, both).mean())


def interval(
    metric: Callable[..., float], *arrays: Any, n: int = 1000, seed: int = 0
) -> tuple[float, float, float]:
    """Measure, with a 95 % percentile bootstrap interval over rows.

    Paper: Efron 1979, https://doi.org/10.1214/aos/1176344552

    Args:
        metric: A metric of this module, or any function of arrays with equal first axes.
        *arrays: Its arguments.
        n: Resamples.
        seed: Seed of the resampling.

    Returns:
        Value, lower and upper bound.
    """
    rng = np.random.default_rng(seed)
    value = float(metric(*arrays))
    resample = getattr(metric, "resample", None)
    if resample is not None:
        drawn = resample(rng, n, *arrays)
    else:
        columns = [np.asarray(array) for array in arrays]
        rows = len(columns[0])
        drawn = np.empty(n)
        for index in range(n):
            picked = rng.integers(0, rows, rows)
            drawn[index] = metric(*(column[picked] for column in columns))
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    # Metrics that resampling biases (ECE grows with noise) can lie outside their own draws.
    return value, min(float(low), value), max(float(high), value)


def exact_interval(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper–Pearson interval of a proportion; (0, 1) where nothing was observed.

    Paper: Clopper and Pearson 1934, https://doi.org/10.1093/biomet/26.4.404
    """
    from scipy.stats import beta

    if n == 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(beta.ppf(tail, successes, n - successes + 1))
    high = 1.0 if successes == n else float(beta.ppf(1 - tail, successes + 1, n - successes))
    return low, high


def measured(
    name: str,
    data: str,
    split: str,
    metric: Callable[..., float],
    *arrays: Any,
    command: str = "",
    model: str = "",
    n: int | None = None,
    seed: int = 0,
) -> CardMetric:
    """A card's metric with its interval; `n` (rows) is the first array's length unless given."""
    value, low, high = interval(metric, *arrays, seed=seed)
    rows = len(arrays[0]) if n is None else n
    return CardMetric(
        name=name,
        data=data,
        split=split,
        value=value,
        low=low,
        high=high,
        n=rows,
        command=command,
        model=model,
    )
