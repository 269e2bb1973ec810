"""What the card of the architecture tour says: the four kinds under each condition."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dlportal.cards import Bilingual, Confusion, Curve, Measured, Metric
from dlportal.data.splits import Images
from dlportal.labs.arch_data import DATA, LABELS, tensors
from dlportal.labs.arch_nets import KINDS
from dlportal.labs.arch_tour import ORDERS, Tour, shift, shuffle
from dlportal.labs.arch_training import logits
from dlportal.messages import N_
from dlportal.training import calibration, metrics

MODELS = {"mlp": "MLP", "cnn": "CNN", "rnn": "LSTM", "attention": "attention net"}
FIRST = ("cnn", "mlp", "rnn", "attention")  # the main figure of the card is the CNN's
LINEAR, MAJORITY = "logistic regression on the pixels", "always the same class"
ITERATIONS = 100  # of the logistic regression, which changes little after these
SHIFTS = tuple(range(7))  # pixels
SHIFT_SHOWN = 3  # the one with an interval
AWAY = ((1, 0), (-1, 0), (0, 1), (0, -1))


@dataclass(frozen=True)
class Said:
    """What every number of one evaluation has in common."""

    split: str
    command: str

    def accuracy(self, data: str, model: str, labels: np.ndarray, found: np.ndarray) -> Metric:
        return metrics.measured(
            "accuracy",
            data,
            self.split,
            metrics.accuracy,
            labels,
            found,
            command=self.command,
            model=model,
        )


def shifted(x: Tensor, pixels: int) -> Tensor:
    """Each picture moved left, right, up or down; which way is drawn from a fixed seed."""
    way = torch.randint(len(AWAY), (len(x),), generator=torch.Generator().manual_seed(0))
    out = torch.empty_like(x)
    for index, (right, down) in enumerate(AWAY):
        rows = way == index
        out[rows] = shift(x[rows], pixels * right, pixels * down)
    return out


def found_by(net: Tour, task: str, order: str, kind: str, x: Tensor) -> np.ndarray:
    return logits(net.of(task, order, kind), x).argmax(1).numpy()


def compare(net: Tour, task: str, part: Images, said: Said, data: str) -> list[Metric]:
    """Accuracy of every kind: ordinary pixels, shuffled (learned from such, or never seen any),
    shifted by three pixels."""
    x, labels = tensors(part)[0], part.labels
    conditions: tuple[tuple[str, str, Callable[[Tensor], Tensor]], ...] = (
        ("", ORDERS[0], lambda x: x),
        ("_shuffled", ORDERS[1], shuffle),
        ("_shuffled_unseen", ORDERS[0], shuffle),
        (f"_shifted_{SHIFT_SHOWN}", ORDERS[0], lambda x: shifted(x, SHIFT_SHOWN)),
    )
    return [
        said.accuracy(
            data + suffix, MODELS[kind], labels, found_by(net, task, order, kind, change(x))
        )
        for suffix, order, change in conditions
        for kind in FIRST
    ]


def shift_curve(net: Tour, part: Images) -> Curve:
    """Accuracy on clothes over the shift."""
    x = tensors(part)[0]
    moved = {pixels: shifted(x, pixels) for pixels in SHIFTS}
    return Curve(
        name=N_("When the picture is shifted"),
        x_label=Bilingual(
            en="shift in pixels, one of four directions", zh="平移像素数，四个方向之一"
        ),
        y_label=Bilingual(en="accuracy", zh="准确率"),
        x=list(SHIFTS),
        y={
            MODELS[kind]: [
                float((found_by(net, "fashion", "plain", kind, m) == part.labels).mean())
                for m in moved.values()
            ]
            for kind in KINDS
        },
    )


def baselines(part: Images, train: Images, said: Said, data: str) -> list[Metric]:
    """Logistic regression on the pixels; the most frequent class of the training part."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    def rows(images: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), -1).astype(np.float32) / 255

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        linear = LogisticRegression(C=0.1, max_iter=ITERATIONS)
        linear.fit(rows(train.images), train.labels)
    majority = np.full(len(part), np.bincount(train.labels).argmax())
    return [
        said.accuracy(data, LINEAR, part.labels, linear.predict(rows(part.images))),
        said.accuracy(data, MAJORITY, part.labels, majority),
    ]


def measure(
    net: Tour, temperature: float, parts: dict[str, tuple[Images, Images]], said: Said, data: str
) -> Measured:
    """All numbers of the card.

    Args:
        net: The networks.
        temperature: Of the CNN on clothes, found on validation.
        parts: By task, the pictures measured on and those that the baselines learn from.
        said: Split and command.
        data: What the clothes are called.
    """
    clothes = parts["fashion"][0]
    y = logits(net.of("fashion", "plain", "cnn"), tensors(clothes)[0]).numpy()
    names = {"fashion": data, "digits": DATA["digits"]}
    return Measured(
        case="",
        metrics=[
            metric
            for task, (part, _train) in parts.items()
            for metric in compare(net, task, part, said, names[task])
        ],
        baselines=[
            metric
            for task, (part, train) in parts.items()
            for metric in baselines(part, train, said, names[task])
        ],
        calibration=calibration.calibration_at(temperature, y, clothes.labels),
        confusion=Confusion(
            labels=[label.id for label in LABELS["fashion"]],
            counts=metrics.confusion_counts(clothes.labels, y.argmax(1), 10).tolist(),
        ),
        curves=[shift_curve(net, clothes)],
    )
