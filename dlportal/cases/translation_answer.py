"""From a search to an answer: words, alignment, rivals, and the tree of what was tried."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from dlportal.cases.translation_result import Branch, Hypothesis
from dlportal.nets.beam_search import Found, Search
from dlportal.nets.translator import END, PAD, START, Translator
from dlportal.nets.word_parts import BLANK

SHOWN = 6  # sentences that the search found, at most


def written(net: Translator, language: str, found: Found) -> tuple[list[str], list[int]]:
    """Words of a translation, and where each begins among its parts (and the last ends)."""
    names = net.parts[language].names(found.parts)
    first = [0] if names else []
    for place, name in enumerate(names[1:], 1):
        mark = not any(c.isalnum() for c in name.strip(BLANK))
        if language == "zh" or name.startswith(BLANK) or mark:
            first.append(place)
    first.append(len(names))
    words = ["".join(names[a:b]).replace(BLANK, "").strip() for a, b in pairwise(first)]
    return words, first


@torch.inference_mode()
def looked(net: Translator, x: Tensor, language: str, found: Found, layer: int) -> np.ndarray:
    """Where a decoder layer looked in the source (1, S) while it wrote each part, (parts, S).

    The mean over its heads; rows sum to 1.
    """
    seen, start = x != PAD, net.start[language]
    ids = torch.tensor([[start + i for i in (START, *found.parts)]], device=x.device)
    looks = net.looks(net.read(net.embed(x), seen), seen, ids)
    return looks[layer].mean(dim=0)[:-1].float().cpu().numpy()


def by_words(
    seen: np.ndarray, first: Sequence[int], word_of: Sequence[int], words: int
) -> np.ndarray:
    """The same for words: sums over the parts of what was read, means over what was written.

    Args:
        seen: Shares (parts written, parts read).
        first: Where each written word begins, and where the last one ends.
        word_of: Word of each part that was read; -1 for signs, which are left out.
        words: That were read.

    Returns:
        Shape (words written, words read), 0 to 1.
    """
    columns = np.zeros((len(first) - 1, words))
    for row, (a, b) in enumerate(pairwise(first)):
        for place, word in enumerate(word_of):
            if word >= 0:
                columns[row, word] += seen[a:b, place].mean()
    return columns


def hypotheses(
    net: Translator, language: str, search: Search, alpha: float
) -> tuple[Hypothesis, ...]:
    """The best sentences that read differently: parts may be cut in several ways."""
    found: dict[str, Hypothesis] = {}
    parts = net.parts[language]
    for one in search.found:
        logs, text = one.log_probabilities, parts.join(one.parts)
        made = Hypothesis(
            text=text,
            parts=tuple(parts.names(one.parts)),
            probabilities=tuple(np.exp(logs).tolist()),
            score=one.score(alpha),
            probability=float(np.exp(np.mean(logs))),
            ended=one.ended,
        )
        found.setdefault(text, made)
    return tuple(found.values())[:SHOWN]


def branches(net: Translator, language: str, search: Search) -> tuple[Branch, ...]:
    """All that was tried; `best` marks the way to the translation."""
    best, node = set(), search.found[0].last
    while node >= 0:
        best.add(node)
        node = search.tried[node].parent
    names = net.parts[language].names([one.part for one in search.tried])
    return tuple(
        Branch(
            one.parent,
            "■" if one.part == END else name,
            float(np.exp(one.log_probability)),
            one.total,
            one.kept,
            one.depth,
            place in best,
        )
        for place, (one, name) in enumerate(zip(search.tried, names, strict=True))
    )
