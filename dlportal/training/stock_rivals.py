"""What a forecaster of volatility is compared with, fitted on the same past.

Every model, the network too, is multiplied by one factor, the mean of realised over forecast
variance on its training days: the factor at which its mean loss there is least. So a model of
close-to-close returns is not punished for foreseeing another quantity than the range proxy.
"""

from collections.abc import Callable

import numpy as np

from dlportal.data.volatility import NAMES, Days
from dlportal.messages import N_

Rival = Callable[[Days, np.ndarray], np.ndarray]
SMALLEST = 1e-9


def scale_to(variance: np.ndarray, forecast: np.ndarray) -> float:
    """The factor on forecasts at which their mean QLIKE is least."""
    return float(np.mean(variance / forecast))


def garch(days: Days, train: np.ndarray) -> np.ndarray:
    """GARCH(1,1) of daily returns: fitted on training days, then filtered through all days.

    Paper: Bollerslev 1986, https://doi.org/10.1016/0304-4076(86)90063-1

    Args:
        days: All days.
        train: Which rows may be learned from, shape (N,), bool: the first so many.

    Returns:
        Forecast variances of the next day, shape (N,); unscaled.
    """
    from arch import arch_model

    returns = 100 * days.change
    last = int(np.flatnonzero(train)[-1]) + 1
    model = arch_model(returns[:last], mean="Constant", vol="GARCH", p=1, q=1, rescale=False)
    mu, omega, alpha, beta = model.fit(disp="off", show_warning=False).params
    shocks = (returns - mu) ** 2
    variance = np.empty(len(returns) + 1)
    variance[0] = shocks[:last].mean()
    for t, shock in enumerate(shocks):
        variance[t + 1] = omega + alpha * shock + beta * variance[t]
    return np.maximum(variance[1:] / 1e4, SMALLEST)


def _past(days: Days) -> np.ndarray:
    """Mean variance of the day, week and month, shape (N, 3)."""
    picked = [NAMES.index(name) for name in ("day", "week", "month")]
    return np.exp(days.x[:, picked]) * days.usual[:, None]


def _fit_line(x: np.ndarray, y: np.ndarray, train: np.ndarray) -> np.ndarray:
    ones = np.column_stack([np.ones(len(x)), x])
    weights, *_rest = np.linalg.lstsq(ones[train], y[train], rcond=None)
    return ones @ weights


def har(days: Days, train: np.ndarray) -> np.ndarray:
    """HAR: next day's variance as a line through day, week and month; least squares.

    Paper: Corsi 2009, https://doi.org/10.1093/jjfinec/nbp001
    A line can go below zero: forecasts are kept within what was seen in training.
    """
    y = _fit_line(_past(days), days.next_variance, train)
    return np.clip(y, days.next_variance[train].min(), days.next_variance[train].max())


def log_har(days: Days, train: np.ndarray) -> np.ndarray:
    """The same line through logarithms."""
    return np.exp(_fit_line(np.log(_past(days)), np.log(days.next_variance), train))


def random_walk(days: Days, train: np.ndarray) -> np.ndarray:
    """Tomorrow is as today."""
    return days.variance


def past_year(days: Days, train: np.ndarray) -> np.ndarray:
    """Tomorrow is as the mean of the past year."""
    return days.usual


RIVALS: dict[str, Rival] = {
    "GARCH(1,1)": garch,
    "HAR": har,
    N_("HAR in logarithms"): log_har,
    N_("random walk"): random_walk,
    N_("mean of the past year"): past_year,
}
