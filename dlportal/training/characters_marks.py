"""What taggers of Chinese names find, how good that is, and how sure they should be of it."""

import copy
from collections.abc import Callable, Sequence, Sized
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.nets.crf import LinearChain
from dlportal.nets.name_marker import facts, name_log_probability, spelled
from dlportal.training.characters_data import TAGS, Sentence, names_in
from dlportal.training.entities import (
    Name,
    count_rows,
    entity_f1,
    entity_precision,
    entity_recall,
    iob2,
)
from dlportal.training.fit import Validate
from dlportal.training.texts import pad_texts

SIZE = 64  # texts that are read together
TEMPERATURES = np.geomspace(0.7, 3.0, 16)  # what is tried on validation


@torch.inference_mode()
def emissions(
    net: nn.Module,
    texts: Sequence[list[int]],
    progress: Callable[[int, int], None] | None = None,
) -> list[Tensor]:
    """Emissions (T, K) of each text, float32 on the CPU."""
    device = next(net.parameters()).device
    found: dict[int, Tensor] = {}
    for rows in by_length(texts):
        y = net(pad_texts([texts[row] for row in rows]).to(device)).float().cpu()
        found |= {row: y[i, : len(texts[row])] for i, row in enumerate(rows)}
        if progress is not None:
            progress(len(found), len(texts))
    return [found[row] for row in range(len(texts))]


def found_in(chain: LinearChain, y: Sequence[Tensor]) -> list[list[Name]]:
    """The likeliest names of each text, of emissions (T, K)."""
    found: dict[int, list[Name]] = {}
    for rows in by_length(y):
        batch, mask = padded([y[row] for row in rows])
        found |= zip(rows, map(names_in, chain.best(batch, mask)), strict=True)
    return [found[row] for row in range(len(y))]


def by_length(texts: Sequence[Sized]) -> list[list[int]]:
    """Indices of texts of similar length, `SIZE` together."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    return [order[first : first + SIZE] for first in range(0, len(order), SIZE)]


def padded(y: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Emissions (B, T, K) and mask (B, T) of those of several texts."""
    mask = pad_texts([[1] * len(row) for row in y])
    return nn.utils.rnn.pad_sequence(list(y), batch_first=True), mask


def mark(net: Any, texts: Sequence[list[int]]) -> list[Sentence]:
    """Texts with the names that a network finds in them."""
    chain = copy.deepcopy(net.chain).cpu()
    found = found_in(chain, emissions(net, texts))
    return [Sentence(text, tuple(names)) for text, names in zip(texts, found, strict=True)]


def against(held: Sequence[Sentence]) -> Validate:
    """F1, precision and recall on sentences of which the names are known."""
    texts = [s.codes for s in held]

    def validate(net: nn.Module) -> dict[str, float]:
        return scores(held, [s.names for s in mark(net, texts)])

    return validate


def scores(truth: Sequence[Sentence], guesses: Sequence[Sequence[Name]]) -> dict[str, float]:
    """Entity F1, precision and recall."""
    counts = counts_of(truth, guesses)
    if not counts[:, 1].any():
        return {"f1": 0.0, "precision": 0.0, "recall": 0.0}
    return {m.name: m(counts) for m in (entity_f1, entity_precision, entity_recall)}


def counts_of(
    truth: Sequence[Sentence], guesses: Sequence[Sequence[Name]], only: str = ""
) -> np.ndarray:
    """Names found, guessed and there, for each sentence: (N, 3); `only` of one type."""
    rows = [(iob2(s.names, len(s.codes)), iob2(g, len(s.codes))) for s, g in zip(truth, guesses)]
    return count_rows([row[0] for row in rows], [row[1] for row in rows], only)


@torch.inference_mode()
def confidences(
    chain: Any, y: Sequence[Tensor], truth: Sequence[Sentence], temperature: float
) -> tuple[np.ndarray, np.ndarray]:
    """Of all names found: the probability, and whether the name is right, (names,) each.

    Args:
        chain: The tags' chain, on the CPU.
        y: Emissions (T, K) of each sentence.
        truth: The sentences.
        temperature: Divides emissions and transitions.
    """
    pairs = chain.scores()[0].numpy() / temperature
    sure, right = [], []
    for rows in by_length(y):
        batch, mask = padded([y[row] for row in rows])
        every = facts(chain, batch, mask, temperature).numpy()
        for row, found in zip(rows, every, strict=True):
            there = set(truth[row].names)
            for name in names_in(found[: len(y[row]), 0].argmax(axis=1).tolist()):
                tags = spelled(name.type, name.end - name.start, TAGS)
                sure.append(np.exp(name_log_probability(found, pairs, name.start, tags)))
                right.append(name in there)
    return np.array(sure), np.array(right, dtype=np.int64)


def honest_temperature(net: Any, held: Sequence[Sentence]) -> float:
    """The temperature at which the names' probabilities fit best how often names are right."""
    chain = copy.deepcopy(net.chain).cpu()
    y = emissions(net, [s.codes for s in held])
    losses = []
    for temperature in TEMPERATURES:
        sure, right = confidences(chain, y, held, float(temperature))
        p = sure.clip(1e-6, 1 - 1e-6)
        losses.append(-np.mean(np.where(right, np.log(p), np.log1p(-p))) if len(p) else 0.0)
    return float(TEMPERATURES[int(np.argmin(losses))])
