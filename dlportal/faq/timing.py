"""How long training takes: a short one here and now, and what every case's receipt says."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlportal.cards import all_cards
from dlportal.case import load_case
from dlportal.labs.practice_experiments import BEST
from dlportal.labs.practice_training import Training
from dlportal.training.metrics import exact_interval

PICTURES = "3000"
EPOCHS = {"fashion_mnist": 5, "digits": 15}  # there are fewer digits
ALL = 54_000  # pictures of a whole pass
ITERATIONS = 100  # of the logistic regression


@dataclass(frozen=True)
class Timed:
    """A training that was timed: seconds, and what it came to on held-out pictures.

    `weights`: how many were trained; `accuracy` in [0, 1] with its exact 95 % interval.
    """

    seconds: float
    weights: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class HereAndNow:
    """The practice lab's best setting on some pictures, beside plain logistic regression.

    `per_pass`: seconds that a pass over all 54,000 pictures of Fashion-MNIST would take here.
    """

    data: str
    pictures: int
    epochs: int
    held: int
    blind: float
    network: Timed
    linear: Timed
    per_pass: float
    device: str


def here_and_now(seed: int = 0) -> HereAndNow:
    """Train both on this machine.

    Raises:
        AssetError: Pictures that are neither here nor to be had.
    """
    from dlportal.training.receipts import describe_device

    lab: Any = load_case("practice_lab")
    s = lab.settings({**BEST, "pictures": PICTURES, "seed": seed})
    s["epochs"] = EPOCHS[s["data"]]
    training = Training(s, checks=0)
    while not training.finished:
        training.step()
    truth = training.held.labels.numpy()
    right = training.logits(training.held.images).argmax(1).numpy() == truth
    size = sum(p.numel() for p in training.net.parameters())
    seen = training.done * training.batches.size
    return HereAndNow(
        data=s["data"],
        pictures=len(training.train),
        epochs=s["epochs"],
        held=len(truth),
        blind=float(np.bincount(truth).max() / len(truth)),
        network=timed(training.seconds, size, right),
        linear=logistic(training),
        per_pass=training.seconds / seen * ALL,
        device=describe_device(),
    )


def logistic(training: Training) -> Timed:
    """Logistic regression on the same pixels, timed."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    def rows(images: Any) -> np.ndarray:
        return images.flatten(1).float().div(255).numpy()

    x, y = rows(training.train.images), training.train.labels.numpy()
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=0.1, max_iter=ITERATIONS).fit(x, y)
    seconds = time.perf_counter() - started
    right = model.predict(rows(training.held.images)) == training.held.labels.numpy()
    return timed(seconds, model.coef_.size + model.intercept_.size, right)


def timed(seconds: float, weights: int, right: np.ndarray) -> Timed:
    low, high = exact_interval(int(right.sum()), len(right))
    return Timed(seconds, weights, float(right.mean()), low, high)


@dataclass(frozen=True)
class Receipt:
    """How long a case's shipped weights took to train."""

    case: str
    seconds: float
    device: str
    trained: int
    command: str


def receipts() -> list[Receipt]:
    """The receipts of all cases that were trained here, the longest first."""
    found = []
    for card in all_cards().values():
        receipt = card.receipt()
        if receipt is None:
            continue
        found.append(
            Receipt(
                card.id,
                receipt["seconds"],
                receipt["device"],
                receipt.get("trained_parameters", receipt["parameters"]),
                receipt["command"],
            )
        )
    return sorted(found, key=lambda r: -r.seconds)
