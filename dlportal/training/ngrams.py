"""Counting language models: what a neural one has to beat."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

DISCOUNT = 0.75  # taken from every count and given to the shorter context


class NGrams:
    """Token probabilities from counts, with interpolated absolute discounting.

    Paper: Ney, Essen and Kneser 1994, https://doi.org/10.1006/csla.1994.1001
    P(w | c) = max(n(cw) - d, 0) / n(c) + d * types(c) / n(c) * P(w | shorter c); the shortest
    context falls back on the uniform distribution.

    Args:
        order: 1 for single tokens, 3 for trigrams.
        vocabulary: Number of tokens there are.
        kneser_ney: Whether shorter contexts count the different tokens that stand before them,
            not how often they occur (Kneser and Ney 1995, https://doi.org/10.1109/ICASSP.1995.479394).
    """

    def __init__(self, order: int, vocabulary: int, kneser_ney: bool = False) -> None:
        self.order = order
        self.kneser_ney = kneser_ney
        self.vocabulary = vocabulary
        self.counts: list[dict[tuple[int, ...], Counter[int]]] = [
            defaultdict(Counter) for _ in range(order)
        ]
        self.totals: list[Counter[tuple[int, ...]]] = [Counter() for _ in range(order)]

    def fit(self, texts: Iterable[Sequence[int]]) -> "NGrams":
        """Count texts of token ids; the first token of each is context alone."""
        for ids in texts:
            for end in range(1, len(ids)):
                for size in reversed(range(min(self.order, end + 1))):
                    context = tuple(ids[end - size : end])
                    self.counts[size][context][ids[end]] += 1
                    self.totals[size][context] += 1
                    if self.kneser_ney and self.counts[size][context][ids[end]] > 1:
                        break  # what is shorter has met this token before it already
        return self

    def probability(self, context: Sequence[int], token: int) -> float:
        """Of a token after a context of any length."""
        p = 1.0 / self.vocabulary
        for total, counts in self.met(context):
            kept = max(counts.get(token, 0) - DISCOUNT, 0.0)
            p = (kept + DISCOUNT * len(counts) * p) / total
        return p

    def spread(self, context: Sequence[int]) -> np.ndarray:
        """Probabilities of all tokens after a context of any length, (vocabulary,)."""
        p = np.full(self.vocabulary, 1.0 / self.vocabulary)
        for total, counts in self.met(context):
            p *= DISCOUNT * len(counts) / total
            for token, count in counts.items():
                p[token] += max(count - DISCOUNT, 0.0) / total
        return p

    def met(self, context: Sequence[int]) -> Iterator[tuple[int, Counter[int]]]:
        """For each end of a context that was met, the shortest first: how often, and what came."""
        for size in range(min(self.order, len(context) + 1)):
            short = tuple(context[len(context) - size :])
            total = self.totals[size].get(short, 0)
            if not total:
                return
            yield total, self.counts[size][short]

    def nats(self, ids: Sequence[int]) -> np.ndarray:
        """Negative log-likelihoods (T - 1,) of all tokens but the first."""
        p = [self.probability(ids[:end], ids[end]) for end in range(1, len(ids))]
        return -np.log(np.array(p, dtype=np.float64))
