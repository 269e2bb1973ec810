"""What readers know of words before they learn: how rare they are, and Chinese characters' vectors."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlportal.kinds import passage_en, passage_zh
from dlportal.nets.chinese_reader import EMBEDDING, FIRST_ROW, HIDDEN, START, UNKNOWN_ROW
from dlportal.nets.passage_match import CODE
from dlportal.training.reading_data import Row

CODES = 1 << 16
RAREST = 2  # times a character occurs at least to get a vector of its own
APART = 4  # characters between which neighbours are counted
ENGLISH_FLOOR, CHINESE_FLOOR = 0.05, 0.02  # what a match of the commonest word counts
LENGTH = 0.8  # of a character's first vector


def log_rarity(counts: Tensor, paragraphs: int, floor: float) -> Tensor:
    """Inverse document frequency, scaled to about [0, 1]."""
    weights = torch.log((paragraphs + 1) / (counts + 0.5)) / math.log(2 * paragraphs + 2)
    return weights.clamp(min=floor)


def english_rarity(rows: Sequence[Row], tokenizer: Any) -> Tensor:
    """How much a match counts, by MiniLM's id: rare words much, signs and common words nothing."""
    counts = torch.zeros(tokenizer.get_vocab_size())
    seen = {row.asked.place: row for row in rows}
    for row in seen.values():
        ids = {int(i) for window in row.windows for i in window.x[window.start :, CODE]}
        counts[sorted(ids)] += 1
    weights = log_rarity(counts, len(seen), ENGLISH_FLOOR)
    for word, i in tokenizer.get_vocab().items():
        if word in passage_en.STOP or not any(c.isalnum() for c in word):
            weights[i] = 0.0
    return weights


def english_asks(tokenizer: Any) -> Tensor:
    """The number of the question word that an id is, from 1; 0 for all others."""
    asks = torch.zeros(tokenizer.get_vocab_size(), dtype=torch.long)
    for number, word in enumerate(passage_en.ASKED, start=1):
        if (i := tokenizer.token_to_id(word)) is not None:
            asks[i] = number
    return asks


def chinese_texts(rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """Paragraphs, each once, and questions, in the readers' spelling."""
    paragraphs = {row.asked.place: row.asked.paragraph for row in rows}
    return spelled(paragraphs.values()), spelled(row.asked.question for row in rows)


def spelled(texts: Any) -> list[str]:
    return ["".join(map(passage_zh.folded, text)) for text in texts]


def chinese_rarity(paragraphs: Sequence[str]) -> Tensor:
    """How much a match counts, by code point."""
    counts = torch.zeros(CODES)
    for text in paragraphs:
        counts[[ord(c) for c in set(text) if ord(c) < CODES]] += 1
    weights = log_rarity(counts, len(paragraphs), CHINESE_FLOOR)
    nothing = [i for i in range(CODES) if chr(i) in passage_zh.STOP or not chr(i).isalnum()]
    weights[nothing] = 0.0
    return weights


def chinese_table(texts: Sequence[str]) -> tuple[Tensor, list[str]]:
    """Rows of the embedding by code point, and the characters that have one of their own."""
    counts = Counter(c for text in texts for c in text)
    known = [c for c, n in counts.most_common() if n > RAREST and ord(c) < CODES]
    table = torch.full((CODES,), UNKNOWN_ROW, dtype=torch.int16)
    table[[0, START, HIDDEN]] = torch.tensor([0, START, HIDDEN], dtype=torch.int16)
    rows = torch.arange(FIRST_ROW, FIRST_ROW + len(known), dtype=torch.int16)
    table[[ord(c) for c in known]] = rows
    return table, known


def chinese_vectors(texts: Sequence[str], known: Sequence[str]) -> Tensor:
    """Vectors of characters by the company they keep, (characters, 64).

    The largest singular vectors of the positive pointwise mutual information (Levy and Goldberg
    2014, https://papers.nips.cc/paper/5477) of characters up to four places apart.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import svds

    index, size = {c: i for i, c in enumerate(known)}, len(known)
    left, right, weight = [], [], []
    for text in texts:
        line = np.array([index.get(c, -1) for c in text])
        for apart in range(1, min(APART, len(line) - 1) + 1):
            a, b = line[:-apart], line[apart:]
            both = (a >= 0) & (b >= 0)
            left.append(a[both])
            right.append(b[both])
            weight.append(np.full(int(both.sum()), 1 / apart))
    a, b, w = map(np.concatenate, (left, right, weight))
    pairs = coo_matrix((np.r_[w, w], (np.r_[a, b], np.r_[b, a])), (size, size)).tocsr().tocoo()
    sums = np.bincount(pairs.row, pairs.data, size) + 1
    company = sums**0.75 / (sums**0.75).sum()
    values = np.log(pairs.data / (sums[pairs.row] * company[pairs.col])).clip(0)
    information = coo_matrix((values, (pairs.row, pairs.col)), (size, size)).tocsr()
    start = np.random.default_rng(0).standard_normal(size)
    u, s, _v = svds(information, k=min(EMBEDDING, size - 1), v0=start)
    vectors = np.zeros((size, EMBEDDING))
    vectors[:, : u.shape[1]] = u * np.sqrt(s)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-6)
    return torch.from_numpy(LENGTH * vectors).float()
