"""The formulas on the practice lab's page, as they are written there, in NumPy.

Tests compare every function here with torch. `LATEX` holds what the page shows.
"""

import math
from dataclasses import dataclass

import numpy as np

from dlportal.training.metrics import confusion_counts, exact_interval, f1, interval, macro_f1

LATEX = {
    "unit": r"x' = \frac{x}{255}",
    "standard": r"x' = \frac{x-\mu}{\sigma}",
    "flip": r"(i, j) \mapsto (i, W-1-j)",
    "rotate": r"\begin{pmatrix}u'\\v'\end{pmatrix} = \begin{pmatrix}\cos\alpha & -\sin\alpha\\ \sin\alpha & \cos\alpha\end{pmatrix}\begin{pmatrix}u\\v\end{pmatrix}",
    "crop": r"(i, j) \mapsto (i+\Delta_i,\; j+\Delta_j)",
    "convolution": r"n = (3\cdot 3\cdot c_\text{in} + b)\,c_\text{out}",
    "pooling": r"H' = \lfloor H/2 \rfloor",
    "batch_norm": r"h' = \gamma\,\frac{h-\mu_B}{\sqrt{\sigma_B^2+\epsilon}} + \beta",
    "loss": r"L = -\frac1B\sum_{b}\log\frac{e^{z_{b,t_b}}}{\sum_k e^{z_{b,k}}}",
    "update": r"g \leftarrow \nabla L + \lambda\theta,\quad v \leftarrow \beta v + g,\quad \theta \leftarrow \theta - \eta_t v",
    "dropout": r"h' = \frac{m\,h}{1-p},\quad m \in \{0,1\},\; P(m=0)=p",
    "warmup": r"\eta_t = \eta\,\frac{t+1}{w} \quad (t < w)",
    "constant": r"\eta_t = \eta",
    "stairs": r"\eta_t = \eta\cdot\begin{cases}1 & s < \frac12\\ 0.1 & s < \frac34\\ 0.01\end{cases},\quad s=\frac{t-w}{T-w}",
    "cosine": r"\eta_t = \frac{\eta}{2}\Bigl(1+\cos\pi\frac{t-w}{T-w}\Bigr)",
    "accuracy": r"\text{accuracy} = \frac1N\sum_c n_{cc}",
    "precision": r"\text{precision}_c = \frac{n_{cc}}{\sum_t n_{tc}}",
    "recall": r"\text{recall}_c = \frac{n_{cc}}{\sum_p n_{cp}}",
    "f1": r"F_{1,c} = \frac{2\,n_{cc}}{\sum_t n_{tc} + \sum_p n_{cp}}",
    "folds": r"\bar a \pm t_{k-1}\,\frac{s}{\sqrt k}",
}


def unit(x: np.ndarray) -> np.ndarray:
    """Bytes to [0, 1]."""
    return x / 255


def standard(x: np.ndarray) -> np.ndarray:
    """Mean 0, standard deviation 1."""
    return (x - x.mean()) / x.std()


def convolution(before: int, after: int, bias: bool) -> int:
    """Parameters of a 3 × 3 convolution."""
    return (3 * 3 * before + int(bias)) * after


def pooled(side: int) -> int:
    """Side after 2 × 2 pooling."""
    return side // 2


def batch_norm(h: np.ndarray, gamma: float, beta: float, epsilon: float) -> np.ndarray:
    """One channel over a batch."""
    return gamma * (h - h.mean()) / np.sqrt(h.var() + epsilon) + beta


def cross_entropy(z: np.ndarray, target: np.ndarray) -> float:
    """Mean over the batch; z (B, classes), target (B,)."""
    e = np.exp(z)
    return float(-np.log(e[np.arange(len(z)), target] / e.sum(axis=1)).mean())


def update(
    theta: float, v: float, gradient: float, rate: float, momentum: float, decay: float
) -> tuple[float, float]:
    """One step of SGD with momentum and weight decay: new θ and v."""
    v = momentum * v + gradient + decay * theta
    return theta - rate * v, v


def dropout(h: np.ndarray, kept: np.ndarray, p: float) -> np.ndarray:
    """What is kept grows, so that the sum stays the same on average."""
    return kept * h / (1 - p)


def rate(kind: str, t: int, steps: int, warmup: int, peak: float) -> float:
    """The learning rate of step t (from 0) of a schedule."""
    if t < warmup:
        return peak * (t + 1) / warmup
    s = (t - warmup) / (steps - warmup)
    if kind == "stairs":
        return peak * (1 if s < 0.5 else 0.1 if s < 0.75 else 0.01)
    return peak / 2 * (1 + math.cos(math.pi * s)) if kind == "cosine" else peak


@dataclass(frozen=True)
class Bounded:
    """A proportion with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ClassScores:
    """How a class fares: of what was called so, how much is; of what is so, how much was found."""

    precision: Bounded
    recall: Bounded
    f1: Bounded
    count: int


def proportion(hits: int, n: int) -> Bounded:
    """With the exact interval; 0 in [0, 1] where there was nothing to hit."""
    return Bounded(hits / n if n else 0.0, *exact_interval(hits, n))


def class_scores(truth: np.ndarray, predicted: np.ndarray, classes: int) -> list[ClassScores]:
    """Precision and recall with exact intervals, F1 with a bootstrap's, for each class."""
    counts = confusion_counts(truth, predicted, classes)
    out = []
    for c in range(classes):
        hits, called, there = int(counts[c, c]), int(counts[:, c].sum()), int(counts[c].sum())
        harmonic = Bounded(*interval(f1, truth == c, predicted == c))
        out.append(ClassScores(proportion(hits, called), proportion(hits, there), harmonic, there))
    return out


def fold_mean(accuracies: list[float]) -> Bounded:
    """Mean of the folds with its t interval (folds share training pictures: a rough guide)."""
    from scipy.stats import t

    k, mean = len(accuracies), float(np.mean(accuracies))
    if k < 2:
        return Bounded(mean, 0.0, 1.0)
    half = float(t.ppf(0.975, k - 1) * np.std(accuracies, ddof=1) / math.sqrt(k))
    return Bounded(mean, max(0.0, mean - half), min(1.0, mean + half))


@dataclass(frozen=True)
class Report:
    """How a training did on its held-out pictures; `counts` has rows for the truth."""

    accuracy: Bounded
    macro_f1: Bounded
    classes: list[ClassScores]
    counts: np.ndarray


def report(truth: np.ndarray, predicted: np.ndarray, classes: int) -> Report:
    """Everything at once; labels (N,)."""
    counts = confusion_counts(truth, predicted, classes)
    return Report(
        proportion(int(np.trace(counts)), len(truth)),
        Bounded(*interval(macro_f1, truth, predicted)),
        class_scores(truth, predicted, classes),
        counts,
    )
