"""The five optimizers of the race, as `torch.optim` has them."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

OPTIMIZERS = ("sgd", "momentum", "adagrad", "rmsprop", "adam")
OPTIMIZER_NAMES = {
    "sgd": "SGD",
    "momentum": "Momentum",
    "adagrad": "Adagrad",
    "rmsprop": "RMSProp",
    "adam": "Adam",
}


def rate_of(name: str, s: dict[str, Any]) -> float:
    """The learning rate of one optimizer: the common one times its own factor."""
    return s["rate"] * s[f"factor_{name}"]


def look_ahead(s: dict[str, Any]) -> bool:
    """Whether Momentum looks ahead; torch refuses that without momentum."""
    return bool(s["nesterov"]) and s["beta"] > 0


def epsilon(s: dict[str, Any]) -> float:
    return 10.0 ** s["eps_power"]


def build(name: str, parameters: Sequence[Tensor], s: dict[str, Any]) -> torch.optim.Optimizer:
    """The `torch.optim` optimizer of that name with the race's settings.

    Raises:
        ValueError: No such optimizer (names the valid ones).
    """
    rate, decay, eps = rate_of(name, s), s["decay"], epsilon(s)
    if name == "sgd":
        return torch.optim.SGD(parameters, rate, weight_decay=decay)
    if name == "momentum":
        return torch.optim.SGD(
            parameters, rate, momentum=s["beta"], nesterov=look_ahead(s), weight_decay=decay
        )
    if name == "adagrad":
        return torch.optim.Adagrad(parameters, rate, eps=eps, weight_decay=decay)
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, rate, alpha=s["rho"], eps=eps, weight_decay=decay)
    if name == "adam":
        betas = (s["beta1"], s["beta2"])
        return torch.optim.Adam(parameters, rate, betas=betas, eps=eps, weight_decay=decay)
    raise ValueError(f"no optimizer {name!r}; optimizers: {', '.join(OPTIMIZERS)}")
