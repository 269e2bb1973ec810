"""What an explanation is, and what a case must offer so that a method can explain it.

Methods ask for capabilities, never for case ids:

* `HasMasker`: the input has parts that can be hidden (pixels, words, columns). Enough for
  occlusion, RISE, leave-one-out, Shapley sampling and for measuring faithfulness.
* `HasDifferentiable`: the network can be followed by gradients from a continuous input
  (pixels, embeddings, columns). Enough for integrated gradients and SmoothGrad.
* `HasFeatureMaps` (a network): `features(x)` and `head(f)`. Enough for Grad-CAM, without hooks,
  because one network serves many threads.
* `HasBoxes`: the answer is boxes, and one of them can be asked about. D-RISE instead of RISE.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from dlportal.case import Case, Knob, Progress


@runtime_checkable
class Masker(Protocol):
    """An input whose parts can be hidden.

    `shape` is the shape of an attribution map: (height, width) of a picture, (words,) of a
    text, (columns,) of a table row. `parts` names them where they have names.
    """

    shape: tuple[int, ...]
    parts: tuple[str, ...]

    def render(self, keep: Tensor) -> Tensor:
        """Hide parts of the input.

        Args:
            keep: Shape (M, *shape), float in [0, 1]: 1 keeps a part, 0 replaces it by the
                baseline (blurred picture, mask token, typical column value).

        Returns:
            M encoded inputs, ready for the network.
        """
        ...


@runtime_checkable
class HasMasker(Protocol):
    def masker(self, raw: Any) -> Masker: ...


@dataclass(frozen=True)
class Differentiable:
    """A continuous view of one input.

    Attributes:
        x: Shape (1, ...): pixels, embeddings or columns.
        baseline: Same shape: the input that says nothing.
        forward: Maps (B, ...) to logits (B, classes).
        reduce: Maps attributions shaped like `x` to the masker's `shape`.
    """

    x: Tensor
    baseline: Tensor
    forward: Callable[[Tensor], Tensor]
    reduce: Callable[[Tensor], np.ndarray]


@runtime_checkable
class HasDifferentiable(Protocol):
    def differentiable(self, raw: Any) -> Differentiable: ...


@runtime_checkable
class HasFeatureMaps(Protocol):
    def features(self, x: Tensor) -> Tensor: ...

    def head(self, f: Tensor) -> Tensor: ...


@runtime_checkable
class HasBoxes(Protocol):
    """A case that answers with boxes, and whose `about` judges how well each is found again."""

    def outline(self, target: int) -> tuple[float, float, float, float] | None:
        """A box's left, top, right and bottom as shares of what the network sees; None where
        this case (not one of `about`) judges no boxes."""
        ...


@dataclass(frozen=True)
class Explanation:
    """An attribution map.

    Attributes:
        values: Shape of the case's masker. Signed methods: positive in favour of the target.
            Unsigned ones: at least 0.
        signed: Whether the sign means anything.
        target: Output index that was explained.
        method: The explainer's name.
        parts: Names of the parts (words, columns); empty for pictures.
        residual: For methods that promise completeness: sum(values) - (f(x) - f(baseline)),
            in logits.
        total: f(x) - f(baseline) in logits, where `residual` is given.
        evaluations: How many forward (or backward) passes it took, counted in inputs.
    """

    values: np.ndarray
    signed: bool
    target: int
    method: str
    parts: tuple[str, ...] = ()
    residual: float | None = None
    total: float | None = None
    evaluations: int = 0
    seconds: float = 0.0
    knobs: dict[str, Any] = field(default_factory=dict)


@runtime_checkable
class Explainer(Protocol):
    """One attribution method. Stateless: one object serves all threads."""

    @property
    def name(self) -> str:
        """Id, snake_case."""
        ...

    @property
    def title(self) -> str:
        """Shown; marked with `N_`."""
        ...

    @property
    def about(self) -> str:
        """What it does, one sentence; marked with `N_`."""
        ...

    @property
    def paper(self) -> str:
        """Address."""
        ...

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """Settings that become widgets."""
        ...

    def supports(self, case: Case) -> bool:
        """Whether the case offers what this method needs."""
        ...

    def explain(
        self, case: Case, raw: Any, target: int, progress: Progress | None = None, **knobs: Any
    ) -> Explanation:
        """Explain one output for one input.

        Args:
            case: A case this method supports.
            raw: A checked input.
            target: Output index.
            progress: Called with passes done and passes expected; may raise to give up.
            **knobs: By name; what is left out takes its default.

        Raises:
            ValueError: An unknown knob or choice, a value out of range, no such output.
        """
        ...
