"""Backpropagation, number by number: a small network learns from one example at a time.

Forward, output gradient, chain rule, update; every number is torch's, in float64. The same
settings give the same numbers on every run. The parts lie in `dlportal/labs/backprop_*.py`.
"""

from collections.abc import Iterator
from typing import Any

from dlportal.case import Knob, Lab
from dlportal.labs.backprop_data import INPUTS, OUTPUTS
from dlportal.labs.backprop_depth import ACTIVATIONS as DEEP_ACTIVATIONS
from dlportal.labs.backprop_net import ACTIVATIONS, INITS, MOST_STEPS, Pass, Training
from dlportal.labs.backprop_paths import Weight
from dlportal.labs.backprop_script import script
from dlportal.labs.settings import complete
from dlportal.messages import N_

MOST_LAYERS, MOST_UNITS, MOST_INPUTS = 4, 8, max(INPUTS.values())
ACTIVATION_NAMES = {
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "relu": "ReLU",
    "leaky_relu": "Leaky ReLU",
    "linear": N_("none"),
}
INIT_NAMES = {
    "xavier": "Xavier",
    "he": "He",
    "small": N_("small, 0.1"),
    "large": N_("large, 2"),
    "zeros": N_("all zero"),
}

KNOBS = (
    Knob(
        "data",
        N_("Data"),
        "moons",
        choices=("moons", "circles", "spiral", "xor", "digits"),
        choice_labels=(N_("Moons"), N_("Circles"), N_("Spiral"), "XOR", N_("Digits")),
    ),
    Knob("layers", N_("Hidden layers"), 2, 1, MOST_LAYERS, 1),
    Knob("units", N_("Units in each"), 3, 2, MOST_UNITS, 1),
    Knob(
        "activation",
        N_("Activation σ"),
        "tanh",
        choices=tuple(ACTIVATIONS),
        choice_labels=tuple(ACTIVATION_NAMES[name] for name in ACTIVATIONS),
    ),
    Knob(
        "loss",
        N_("Loss"),
        "cross_entropy",
        choices=("cross_entropy", "mse"),
        choice_labels=(N_("Cross-entropy"), N_("Squared error")),
    ),
)
FINE_KNOBS = (
    Knob("rate", N_("Learning rate η"), 0.1, 0.01, 2.0, 0.01),
    Knob(
        "init",
        N_("First weights"),
        "xavier",
        choices=INITS,
        choice_labels=tuple(INIT_NAMES[name] for name in INITS),
        help=N_("Xavier and He scale the spread to the number of units; the rest is fixed."),
    ),
    Knob("noise", N_("Noise in the data"), 0.1, 0.0, 0.5, 0.05),
    Knob("seed", N_("Random seed"), 0, 0, 999, 1),
)
# Where the visitor stands: steps done, phase within the step, what the picture shows.
PLACE_KNOBS = (
    Knob("t", N_("Steps done"), 0, 0, MOST_STEPS, 1),
    Knob("phase", N_("Phase"), 0, 0, 2 * (MOST_LAYERS + 1), 1),
    Knob(
        "view",
        N_("The picture shows"),
        "values",
        choices=("values", "gradients", "paths"),
        choice_labels=(N_("Values"), N_("Gradients"), N_("Paths of a weight")),
    ),
    Knob("numbers", N_("Show every number of this step"), False),
)
WEIGHT_KNOBS = (
    Knob("w_layer", N_("Into layer"), 1, 1, MOST_LAYERS + 1, 1),
    Knob("w_to", N_("To unit"), 1, 1, MOST_UNITS, 1),
    Knob("w_from", N_("From unit"), 1, 0, MOST_INPUTS, 1),
)
DEEP_KNOBS = (
    Knob("deep", N_("Hidden layers"), 20, 2, 40, 1),
    Knob("wide", N_("Units in each"), 32, 4, 64, 4),
    Knob(
        "deep_activation",
        N_("Draw as lines"),
        "tanh",
        choices=DEEP_ACTIVATIONS,
        choice_labels=tuple(ACTIVATION_NAMES[name] for name in DEEP_ACTIVATIONS),
    ),
)
# What decides the training; the rest only says where to look.
TRAINING = ("data", "layers", "units", "activation", "loss", "rate", "init", "noise", "seed")


def last_phase(layers: int) -> int:
    """The update's phase. Before it: a phase forward for each hidden layer and the output, the
    loss, a phase back for each hidden layer."""
    return 2 * (layers + 1)


def fitting(s: dict[str, Any]) -> dict[str, Any]:
    """The settings with phase and weight moved into the chosen network."""
    layer = min(s["w_layer"], s["layers"] + 1)
    sources = INPUTS[s["data"]] if layer == 1 else s["units"]
    targets = OUTPUTS[s["data"]] if layer == s["layers"] + 1 else s["units"]
    return {
        **s,
        "phase": min(s["phase"], last_phase(s["layers"])),
        "w_layer": layer,
        "w_to": min(s["w_to"], targets),
        "w_from": min(s["w_from"], sources),
    }


def weight_of(s: dict[str, Any]) -> Weight:
    """The weight that the settings choose."""
    return Weight(s["w_layer"], s["w_to"], s["w_from"])


class BackpropLab(Lab):
    """One training step at a time, every number visible."""

    knobs = (*KNOBS, *FINE_KNOBS, *PLACE_KNOBS, *WEIGHT_KNOBS, *DEEP_KNOBS)

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        """Fill in defaults, check, and move phase and weight into the chosen network.

        Raises:
            InputError: A value outside its range.
            ValueError: An unknown setting (names the valid ones).
        """
        return fitting(complete(self.knobs, given))

    def training(self, **settings: Any) -> Training:
        """The training that the settings describe, before its first step."""
        s = self.settings(settings)
        return Training({name: s[name] for name in TRAINING})

    def run(self, **settings: Any) -> Iterator[Pass]:
        """Yield every number of step after step, up to and including step `t`."""
        s = self.settings(settings)
        training = self.training(**settings)
        for step in range(s["t"] + 1):
            yield training.look(step)

    def code(self, **settings: Any) -> str:
        """A script with torch alone that repeats the training and prints step `t`."""
        return script(self.settings(settings))


CASE = BackpropLab
