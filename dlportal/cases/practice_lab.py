"""Good practice as one experiment: data, augmentation, network, training, evaluation.

A picture classifier is trained live, again and again, with one thing changed at a time. The same
settings give the same numbers on every run. The parts lie in `dlportal/labs/practice_*.py`.
"""

from collections.abc import Iterator
from typing import Any

from dlportal.case import Knob, Lab
from dlportal.labs.practice_data import usable
from dlportal.labs.practice_experiments import Experiment, Frame
from dlportal.labs.practice_script import script
from dlportal.labs.settings import complete
from dlportal.messages import N_

DATA_KNOBS = (
    Knob(
        "data",
        N_("Pictures"),
        "fashion_mnist",
        choices=("fashion_mnist", "digits"),
        choice_labels=("Fashion-MNIST", N_("Digits, 8 × 8")),
    ),
    Knob(
        "pictures",
        N_("How many to learn from"),
        "3000",
        choices=("300", "1000", "3000", "10000", "54000"),
        choice_labels=("300", "1,000", "3,000", "10,000", N_("all")),
    ),
    Knob(
        "scaling",
        N_("Pixels"),
        "standard",
        choices=("raw", "unit", "standard"),
        choice_labels=(N_("as they are, 0–255"), N_("scaled to [0, 1]"), N_("standardised")),
    ),
)
AUGMENT_KNOBS = (
    Knob("flip", N_("Mirror half of them"), False),
    Knob("rotate", N_("Rotate, up to (degrees)"), 0, 0, 45, 5),
    Knob("crop", N_("Crop, moved by up to (pixels)"), 0, 0, 6, 1),
)
MODEL_KNOBS = (
    Knob("depth", N_("Depth: convolutions"), 2, 1, 4, 1),
    Knob("width", N_("Width: channels of the first"), 8, 4, 32, 4),
    Knob("batch_norm", N_("Batch norm"), False),
)
TRAIN_KNOBS = (
    Knob(
        "batch",
        N_("Batch size"),
        "64",
        choices=("16", "32", "64", "128", "256", "512"),
        choice_labels=("16", "32", "64", "128", "256", "512"),
    ),
    Knob("rate", N_("Learning rate η"), 0.03, 0.001, 0.5, 0.001),
    Knob(
        "schedule",
        N_("Schedule"),
        "cosine",
        choices=("constant", "stairs", "cosine"),
        choice_labels=(N_("constant"), N_("in steps"), N_("cosine")),
    ),
    Knob("warmup", N_("Warm-up, share of all steps"), 0.1, 0.0, 0.5, 0.05),
    Knob("epochs", N_("Epochs"), 8, 1, 20, 1),
    Knob("dropout", N_("Dropout p"), 0.0, 0.0, 0.8, 0.05),
    Knob("decay", N_("Weight decay λ"), 0.0, 0.0, 0.01, 0.0005),
)
FINE_KNOBS = (
    Knob("momentum", N_("Momentum β"), 0.9, 0.0, 0.99, 0.01),
    Knob(
        "bf16",
        N_("16-bit numbers (bf16)"),
        False,
        help=N_("Half as many digits; faster on processors that have instructions for it."),
    ),
    Knob("seed", N_("Random seed"), 0, 0, 999, 1),
)
EVALUATE_KNOBS = (
    Knob(
        "experiment",
        N_("Experiment"),
        "one",
        choices=("one", "pair", "ablation", "folds", "sizes"),
        choice_labels=(
            N_("One training"),
            N_("Best practice against naive"),
            N_("Ablation"),
            N_("Cross-validation"),
            N_("More and more pictures"),
        ),
    ),
    Knob("folds", N_("Folds k"), 5, 2, 10, 1),
)
# Which step of the experiment is shown, and which of its trainings below.
PART = Knob(
    "part",
    N_("Step of the experiment"),
    "data",
    choices=("data", "augment", "model", "train", "evaluate"),
    choice_labels=(
        N_("1 Data"),
        N_("2 Augmentation"),
        N_("3 Network"),
        N_("4 Training"),
        N_("5 Evaluation"),
    ),
)
SHOWN = Knob("shown", N_("Training to look at"), 0, 0, 9, 1)


class PracticeLab(Lab):
    """A classifier of small pictures, trained as well or as badly as you like."""

    knobs = (
        *DATA_KNOBS,
        *AUGMENT_KNOBS,
        *MODEL_KNOBS,
        *TRAIN_KNOBS,
        *FINE_KNOBS,
        *EVALUATE_KNOBS,
        PART,
        SHOWN,
    )

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        """Fill in defaults and check; digits stand in where Fashion-MNIST is not here.

        Raises:
            InputError: A value outside its range.
            ValueError: An unknown setting (names the valid ones).
        """
        s = complete(self.knobs, given)
        return {**s, "data": usable(s["data"])}

    def experiment(self, **settings: Any) -> Experiment:
        """The trainings that the settings describe, before their first step."""
        return Experiment(self.settings(settings))

    def run(self, **settings: Any) -> Iterator[Frame]:
        """Yield every step of every training of the experiment."""
        yield from self.experiment(**settings).run()

    def code(self, number: int = 0, **settings: Any) -> str:
        """A script that repeats training `number` of the experiment."""
        return script(self.settings(settings), number)


CASE = PracticeLab
