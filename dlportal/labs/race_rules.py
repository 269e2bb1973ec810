"""The five update rules: as formulas, and in five lines of code each that the page shows.

`theta` and `g` are tensors of one shape, `state` is a dictionary that is empty before the first
step; a rule returns the new `theta`. A test compares them with `torch.optim`.
"""

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor

from dlportal.labs.race_optimizers import epsilon, look_ahead, rate_of
from dlportal.messages import N_


def sgd(theta, g, state, eta, decay=0.0):
    g = g + decay * theta
    return theta - eta * g


def momentum(theta, g, state, eta, beta=0.9, nesterov=False, decay=0.0):
    g = g + decay * theta
    v = beta * state.get("v", 0) + g
    state["v"] = v
    ahead = g + beta * v if nesterov else v
    return theta - eta * ahead


def adagrad(theta, g, state, eta, eps=1e-8, decay=0.0):
    g = g + decay * theta
    s = state.get("s", 0) + g**2
    state["s"] = s
    return theta - eta * g / (s**0.5 + eps)


def rmsprop(theta, g, state, eta, rho=0.99, eps=1e-8, decay=0.0):
    g = g + decay * theta
    s = rho * state.get("s", 0) + (1 - rho) * g**2
    state["s"] = s
    return theta - eta * g / (s**0.5 + eps)


def adam(theta, g, state, eta, beta1=0.9, beta2=0.999, eps=1e-8, decay=0.0):
    g, t = g + decay * theta, state.get("t", 0) + 1
    m = beta1 * state.get("m", 0) + (1 - beta1) * g
    s = beta2 * state.get("s", 0) + (1 - beta2) * g**2
    state.update(t=t, m=m, s=s)
    return theta - eta * (m / (1 - beta1**t)) / ((s / (1 - beta2**t)) ** 0.5 + eps)


CODE: dict[str, Callable[..., Any]] = {
    "sgd": sgd,
    "momentum": momentum,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
}
FORMULAS = {
    "sgd": r"\theta \leftarrow \theta - \eta g",
    "momentum": r"v \leftarrow \beta v + g,\quad \theta \leftarrow \theta - \eta v",
    "adagrad": r"s \leftarrow s + g^2,\quad \theta \leftarrow \theta - \frac{\eta}{\sqrt{s}+\epsilon}\, g",
    "rmsprop": r"s \leftarrow \rho s + (1-\rho)g^2,\quad \theta \leftarrow \theta - \frac{\eta}{\sqrt{s}+\epsilon}\, g",
    "adam": r"\begin{aligned} m &\leftarrow \beta_1 m + (1-\beta_1)g,& \hat m &= \tfrac{m}{1-\beta_1^t}\\ s &\leftarrow \beta_2 s + (1-\beta_2)g^2,& \hat s &= \tfrac{s}{1-\beta_2^t}\\ \theta &\leftarrow \theta - \tfrac{\eta}{\sqrt{\hat s}+\epsilon}\,\hat m \end{aligned}",
}
LOOK_AHEAD = r"v \leftarrow \beta v + g,\quad \theta \leftarrow \theta - \eta\,(g + \beta v)"
DECAY = r"g \leftarrow g + \lambda\,\theta"
IDEAS = {
    "sgd": N_("Straight down the slope: steep directions get long steps, flat ones hardly any."),
    "momentum": N_(
        "$v$ sums up past gradients and forgets them at rate $\\beta$, like a rolling ball: what alternates cancels out, what persists adds up to $1/(1-\\beta)$ times."
    ),
    "adagrad": N_(
        "$s$ sums up the squares of all gradients so far, for each parameter alone. Its root divides the step: flat directions catch up, but $s$ only grows, so every step is shorter than the last."
    ),
    "rmsprop": N_(
        "As Adagrad, but $s$ is a running mean that forgets at rate $\\rho$: the steps need not die out."
    ),
    "adam": N_(
        "A running mean $m$ of the gradients and $s$ of their squares. Both start at 0; $\\hat m$ and $\\hat s$ make up for that in the first steps $t$."
    ),
}
SYMBOLS = (
    (r"\theta", N_("the parameters, here two numbers or all weights of the network")),
    ("g", N_("gradient of the loss at $\\theta$, with its noise or of one mini-batch")),
    (r"\eta", N_("learning rate")),
    ("v, m, s", N_("what an optimizer remembers of each parameter; 0 at the start")),
    (r"\epsilon", N_("a tiny number, so that nothing is divided by 0")),
    (r"g^2, \sqrt{s}", N_("number by number, not of the whole vector")),
)


def source(name: str) -> str:
    """A rule's code, as the page shows it."""
    return inspect.getsource(CODE[name]).rstrip()


def constants(name: str, s: dict[str, Any]) -> dict[str, Any]:
    """A rule's constants (its keyword arguments after `eta`) under the race's settings."""
    own: dict[str, dict[str, Any]] = {
        "sgd": {},
        "momentum": {"beta": s["beta"], "nesterov": look_ahead(s)},
        "adagrad": {"eps": epsilon(s)},
        "rmsprop": {"rho": s["rho"], "eps": epsilon(s)},
        "adam": {"beta1": s["beta1"], "beta2": s["beta2"], "eps": epsilon(s)},
    }
    return {**own[name], "decay": s["decay"]}


class OwnOptimizer:
    """A rule of this module with the interface of `torch.optim`, for one tensor."""

    def __init__(self, name: str, theta: Tensor, s: dict[str, Any]) -> None:
        self.rule, self.theta = CODE[name], theta
        self.state: dict[str, Any] = {}
        self.eta, self.constants = rate_of(name, s), constants(name, s)

    def zero_grad(self) -> None:
        self.theta.grad = None

    def step(self) -> None:
        """Move `theta` in place by its gradient."""
        new = self.rule(
            self.theta.detach(), self.theta.grad, self.state, self.eta, **self.constants
        )
        self.theta.data.copy_(new)
