"""What validation settles after a training: how long translations may be, which layer aligns
best, and from where on a sentence is taken for an unusual one."""

from typing import Any

import numpy as np
import torch

from dlportal.cases.translation import BEAMS
from dlportal.cases.translation_text import DIRECTIONS, PARTS, rough, tidy
from dlportal.data.pairs import Parallel
from dlportal.data.splits import Splits
from dlportal.nets.beam_search import Search, beam_search
from dlportal.nets.translator import END, PAD, START, Translator
from dlportal.training.bleu import bleu, bleu_counts
from dlportal.training.texts import pad_texts
from dlportal.training.translation_rivals import Dictionary

ALPHAS = (0.4, 0.7, 1.0, 1.3, 1.6, 1.9, 2.2)
REFUSED = 0.02  # share of the validation sentences that each line marks
COUNTED = 8000  # training pairs that the dictionary is counted from
ALIGNED = 200  # validation pairs on which layers are compared
JUDGED = 500  # validation sentences that settle the rest


def settle(net: Translator, name: str, data: Splits[Parallel]) -> dict[str, dict[str, Any]]:
    """Constants of each direction of one translator.

    Returns:
        `alphas`, `layers` and `lines` by direction, and `validation` BLEU.
    """
    found: dict[str, dict[str, Any]] = {"alphas": {}, "layers": {}, "lines": {}, "validation": {}}
    for direction in PARTS[name]:
        source, target = DIRECTIONS[direction]
        texts = data.validation.spread(JUDGED).texts
        ids = source_ids(net, source, texts[source])
        searches = search_all(net, ids, target)
        scores = {}
        for alpha in ALPHAS:
            said = [best_text(net, target, search, alpha) for search in searches]
            scores[alpha] = bleu(bleu_counts(said, texts[target], target))
        alpha = max(scores, key=lambda a: scores[a])
        found["alphas"][direction] = alpha
        found["validation"][direction] = round(scores[alpha], 2)
        found["layers"][direction] = best_layer(net, direction, data)
        sure = [
            np.mean(max(s.found, key=lambda f: f.score(alpha)).log_probabilities) for s in searches
        ]
        cut = [rough(row, tidy(source, text)) for row, text in zip(ids, texts[source], strict=True)]
        found["lines"][direction] = {
            "sure": round(float(np.quantile(sure, REFUSED)), 4),
            "rough": round(float(np.quantile(cut, 1 - REFUSED)), 4),
        }
    return found


def source_ids(net: Translator, language: str, texts: tuple[str, ...]) -> list[list[int]]:
    """What the network reads of texts."""
    start = net.start[language]
    rows = net.parts[language].cut([tidy(language, text) for text in texts])
    return [[start + START, *(start + part for part in row), start + END] for row in rows]


def search_all(
    net: Translator, ids: list[list[int]], language: str, beams: int = BEAMS, size: int = 50
) -> list[Search]:
    """Beam search over many sentences, those of similar length together."""
    device = net.words.weight.device
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    found: dict[int, Search] = {}
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        x = pad_texts([ids[row] for row in rows], PAD).to(device)
        found.update(zip(rows, beam_search(net, x, language, beams), strict=True))
    return [found[row] for row in range(len(ids))]


def best_text(net: Translator, language: str, search: Search, alpha: float) -> str:
    best = max(search.found, key=lambda one: one.score(alpha))
    return net.parts[language].join(best.parts)


@torch.inference_mode()
def best_layer(net: Translator, direction: str, data: Splits[Parallel]) -> int:
    """The decoder layer whose looks agree most often with a dictionary's links."""
    source, target = DIRECTIONS[direction]
    pairs = data.train.spread(COUNTED).texts
    known = {code: net.parts[code].cut(pairs[code]) for code in (source, target)}
    dictionary = Dictionary(known[source], known[target])
    pairs = data.validation.spread(ALIGNED).texts
    held = {code: net.parts[code].cut(pairs[code]) for code in (source, target)}
    hits = np.zeros(len(net.decoder))
    device = net.words.weight.device
    for read, written in zip(held[source], held[target], strict=True):
        start, begin = net.start[source], net.start[target]
        x = torch.tensor([[start + i for i in (START, *read, END)]], device=device)
        ids = torch.tensor([[begin + i for i in (START, *written)]], device=device)
        looks = net.looks(net.read(net.embed(x), x != PAD), x != PAD, ids)
        where = looks.mean(dim=1)[:, :-1, 1:-1].argmax(dim=2).cpu().numpy()  # (layers, T)
        for place, part in enumerate(written):
            links = [dictionary.likelihood(word, part) for word in read]
            if max(links) > 0:
                hits += where[:, place] == int(np.argmax(links))
    return int(hits.argmax())
