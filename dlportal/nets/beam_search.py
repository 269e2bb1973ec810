"""Beam search: the likeliest sentences that a translator finds, and everything it tried.

The score of a sentence is its log-probability over its length to the power `alpha` (in the
manner of Wu et al. 2016, https://arxiv.org/abs/1609.08144), so that long ones have a chance.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from dlportal.nets.translator import END, PAD, START, UNKNOWN, Translator

NEVER = -1e9
MOST = 3  # ended sentences for each beam; by then no better one is to be expected


@dataclass(frozen=True)
class Tried:
    """A word part that the search looked at.

    Attributes:
        parent: Place of the part before it in the list of all that were tried; -1 at the start.
        part: Number of the word part in its language.
        log_probability: Of this part, given those before it.
        total: Sum of the log-probabilities up to here.
        kept: Whether the search went on from it, or the sentence ended well here.
        depth: Parts before it.
    """

    parent: int
    part: int
    log_probability: float
    total: float
    kept: bool
    depth: int


@dataclass(frozen=True)
class Found:
    """A sentence: its parts without END, log-probabilities with END's, the last part's place in
    what was tried, and whether the network ended it (or it was cut at the longest length)."""

    parts: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    last: int
    ended: bool

    def score(self, alpha: float) -> float:
        """Log-probability over the length (END counts) to the power `alpha`."""
        return sum(self.log_probabilities) / max(1, len(self.log_probabilities)) ** alpha


@dataclass
class Search:
    """What was found for one source sentence, the best first, and all that was tried for it."""

    found: list[Found] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)  # of each beam, in `tried`


@torch.inference_mode()
def beam_search(
    net: Translator, ids: Tensor, language: str, beams: int = 4, alpha: float = 1.0
) -> list[Search]:
    """Translate several sentences together.

    Args:
        net: The translator.
        ids: Source parts (B, S), filled up with `PAD`.
        language: To write.
        beams: Beginnings that are carried along; 1 is greedy.
        alpha: Of the length normalisation; 0 prefers short sentences.

    Returns:
        A search for each sentence, with at least one sentence found.
    """
    seen = ids != PAD
    longest = (2 * seen.sum(dim=1) + 8).clamp(max=net.longest - 1).tolist()
    source = net.read(net.embed(ids), seen)
    memory = net.remember(*(x.repeat_interleave(beams, 0) for x in (source, seen)))
    searches = [Search(nodes=[-1] * beams) for _ in ids]
    live = [True] * len(ids)
    parts = torch.full((len(ids) * beams, 1), START, device=ids.device)
    logs = torch.zeros(len(ids) * beams, 0, device=ids.device)
    totals = torch.full((len(ids), beams), NEVER, device=ids.device)
    totals[:, 0] = 0.0  # at first all beams are the same
    for depth in range(max(longest)):
        each = net.following(parts[:, -1], memory, language)
        each[:, [START, UNKNOWN]] = NEVER
        each = torch.log_softmax(each, dim=1)  # (B * beams, V)
        options = best_options(each, totals)
        rows, chosen = [], []
        for i, search in enumerate(searches):
            going = options[i][:beams]
            if live[i]:
                past = Past(parts, logs, beams * i)
                going = sort_out(search, options[i], past, depth, beams)
                live[i] = goes_on(search, going, depth, alpha, beams) and depth + 1 < longest[i]
                if not live[i] and not search.found:
                    search.found.append(past.sentence(going[0], search.nodes[0], ended=False))
                going = (going or options[i][:1]) * beams
            rows += [beams * i + option.beam for option in going[:beams]]
            chosen += [option.part for option in going[:beams]]
            totals[i] = torch.tensor([option.total for option in going[:beams]])
        if not any(live):
            break
        where, new = torch.tensor(rows, device=ids.device), torch.tensor(chosen, device=ids.device)
        memory.reorder(where)
        logs = torch.cat([logs[where], each[where, new][:, None]], dim=1)
        parts = torch.cat([parts[where], new[:, None]], dim=1)
    for search in searches:
        search.found.sort(key=lambda one: one.score(alpha), reverse=True)
    return searches


@dataclass(frozen=True)
class Option:
    """One more part for one beam."""

    beam: int
    part: int
    log_probability: float
    total: float


def best_options(each: Tensor, totals: Tensor) -> list[list[Option]]:
    """The likeliest continuations of each sentence: twice as many as beams, as some may end.

    Args:
        each: Log-probabilities (B * beams, V) of the next part.
        totals: Of each beam so far, (B, beams).
    """
    b, beams = totals.shape
    size = each.shape[1]
    both = (totals[:, :, None] + each.view(b, beams, size)).flatten(1)
    values, places = both.topk(2 * beams, dim=1)
    alone = each.view(b, -1).gather(1, places)
    return [
        [
            Option(place // size, place % size, log, total)
            for place, log, total in zip(*row, strict=True)
            if total > NEVER / 2
        ]
        for row in zip(places.tolist(), alone.tolist(), values.tolist(), strict=True)
    ]


@dataclass(frozen=True)
class Past:
    """What the beams of one sentence hold: rows from `first` on."""

    parts: Tensor
    logs: Tensor
    first: int

    def sentence(self, option: Option, node: int, ended: bool) -> Found:
        """The beam of an option as a sentence; if it did not end, the option is its last part."""
        row = self.first + option.beam
        parts, logs = self.parts[row, 1:].tolist(), self.logs[row].tolist()
        last = [] if ended else [option.part]
        return Found((*parts, *last), (*logs, option.log_probability), node, ended)


def sort_out(
    search: Search, options: list[Option], past: Past, depth: int, beams: int
) -> list[Option]:
    """Put ended sentences aside and note all that was tried; returns what is carried on."""
    going: list[Option] = []
    nodes: list[int] = []
    for place, option in enumerate(options):
        ends = option.part == END
        # An ending counts only if it is among the best: later ones would be bad sentences.
        kept = place < beams if ends else len(going) < beams
        node = len(search.tried)
        search.tried.append(
            Tried(
                search.nodes[option.beam],
                option.part,
                option.log_probability,
                option.total,
                kept,
                depth,
            )
        )
        if kept and ends:
            search.found.append(past.sentence(option, node, ended=True))
        elif kept:
            going.append(option)
            nodes.append(node)
    search.nodes = (nodes + [-1] * beams)[:beams]
    return going


def goes_on(search: Search, going: list[Option], depth: int, alpha: float, beams: int) -> bool:
    """Whether a sentence may still be found that beats those that ended."""
    if not going or len(search.found) < beams:
        return bool(going)
    if len(search.found) >= MOST * beams:
        return False
    best = max(one.score(alpha) for one in search.found)
    return going[0].total / (depth + 1) ** alpha > best
