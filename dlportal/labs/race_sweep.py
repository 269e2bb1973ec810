"""Every optimizer at every learning rate: where it learns, and where it diverges."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dlportal.labs.race_nets import race_nets
from dlportal.labs.race_optimizers import OPTIMIZERS
from dlportal.labs.race_surfaces import race_surface, surface_of

RATES = tuple(10 ** (-3.5 + k / 4) for k in range(17))  # 0.0003 to 3.2


LOOK = 20  # steps of a network between two looks at a run


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
    losses, _path = race_surface(surface_of(own), name, own)
    yield Cell(name, rate, s["steps"], float(losses[-1]), float(losses[0]))


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
