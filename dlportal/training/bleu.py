"""BLEU and chrF as sacrebleu counts them, with intervals from resampled sentences.

Post 2018, https://aclanthology.org/W18-6319/; BLEU: Papineni et al. 2002,
https://aclanthology.org/P02-1040/; chrF: Popović 2015, https://aclanthology.org/W15-3049/
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

ORDER = 4  # n-grams of BLEU


def bleu_counts(
    translations: Sequence[str], references: Sequence[str], language: str
) -> np.ndarray:
    """Counts of each sentence, (N, 10): matching n-grams, n-grams, length, reference's length.

    Chinese is counted in characters, other languages in sacrebleu's usual tokens (13a), with
    upper and lower case.
    """
    from sacrebleu.metrics import BLEU

    metric = BLEU(tokenize="zh" if language == "zh" else "13a", effective_order=True)
    rows = []
    for said, right in zip(translations, references, strict=True):
        score = metric.sentence_score(said, [right])
        rows.append([*score.counts, *score.totals, score.sys_len, score.ref_len])
    return np.array(rows, dtype=np.float64).reshape(-1, 2 * ORDER + 2)


def bleu_of(totals: np.ndarray) -> np.ndarray:
    """BLEU, 0 to 100, of summed counts (..., 10), with sacrebleu's exponential smoothing."""
    right, all_of, said, meant = np.split(totals, [ORDER, 2 * ORDER, 2 * ORDER + 1], axis=-1)
    missing = (right == 0) & (all_of > 0)
    halvings = np.cumsum(missing, axis=-1)
    counted = np.where(missing, 0.5**halvings, right)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(all_of > 0, np.log(counted / all_of), -np.inf)
        brevity = np.where(said < meant, 1 - meant / said, 0.0)[..., 0]
    return np.where(np.isneginf(logs).any(axis=-1), 0.0, 100 * np.exp(logs.mean(axis=-1) + brevity))


class Bleu:
    """Corpus BLEU of counts (N, 10); see `training/metrics.py` for how metrics are used."""

    def __call__(self, counts: Any) -> float:
        return float(bleu_of(np.asarray(counts).sum(axis=0)))

    def resample(self, rng: np.random.Generator, n: int, counts: Any) -> np.ndarray:
        counts = np.asarray(counts)
        drawn = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=n)
        return bleu_of(drawn @ counts)


bleu = Bleu()


def chrf(translations: Sequence[str], references: Sequence[str]) -> float:
    """Corpus chrF2, 0 to 100."""
    from sacrebleu.metrics import CHRF

    return float(CHRF().corpus_score(list(translations), [list(references)]).score)
