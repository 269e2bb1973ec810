"""Learning-rate schedules: the factor on the peak rate at each step."""

import math
from collections.abc import Callable

Schedule = Callable[[int, int, int], float]


def cosine(step: int, steps: int, warmup: int) -> float:
    """Rise linearly over `warmup` steps, then fall along half a cosine to zero.

    Paper: Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983

    Args:
        step: Steps done so far, 0 to `steps` - 1.
        steps: Steps of the whole training.
        warmup: Steps of the rise.

    Returns:
        Factor in (0, 1].
    """
    if step < warmup:
        return (step + 1) / warmup
    left = (step - warmup) / max(1, steps - warmup)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, left)))


def linear(step: int, steps: int, warmup: int) -> float:
    """Rise linearly over `warmup` steps, then fall linearly to zero."""
    if step < warmup:
        return (step + 1) / warmup
    return 1.0 - min(1.0, (step - warmup) / max(1, steps - warmup))


def constant(step: int, steps: int, warmup: int) -> float:
    """Rise linearly over `warmup` steps, then stay at 1."""
    return (step + 1) / warmup if step < warmup else 1.0


def stairs(step: int, steps: int, warmup: int) -> float:
    """Rise linearly over `warmup` steps; of what is left, a tenth from the half on and a
    hundredth in the last quarter."""
    if step < warmup:
        return (step + 1) / warmup
    left = (step - warmup) / max(1, steps - warmup)
    return 1.0 if left < 0.5 else 0.1 if left < 0.75 else 0.01


def plateau(step: int, steps: int, warmup: int) -> float:
    """Rise linearly over `warmup` steps, stay at 1, and fall linearly to zero in the last 40 %.

    Paper: Hägele et al. 2024, https://arxiv.org/abs/2405.18392
    """
    if step < warmup:
        return (step + 1) / warmup
    return min(1.0, (1.0 - step / steps) / 0.4)


def trapezoid(step: int, steps: int, warmup: int) -> float:
    """Rise linearly over `warmup` steps, stay at 1 for two fifths of all, then fall to zero."""
    if step < warmup:
        return (step + 1) / warmup
    return min(1.0, (1.0 - step / max(1, steps)) / 0.6)


SCHEDULES: dict[str, Schedule] = {
    "cosine": cosine,
    "linear": linear,
    "constant": constant,
    "stairs": stairs,
    "plateau": plateau,
    "trapezoid": trapezoid,
}


def get_schedule(name: str) -> Schedule:
    """Return a schedule by name.

    Raises:
        ValueError: No such schedule (names the valid ones).
    """
    if name not in SCHEDULES:
        raise ValueError(f"no schedule {name!r}; schedules: {', '.join(SCHEDULES)}")
    return SCHEDULES[name]
