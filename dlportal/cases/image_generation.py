"""Clothes and digits drawn from noise: flow matching with a small U-Net trained here.

Lipman et al. 2023, https://arxiv.org/abs/2210.02747
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from dlportal.cards import Card
from dlportal.case import Case, Evaluation, Example, Knob, Progress, Settings
from dlportal.cases.generation_training import to_pixels, train_net
from dlportal.labs.practice_data import CLOTHES, DIGITS
from dlportal.messages import N_, InputError
from dlportal.nets.flow_net import ANY, FlowNet, pack
from dlportal.nets.flow_sampling import between, draw_noise, guided_field, walk
from dlportal.results import Label, Pictures, Result
from dlportal.training.events import Run
from dlportal.training.store import load_weights, saved_shapes

WHATEVER = Label("anything", "Anything", "随便什么")
LABELS = (*CLOTHES, *DIGITS, WHATEVER)  # in the order of the net's classes; the last is `ANY`
NAMES = {label.id: index for index, label in enumerate(LABELS)}
MOST = 16  # pictures at once
WRITTEN = N_("Drawn by the network from the seed; no picture of the data is shown.")

KNOBS = (
    Knob(
        "guidance",
        N_("Guidance"),
        2.0,
        0.0,
        8.0,
        0.5,
        help=N_(
            "How strongly the class pulls: 0 forgets it, 1 is what was learned, more exaggerates it and makes pictures alike."
        ),
    ),
    Knob(
        "steps",
        N_("Steps"),
        8,
        1,
        30,
        1,
        help=N_("From noise to picture. Fewer are quicker and blurrier."),
    ),
    Knob(
        "seed",
        N_("Random seed"),
        0,
        0,
        999,
        1,
        help=N_("Another seed, other noise, other pictures; the same seed, the same pictures."),
    ),
)
RANGES = {knob.name: knob for knob in KNOBS}


@dataclass(frozen=True)
class Draw:
    """What is to be drawn: a label's id, and how.

    `towards` is a second seed: the pictures then lie on the way from the first seed's first noise
    to the second's, both ends included.
    """

    kind: str
    seed: int = 0
    guidance: float = 2.0
    steps: int = 8
    count: int = MOST
    towards: int | None = None


class ImageGeneration(Case[Draw]):
    """Pictures of 28 × 28 grey pixels: ten kinds of clothes, ten digits, or anything."""

    kind = "text"
    batches = False  # a visitor's pictures are a batch of their own
    labels = LABELS
    net: FlowNet

    def load(self) -> nn.Module:
        return load_weights(sized_net(self.card.weights), self.card.weights)

    def with_weights(self, path: Path) -> Self:
        """The same case with the weights of a training, which may be of a narrower net."""
        return self.with_net(load_weights(sized_net(path), path))

    def check(self, raw: Draw) -> None:
        if not isinstance(raw, Draw) or not isinstance(raw.kind, str):
            raise InputError(N_("This is not a wish for a picture. Write what to draw: sneaker."))
        if raw.kind not in NAMES:
            raise InputError(
                N_("It cannot draw {what}. Choose from: {known}."),
                what=repr(raw.kind[:40]),
                known=", ".join(NAMES),
            )
        for name, knob in RANGES.items():
            in_range(name, getattr(raw, name), knob.low, knob.high)
        in_range("count", raw.count, 1, MOST)
        if raw.towards is not None:
            in_range("towards", raw.towards, RANGES["seed"].low, RANGES["seed"].high)

    def read(self, given: str) -> Draw:
        """Read `sneaker`, or `sneaker seed=3 guidance=1.5 steps=12 count=4`."""
        words = given.split()
        if not words or len(given) > self.card.limits.characters:
            raise InputError(
                N_("Write what to draw in a few words, such as `sneaker seed=3`; kinds: {known}."),
                known=", ".join(NAMES),
            )
        settings: dict[str, Any] = {}
        for word in words[1:]:
            name, equals, value = word.partition("=")
            if name not in (*RANGES, "count", "towards") or not equals:
                raise InputError(
                    N_(
                        "It does not understand {word}. After the kind write seed=, guidance=, steps=, count= or towards= and a number."
                    ),
                    word=repr(word[:40]),
                )
            settings[name] = number(name, value)
        draw = Draw(words[0].lower(), **settings)
        self.check(draw)
        return draw

    def noise(self, raw: Draw) -> Tensor:
        """Where the pictures start, (count, 1, 28, 28)."""
        if raw.towards is None:
            return draw_noise(raw.count, raw.seed)
        return between(draw_noise(1, raw.seed), draw_noise(1, raw.towards), raw.count)

    def encode(self, raw: Draw) -> Tensor:
        """Noise, time 0 and the class, packed as the net reads them, (count, 786)."""
        noise = self.noise(raw)
        return pack(noise, torch.zeros(raw.count), torch.full((raw.count,), NAMES[raw.kind]))

    @torch.inference_mode()
    def path(self, raw: Draw) -> list[Tensor]:
        """Noise, the pictures after each step, and so the finished ones; (count, 1, 28, 28) each.

        In float32: half the speed of bf16, but another machine draws the same pictures.
        """
        kinds = torch.full((raw.count,), NAMES[raw.kind], device=self.device)
        guidance = 1.0 if NAMES[raw.kind] == ANY else raw.guidance  # there is nothing to pull to
        field = guided_field(self.net, kinds, guidance)
        return walk(field, self.noise(raw).to(self.device), raw.steps)

    def predict_batch(self, raws: Sequence[Draw]) -> list[Result]:
        results: list[Result] = []
        for raw in raws:
            self.check(raw)
            results.append(self.decode(torch.stack(self.path(raw)), raw))
        return results

    def decode(self, y: Tensor, raw: Draw) -> Pictures:
        """Frames (steps + 1, count, 1, 28, 28), in [-1, 1] and beyond, as bytes."""
        frames = to_pixels(y[:, :, 0]).mul(255).round().byte().numpy()
        return Pictures(LABELS[NAMES[raw.kind]], frames)

    def examples(self) -> list[Example[Draw]]:
        return [Example(label.id, label, partial(Draw, label.id), WRITTEN) for label in LABELS]

    def golden(self) -> Draw:
        return Draw("sneaker", seed=1, count=2)

    def literal(self, raw: Draw) -> str:
        return repr(raw)

    def code(
        self, raw: Draw, example: str | None, explainer: str | None, target: int | None
    ) -> str:
        return (
            "\n".join(
                [
                    "from dlportal.case import load_case",
                    "from dlportal.cases.image_generation import Draw",
                    "",
                    f"case = load_case({self.card.id!r})",
                    f"raw = {self.literal(raw)}",
                    "result = case.predict(raw)",
                    "# result.frames: (steps + 1, pictures, 28, 28), from noise to the pictures.",
                    "# from PIL import Image; Image.fromarray(result.pixels[0]).save('picture.png')",
                ]
            )
            + "\n"
        )

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        return train_net(settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Measure beside Fashion-MNIST, or beside a folder with four `.gz` files like its own."""
        from dlportal.cases import generation_evaluation as evaluation

        return evaluation.evaluate(self, split, data, limit, progress)


def sized_net(path: Path) -> FlowNet:
    """A net as wide as the one whose weights lie there."""
    shapes = saved_shapes(path)
    return FlowNet(shapes["stem.weight"][0], shapes["shrink.weight"][0])


def in_range(name: str, value: Any, low: Any, high: Any) -> None:
    """Raise `InputError` unless a setting is a number between two others."""
    whole = name != "guidance"
    good = isinstance(value, int) or (not whole and isinstance(value, float))
    if isinstance(value, bool) or not good or not low <= value <= high:
        raise InputError(
            N_("{name} must be a whole number from {low} to {high}.")
            if whole
            else N_("{name} must be a number from {low} to {high}."),
            name=name,
            low=low,
            high=high,
        )


def number(name: str, text: str) -> int | float:
    """A setting's value as it is written.

    Raises:
        InputError: Not a number.
    """
    whole = re.fullmatch(r"\d{1,6}", text)
    if whole:
        return int(text)
    if name == "guidance" and re.fullmatch(r"\d{1,4}\.\d{1,6}", text):
        return float(text)
    raise InputError(N_("{name} must be a number."), name=name)


CASE = ImageGeneration
