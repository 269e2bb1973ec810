"""Five optimizers from the same start with the same noise: on surfaces, a regression and networks.

Everything is computed by `torch.optim` when asked for; nothing is stored. The same settings
give the same numbers on every run. The parts lie in `dlportal/labs/race_*.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlportal.case import Knob, Lab
from dlportal.labs.race_nets import Look, race_nets
from dlportal.labs.race_optimizers import OPTIMIZER_NAMES, OPTIMIZERS
from dlportal.labs.race_script import script
from dlportal.labs.race_surfaces import race_surface, surface_of
from dlportal.labs.race_sweep import Cell, sweep
from dlportal.labs.settings import complete
from dlportal.messages import N_
from dlportal.results import Result

__all__ = ["OPTIMIZERS", "OPTIMIZER_NAMES", "OptimizerRace", "Race"]

NETS = ("net", "fashion")  # the tracks with a network; the others are surfaces


@dataclass(frozen=True)
class Race(Result):
    """What happened: for each optimizer its losses and, on a surface, its path.

    Attributes:
        track: Where.
        at: Steps after which the loss was measured, shape (looks,); every step on a surface.
        losses: By optimizer, shape (looks,): above the minimum on a surface; of the held
            examples for a network.
        paths: By optimizer, shape (steps + 1, 2); empty for a network.
        accuracy: By optimizer, of the network after the last step; empty for surfaces.
    """

    track: str
    at: np.ndarray
    losses: dict[str, np.ndarray]
    paths: dict[str, np.ndarray]
    accuracy: dict[str, float]


def race_of(track: str, looks: Sequence[Look]) -> Race:
    """A race on a network from its measurements so far (at least one)."""
    losses = {name: np.array([look.losses[name] for look in looks]) for name in OPTIMIZERS}
    at = np.array([look.step for look in looks])
    return Race(track, at, losses, {}, looks[-1].accuracy)


TRACK_KNOB = Knob(
    "track",
    N_("Track"),
    "saddle",
    choices=("ravine", "saddle", "bumps", "regression", "net", "fashion"),
    choice_labels=(
        N_("Curved ravine"),
        N_("Saddle"),
        N_("Many minima"),
        N_("Regression"),
        N_("A small network"),
        N_("Fashion-MNIST"),
    ),
)
KAPPA_KNOB = Knob("kappa", N_("Condition number κ"), 50, 1, 1000, 1)
KNOBS = (
    Knob("rate", N_("Learning rate η"), 0.03, 0.001, 0.5, 0.001),
    Knob("noise", N_("Gradient noise"), 0.0, 0.0, 1.0, 0.05),
    Knob("steps", N_("Steps"), 160, 20, 400, 20),
    Knob("seed", N_("Random seed"), 0, 0, 999, 1),
)
# Every hyper-parameter of the five; the factors scale the common learning rate.
FINE_KNOBS = (
    Knob("beta", N_("Momentum: β"), 0.9, 0.0, 0.99, 0.01),
    Knob("nesterov", N_("Momentum: look ahead (Nesterov)"), False),
    Knob("rho", N_("RMSProp: ρ"), 0.99, 0.5, 0.999, 0.001),
    Knob("beta1", N_("Adam: β₁"), 0.9, 0.0, 0.99, 0.01),
    Knob("beta2", N_("Adam: β₂"), 0.999, 0.9, 0.9999, 0.0001),
    Knob("eps_power", N_("Adagrad, RMSProp, Adam: ε is 10 to the power of"), -8, -12, -1, 1),
    Knob("decay", N_("Weight decay λ, all"), 0.0, 0.0, 0.1, 0.005),
    *(
        Knob(f"factor_{name}", N_("Learning rate × for {name}"), 1.0, 0.1, 10.0, 0.1)
        for name in OPTIMIZERS
    ),
)
SWEEP_KNOB = Knob("sweep", N_("Try every learning rate"), False)
CHECK_KNOB = Knob("check", N_("Run these lines beside torch.optim"), False)
# What decides a race; the other two only say what the visitor looks at.
RACING = tuple(knob.name for knob in (TRACK_KNOB, KAPPA_KNOB, *KNOBS, *FINE_KNOBS))


class OptimizerRace(Lab):
    """SGD, Momentum, Adagrad, RMSProp and Adam side by side."""

    knobs = (TRACK_KNOB, KAPPA_KNOB, *KNOBS, *FINE_KNOBS, SWEEP_KNOB, CHECK_KNOB)

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        """Fill in defaults and check.

        Raises:
            InputError: A value outside its range.
            ValueError: An unknown setting (names the valid ones).
        """
        return complete(self.knobs, given)

    def run(self, **settings: Any) -> Iterator[Race]:
        """Yield the race so far: on a surface after each optimizer, on a network after each look.

        The last frame holds all five to the end.
        """
        s = self.settings(settings)
        if s["track"] in NETS:
            looks = []
            for look in race_nets(s):
                looks.append(look)
                yield race_of(s["track"], looks)
            return
        surface, steps = surface_of(s), np.arange(s["steps"] + 1)
        losses: dict[str, np.ndarray] = {}
        paths: dict[str, np.ndarray] = {}
        for name in OPTIMIZERS:
            losses[name], paths[name] = race_surface(surface, name, s)
            yield Race(s["track"], steps, dict(losses), dict(paths), {})

    def looks(self, **settings: Any) -> Iterator[Look]:
        """The race on a network, measurement by measurement."""
        return race_nets(self.settings(settings))

    def sweep(self, **settings: Any) -> Iterator[Cell]:
        """Every optimizer at every learning rate, run by run."""
        return sweep(self.settings(settings))

    def code(self, **settings: Any) -> str:
        """A script with plain torch that prints each optimizer's final loss."""
        return script(self.settings(settings))


CASE = OptimizerRace
