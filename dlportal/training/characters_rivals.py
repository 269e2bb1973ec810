"""Simple ways to find Chinese names: a list of known ones, and a linear model on a window."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import torch

from dlportal.messages import N_
from dlportal.nets.name_tags import chain_of
from dlportal.training.characters_data import TAGS, Sentence, names_in
from dlportal.training.entities import Name

WINDOW = N_("logistic regression on a window of 5 characters")
BITS = 20  # of the hashed features
EDGE = 0  # code point of what lies outside the sentence
FORMS = ((-2,), (-1,), (0,), (1,), (2,), (-2, -1), (-1, 0), (0, 1), (1, 2), (-1, 0, 1))


def known_names(train: Iterable[Sentence]) -> dict[str, str]:
    """Names of the training part and the most frequent type of each."""
    counts: dict[str, Counter[str]] = {}
    for sentence in train:
        for name in sentence.names:
            text = "".join(map(chr, sentence.codes[name.start : name.end]))
            counts.setdefault(text, Counter())[name.type] += 1
    return {text: types.most_common(1)[0][0] for text, types in counts.items()}


def look_up(codes: Sequence[int], known: dict[str, str]) -> list[Name]:
    """The longest known names of two or more characters, from left to right.

    Single characters (中, 明) are names too rarely: with them it would be wrong much more often.
    """
    text, longest = "".join(map(chr, codes)), max(map(len, known), default=0)
    found, place = [], 0
    while place < len(text):
        for size in range(min(longest, len(text) - place), 1, -1):
            kind = known.get(text[place : place + size])
            if kind is not None:
                found.append(Name(kind, place, place + size))
                place += size
                break
        else:
            place += 1
    return found


def window_names(train: Sequence[Sentence], asked: Sequence[Sentence]) -> list[list[Name]]:
    """Names by a linear model of each character's tag; only possible sequences are allowed."""
    from sklearn.linear_model import SGDClassifier

    model = SGDClassifier(loss="log_loss", alpha=2e-6, max_iter=8, tol=None, random_state=0)
    model.fit(features(train), np.array([tag for s in train for tag in s.tags]))
    chain = chain_of(TAGS)  # no scores of its own
    logs = np.log(model.predict_proba(features(asked)).clip(1e-9))
    full = torch.full((len(logs), len(TAGS)), -20.0)
    full[:, torch.from_numpy(model.classes_)] = torch.from_numpy(logs).float()
    found = []
    for y in full.split([len(s.codes) for s in asked]):
        mask = torch.ones(1, len(y), dtype=torch.long)
        found.append(names_in(chain.best(y.unsqueeze(0), mask)[0]))
    return found


def features(sentences: Sequence[Sentence]) -> "object":
    """Hashed characters, pairs and threes around each character, a sparse matrix (N, 2^20)."""
    from scipy.sparse import csr_matrix

    columns = []
    for sentence in sentences:
        padded = np.array([EDGE, EDGE, *sentence.codes, EDGE, EDGE], dtype=np.int64)
        count = len(sentence.codes)
        row = []
        for number, form in enumerate(FORMS):
            mixed = np.full(count, number + 1, dtype=np.int64)
            for shift in form:
                mixed = (mixed * 1_000_003 + padded[2 + shift : 2 + shift + count]) % (1 << 40)
            row.append(mixed * 2_654_435_761 % (1 << 40) >> (40 - BITS))
        columns.append(np.stack(row, axis=1))
    flat = np.concatenate(columns)  # (N, forms)
    ends = np.arange(0, flat.size + 1, flat.shape[1])
    return csr_matrix((np.ones(flat.size), flat.ravel(), ends), shape=(len(flat), 1 << BITS))
