"""What counting says of every character of a text, by counts that never met that part of it."""

import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from dlportal.training.ngrams import NGrams

ORDER = 6  # characters of an n-gram
PARTS = 5  # of the text; each is foretold by counts of the others


def foretold(ids: Tensor, vocabulary: int, cancelled: Callable[[], bool]) -> Tensor:
    """Probabilities of the character at each place by Kneser and Ney's counts, (N, vocabulary),
    float16.

    Counts that include a place know its answer. So the text is cut into parts, and the counts for
    each are those of the others. Rows stay zero where it was cancelled.

    Args:
        ids: The text, (N,).
        vocabulary: How many ids there are.
        cancelled: Whether to give up.
    """
    text = ids.tolist()
    found = np.zeros((len(text), vocabulary), dtype=np.float16)
    edges = np.linspace(0, len(text), PARTS + 1).astype(int).tolist()
    for start, end in itertools.pairwise(edges):
        if cancelled():
            break
        counts = NGrams(ORDER, vocabulary, kneser_ney=True).fit([text[:start], text[end:]])
        known: dict[tuple[int, ...], np.ndarray] = {}
        for place in range(start, end):
            context = tuple(text[max(0, place - ORDER + 1) : place])
            if context not in known:
                known[context] = counts.spread(context).astype(np.float16)
            found[place] = known[context]
    return torch.from_numpy(found)
