"""Where the network's units and the numbers on its lines go, and how numbers are shortened."""

from functools import lru_cache

import numpy as np

from dlportal.labs.backprop_paths import Weight

LABELLED = 12  # lines between two layers that get their numbers; more could not be read
PHONE = 98.0  # pixels from layer to layer on a narrow screen, where numbers are closest
PARTS = (0.5, 0.44, 0.56, 0.38, 0.62)  # of a line, where its number may stand
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def height_of(most: int) -> int:
    """Pixels of the picture, for the layer with most units."""
    return 400 if most <= 4 else 500 if most <= 8 else 620


def unit_pixels(most: int) -> float:
    """Pixels from unit to unit in the layer with most units."""
    return (height_of(most) - 8) / (most + 0.65)


def spread(count: int, most: int) -> float:
    """How far a layer's units stand apart, in units of the layer with most."""
    room = (most - 1) / (count - 1) if count > 1 else 1.0
    return float(np.clip(room, 1.0, 1.0 if most <= 4 else 1.3 if most <= 8 else 2.6))


def heights(count: int, most: int) -> np.ndarray:
    """Heights of a layer's units, the first on top, centred on 0."""
    return spread(count, most) * ((count - 1) / 2 - np.arange(count, dtype=float))


def size_of(count: int, most: int) -> float:
    """Pixels across a unit."""
    return min(42.0, 0.75 * unit_pixels(most) * spread(count, most))


def spot(sizes: tuple[int, ...], layer: int, unit: int) -> tuple[float, float]:
    """Where a unit stands; layer 0 holds the inputs."""
    return float(layer), float(heights(sizes[layer], max(sizes))[unit - 1])


def crowded(sizes: tuple[int, ...], layer: int) -> bool:
    """Whether there are too many lines into a layer to number them all."""
    return sizes[layer - 1] * sizes[layer] > LABELLED


@lru_cache(maxsize=256)
def handles(sizes: tuple[int, ...]) -> dict[Weight, tuple[float, float]]:
    """A place on every line for its number: as far from the others as possible."""
    found: dict[Weight, tuple[float, float]] = {}
    for layer in range(1, len(sizes)):
        taken: list[tuple[float, float]] = []
        for to in range(1, sizes[layer] + 1):
            for source in range(1, sizes[layer - 1] + 1):
                start, end = spot(sizes, layer - 1, source), spot(sizes, layer, to)
                ways = [between(start, end, part) for part in PARTS]
                if crowded(sizes, layer):
                    place = ways[(to - source) % 3]
                else:
                    place = max(ways, key=lambda way: clearance(way, taken, max(sizes)))
                taken.append(place)
                found[Weight(layer, to, source)] = place
    return found


def between(
    start: tuple[float, float], end: tuple[float, float], part: float
) -> tuple[float, float]:
    return start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])


def clearance(way: tuple[float, float], taken: list[tuple[float, float]], most: int) -> float:
    """How free a place is of other numbers: 1 where none would touch."""
    apart = [
        max(abs(way[0] - x) * PHONE / 32, abs(way[1] - y) * unit_pixels(most) / 17)
        for x, y in taken
    ]
    return min([1.0, *apart])


def brief(value: float) -> str:
    """A number in at most six characters, with a real minus sign."""
    if not np.isfinite(value):
        return "–"
    size = abs(value)
    if size == 0 or 0.005 <= size < 100:
        text = f"{value:.2f}" if size < 10 else f"{value:.1f}"
    else:
        text = f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return text.replace("-", "−")


def power(value: float) -> str:
    """A number with a power of ten: 2.2 · 10⁻¹¹."""
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits} · 10{str(int(exponent)).translate(SUPERSCRIPTS)}"


def sub(name: str, index: int) -> str:
    return name + str(index).translate(SUBSCRIPTS)
