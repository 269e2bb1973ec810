"""What the card of `spoken_digits` says."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from dlportal.cards import Bilingual, Calibration, Confusion, Curve, Measured, Metric, Slice
from dlportal.case import Evaluation, Progress
from dlportal.data import fsdd
from dlportal.data.fsdd import Spoken
from dlportal.messages import N_, InputError
from dlportal.training import metrics
from dlportal.training.digit_strangers import other_sources, seen
from dlportal.training.digit_training import NOISES, Heard, accuracy_in, all_logits, hear
from dlportal.training.kept import KEPT, kept_answers
from dlportal.training.said import Said

if TYPE_CHECKING:
    from dlportal.cases.spoken_digits import SpokenDigits

EVALUATE = "python -m dlportal evaluate spoken_digits"
TRAIN = "python -m dlportal train spoken_digits --budget full"
LEFT_OUT = "leave one speaker out"
NEAREST = "nearest class mean of the pictures"
SVM = "support vector machine on the pictures"


def evaluate_digits(
    case: "SpokenDigits",
    split: str,
    data: Path | None,
    limit: int | None,
    progress: Progress | None,
) -> Evaluation:
    """Measure on one part of FSDD, or on all recordings of a folder laid out like it.

    Raises:
        InputError: No such split, or the folder cannot be used.
        AssetError: The dataset is not on this machine.
    """
    started = time.monotonic()
    spoken = fsdd.load(data)
    rows = np.arange(len(spoken)) if data is not None else choose(spoken, split)
    part = spoken.take(np.random.default_rng(0).permutation(rows)[:limit] if limit else rows)
    heard = hear(part)
    if progress is not None:
        progress(0, len(part))
    y = all_logits(case.net, heard.pictures())
    command = EVALUATE if split == "test" else f"{EVALUATE} --split {split}"
    said = Said("fsdd" if data is None else data.name, split, command, "")
    whole = data is None and split == "test" and limit is None
    measured = measure_part(case, part, heard, y, said)
    if whole:
        measured = add_the_rest(case, spoken, part, heard, measured, said)
    if progress is not None:
        progress(len(part), len(part))
    seconds = time.monotonic() - started
    return Evaluation(case.card.id, split, len(part), seconds, measured)


def choose(spoken: Spoken, split: str) -> np.ndarray:
    """Rows of a split: recordings 0-4 of each speaker and digit test, 5-9 validate."""
    border = fsdd.TEST + fsdd.HELD
    rows = {
        "train": spoken.index >= border,
        "validation": (spoken.index >= fsdd.TEST) & (spoken.index < border),
        "test": spoken.index < fsdd.TEST,
    }
    if split not in rows:
        raise InputError(
            N_("No split {split}. Choose from: {known}."), split=split, known=", ".join(rows)
        )
    return np.flatnonzero(rows[split])


def measure_part(
    case: "SpokenDigits", part: Spoken, heard: Heard, y: Tensor, said: Said
) -> Measured:
    """Accuracy, calibration and confusion on some recordings."""
    labels, guesses = part.labels, y.argmax(dim=1).numpy()
    p = case.probabilities(y).numpy()
    strange = case.net.strangeness(heard.pictures().to(case.device)).cpu().numpy()
    return Measured(
        case=case.card.id,
        parameters=sum(parameter.numel() for parameter in case.net.parameters()),
        metrics=[
            said.metric("accuracy", metrics.accuracy, labels, guesses),
            said.metric("ece", metrics.ece, labels, p),
            said.share("marked_outside", strange > case.foreign),
        ],
        confusion=Confusion(
            labels=[label.id for label in case.labels],
            counts=metrics.confusion_counts(labels, guesses, len(case.labels)).tolist(),
        ),
    )


def add_the_rest(
    case: "SpokenDigits",
    spoken: Spoken,
    part: Spoken,
    heard: Heard,
    measured: Measured,
    said: Said,
) -> Measured:
    """New voices, other sounds, noise, what explanations keep, baselines."""
    found, slices = list(measured.metrics), []
    changed: dict[str, Any] = {}
    constants = case.card.measured.constants
    if loso := constants.get("loso"):
        found.insert(0, loso_metric(loso))
        slices = speaker_slices(loso)
        total = np.sum([row["confusion"] for row in loso.values()], axis=0)
        changed["confusion"] = Confusion(
            labels=[label.id for label in case.labels], counts=total.tolist()
        )
        calibration = Calibration.model_validate(constants["loso_calibration"])
        changed["calibration"] = calibration
        n = int(total.sum())
        found = [m for m in found if m.name != "ece"]
        marked = [row["marked"] for row in loso.values()]
        found.append(over_speakers("marked_outside", "fsdd_new_voice", marked, n))
        found.append(
            Metric(
                name="ece",
                data="fsdd",
                split=LEFT_OUT,
                value=calibration.ece_after,
                n=n,
                command=TRAIN,
            )
        )
        known = [accuracy_in(case.net, part, decibels) for decibels in NOISES]
        new = np.mean([row["noise"] for row in loso.values()], axis=0).round(4).tolist()
        changed["curves"] = [noise_figure(known, new)]
    found += other_sounds(case, heard)
    kept, random = kept_answers(case, part)
    said_kept = Said("fsdd", "test", EVALUATE, "")
    found.append(said_kept.share("kept_answer", kept))
    base = baselines(spoken, part, said)
    base.append(said_kept.share("kept_answer", random, model=f"random {KEPT:.0%} of cells"))
    return measured.model_copy(
        update={"metrics": found, "baselines": base, "slices": slices, **changed}
    )


def loso_metric(loso: dict[str, Any], model: str = "", command: str = TRAIN) -> Metric:
    """Mean accuracy over the left-out speakers."""
    values = [accuracy_of(row["confusion"]) for row in loso.values()]
    n = int(np.sum([row["confusion"] for row in loso.values()]))
    return over_speakers("loso_accuracy", "fsdd", values, n, model, command)


def over_speakers(
    name: str, data: str, values: list[float], n: int, model: str = "", command: str = TRAIN
) -> Metric:
    """A mean over speakers, with the interval of a mean of so few (Student's t)."""
    from scipy.stats import t

    mean, speakers = float(np.mean(values)), len(values)
    half = float(t.ppf(0.975, speakers - 1) * np.std(values, ddof=1) / np.sqrt(speakers))
    return Metric(
        name=name,
        data=data,
        split=LEFT_OUT,
        value=mean,
        low=max(0.0, mean - half),
        high=min(1.0, mean + half),
        n=n,
        command=command,
        model=model,
    )


def accuracy_of(confusion: Any) -> float:
    counts = np.asarray(confusion)
    return float(np.trace(counts) / counts.sum())


def speaker_slices(loso: dict[str, Any]) -> list[Slice]:
    """Accuracy on each speaker, by the network that never heard that one."""
    out = []
    for speaker, row in loso.items():
        counts = np.asarray(row["confusion"])
        right, n = int(np.trace(counts)), int(counts.sum())
        low, high = metrics.exact_interval(right, n)
        metric = Metric(
            name="accuracy",
            data="fsdd",
            split=LEFT_OUT,
            value=right / n,
            low=low,
            high=high,
            n=n,
            command=TRAIN,
        )
        name = speaker.capitalize()
        out.append(Slice(part=Bilingual(en=f"without {name}", zh=f"不含 {name}"), metric=metric))
    return out


def noise_figure(known: list[float], new: list[float]) -> Curve:
    return Curve(
        name=N_("What noise does"),
        x_label=Bilingual(en="speech above white noise, dB", zh="语音高出白噪声的分贝数"),
        y_label=Bilingual(en="accuracy", zh="准确率"),
        x=[float(decibels) for decibels in NOISES],
        y={"known_voices": known, "new_voices": new},
    )


def other_sounds(case: "SpokenDigits", heard: Heard) -> list[Metric]:
    """How well digits are told from other words, from reading and from noise (AUC)."""
    digits = case.net.strangeness(heard.pictures().to(case.device)).cpu().numpy()
    found = []
    for name, sounds in other_sources():
        pictures = [x for sound in sounds if (x := seen(case, sound)) is not None]
        scores = case.net.strangeness(torch.cat(pictures).to(case.device)).cpu().numpy()
        said = Said(name, "against the test digits", EVALUATE, "")
        truth = np.r_[np.zeros(len(digits)), np.ones(len(scores))]
        found.append(said.metric("auc", metrics.auc, truth, np.r_[digits, scores]))
        said = Said(name, "test", EVALUATE, "")
        found.append(said.share("marked_outside", scores > case.foreign))
    return found


def baselines(spoken: Spoken, part: Spoken, said: Said) -> list[Metric]:
    """Two plain classifiers of the same pictures, on the test part and on new voices."""
    from sklearn.neighbors import NearestCentroid
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    heard = hear(spoken)
    x = heard.pictures().flatten(1).numpy()
    labels, test = heard.labels.numpy(), heard.index < fsdd.TEST
    found = []
    for name, make in (
        (NEAREST, NearestCentroid),
        (SVM, lambda: make_pipeline(StandardScaler(), SVC(C=10.0))),
    ):
        guesses = make().fit(x[~test], labels[~test]).predict(x[test])
        found.append(said.metric("accuracy", metrics.accuracy, labels[test], guesses, model=name))
        loso = {}
        for speaker in np.unique(heard.speakers):
            out = heard.speakers == speaker
            told = make().fit(x[~out & ~test], labels[~out & ~test]).predict(x[out])
            loso[speaker] = {"confusion": metrics.confusion_counts(labels[out], told, 10)}
        found.append(loso_metric(loso, model=name, command=EVALUATE))
    return found
