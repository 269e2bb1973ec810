"""Where the network's units and the numbers on its lines go."""

import itertools
from functools import lru_cache

import numpy as np

from dlportal.labs.backprop_paths import Weight

LABELLED = 12  # lines between two layers that get their numbers; more could not be read
PHONE = 356.0  # pixels across the picture on a narrow screen, where numbers are closest
SIDE = 0.32  # of the distance between layers, beyond the first and the last
MARGIN_ABOVE, MARGIN_BELOW = 62.0, 42.0  # pixels beyond the outermost units' centres
ORDERS = 60  # in which numbers are placed, to find the freest arrangement
PARTS = (0.5, 0.44, 0.56, 0.38, 0.62)  # of a line, where its number may stand
# For each (to, source) the places where its number may stand.
Ways = dict[tuple[int, int], list[tuple[float, float]]]


def height_of(most: int) -> int:
    """Pixels of the picture, for the layer with most units."""
    return 400 if most <= 4 else 500 if most <= 8 else 620


def span(most: int) -> tuple[float, float]:
    """Lowest and highest height of the picture, in units of the layer with most: room for a
    caption below and the layers' names above."""
    reach = (most - 1) / 2
    per_pixel = (2 * reach) / (height_of(most) - 8 - MARGIN_BELOW - MARGIN_ABOVE)
    return -reach - MARGIN_BELOW * per_pixel, reach + MARGIN_ABOVE * per_pixel


def unit_pixels(most: int) -> float:
    """Pixels from unit to unit in the layer with most units."""
    low, high = span(most)
    return (height_of(most) - 8) / (high - low)


def layer_pixels(layers: int) -> float:
    """Pixels from layer to layer on a narrow screen, for so many layers with weights."""
    return PHONE / (layers + 2 * SIDE)


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
        pairs = list(itertools.product(range(1, sizes[layer] + 1), range(1, sizes[layer - 1] + 1)))
        ways = {
            (to, source): [
                between(spot(sizes, layer - 1, source), spot(sizes, layer, to), part)
                for part in PARTS
            ]
            for to, source in pairs
        }
        if crowded(sizes, layer):
            places = {(to, source): ways[to, source][(to - source) % 3] for to, source in pairs}
        else:
            places = arrange(ways, layer_pixels(len(sizes) - 1), unit_pixels(max(sizes)))
        found |= {Weight(layer, *pair): place for pair, place in places.items()}
    return found


def arrange(ways: Ways, across: float, down: float) -> dict[tuple[int, int], tuple[float, float]]:
    """Choose one of each number's ways so that the numbers keep clear of one another.

    `across` and `down` are pixels from layer to layer and from unit to unit.
    """
    rng = np.random.default_rng(0)
    best: tuple[float, dict[tuple[int, int], tuple[float, float]]] = (-1.0, {})
    for _order in range(ORDERS):
        places: dict[tuple[int, int], tuple[float, float]] = {}
        total = 0.0
        for index in rng.permutation(len(ways)):
            pair = list(ways)[index]
            taken = list(places.values())
            free = [clearance(way, taken, across, down) for way in ways[pair]]
            places[pair] = ways[pair][int(np.argmax(free))]
            total += max(free) ** 2
        if total > best[0]:
            best = (total, places)
    return best[1]


def between(
    start: tuple[float, float], end: tuple[float, float], part: float
) -> tuple[float, float]:
    return start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])


def clearance(
    way: tuple[float, float], taken: list[tuple[float, float]], across: float, down: float
) -> float:
    """How free a place is of other numbers: 1 where none would touch."""
    apart = [max(abs(way[0] - x) * across / 32, abs(way[1] - y) * down / 17) for x, y in taken]
    return min([1.0, *apart])
