"""Remedies against overfitting: L1, L2, dropout, batch norm, early stopping, augmentation.

A small network learns a few noisy examples by heart, beside the same one with any of the six.
Everything is computed when asked for, in float64; the same settings give the same numbers on
every run. The parts lie in `dlportal/labs/regularization_*.py`.
"""

from collections.abc import Iterator
from threading import Lock
from typing import Any

from dlportal.case import Knob, Lab
from dlportal.labs.regularization_compare import Comparison
from dlportal.labs.regularization_net import EVERY, METHODS, Frame, Trial
from dlportal.labs.regularization_script import script
from dlportal.labs.settings import complete
from dlportal.messages import N_

MOST_EPOCHS = 400
METHOD_NAMES = {
    "l1": N_("L1"),
    "l2": N_("L2 (weight decay)"),
    "dropout": N_("Dropout"),
    "batchnorm": N_("Batch norm"),
    "early": N_("Early stopping"),
    "augment": N_("Augmentation"),
}

DATA_KNOB = Knob(
    "data",
    N_("Data"),
    "moons",
    choices=("moons", "circles", "digits", "clothes"),
    choice_labels=(N_("Moons"), N_("Circles"), N_("Digits"), N_("Clothes")),
)
METHOD_KNOBS = {name: Knob(name, METHOD_NAMES[name], default=name == "l2") for name in METHODS}
STRENGTHS = {
    "l1": Knob("l1_strength", N_("Strength λ₁"), 0.2, 0.05, 1.0, 0.05),
    "l2": Knob("decay", N_("Strength λ₂"), 1.0, 0.1, 5.0, 0.1),
    "dropout": Knob("p", N_("Silenced share p"), 0.3, 0.1, 0.8, 0.1),
    "early": Knob("patience", N_("Patience k, epochs"), 30, 4, 100, 2),
    "augment": Knob("variation", N_("How much the examples vary, v"), 0.5, 0.1, 1.0, 0.1),
}
FINE_KNOBS = (
    Knob("points", N_("Training examples"), 80, 40, 400, 20),
    Knob("noise", N_("Spread of the points"), 0.25, 0.0, 0.5, 0.05),
    Knob("label_noise", N_("Wrong labels, share"), 0.15, 0.0, 0.4, 0.05),
    Knob("units", N_("Units in each hidden layer"), 64, 4, 128, 4),
    Knob("rate", N_("Learning rate η"), 0.005, 0.001, 0.03, 0.001),
    Knob("epochs", N_("Epochs"), 200, 20, MOST_EPOCHS, 20),
    Knob(
        "l1_way",
        N_("L1 acts"),
        "threshold",
        choices=("threshold", "gradient"),
        choice_labels=(N_("by a step of its own"), N_("through the gradient")),
        help=N_("Only the step of its own makes weights exactly zero."),
    ),
    Knob("seed", N_("Random seed"), 0, 0, 999, 1),
)
# Where the visitor stands: epochs to show, whether the seeds are compared and how many.
T_KNOB = Knob("t", N_("Epoch"), MOST_EPOCHS, 0, MOST_EPOCHS, EVERY)
COMPARE_KNOB = Knob("compare", N_("Compare over seeds"), False)
RUNS_KNOB = Knob("runs", N_("Seeds"), 6, 3, 12, 1)
# What decides a training; the rest only says where to look.
TRAINING = (
    "data",
    *METHODS,
    *(knob.name for knob in STRENGTHS.values()),
    *(knob.name for knob in FINE_KNOBS),
)


class Pair:
    """The same training without any remedy and with the chosen ones; shared by visitors."""

    def __init__(self, s: dict[str, Any]) -> None:
        self.plain = Trial({**s, **dict.fromkeys(METHODS, False)})
        self.chosen = Trial(s)
        self.lock = Lock()

    def frames(self) -> int:
        """How many frames there are of both."""
        return min(len(self.plain.frames), len(self.chosen.frames))

    def advance(self) -> None:
        """Train both until their next frame, unless they are done."""
        with self.lock:
            for trial in (self.plain, self.chosen):
                if not trial.finished:
                    trial.advance()


class RegularizationLab(Lab):
    """A network that overfits, beside the same one with remedies."""

    knobs = (
        DATA_KNOB,
        *METHOD_KNOBS.values(),
        *STRENGTHS.values(),
        *FINE_KNOBS,
        T_KNOB,
        COMPARE_KNOB,
        RUNS_KNOB,
    )

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        """Fill in defaults and check.

        Raises:
            InputError: A value outside its range.
            ValueError: An unknown setting (names the valid ones).
        """
        s = complete(self.knobs, given)
        # Whole batches and frames: a batch of one would have no spread to normalise by.
        s["points"] -= s["points"] % 20
        s["epochs"] -= s["epochs"] % EVERY
        s["t"] = min(s["t"], s["epochs"]) // EVERY * EVERY
        return s

    def pair(self, **settings: Any) -> Pair:
        """Both trainings that the settings describe, before their first epoch.

        Raises:
            AssetError: Data that is neither here nor to be had.
        """
        s = self.settings(settings)
        return Pair({name: s[name] for name in TRAINING})

    def comparison(self, **settings: Any) -> Comparison:
        """Every method alone and the chosen ones together, before the first run."""
        s = self.settings(settings)
        return Comparison({name: s[name] for name in (*TRAINING, "runs")})

    def run(self, **settings: Any) -> Iterator[Frame]:
        """Yield the chosen training frame after frame, up to epoch `t`."""
        s = self.settings(settings)
        trial = Trial({name: s[name] for name in TRAINING})
        while True:
            yield trial.frames[-1]
            if trial.frames[-1].epoch >= s["t"]:
                return
            trial.advance()

    def code(self, **settings: Any) -> str:
        """A script with plain torch that trains the chosen network and prints what it became."""
        return script(self.settings(settings))


CASE = RegularizationLab
