"""Train the digit network: on all speakers, and, to see what it does with a new voice, five times
with one of them left out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.cards import Calibration
from dlportal.case import Settings
from dlportal.data import fsdd
from dlportal.data.fsdd import Spoken
from dlportal.kinds import flite
from dlportal.nets.digit_ear import (
    COLUMNS,
    Span,
    log_power,
    loudness,
    mel_powers,
    picture,
    spectrum,
    stretch,
    words_in,
)
from dlportal.nets.digit_net import CLASSES, MEMBERS, DigitNet
from dlportal.training.batches import Shuffled
from dlportal.training.calibration import fit_temperature, reliability, softmax
from dlportal.training.digit_readings import OURS, readings
from dlportal.training.events import Run
from dlportal.training.fit import Plan, fit, seed_everything
from dlportal.training.metrics import confusion_counts, ece
from dlportal.training.voice_augment import MARGIN, SOURCE, Voices, foreign


@dataclass(frozen=True)
class Recipe:
    """How many networks vote, how many passes over the recordings they make, and how many
    readings of each digit by synthetic voices they hear beside the men."""

    members: int
    epochs: int
    readings: Mapping[str, int] = field(default_factory=dict)


RECIPES = {
    "quick": Recipe(members=1, epochs=8),
    "full": Recipe(MEMBERS, epochs=60, readings={OURS: 40} | dict.fromkeys(flite.VOICES, 10)),
}
BATCH = 64
FOREIGN = 0.3  # weight of "is it a digit?" in the loss
NOISES = (30, 20, 10, 5, 0)  # dB of speech above white noise, for the card's curve
VOICES = Voices()


@dataclass(frozen=True)
class Heard:
    """Recordings as the training needs them.

    Attributes:
        logs: Log power of the word and a margin on both sides, (N, 129, 96), float16.
        labels: Digits, (N,).
        speakers: Names, (N,).
        index: The recording's number, (N,).
    """

    logs: Tensor
    labels: Tensor
    speakers: np.ndarray
    index: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> "Heard":
        """The recordings with these indices, or those that a mask (N,) marks."""
        return Heard(self.logs[rows], self.labels[rows], self.speakers[rows], self.index[rows])

    def and_also(self, other: "Heard") -> "Heard":
        """These recordings, and after them others."""
        return Heard(
            torch.cat([self.logs, other.logs]),
            torch.cat([self.labels, other.labels]),
            np.append(self.speakers, other.speakers),
            np.append(self.index, other.index),
        )

    def pictures(self) -> Tensor:
        """Unchanged, without the margins: (N, 1, 40, 64)."""
        word = SOURCE / (1 + 2 * MARGIN)
        first, last = MARGIN * word, (1 + MARGIN) * word
        parts = (
            torch.stack([stretch(logs, first, last, COLUMNS) for logs in part.float()])
            for part in self.logs.split(256)
        )
        return torch.cat([picture(mel_powers(part)) for part in parts])


def hear(spoken: Spoken) -> Heard:
    """Find the word in each recording and keep its spectrum with a margin on both sides."""
    rows = []
    for sound in spoken.sounds:
        logs = log_power(spectrum(torch.from_numpy(np.ascontiguousarray(sound))))
        words = words_in(loudness(logs)) or [Span(0, logs.shape[1])]  # a click, or noise all over
        first, last = words[0].start, words[-1].end
        margin = MARGIN * (last - first)
        rows.append(stretch(logs, first - margin, last + margin, SOURCE).half())
    labels = torch.from_numpy(spoken.labels).long()
    return Heard(torch.stack(rows), labels, np.array(spoken.speakers), spoken.index)


def in_noise(spoken: Spoken, decibels: float, seed: int = 0) -> Spoken:
    """The same recordings with white noise, so many dB below the speech."""
    rng = np.random.default_rng(seed)
    sounds = []
    for sound in spoken.sounds:
        level = np.sqrt((sound**2).mean()) * 10 ** (-decibels / 20)
        sounds.append(sound + level * rng.standard_normal(len(sound), np.float32))
    return Spoken(tuple(sounds), spoken.labels, spoken.speakers, spoken.index)


def train_on_fsdd(settings: Settings, run: Run) -> nn.Module:
    """Train on the official training part; the full budget also leaves out one man in turn.

    The network that ships comes first: a training that is stopped later still has it. The five
    others tell what to expect of a new voice, and give the temperature.
    """
    spoken, counts = fsdd.load(), RECIPES[settings.budget].readings
    heard = hear(spoken)
    if counts:
        heard = heard.and_also(hear(readings(counts, settings.seed, run)))
    training = heard.take(heard.index >= fsdd.TEST)
    net = train_net(training, settings, run, "fit")
    run.constants["temperature"] = distorted_temperature(net, training)
    if settings.budget == "full":
        run.constants |= leave_speakers_out(spoken, heard, settings, run)
    run.constants["foreign"] = foreign_limit(net, training)
    return net


def is_held(heard: Heard) -> np.ndarray:
    """Which of the training recordings validate, (N,)."""
    return heard.index < fsdd.TEST + fsdd.HELD


def train_net(heard: Heard, settings: Settings, run: Run, name: str) -> DigitNet:
    """Train the members on recordings outside the official test, in one loop.

    Each starts elsewhere and hears its own changes of the same batch.
    """
    recipe = RECIPES[settings.budget]
    held = is_held(heard)
    kept, valid = heard.take(~held), heard.take(held)
    x_valid, labels_valid = distorted(valid, 2)
    with torch.random.fork_rng(devices=[]):
        seed_everything(settings.seed)
        net = DigitNet(recipe.members)
    run.facts.setdefault("recordings", {})[name] = {"train": len(kept), "validation": len(valid)}
    batches = Shuffled((kept.logs, kept.labels), BATCH, settings.seed, augment(recipe.members))

    def validate(net: nn.Module) -> dict[str, float]:
        y = all_logits(net, x_valid)
        right = (y.argmax(dim=1) == labels_valid).float().mean()
        return {"accuracy": float(right), "loss": float(F.cross_entropy(y, labels_valid))}

    plan = Plan(
        epochs=recipe.epochs,
        rate=4e-3,
        weight_decay=0.02,
        metric="loss",
        higher_is_better=False,
        seed=settings.seed,
    )
    fit(net, batches, mean_loss, validate, plan, run, name)
    x, labels = distorted(kept, 1)
    net.fit_distance(torch.cat([kept.pictures(), x]), torch.cat([kept.labels, labels]))
    return net


def mean_loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """The members' losses: which digit it is, and whether it is one."""
    x, labels = batch
    y = net.each(x).float()  # type: ignore[operator]  # (M, B, 11)
    known = torch.zeros(y.shape[:2], device=y.device)
    known[:, len(labels) :] = 1
    digits = y[:, : len(labels), :CLASSES].flatten(0, 1)
    said = F.cross_entropy(digits, labels.repeat(len(y)))
    return said + FOREIGN * F.binary_cross_entropy_with_logits(y[:, :, CLASSES], known)


def augment(members: int) -> Callable[[Tensor, torch.Generator], Tensor]:
    """A view of its own for each member: log power (B, 129, 96) to (B + B // 4, M, 40, 64)."""

    def views(logs: Tensor, generator: torch.Generator) -> Tensor:
        return torch.cat([with_foreign(logs, generator) for _ in range(members)], dim=1)

    return views


def with_foreign(logs: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures of changed recordings, and after them a quarter as many of what is no digit."""
    others = foreign(logs, generator)[: len(logs) // 4]
    return VOICES(torch.cat([logs.float(), others]), generator)


def distorted(heard: Heard, copies: int) -> tuple[Tensor, Tensor]:
    """Changed copies of recordings, harder than they are: pictures and digits."""
    generator = torch.Generator().manual_seed(0)
    parts = [VOICES(heard.logs, generator) for _ in range(copies)]
    return torch.cat(parts), heard.labels.repeat(copies)


@torch.inference_mode()
def all_logits(net: nn.Module, x: Tensor) -> Tensor:
    """Logits (N, 10) on the CPU of pictures (N, 1, 40, 64)."""
    device = next(net.parameters()).device
    return torch.cat([net(part.to(device)).float().cpu() for part in x.split(256)])


def distorted_temperature(net: nn.Module, training: Heard) -> float:
    """The temperature for known voices, on distorted validation recordings."""
    x, labels = distorted(training.take(is_held(training)), 4)
    return fit_temperature(all_logits(net, x), labels)


def foreign_limit(net: DigitNet, training: Heard) -> float:
    """How foreign all but one in fifty of the validation recordings are at most."""
    valid = training.take(is_held(training) & (training.index >= fsdd.TEST))
    x = valid.pictures().to(next(net.parameters()).device)
    return float(net.strangeness(x).quantile(0.98))


def leave_speakers_out(
    spoken: Spoken, heard: Heard, settings: Settings, run: Run
) -> dict[str, Any]:
    """Train without each man in turn and let the network hear that one.

    Args:
        spoken: What the men said.
        heard: The same, and what else there is to learn from.

    Returns:
        `loso`: for each of them the confusion (10 x 10, rows the truth) over all recordings,
        the accuracy in noise, and the share that is marked as no digit; `temperature` and
        `loso_calibration`: see `scaled`.
    """
    found: dict[str, Any] = {}
    logits: dict[str, Tensor] = {}
    for speaker in sorted(set(spoken.speakers)):
        out = heard.speakers == speaker
        net = train_net(
            heard.take(~out & (heard.index >= fsdd.TEST)), settings, run, f"without_{speaker}"
        )
        if run.cancelled():
            return {}
        new = heard.take(out)
        logits[speaker] = all_logits(net, new.pictures())
        found[speaker] = {
            "confusion": confusion_counts(
                new.labels, logits[speaker].argmax(dim=1), CLASSES
            ).tolist(),
            "noise": noise_curve(net, spoken.take(np.flatnonzero(out[: len(spoken)]))),
            "marked": marked_share(net, new, foreign_limit(net, heard.take(~out))),
        }
    return {"loso": found, **scaled(heard, logits)}


def scaled(heard: Heard, logits: dict[str, Tensor]) -> dict[str, Any]:
    """The temperature over all left-out speakers, and what it does to each by that of the others.

    Returns:
        `temperature`, and `loso_calibration` as on a card.
    """
    truth = {name: heard.labels[heard.speakers == name] for name in logits}

    def fitted(names: list[str]) -> float:
        return fit_temperature(
            torch.cat([logits[name] for name in names]), torch.cat([truth[name] for name in names])
        )

    every = list(logits)
    temperatures = {n: fitted([other for other in every if other != n]) for n in every}
    labels = torch.cat([truth[n] for n in every]).numpy()
    before, after = (
        np.concatenate([softmax(logits[n], t) for n, t in zip(every, scales)])
        for scales in ([1.0] * len(every), [temperatures[n] for n in every])
    )
    temperature = fitted(every)
    calibration = Calibration(
        temperature=temperature,
        ece_before=ece(labels, before),
        ece_after=ece(labels, after),
        before=reliability(before, labels),
        after=reliability(after, labels),
    )
    return {"temperature": temperature, "loso_calibration": calibration.model_dump()}


def marked_share(net: DigitNet, heard: Heard, limit: float) -> float:
    """The share of recordings that are taken for something else."""
    strange = net.strangeness(heard.pictures().to(next(net.parameters()).device))
    return round(float((strange > limit).float().mean()), 4)


def noise_curve(net: nn.Module, spoken: Spoken) -> list[float]:
    """Accuracy at each of `NOISES`."""
    return [accuracy_in(net, spoken, decibels) for decibels in NOISES]


def accuracy_in(net: nn.Module, spoken: Spoken, decibels: float) -> float:
    heard = hear(in_noise(spoken, decibels))
    right = all_logits(net, heard.pictures()).argmax(dim=1) == heard.labels
    return round(float(right.float().mean()), 4)
