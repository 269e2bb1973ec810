"""From a reader's scores to answers: the windows of a paragraph together, as probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dlportal.kinds.passages import Window

LEAST = 0.5  # times the likeliest span's probability that the answer has
KEPT = 20  # spans of a window among which the best are chosen


@dataclass(frozen=True)
class Found:
    """A span: characters `start` to `end` (exclusive) and its probability.

    `window`, `first` and `length` tell where it stands in the reader's scores.
    """

    start: int
    end: int
    probability: float
    window: int
    first: int
    length: int


@dataclass(frozen=True)
class Judged:
    """What a reader makes of a paragraph.

    Attributes:
        spans: The answer first (see `answer_of`), then the likeliest others, none twice.
        nothing: Probability that the answer is not there.
        starts: For each token of the paragraph (by its characters) the probability that the
            answer begins there.
        ends: The same of its end.
    """

    spans: tuple[Found, ...]
    nothing: float
    starts: dict[tuple[int, int], float]
    ends: dict[tuple[int, int], float]


def relative(scores: Tensor) -> Tensor:
    """Scores (..., T, longest) less that of "no answer", whose own place becomes impossible."""
    out = scores.float() - scores[..., :1, :1].float()
    out[..., 0, 0] = -torch.inf
    return out


def judge(scores: Sequence[Tensor], windows: Sequence[Window], temperature: float) -> Judged:
    """Join the windows: each one's spans are measured against its own "no answer".

    Args:
        scores: For each window (T, longest), T its tokens.
        windows: The windows.
        temperature: Divides the scores.
    """
    logits = [relative(y[: len(w.x)]) / temperature for y, w in zip(scores, windows, strict=True)]
    total = torch.logsumexp(
        torch.stack([torch.zeros(()), *(y.logsumexp((0, 1)) for y in logits)]), 0
    )
    best: dict[tuple[int, int], Found] = {}
    starts: dict[tuple[int, int], float] = {}
    ends: dict[tuple[int, int], float] = {}
    for number, (y, window) in enumerate(zip(logits, windows, strict=True)):
        p = torch.exp(y - total)
        for found in likeliest(p, window, number):
            place = found.start, found.end
            if place not in best or best[place].probability < found.probability:
                best[place] = found
        add_ends(p, window, starts, ends)
    order = sorted(best.values(), key=lambda found: -found.probability)[:KEPT]
    if order:
        answer = answer_of(order)
        order = [answer, *(found for found in order if found is not answer)]
    return Judged(tuple(order), float(torch.exp(-total)), starts, ends)


def answer_of(spans: Sequence[Found]) -> Found:
    """The span that has most in common with what is likely.

    Where "1874", "in 1874" and "1874 by" share the probability among them, the likeliest single
    span may be one that stands alone elsewhere. So each is judged by its expected F1, counted in
    characters, if one of the others were right (minimum Bayes risk: Kumar and Byrne 2004,
    https://aclanthology.org/N04-1022/). It has to be half as likely as the likeliest, so that a
    long span which merely covers two others does not win.
    """
    least = LEAST * max(one.probability for one in spans)
    likely = [one for one in spans if one.probability >= least]
    return max(likely, key=lambda one: sum(s.probability * shared(one, s) for s in spans))


def shared(a: Found, b: Found) -> float:
    """F1 of two spans, in characters."""
    common = min(a.end, b.end) - max(a.start, b.start)
    return 2 * max(0, common) / (a.end - a.start + b.end - b.start)


def likeliest(p: Tensor, window: Window, number: int) -> list[Found]:
    """The likeliest spans of one window, probabilities (T, longest)."""
    longest = p.shape[1]
    top = p.flatten().topk(min(KEPT, p.numel()))
    found = []
    for value, index in zip(top.values.tolist(), top.indices.tolist(), strict=True):
        first, length = divmod(index, longest)
        if (
            value > 0
            and window.start <= first
            and first + length < window.start + len(window.places)
        ):
            start, end = window.characters(first, first + length)
            found.append(Found(start, end, value, number, first, length))
    return found


def add_ends(
    p: Tensor,
    window: Window,
    starts: dict[tuple[int, int], float],
    ends: dict[tuple[int, int], float],
) -> None:
    """Sum up where spans begin and end; where windows overlap the larger sum counts."""
    begins = p.sum(dim=1)
    closes = torch.zeros(len(p) + p.shape[1])
    for length in range(p.shape[1]):
        closes[length : length + len(p)] += p[:, length]
    for offset, place in enumerate(window.places):
        token = window.start + offset
        starts[place] = max(starts.get(place, 0.0), float(begins[token]))
        ends[place] = max(ends.get(place, 0.0), float(closes[token]))
