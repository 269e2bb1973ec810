"""Cases on rows of numbers: table rows and the states of a control problem."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dlportal.case import Case
from dlportal.explain.base import Differentiable
from dlportal.messages import N_, InputError


@dataclass(frozen=True)
class ColumnMasker:
    """Hides columns of one row behind their typical values.

    `x` and `typical` are encoded rows, shape (1, F).
    """

    x: Tensor
    typical: Tensor
    parts: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.x.shape[-1],)

    def render(self, keep: Tensor) -> Tensor:
        return self.typical + keep.to(self.x) * (self.x - self.typical)


class TableCase(Case[np.ndarray]):
    """A case whose input is one row of numbers, shape (F,), named by `columns`.

    `encode` standardises it, so that 0 is the training mean and the baseline of explanations.
    """

    kind = "table"
    columns: tuple[str, ...] = ()  # ids; the page has their names

    def check(self, raw: np.ndarray) -> None:
        row = np.asarray(raw)
        if row.shape != (len(self.columns),):
            raise InputError(
                N_("The row has {n} numbers; it needs {columns}: {names}."),
                n=row.size,
                columns=len(self.columns),
                names=", ".join(self.columns),
            )
        if not np.isfinite(row.astype(np.float64)).all():
            bad = self.columns[int(np.flatnonzero(~np.isfinite(row.astype(np.float64)))[0])]
            raise InputError(N_("Column {column} is not a number. Correct it."), column=bad)

    def read(self, given: str) -> np.ndarray:
        try:
            return np.array([float(part) for part in given.split(",")])
        except ValueError:
            raise InputError(
                N_("Give {columns} numbers with commas between them: {names}."),
                columns=len(self.columns),
                names=", ".join(self.columns),
            ) from None

    def typical(self, x: Tensor) -> Tensor:
        """The encoded row that says nothing; zeros are the training means."""
        return torch.zeros_like(x)

    def masker(self, raw: np.ndarray) -> ColumnMasker:
        x = self.encode(raw).to(self.device)
        return ColumnMasker(x, self.typical(x), tuple(self.columns))

    def differentiable(self, raw: np.ndarray) -> Differentiable:
        x = self.encode(raw).to(self.device)

        def reduce(attribution: Tensor) -> np.ndarray:
            return attribution[0].float().cpu().numpy()

        return Differentiable(x, self.typical(x), self.net, reduce)

    def literal(self, raw: Sequence[float] | np.ndarray) -> str:
        return f"case.read({','.join(f'{value:.6g}' for value in np.asarray(raw))!r})"
