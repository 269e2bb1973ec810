"""Whether a map tells the truth: insertion and deletion against random maps.

*Insertion* starts from an input with everything hidden and reveals its parts, the ones the map
ranks highest first; the sooner the network's probability of the class rises, the better, so a
large area under the curve is good. *Deletion* hides the parts in the same order; the sooner the
probability falls, the better, so a small area is good. An area alone says little (a big object
rises soon under any map), so every area stands beside those of random maps of the same
smoothness (`random_maps.py`).

A map is *clearly better* than chance on a curve if its area beats those of at least 95 % of the
random maps. The verdict needs both curves: both clearly better gives "better", one gives
"mixed", none gives "unreliable".

Papers: Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421 (insertion and deletion);
Samek et al. 2017, https://arxiv.org/abs/1509.06321 (comparing with random orders).
"""

import itertools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from dlportal.case import Case, Progress
from dlportal.explain.base import Explanation, HasMasker, Masker
from dlportal.explain.method import Passes, ask, batch_size
from dlportal.explain.random_maps import random_maps

Verdict = Literal["better", "mixed", "unreliable"]

FINEST, COARSEST = 32, 8  # steps of a curve
STEPS = (32, 24, 16, 8)  # what is tried to keep within the time; multiples of the coarsest
FEW = 3  # parts of a list: chance alone finds their best order too often
LEAST_MAPS = 20  # fewer could not tell whether 95 % are beaten
WINS_NEEDED = 0.95  # share of the random maps
ROUNDING = 1e-9  # shares and ranks are multiples of 1 / parts, up to float64 rounding
TIE = 1e-6  # areas closer than this are equal: float32 noise of batched passes


@dataclass(frozen=True)
class Trace:
    """One curve of a map and of the random maps.

    Attributes:
        x: Shape (steps + 1,): share of the parts revealed (insertion) or hidden (deletion).
        y: Same shape: the network's probability of the class, in [0, 1].
        random_low: Same shape: 2.5 % of the random maps' curves lie below.
        random_mean: Same shape.
        random_high: Same shape: 2.5 % of the random maps' curves lie above.
        area: Under `y`, in [0, 1].
        random_areas: Shape (maps,): under the random maps' curves.
        difference: By how much `area` is better than the mean of `random_areas`; positive is
            better on both curves (larger for insertion, smaller for deletion).
        low: With `high`, the 95 % interval of the difference over the random maps.
        high: See `low`.
        wins: How many of the random maps it beats.
        better: Whether it clearly beats chance: at least 95 % of the random maps.
    """

    x: np.ndarray
    y: np.ndarray
    random_low: np.ndarray
    random_mean: np.ndarray
    random_high: np.ndarray
    area: float
    random_areas: np.ndarray
    difference: float
    low: float
    high: float
    wins: int
    better: bool


@dataclass(frozen=True)
class Faithfulness:
    """The measured quality of one explanation.

    Attributes:
        insertion: Reveal what the map marks.
        deletion: Hide what the map marks.
        verdict: From both curves.
        residual: The explanation's completeness gap in logits, where its method promises any.
        maps: Random maps compared with.
        samples: Forward passes, in inputs.
        seconds: Time it took.
        decidable: False where a list has so few parts (three or fewer) that chance alone finds
            the best order too often for any map to be clearly better.
    """

    insertion: Trace
    deletion: Trace
    verdict: Verdict
    residual: float | None
    maps: int
    samples: int
    seconds: float
    decidable: bool = True


def measure(
    case: Case,
    raw: Any,
    explanation: Explanation,
    seconds: float = 3.0,
    maps: int = LEAST_MAPS,
    seed: int = 0,
    progress: Progress | None = None,
    steps: int | None = None,
) -> Faithfulness:
    """Measure an explanation.

    Args:
        case: The case that was explained.
        raw: Its input.
        explanation: The map; its shape is the masker's.
        seconds: Time to spend. The curves have between 8 and 32 steps, as many as the first
            passes let expect to fit; the coarsest curves are drawn even where they take longer.
        maps: Random maps, at least 20.
        seed: Of the random maps.
        progress: Called with passes done and expected; may raise to give up.
        steps: Steps of the curves, whatever time they take: the same numbers on every machine.

    Raises:
        ValueError: The case cannot hide parts, the map has another shape than its parts, or
            there are fewer than 20 maps.
    """
    if not isinstance(case, HasMasker):
        raise ValueError(f"{case.card.id} cannot hide parts of its input")
    if maps < LEAST_MAPS:
        raise ValueError(f"maps={maps}; at least {LEAST_MAPS}")
    masker = case.masker(raw)
    if explanation.values.shape != tuple(masker.shape):
        raise ValueError(f"a map of shape {explanation.values.shape} for parts {masker.shape}")
    return Measuring(case, masker, explanation, progress).run(seconds, maps, seed, steps)


class Measuring:
    """One measurement while it runs."""

    def __init__(
        self, case: Case, masker: Masker, explanation: Explanation, progress: Progress | None
    ) -> None:
        self.case, self.masker, self.explanation = case, masker, explanation
        self.passes = Passes(FINEST * (LEAST_MAPS + 2), progress)
        self.started = time.perf_counter()

    def run(self, seconds: float, maps: int, seed: int, steps: int | None) -> Faithfulness:
        values = self.explanation.values
        rank = ranks(values, seed)
        opponents = [ranks(m, seed + 1 + i) for i, m in enumerate(random_maps(values, maps, seed))]
        nothing, everything = self.ask([rank], np.array([0.0, 1.0]))[0]
        if steps is not None:
            x = shares(steps, values.size)
        else:
            x = self.affordable_shares(rank, seconds, len(opponents))
        inner = x[1:-1]
        self.passes.expected = self.passes.done + len(inner) * (len(opponents) + 2)

        def whole(curves: np.ndarray) -> np.ndarray:
            ends = np.ones((len(curves), 1))
            return np.hstack([nothing * ends, curves, everything * ends])

        insertion = whole(self.ask([rank], inner))[0]
        # Deleting in an order is inserting in the opposite order, read backwards. A random map
        # turned upside down is as random, so one set of curves serves both comparisons.
        deletion = whole(self.ask([opposite(rank)], inner))[0, ::-1]
        random = whole(self.ask(opponents, inner))
        traces = trace(x, insertion, random, +1), trace(x, deletion, random[:, ::-1], -1)
        verdicts: tuple[Verdict, ...] = ("unreliable", "mixed", "better")
        return Faithfulness(
            insertion=traces[0],
            deletion=traces[1],
            verdict=verdicts[sum(t.better for t in traces)],
            residual=self.explanation.residual,
            maps=len(opponents),
            samples=self.passes.done,
            seconds=time.perf_counter() - self.started,
            decidable=values.size > FEW,
        )

    def affordable_shares(self, rank: np.ndarray, seconds: float, maps: int) -> np.ndarray:
        """As many steps as are expected to fit, judged by the pace of a few passes."""
        if math.isinf(seconds):
            return shares(FINEST, rank.size)
        before = time.perf_counter()
        self.ask([rank], shares(COARSEST, rank.size)[1:-1])
        pace = (time.perf_counter() - before) / max(1, COARSEST - 1)
        left = seconds - (time.perf_counter() - self.started)
        for steps in STEPS:
            if (steps - 1) * (maps + 2) * pace <= left:
                return shares(steps, rank.size)
        return shares(COARSEST, rank.size)

    def ask(self, orders: Sequence[np.ndarray], x: np.ndarray) -> np.ndarray:
        """Probabilities with a share of the parts kept, the first ones in each order.

        Args:
            orders: Ranks (see `ranks`), each of the masker's shape.
            x: Shares to keep, shape (K,).

        Returns:
            Shape (len(orders), K).
        """
        size = batch_size(self.case)

        def masks() -> Iterator[Tensor]:
            batch: list[Tensor] = []
            for order, share in itertools.product(orders, x):
                batch.append(torch.from_numpy(order < share - ROUNDING).float())
                if len(batch) == size:
                    yield torch.stack(batch)
                    batch = []
            if batch:
                yield torch.stack(batch)

        target = self.explanation.target
        answers = ask(self.case, self.masker, masks(), target, self.passes, "probability")
        return answers.double().numpy().reshape(len(orders), len(x))


def ranks(values: np.ndarray, seed: int) -> np.ndarray:
    """Where each part stands in the map's order: 0 for the highest value, below 1 for the lowest.

    Equal values (a ReLU leaves many) stand in random order; on a picture the random order is
    smooth, as scattered pixels would be a different kind of hiding.
    """
    order = np.lexsort((tie_breaker(values.shape, seed).ravel(), -values.ravel()))
    rank = np.empty(values.size)
    rank[order] = np.arange(values.size) / values.size
    return rank.reshape(values.shape)


def tie_breaker(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Random values without ties; on a picture smooth, seven bumps a side."""
    rng = np.random.default_rng(seed)
    if len(shape) == 1:
        return rng.random(shape)
    coarse = torch.from_numpy(rng.standard_normal((1, 1, 7, 7)))
    fine = torch.nn.functional.interpolate(coarse, shape, mode="bicubic", align_corners=False)
    return fine[0, 0].numpy()


def opposite(rank: np.ndarray) -> np.ndarray:
    """The ranks of the opposite order."""
    return 1 - 1 / rank.size - rank


def shares(steps: int, parts: int) -> np.ndarray:
    """From 0 to 1 in at most `steps` steps, each of whole parts."""
    steps = min(steps, parts)
    return np.round(np.linspace(0, 1, steps + 1) * parts) / parts


def trace(x: np.ndarray, y: np.ndarray, random: np.ndarray, sign: int) -> Trace:
    """Compare one curve with the random maps' curves, shape (maps, len(x)).

    `sign` is +1 where a large area is good, -1 where a small one is.
    """
    area = float(np.trapezoid(y, x))
    areas = np.trapezoid(random, x, axis=1)
    gains = sign * (area - areas)
    low, high = np.quantile(gains, [0.025, 0.975])
    wins = int((gains > TIE).sum())
    bounds = np.quantile(random, [0.025, 0.975], axis=0)
    return Trace(
        x=x,
        y=y,
        random_low=bounds[0],
        random_mean=random.mean(axis=0),
        random_high=bounds[1],
        area=area,
        random_areas=areas,
        difference=float(gains.mean()),
        low=float(low),
        high=float(high),
        wins=wins,
        better=wins >= WINS_NEEDED * len(areas),
    )
