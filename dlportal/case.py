"""What a case is: a network with what goes in, what comes out, and how it is measured."""

import copy
import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

import torch
from torch import Tensor, nn

from dlportal.cards import Card, Measured, load_card
from dlportal.device import pick_device
from dlportal.messages import N_, InputError
from dlportal.results import Label, Result
from dlportal.training.events import Run

__all__ = ["Case", "Example", "InputError", "Lab", "Settings", "case_class", "load_case"]

Raw = TypeVar("Raw")
Budget = Literal["quick", "full"]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Example(Generic[Raw]):
    """An input the page offers. `load` gets it when it is needed; `source` says whose it is."""

    id: str
    label: Label
    load: Callable[[], Raw]
    source: str = ""
    truth: str = ""  # the right answer's label id, where it is known


@dataclass(frozen=True)
class Settings:
    """How a training was asked for; `part` is what it trains where a case has several networks
    (a world's agents): "" is the main one if quick, all of them if full."""

    budget: Budget = "quick"
    seed: int = 0
    part: str = ""


@dataclass(frozen=True)
class Knob:
    """A setting that becomes a widget: a number with a range, or one of `choices`.

    `label` is marked with `N_`; choices are ids, named by `choice_labels` (also marked).
    """

    name: str
    label: str
    default: float | int | str | bool
    low: float | int | None = None
    high: float | int | None = None
    step: float | int | None = None
    choices: tuple[str, ...] = ()
    choice_labels: tuple[str, ...] = ()
    help: str = ""


class Case(ABC, Generic[Raw]):
    """A case with a network.

    One object serves all visitors: after construction it is never changed, the network is
    frozen and in eval mode, and every method is safe to call from several threads.
    Subclasses set `kind`, implement the abstract methods, and live in
    `dlportal/cases/<case_id>.py`, which names its class `CASE`. `dlportal.kinds` has bases
    for pictures, texts, table rows and sounds.
    """

    kind: ClassVar[str]  # "image", "text", "table", "audio", "molecule" or "state"
    golden_tolerance: ClassVar[float] = 2e-3  # of outputs, between machines and precisions
    batches: ClassVar[bool] = True  # whether several visitors' inputs can share a forward pass
    one_pass: ClassVar[bool] = True  # False: `predict` writes, asking the network token by token
    grid: ClassVar[bool] = False  # whether what can be hidden lies on a grid (pixels, time × pitch)

    card: Card
    net: nn.Module
    labels: tuple[Label, ...] = ()

    def __init__(self, card: Card) -> None:
        self.card = card
        self.device = pick_device()
        self.temperature = float(card.measured.constants.get("temperature", 1.0))
        self.net = self.load().to(self.device).eval().requires_grad_(False)

    @abstractmethod
    def load(self) -> nn.Module:
        """Build the network with its weights, on the CPU."""

    @abstractmethod
    def check(self, raw: Raw) -> None:
        """Raise `InputError` (what is wrong, what to do) unless `raw` can be used."""

    @abstractmethod
    def encode(self, raw: Raw) -> Tensor:
        """Turn an input into the network's input, with a leading batch axis of 1."""

    @abstractmethod
    def decode(self, y: Tensor, raw: Raw) -> Result:
        """Turn the network's output for one input (no batch axis) into a result."""

    @abstractmethod
    def read(self, given: str) -> Raw:
        """Read an input from the command line: a file's path or the text itself.

        Raises:
            InputError: Not readable.
        """

    @abstractmethod
    def examples(self) -> list[Example[Raw]]:
        """Inputs that the page offers."""

    def golden(self) -> Raw:
        """A fixed input the project may ship (seeded or self-made) for the golden test."""
        raise ValueError(f"{self.card.id} has no golden input")

    def collate(self, xs: Sequence[Tensor]) -> Tensor:
        """Join encoded inputs along the batch axis; kinds with ragged inputs pad here."""
        return torch.cat(list(xs))

    @torch.inference_mode()
    def predict_batch(self, raws: Sequence[Raw]) -> list[Result]:
        """Predict several inputs in one forward pass.

        Raises:
            InputError: An input cannot be used.
        """
        for raw in raws:
            self.check(raw)
        x = self.collate([self.encode(raw) for raw in raws]).to(self.device)
        y = self.net(x).float().cpu()
        return [self.decode(row, raw) for row, raw in zip(y, raws, strict=True)]

    def predict(self, raw: Raw) -> Result:
        """Predict one input; raises `InputError` where it cannot be used."""
        return self.predict_batch([raw])[0]

    def probabilities(self, y: Tensor) -> Tensor:
        """Calibrated class probabilities of logits, shape (B, classes)."""
        return torch.softmax(y.float() / self.temperature, dim=-1)

    def targets(self, raw: Raw) -> list[int]:
        """Output indices worth explaining for this input, the prediction first."""
        with torch.inference_mode():
            y = self.net(self.encode(raw).to(self.device))
        return self.probabilities(y)[0].topk(min(3, y.shape[-1])).indices.tolist()

    def target_name(self, index: int, language: str = "en") -> str:
        """What an output index stands for; a case with too many to list overrides it."""
        return self.labels[index](language) if self.labels else str(index)

    def with_net(self, net: nn.Module) -> Self:
        """The same case around another network (randomised or newly trained weights)."""
        other = copy.copy(self)
        other.net = net.to(self.device).eval().requires_grad_(False)
        return other

    def about(self, raw: Raw) -> Self:
        """The case that explanations of this input ask: itself, or one whose outputs and labels
        belong to the input (the words of a transcript)."""
        return self

    def asking(self, target: int) -> Self:
        """The case that explanations of this output ask, thousands of times: itself, or one whose
        other networks stay silent."""
        return self

    # What a case may offer beyond prediction. Each is a classmethod or raises ValueError,
    # and `can(name)` tells without calling.

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        """Train a network from its seed, reporting to `run`; returns it with the best weights.

        Writes nothing but checkpoints in `run.folder`; the command line's `train` stores the
        result. Stops early, with the best so far, when `run.cancelled()`.
        """
        raise ValueError(f"{card.id} is not trained here")

    @classmethod
    def prepare(cls) -> None:
        """Read what a training needs, in a process that may be asked for one next; nothing here."""
        return

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> "Evaluation":
        """Measure the case on its own dataset, or on `data` laid out like it."""
        raise ValueError(f"{self.card.id} has nothing to evaluate")

    @classmethod
    def can(cls, name: str) -> bool:
        """Whether this case implements an optional method itself."""
        # A classmethod is bound anew at each look: what counts is the function inside.
        own, base = getattr(cls, name, None), getattr(Case, name, None)
        return getattr(own, "__func__", own) is not getattr(base, "__func__", base)

    def code(self, raw: Raw, example: str | None, explainer: str | None, target: int | None) -> str:
        """The lines of Python that reproduce what the page just showed.

        `example` is an example's id, or None for the visitor's own input.
        """
        given = f"case.example({example!r})" if example else self.literal(raw)
        lines = [
            "from dlportal.case import load_case",
            "",
            f"case = load_case({self.card.id!r})",
            f"raw = {given}",
            "result = case.predict(raw)",
        ]
        if explainer is not None:
            lines[1:1] = ["from dlportal.explain import get_explainer"]
            lines += [f"explanation = get_explainer({explainer!r}).explain(case, raw, {target})"]
        return "\n".join(lines) + "\n"

    def literal(self, raw: Raw) -> str:
        """Python that reads the visitor's own input again."""
        return 'case.read("your_file")'

    def example(self, example_id: str) -> Raw:
        """Load one example.

        Raises:
            ValueError: No such example (names the valid ones).
        """
        for example in self.examples():
            if example.id == example_id:
                return example.load()
        known = ", ".join(e.id for e in self.examples())
        raise ValueError(f"no example {example_id!r}; examples: {known}")


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` measured; `measured` holds the card's new machine-written part."""

    case: str
    split: str
    n: int
    seconds: float
    measured: Measured
    extra: dict[str, Any] = field(default_factory=dict)


class Lab(ABC):
    """A case without a network of its own: it computes live from settings.

    `run` yields frames (a result dataclass of the lab); the same settings give the same frames.
    """

    card: Card
    knobs: tuple[Knob, ...] = ()

    def __init__(self, card: Card) -> None:
        self.card = card

    @abstractmethod
    def run(self, **settings: Any) -> Iterator[Result]:
        """Compute frame after frame; a visitor who leaves just stops iterating."""

    @abstractmethod
    def code(self, **settings: Any) -> str:
        """A script that reproduces the run with plain torch."""


def case_class(case_id: str) -> type[Case] | type[Lab]:
    """Import a case's module and return its class, loading no weights.

    Raises:
        ValueError: No such case (names the valid ones).
    """
    load_card(case_id)  # raises for an unknown id
    return importlib.import_module(f"dlportal.cases.{case_id}").CASE


def load_case(case_id: str) -> Any:
    """Build a case (a `Case` or a `Lab`), with its weights.

    Raises:
        ValueError: No such case.
        AssetError: Its pretrained weights can be neither found nor fetched.
    """
    return case_class(case_id)(load_card(case_id))


def check_length(text: str, limit: int) -> None:
    """Raise `InputError` for an empty or over-long text."""
    if not text.strip():
        raise InputError(N_("The text is empty. Type a sentence or pick an example."))
    if len(text) > limit:
        raise InputError(
            N_("The text has {n} characters; the limit is {limit}. Shorten it."),
            n=f"{len(text):,}",
            limit=f"{limit:,}",
        )
