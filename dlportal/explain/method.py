"""What the methods share: knobs checked, time taken, the network asked in batches."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from dlportal.case import Case, Knob, Progress
from dlportal.explain.base import Explanation, HasMasker, Masker
from dlportal.messages import N_

Output = Literal["logit", "probability"]

OUTPUT = Knob(
    "output",
    N_("Measured on"),
    default="probability",
    choices=("probability", "logit"),
    choice_labels=(N_("Probability"), N_("Logit")),
    help=N_("The logit is the number before the probabilities are made to add up to 1."),
)


class Passes:
    """Counts passes through a network, in inputs, and reports them to a listener."""

    def __init__(self, expected: int, listen: Progress | None = None) -> None:
        self.expected = expected
        self.done = 0
        self._listen = listen

    def add(self, inputs: int) -> None:
        """Count inputs; a listener that wants to give up raises here."""
        self.done += inputs
        if self._listen is not None:
            self._listen(min(self.done, self.expected), self.expected)


@dataclass(frozen=True)
class Attribution:
    """What a method found; `Explanation` adds who asked for it."""

    values: np.ndarray
    passes: int
    residual: float | None = None
    total: float | None = None


class Method(ABC):
    """Base of the explainers: subclasses compute an `Attribution` from checked settings."""

    name: str
    title: str
    about: str
    paper: str
    signed: bool = True
    knobs: tuple[Knob, ...] = ()

    @abstractmethod
    def supports(self, case: Case) -> bool:
        """Whether the case offers what this method needs."""

    @abstractmethod
    def attribute(
        self, case: Case, raw: Any, target: int, settings: dict[str, Any], progress: Progress | None
    ) -> Attribution:
        """Compute the map; `settings` has a value for every knob."""

    def explain(
        self, case: Case, raw: Any, target: int, progress: Progress | None = None, **knobs: Any
    ) -> Explanation:
        settings = {knob.name: knob.default for knob in self.knobs}
        settings |= check_knobs(self.name, self.knobs, knobs)
        if not self.supports(case):
            raise ValueError(f"{self.name} cannot explain {case.card.id}")
        started = time.perf_counter()
        found = self.attribute(case, raw, int(target), settings, progress)
        return Explanation(
            values=found.values,
            signed=self.signed,
            target=int(target),
            method=self.name,
            parts=tuple(case.masker(raw).parts) if isinstance(case, HasMasker) else (),
            residual=found.residual,
            total=found.total,
            evaluations=found.passes,
            seconds=time.perf_counter() - started,
            knobs=settings,
        )


def check_knobs(method: str, knobs: Iterable[Knob], given: dict[str, Any]) -> dict[str, Any]:
    """Return the given settings, or raise `ValueError` naming what would be valid."""
    known = {knob.name: knob for knob in knobs}
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"{method} has no knob {name!r}; knobs: {', '.join(known) or 'none'}")
        knob = known[name]
        if knob.choices and value not in knob.choices:
            raise ValueError(f"{name}={value!r}; choices: {', '.join(knob.choices)}")
        if knob.low is not None and knob.high is not None and not knob.low <= value <= knob.high:
            raise ValueError(f"{name}={value!r} is outside {knob.low} to {knob.high}")
    return given


def is_picture(case: Case) -> bool:
    """Whether the parts that can be hidden lie on a grid, of pixels or of time and pitch."""
    return isinstance(case, HasMasker) and case.grid


def is_list(case: Case) -> bool:
    """Whether the parts that can be hidden are a handful: words, columns, moments."""
    return isinstance(case, HasMasker) and not case.grid


def batch_size(case: Case, gradients: bool = False) -> int:
    """Inputs a pass.

    A CPU gains nothing from larger batches, as its caches are small, and they cost memory: following
    gradients through 16 pictures of 224 pixels took a gigabyte, and more time than through 4.
    """
    if case.device.type != "cpu":
        return 64
    if case.kind == "image":
        return 4 if gradients else 8
    return 32


def pick(case: Case, y: Tensor, target: int, output: Output) -> Tensor:
    """One output of each row, shape (B,), on the CPU.

    Args:
        case: Whose output it is.
        y: Network outputs, shape (B, classes).
        target: Output index.
        output: The logit, or the calibrated probability.

    Raises:
        ValueError: No such output.
    """
    check_target(y, target)
    scores = case.probabilities(y) if output == "probability" else y
    return scores[:, target].float().cpu()


def ask(
    case: Case,
    masker: Masker,
    masks: Iterable[Tensor],
    target: int,
    passes: Passes,
    output: Output = "logit",
) -> Tensor:
    """The network's answers to an input with parts hidden.

    Args:
        case: Whose network is asked.
        masker: The input.
        masks: Batches of what to keep, each (B, *masker.shape) in [0, 1].
        target: Output index.
        passes: Counts, and may give up.
        output: The logit, or the calibrated probability.

    Returns:
        One number a mask, shape (N,), float32 on the CPU.
    """
    answers = []
    for keep in masks:
        with torch.inference_mode():
            answers.append(pick(case, case.net(masker.render(keep)), target, output))
        passes.add(len(keep))
    return torch.cat(answers)


def answer_keep(
    case: Case, masker: Masker, target: int, passes: Passes, output: Output = "logit"
) -> Callable[[Tensor], Tensor]:
    """The network as a function of what is kept, for methods of captum: (B, *shape) to (B,)."""
    return lambda keep: ask(case, masker, [keep], target, passes, output)


def in_batches(rows: Tensor, size: int) -> Iterator[Tensor]:
    """Cut along the first axis."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def gradient(forward: Callable[[Tensor], Tensor], x: Tensor, target: int) -> Tensor:
    """Slope of one logit in each row of `x`, shaped like `x`.

    `torch.autograd.grad` alone: nothing is added up in tensors that threads share.
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        y = forward(x)
        check_target(y, target)
        return torch.autograd.grad(y[:, target].float().sum(), x)[0].detach()


def check_target(y: Tensor, target: int) -> None:
    """Raise `ValueError` unless the outputs (B, classes) have this index."""
    if not 0 <= target < y.shape[-1]:
        raise ValueError(f"no output {target}; outputs: 0 to {y.shape[-1] - 1}")
