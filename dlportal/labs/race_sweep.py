"""Every optimizer at every learning rate: where it learns, and where it diverges."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dlportal.labs.race_nets import race_nets
from dlportal.labs.race_optimizers import OPTIMIZERS
from dlportal.labs.race_surfaces import surface_of, walk

RATES = tuple(10 ** (-3.5 + k / 4) for k in range(17))  # 0.0003 to 3.2


LOOK, FAR_LOOK = 20, 50  # steps between two looks at a run, of a network and on a surface


@dataclass(frozen=True)
class Cell:
    """How far one run is, and how it ends.

    Attributes:
        name: Of the optimizer.
        rate: Index into `RATES`.
        step: Steps so far.
        loss: After them; not finite where it left all bounds.
        start: Before the first.
    """

    name: str
    rate: int
    step: int
    loss: float
    start: float

    @property
    def diverged(self) -> bool:
        """Whether it stands above its start, or nowhere."""
        return not math.isfinite(self.loss) or self.loss > self.start


def run_alone(name: str, rate: int, s: dict[str, Any]) -> Iterator[Cell]:
    """One optimizer at one rate, look by look; its factor does not count."""
    own = {**s, "rate": RATES[rate], f"factor_{name}": 1.0}
    if s["track"] in ("net", "fashion"):
        looks = race_nets(own, (name,), LOOK)
        start = next(looks).losses[name]
        for look in looks:
            yield Cell(name, rate, look.step, look.losses[name], start)
        return
    start = math.nan
    for step, (loss, _place) in enumerate(walk(surface_of(own), name, own)):
        start = loss if step == 0 else start
        if step and (step % FAR_LOOK == 0 or step == s["steps"]):
            yield Cell(name, rate, step, loss, start)


def sweep(s: dict[str, Any]) -> Iterator[Cell]:
    """All runs, rate by rate."""
    for rate in range(len(RATES)):
        for name in OPTIMIZERS:
            yield from run_alone(name, rate, s)


def latest(cells: Sequence[Cell]) -> list[Cell]:
    """Where each run is now."""
    return list({(cell.name, cell.rate): cell for cell in cells}.values())


def best(cells: list[Cell], name: str) -> Cell | None:
    """The run of an optimizer with the lowest loss, among those that did not diverge."""
    good = [cell for cell in cells if cell.name == name and not cell.diverged]
    return min(good, key=lambda cell: cell.loss, default=None)
