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
from dlportal.labs.arch_speech import means_and_spreads, speech_parts
from dlportal.labs.arch_tour import ORDERS, Tour, shift, shuffle
from dlportal.labs.arch_training import heard, logits
from dlportal.messages import N_
from dlportal.training import calibration, metrics
from dlportal.training.seeds import over_seeds

MODELS = {"mlp": "MLP", "cnn": "CNN", "rnn": "LSTM", "attention": "attention net"}
FIRST = ("cnn", "mlp", "rnn", "attention")  # the main figure of the card is the CNN's
LINEAR, MAJORITY = "logistic regression on the pixels", "always the same class"
SPEECH = "fsdd"
SUMS = "logistic regression on each band's mean and spread"
ITERATIONS = 100  # of the logistic regression, which changes little after these
SHIFTS = tuple(range(7))  # pixels
SHIFT_SHOWN = 3  # the one with an interval
AWAY = ((1, 0), (-1, 0), (0, 1), (0, -1))


@dataclass(frozen=True)
class Said:
    """What every number of one evaluation has in common."""

    split: str
    command: str

    def accuracy(self, data: str, model: str, right: np.ndarray) -> Metric:
        """Share answered right, with its interval over seeds and rows: (seeds, rows) of bool."""
        value, low, high = over_seeds(right)
        return Metric(
            name="accuracy",
            data=data,
            split=self.split,
            value=value,
            low=low,
            high=high,
            n=right.shape[1],
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


def right_by(
    net: Tour, task: str, order: str, kind: str, x: Tensor, labels: np.ndarray
) -> np.ndarray:
    """Whether each picture is answered right by each seed's network, (seeds, N)."""
    return np.stack(
        [
            logits(net.of(task, order, kind, seed), x).argmax(1).numpy() == labels
            for seed in range(net.seeds)
        ]
    )


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
            data + suffix, MODELS[kind], right_by(net, task, order, kind, change(x), labels)
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
                float(right_by(net, "fashion", "plain", kind, m, part.labels).mean())
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
        said.accuracy(data, LINEAR, (linear.predict(rows(part.images)) == part.labels)[None]),
        said.accuracy(data, MAJORITY, (majority == part.labels)[None]),
    ]


def compare_speech(net: Tour, said: Said) -> tuple[list[Metric], list[Metric]]:
    """The listening LSTM and its baselines: known voices, the same backwards, and a new voice.

    Raises:
        AssetError: The recordings are not on this machine.
    """
    from sklearn.linear_model import LogisticRegression

    parts = speech_parts()
    x, lengths, digits = parts["train"]
    linear = LogisticRegression(C=1.0, max_iter=1000)
    linear.fit(means_and_spreads(x, lengths), digits.numpy())
    most = int(digits.bincount().argmax())
    found: list[Metric] = []
    plain: list[Metric] = []
    for suffix, name in (("", "test"), ("_backwards", "test"), ("_new_voice", "new_voice")):
        x, lengths, digits = parts[name]
        if suffix == "_backwards":
            x = backwards(x, lengths)
        truth, data = digits.numpy(), SPEECH + suffix
        right = [
            heard(net.listener(seed), x, lengths).argmax(1).numpy() == truth
            for seed in range(net.seeds)
        ]
        found.append(said.accuracy(data, MODELS["rnn"], np.stack(right)))
        guesses = linear.predict(means_and_spreads(x, lengths))
        plain.append(said.accuracy(data, SUMS, (guesses == truth)[None]))
        plain.append(said.accuracy(data, MAJORITY, (np.full(len(truth), most) == truth)[None]))
    return found, plain


def backwards(x: Tensor, lengths: Tensor) -> Tensor:
    """Recordings (N, T, 32) with their frames in reverse order; the padding stays at the end."""
    out = torch.zeros_like(x)
    for row, count in enumerate(lengths.tolist()):
        out[row, :count] = x[row, :count].flip(0)
    return out


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
    spoken, plain = compare_speech(net, said) if said.split == "test" else ([], [])
    return Measured(
        case="",
        metrics=[
            metric
            for task, (part, _train) in parts.items()
            for metric in compare(net, task, part, said, names[task])
        ]
        + spoken,
        baselines=[
            metric
            for task, (part, train) in parts.items()
            for metric in baselines(part, train, said, names[task])
        ]
        + plain,
        calibration=calibration.calibration_at(temperature, y, clothes.labels),
        confusion=Confusion(
            labels=[label.id for label in LABELS["fashion"]],
            counts=metrics.confusion_counts(clothes.labels, y.argmax(1), 10).tolist(),
        ),
        curves=[shift_curve(net, clothes)],
    )
