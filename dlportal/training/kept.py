"""Does the answer survive when only what an explanation marks is left to hear?"""

from typing import TYPE_CHECKING, Any

import numpy as np

from dlportal.data.fsdd import RATE, Spoken
from dlportal.explain import get_explainer
from dlportal.explain.random_maps import random_maps
from dlportal.kinds.audio import Sound

if TYPE_CHECKING:
    from dlportal.cases.spoken_digits import SpokenDigits

KEPT = 0.2  # share of the cells, for the card
METHOD = "integrated_gradients"  # for the card
EACH = 4  # of the recordings one in so many is measured


def top_cells(values: np.ndarray, share: float) -> np.ndarray:
    """The cells with the highest values, as 0 and 1, shaped like `values`.

    Args:
        values: An attribution map.
        share: Of all cells, in (0, 1].
    """
    count = max(1, round(share * values.size))
    out = np.zeros(values.size)
    out[np.argsort(-values.ravel(), kind="stable")[:count]] = 1
    return out.reshape(values.shape)


def random_cells(values: np.ndarray, share: float, count: int, seed: int = 0) -> list[np.ndarray]:
    """The same share of cells, chosen by maps as smooth as this one that point anywhere."""
    return [top_cells(other, share) for other in random_maps(values, count, seed)]


def kept_answers(case: "SpokenDigits", part: Spoken) -> tuple[np.ndarray, np.ndarray]:
    """Whether the answer to a recording stays with the explained cells, and with random ones.

    Returns:
        Two arrays (N,) of 0 and 1.
    """
    explainer = get_explainer(METHOD)
    kept, random = [], []
    for row in range(0, len(part), EACH):
        raw = Sound(part.sounds[row], RATE)
        answer: Any = case.predict(raw)
        target = answer.best.index
        values = explainer.explain(case, raw, target).values
        chosen = [top_cells(values, KEPT), *random_cells(values, KEPT, 1, row)]
        same = [case.keep(raw, cells).answer.best.index == target for cells in chosen]
        kept.append(same[0])
        random.append(same[1])
    return np.array(kept, float), np.array(random, float)
