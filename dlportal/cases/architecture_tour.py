"""One task, four architectures: MLP, CNN, LSTM and attention, from the inside.

A fifth view lets an LSTM listen to a spoken digit. Data: Free Spoken Digit Dataset, Jackson et
al., https://github.com/Jakobovski/free-spoken-digit-dataset.

Data: Fashion-MNIST, Xiao et al. 2017, https://arxiv.org/abs/1708.07747; scikit-learn's digits,
Alpaydin and Kaynak 1998, https://doi.org/10.24432/C50P49, which are always at hand.

Every kind was trained twice on each: on the pictures as they are, and with all pixels moved to
other places, the same way in every picture. The parts lie in `dlportal/labs/arch_*.py`.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from dlportal.cards import Card
from dlportal.case import Case, Evaluation, Example, Knob, Progress, Settings
from dlportal.data import fsdd, is_available
from dlportal.data.splits import pick_split
from dlportal.kinds.audio import QUIETEST, SILENT, Sound, check_duration, resample
from dlportal.kinds.image import check_size, read_picture, to_tensor
from dlportal.labs.arch_data import DATA, DRAWN, LABELS, OUTLINES, drawing, load, shrink
from dlportal.labs.arch_measures import Said, measure
from dlportal.labs.arch_nets import CNN, KINDS, AttentionNet, RowLSTM
from dlportal.labs.arch_script import script
from dlportal.labs.arch_speech import FRIEND, LONGEST, RATE, STRANGER, Heard, listen
from dlportal.labs.arch_tour import ORDERS, TASKS, Tour, shift, shuffle
from dlportal.labs.arch_training import parts, train_tour
from dlportal.labs.settings import complete
from dlportal.messages import N_, InputError
from dlportal.results import Classes, Label, Result, Score
from dlportal.training.events import Run
from dlportal.training.said import evaluate_command
from dlportal.training.store import load_weights

MOST_SHIFT = 8  # pixels
MAPS = CNN.WIDTHS

KNOBS = (
    Knob(
        "task",
        N_("Pictures"),
        "digits",
        choices=("digits", "fashion"),
        choice_labels=(N_("Digits"), N_("Clothes")),
    ),
    Knob("right", N_("Shift right"), 0, -MOST_SHIFT, MOST_SHIFT, 1),
    Knob("down", N_("Shift down"), 0, -MOST_SHIFT, MOST_SHIFT, 1),
    Knob("shuffled", N_("Shuffle the pixels"), False),
)
VIEW = Knob(
    "view",
    N_("Look into"),
    "mlp",
    choices=("mlp", "cnn", "reach", "rnn", "speech", "attention"),
    choice_labels=(
        "MLP",
        N_("CNN: filters and maps"),
        N_("What a unit can see"),
        N_("LSTM: gates"),
        N_("LSTM: a spoken digit"),
        N_("Attention"),
    ),
)
PLACE = (Knob("row", N_("Row"), 14, 1, 28, 1), Knob("column", N_("Column"), 14, 1, 28, 1))
INSIDE = {
    "hidden": Knob("hidden", N_("Hidden unit"), 1, 1, 72, 1),
    "layer": Knob("layer", N_("Layer"), 1, 1, 4, 1),
    "channel": Knob("channel", N_("Map"), 1, 1, max(MAPS), 1),
    "unit": Knob("unit", N_("Unit"), 1, 1, RowLSTM.UNITS, 1),
    "spoken": Knob("spoken", N_("Digit"), "7", choices=tuple("0123456789")),
    "voice": Knob(
        "voice",
        N_("Voice"),
        "known",
        choices=("known", "new", "own"),
        choice_labels=(N_("one it knows"), N_("a new one"), N_("yours")),
    ),
    "moment": Knob("moment", N_("Moment"), 12, 1, LONGEST, 1),
    "block": Knob("block", N_("Block"), 1, 1, AttentionNet.BLOCKS, 1),
    "head": Knob("head", N_("Head"), 1, 1, AttentionNet.HEADS, 1),
}


@dataclass(frozen=True)
class Shown:
    """A picture and which networks it is for: those of the clothes or those of the digits."""

    picture: Image.Image
    task: str = "fashion"


@dataclass(frozen=True)
class FourAnswers(Result):
    """What each kind says, MLP, CNN, LSTM and attention net.

    `plain`: those that learned from ordinary pictures; `shuffled`: those that learned from
    shuffled pixels, asked with the picture's pixels shuffled.
    """

    plain: tuple[Classes, ...]
    shuffled: tuple[Classes, ...]


class ArchitectureTour(Case[Shown]):
    """All networks behind one interface; the page asks those of the first seed."""

    kind = "image"
    golden_tolerance = 5e-3
    knobs = (*KNOBS, VIEW, *PLACE, *INSIDE.values())

    def load(self) -> nn.Module:
        return load_weights(Tour(), self.card.weights)

    def check(self, raw: Shown) -> None:
        if not isinstance(raw, Shown) or not isinstance(raw.picture, Image.Image):
            raise InputError(
                N_("This is not a picture we can read. Choose a PNG, JPEG or WebP file.")
            )
        if raw.task not in TASKS:
            raise ValueError(f"no task {raw.task!r}; tasks: {', '.join(TASKS)}")
        check_size(raw.picture.size, self.card.limits)

    def read(self, given: str) -> Shown:
        return Shown(read_picture(given, self.card.limits))

    def encode(self, raw: Shown) -> Tensor:
        """Shape (1, 1, 28, 28), in [0, 1], bright on black."""
        return to_tensor(shrink(raw.picture))

    def decode(self, y: Tensor, raw: Shown) -> FourAnswers:
        found = y[TASKS.index(raw.task)]
        plain, shuffled = (
            self.answers(raw.task, order, logits) for order, logits in zip(ORDERS, found)
        )
        return FourAnswers(plain, shuffled)

    def answers(self, task: str, order: str, y: Tensor) -> tuple[Classes, ...]:
        """Calibrated answers of the four kinds, from logits (4, 10)."""
        labels = LABELS[task]
        out = []
        for kind, row in zip(KINDS, y):
            p = (row / self.temperature_of(task, order, kind)).softmax(-1).tolist()
            best = sorted(range(len(p)), key=lambda i: -p[i])
            out.append(Classes(tuple(Score(labels[i], p[i], i) for i in best), 1 / len(p)))
        return tuple(out)

    def temperature_of(self, task: str, order: str, kind: str) -> float:
        found: Mapping[str, float] = self.card.measured.constants.get("temperatures", {})
        return float(found.get(f"{task}-{order}-{kind}", 1.0))

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        """Fill in defaults and check; the map is moved into the chosen layer.

        Raises:
            InputError: A value outside its range.
            ValueError: An unknown setting (names the valid ones).
        """
        s = complete(self.knobs, given)
        return {**s, "channel": min(s["channel"], MAPS[s["layer"] - 1])}

    def seen(self, raw: Shown, s: Mapping[str, Any]) -> Tensor:
        """The picture as the networks get it: shifted, then perhaps shuffled, (1, 1, 28, 28)."""
        x = shift(self.encode(raw), s["right"], s["down"]).to(self.device)
        return shuffle(x) if s["shuffled"] else x

    @torch.inference_mode()
    def ask(self, raw: Shown, s: Mapping[str, Any], order: str) -> tuple[Classes, ...]:
        """The answers of those that learned from `order` to the picture as it is shown."""
        y = self.net.ask(raw.task, order, self.seen(raw, s))  # type: ignore[operator]
        return self.answers(raw.task, order, y[0].float().cpu())

    @torch.inference_mode()
    def over_shifts(self, raw: Shown, s: Mapping[str, Any], target: int) -> dict[str, list[float]]:
        """Probability of a class for every shift to the right, by kind."""
        x = self.encode(raw)
        span = range(-MOST_SHIFT, MOST_SHIFT + 1)
        moved = torch.cat([shift(x, right, s["down"]) for right in span]).to(self.device)
        order = ORDERS[int(s["shuffled"])]
        y = self.net.ask(raw.task, order, shuffle(moved) if s["shuffled"] else moved)  # type: ignore[operator]
        return {
            kind: (y[:, index] / self.temperature_of(raw.task, order, kind))
            .softmax(-1)[:, target]
            .tolist()
            for index, kind in enumerate(KINDS)
        }

    def inside(self, task: str, kind: str, shuffled: bool) -> Any:
        """One of the networks: of those that learned from pixels in this order."""
        return self.net.of(task, ORDERS[int(shuffled)], kind)  # type: ignore[operator]

    def recording(self, digit: str, voice: str) -> Sound:
        """A digit of the test part, said by a known voice or by the one kept out of the training.

        Raises:
            AssetError: The recordings are not on this machine.
        """
        speaker = FRIEND if voice == "known" else STRANGER
        return Sound(fsdd.one(int(digit), speaker, 0), RATE)

    def hear(self, sound: Sound) -> Heard:
        """The inside of the listening LSTM while it hears a digit.

        Raises:
            InputError: Too short, too long, or silent.
        """
        check_duration(sound.seconds, self.card.limits)
        samples = resample(sound.samples, sound.rate, RATE).numpy()
        if abs(samples - samples.mean()).max() < QUIETEST:
            raise InputError(SILENT)
        return listen(self.net.listener(), samples)  # type: ignore[operator]

    def script(self, raw: Shown, s: Mapping[str, Any]) -> str:
        """A script with torch alone that repeats every number on the page."""
        return script(shrink(raw.picture), raw.task, self.settings(dict(s)))

    def golden(self) -> Shown:
        return Shown(drawing("tshirt"))

    def examples(self) -> list[Example[Shown]]:
        """Ten digits; our drawings of clothes; ten clothes where Fashion-MNIST is here."""
        found = [
            Example(
                f"digit_{n}",
                Label("", str(n), str(n)),
                partial(from_digits, n),
                N_("From the test part of scikit-learn's digits, 8 × 8 pixels enlarged."),
                str(n),
            )
            for n in range(10)
        ]
        if is_available("fashion_mnist"):
            found += [
                Example(
                    f"test_{label.id}",
                    Label("", label.en, label.zh),
                    partial(from_clothes, index),
                    N_("From the test part of Fashion-MNIST (Zalando, MIT licence)."),
                    label.id,
                )
                for index, label in enumerate(LABELS["fashion"])
            ]
        names = {label.id: label for label in LABELS["fashion"]}
        return found + [
            Example(
                f"drawn_{name}",
                Label("", f"{names[name].en}, drawn", f"{names[name].zh}（画）"),
                partial(drawn, name),
                DRAWN,
                name,
            )
            for name in OUTLINES
        ]

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        return train_tour(settings, run)

    @classmethod
    def prepare(cls) -> None:
        parts()

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Measure on Fashion-MNIST (or a folder laid out like it) and on the digits."""
        started = time.monotonic()
        splits = {task: load(task, data if task == "fashion" else None) for task in TASKS}
        parts = {
            task: (pick_split(found, split, limit), found.train) for task, found in splits.items()
        }
        count = len(parts["fashion"][0])
        if progress is not None:
            progress(0, count)
        said = Said(split, evaluate_command(self.card.id, split))
        measured = measure(
            self.net,  # type: ignore[arg-type]
            self.temperature_of("fashion", "plain", "cnn"),
            parts,
            said,
            DATA["fashion"] if data is None else data.stem,
        )
        measured = measured.model_copy(
            update={
                "case": self.card.id,
                "parameters": sum(p.numel() for p in self.net.parameters()),
            }
        )
        if progress is not None:
            progress(count, count)
        return Evaluation(self.card.id, split, count, time.monotonic() - started, measured)


def from_digits(label: int) -> Shown:
    return Shown(first_of_each("digits")[label], "digits")


def from_clothes(label: int) -> Shown:
    return Shown(first_of_each("fashion")[label])


@cache
def first_of_each(task: str) -> tuple[Image.Image, ...]:
    """The first test picture of every class, taken without looking; the rest is let go."""
    part = load(task).test
    return tuple(
        Image.fromarray(part.images[int((part.labels == label).argmax())].copy())
        for label in range(len(LABELS[task]))
    )


def drawn(name: str) -> Shown:
    return Shown(drawing(name))


CASE = ArchitectureTour
