"""Scores of forecasts of variance and return, and whether one is better than another."""

import math
from dataclasses import dataclass

import numpy as np


def qlike(truth: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Loss of each variance forecast: v/f - log(v/f) - 1; 0 is perfect.

    Paper: Patton 2011, https://doi.org/10.1016/j.jeconom.2010.03.034 (one of the two losses whose
    ranking of models survives a noisy proxy of variance).

    Args:
        truth: Realised variances, above 0, shape (N,).
        forecast: Forecast variances, above 0, shape (N,).
    """
    ratio = truth / forecast
    return ratio - np.log(ratio) - 1


def oos_r2(truth: np.ndarray, forecast: np.ndarray, mean: np.ndarray) -> float:
    """Share of squared error that a return forecast saves against the past mean.

    Paper: Campbell and Thompson 2008, https://doi.org/10.1093/rfs/hhm055
    """
    return float(1 - ((truth - forecast) ** 2).sum() / ((truth - mean) ** 2).sum())


@dataclass(frozen=True)
class Verdict:
    """Of a Diebold-Mariano test: mean difference in loss (below 0: the first is better), its
    statistic, and the two-sided p."""

    difference: float
    statistic: float
    p: float


def diebold_mariano(first: np.ndarray, second: np.ndarray) -> Verdict:
    """Test whether two series of losses have the same mean.

    Newey-West variance with the usual 4 (N / 100)^(2/9) lags, because a day's loss hangs together
    with the days around it.

    Paper: Diebold and Mariano 1995, https://doi.org/10.1080/07350015.1995.10524599

    Args:
        first: Losses of one model, shape (N,).
        second: Of the other, on the same days.
    """
    d = np.asarray(first, np.float64) - np.asarray(second, np.float64)
    n = len(d)
    mean, centred = float(d.mean()), d - d.mean()
    lags = int(4 * (n / 100) ** (2 / 9))
    variance = float(centred @ centred) / n
    for lag in range(1, lags + 1):
        weight = 1 - lag / (lags + 1)
        variance += 2 * weight * float(centred[lag:] @ centred[:-lag]) / n
    if variance <= 0:
        return Verdict(mean, 0.0, 1.0)
    statistic = mean / math.sqrt(variance / n)
    return Verdict(mean, statistic, math.erfc(abs(statistic) / math.sqrt(2)))
