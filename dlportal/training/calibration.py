"""Does 80 % mean 80 %? Temperature scaling and reliability curves."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dlportal.cards import Calibration, Reliability
from dlportal.training.metrics import ece, two_columns


def negative_log_likelihood(
    logits: Tensor, labels: Tensor, weights: Tensor, temperature: Tensor
) -> Tensor:
    """Of class logits (N, K) with labels (N,), or of sigmoid logits shaped like the labels;
    `weights` has shape (N,)."""
    if logits.ndim == 2 and labels.ndim == 1:
        rows = F.cross_entropy(logits / temperature, labels.long(), reduction="none")
    else:
        rows = F.binary_cross_entropy_with_logits(
            logits / temperature, labels.to(logits), reduction="none"
        )
        rows = rows.flatten(1).mean(dim=1) if rows.ndim > 1 else rows
    return (rows * weights).sum() / weights.sum()


def fit_temperature(logits: Any, labels: Any, weights: Any = None) -> float:
    """Find the temperature that makes validation probabilities honest.

    Paper: Guo et al. 2017, https://arxiv.org/abs/1706.04599

    Args:
        logits: Shape (N, K) for one of K classes, (N,) or (N, K) for yes/no answers.
        labels: Shape (N,) class indices, or 0/1 shaped like `logits`.
        weights: How much each row counts, shape (N,); all the same by default. Use them where
            the classes are to count otherwise than they occur.

    Returns:
        Temperature in [0.05, 20]; logits are divided by it.
    """
    y = torch.as_tensor(np.asarray(logits), dtype=torch.float64)
    t = torch.as_tensor(np.asarray(labels))
    w = torch.ones(len(y)) if weights is None else torch.as_tensor(np.asarray(weights))
    # inference_mode tensors cannot be followed by gradients, and a caller may be inside it.
    with torch.inference_mode(False), torch.enable_grad():
        y, t, w = y.clone(), t.clone(), w.to(y.dtype).clone()
        log_temperature = torch.zeros((), dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS(
            [log_temperature], lr=0.5, max_iter=100, line_search_fn="strong_wolfe"
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = negative_log_likelihood(y, t, w, log_temperature.exp())
            loss.backward()
            return loss

        optimizer.step(closure)
    # Labels that the logits separate perfectly would push the temperature to zero.
    return float(log_temperature.detach().exp().clamp(0.05, 20.0))


def reliability(probabilities: Any, labels: Any, bins: int = 10) -> Reliability:
    """Mean confidence and accuracy in bins of equal width; empty bins are left out.

    Args:
        probabilities: Shape (N, K), or (N,) of the positive class of two.
        labels: Shape (N,).
        bins: Bins over [0, 1].
    """
    p = two_columns(np.asarray(probabilities))
    confidence, right = p.max(axis=1), p.argmax(axis=1) == np.asarray(labels)
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = count > 0
    sums = np.bincount(place, weights=confidence, minlength=bins)
    hits = np.bincount(place, weights=right, minlength=bins)
    return Reliability(
        confidence=(sums[filled] / count[filled]).tolist(),
        accuracy=(hits[filled] / count[filled]).tolist(),
        count=count[filled].tolist(),
    )


def softmax(logits: Any, temperature: float = 1.0) -> np.ndarray:
    """Probabilities (N, K) of logits (N, K); (N,) sigmoid logits give (N,)."""
    y = torch.as_tensor(np.asarray(logits), dtype=torch.float64) / temperature
    return (torch.sigmoid(y) if y.ndim == 1 else torch.softmax(y, dim=-1)).numpy()


def calibration_at(temperature: float, logits: Any, labels: Any) -> Calibration:
    """How honest a given temperature makes the probabilities of other data."""
    before, after = softmax(logits), softmax(logits, temperature)
    return before_and_after(temperature, (before, labels), (after, labels))


def before_and_after(
    temperature: float, before: tuple[Any, Any], after: tuple[Any, Any]
) -> Calibration:
    """What a temperature changed: probabilities and truth without it, and with it."""
    return Calibration(
        temperature=temperature,
        ece_before=ece(before[1], before[0]),
        ece_after=ece(after[1], after[0]),
        before=reliability(*before),
        after=reliability(*after),
    )


def calibrate(
    validation_logits: Any, validation_labels: Any, test_logits: Any, test_labels: Any
) -> Calibration:
    """Fit the temperature on validation, report what it does on test."""
    temperature = fit_temperature(validation_logits, validation_labels)
    return calibration_at(temperature, test_logits, test_labels)
