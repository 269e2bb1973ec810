"""Names and how likely each is: a character tagger with the exact sums over its chain of tags."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.nets.crf import NEVER, LinearChain
from dlportal.nets.name_tags import spell

LOWEST = -50.0  # log-probability that stands for never; small enough to keep float32 exact
SMALLEST = 1e-6  # probability; keeps log-odds finite


class NameMarker(nn.Module):
    """For each character: the likeliest tags, and what makes every name's probability cheap.

    Args:
        tagger: A `CharacterTagger`: code points (B, T) to emissions (B, T, K), with a `chain`.
        temperature: Divides emissions and transitions; it changes probabilities, not the tags.
    """

    def __init__(self, tagger: Any, temperature: float = 1.0) -> None:
        super().__init__()
        self.tagger = tagger
        self.temperature = temperature

    def embed(self, x: Tensor) -> Tensor:
        return self.tagger.embed(x)

    def from_embeddings(self, e: Tensor, mask: Tensor) -> Tensor:
        """As `forward`, of embeddings (B, T, D) and a 0/1 mask (B, T)."""
        return facts(
            self.tagger.chain, self.tagger.from_embeddings(e, mask), mask, self.temperature
        )

    def forward(self, x: Tensor) -> Tensor:
        """What `facts` says of code points (B, T), padded with 0."""
        return self.from_embeddings(self.embed(x), (x != 0).long())


def facts(chain: LinearChain, y: Tensor, mask: Tensor, temperature: float) -> Tensor:
    """Four numbers for each character and tag, (B, T, 4, K).

    1 for the likeliest tag of the likeliest sequence (Viterbi), else 0; the log-probability of the
    tag given the text so far; what a step into the tag adds to a log-probability, without the
    transition; what the text after it adds. The last three are exact sums (forward-backward) at
    the temperature, and a name's log-probability is a sum of them: see `name_log_probability`.
    """
    y = y.float()
    scale = 1 / temperature
    kept = mask.bool().unsqueeze(2)
    sums = chain.forwards(y, mask, scale)
    norms = torch.logsumexp(sums, dim=2, keepdim=True)  # of all beginnings, (B, T, 1)
    grown = norms - torch.cat([torch.zeros_like(norms[:, :1]), norms[:, :-1]], dim=1)
    after = chain.backwards(y, mask, scale)
    end = torch.where(kept, after - (norms[:, -1:] + finish(chain, sums, norms, scale) - norms), 0)
    best = torch.zeros_like(y)
    for row, tags in zip(best, chain.best(y, mask), strict=True):
        row[torch.arange(len(tags)), tags] = 1
    parts = (best, sums - norms, scale * y - grown, end)
    return torch.stack(parts, dim=2).clamp(min=LOWEST)


def finish(chain: LinearChain, sums: Tensor, norms: Tensor, scale: float) -> Tensor:
    """What the end of the text adds to the log-sum of all beginnings, (B, 1, 1)."""
    end = scale * chain.scores()[2]
    return torch.logsumexp(sums[:, -1:] - norms[:, -1:] + end, dim=2, keepdim=True)


def name_log_probability(
    found: np.ndarray, pairs: np.ndarray, start: int, tags: Sequence[int]
) -> float:
    """Log-probability that a name has exactly these tags from `start` on.

    Args:
        found: What `facts` gives for one text, (T, 4, K).
        pairs: Scores from tag to tag at the temperature, (K, K).
        start: The name's first character.
        tags: The tags of its characters, the first one a B or an S.
    """
    places = np.arange(start + 1, start + len(tags))
    total = found[start, 1, tags[0]] + found[start + len(tags) - 1, 3, tags[-1]]
    total += pairs[list(tags[:-1]), list(tags[1:])].sum() + found[places, 2, list(tags[1:])].sum()
    return min(0.0, float(total))


def all_log_probabilities(
    found: np.ndarray, pairs: np.ndarray, tags: Sequence[str], longest: int
) -> np.ndarray:
    """Log-probabilities of all possible names, (longest, T, types), by length - 1, first character
    and type in the order of the tags.

    Arguments as in `name_log_probability`; `tags` are the names of all tags. What would reach
    beyond the text is -inf.
    """
    b, i, e, s = ([k for k, tag in enumerate(tags) if tag[0] == mark] for mark in "BIES")
    count = len(found)
    out = np.full((longest, count, len(b)), -np.inf)
    out[0] = found[:, 1, s] + found[:, 3, s]
    ended, within = found[:, 2, e] + found[:, 3, e], found[:, 2, i]
    inside, before = found[:, 1, b], b  # of B, I, I ... up to a place, by the name's start
    for size in range(2, min(longest, count) + 1):
        inside = inside[: count - size + 1]
        out[size - 1, : len(inside)] = inside + (pairs[before, e] + ended[size - 1 :])
        inside, before = inside + (pairs[before, i] + within[size - 1 :]), i
    return np.minimum(out, 0.0)


class NameJudge(nn.Module):
    """Log-odds of given names, exact: the sum over all sequences that hold the name, against all.

    Args:
        tagger: As in `NameMarker`.
        names: For each name its first character and the tags of its characters.
        temperature: As in `NameMarker`.
        only: The one name that is asked about; the others count as impossible, which saves time.
    """

    def __init__(
        self,
        tagger: Any,
        names: Sequence[tuple[int, Sequence[int]]],
        temperature: float,
        only: int | None = None,
    ) -> None:
        super().__init__()
        self.tagger = tagger
        self.names = tuple(names)
        self.temperature = temperature
        self.asked = range(len(names)) if only is None else range(only, only + 1)

    def embed(self, x: Tensor) -> Tensor:
        return self.tagger.embed(x)

    def from_embeddings(self, e: Tensor, mask: Tensor) -> Tensor:
        """Log-odds (B, names)."""
        y, scale = self.tagger.from_embeddings(e, mask).float(), 1 / self.temperature
        chain: LinearChain = self.tagger.chain
        given = [y, *(held(y, *self.names[index]) for index in self.asked)]
        sums = chain.log_sum(torch.cat(given), mask.repeat(len(given), 1), scale)
        whole, *each = sums.view(len(given), len(y)).unbind(0)
        p = (torch.stack(each, dim=1) - whole.unsqueeze(1)).exp()
        sides = (self.asked.start, len(self.names) - self.asked.stop)
        return torch.logit(nn.functional.pad(p, sides).clamp(SMALLEST, 1 - SMALLEST))

    def forward(self, x: Tensor) -> Tensor:
        """Log-odds (B, names) of code points (B, T)."""
        return self.from_embeddings(self.embed(x), (x != 0).long())


def held(y: Tensor, start: int, tags: Sequence[int]) -> Tensor:
    """Emissions (B, T, K) with every other tag made impossible where the name stands."""
    other = torch.zeros(y.shape[1:], dtype=torch.bool, device=y.device)
    other[start : start + len(tags)] = True
    other[torch.arange(start, start + len(tags)), torch.tensor(tags)] = False
    return y.masked_fill(other, NEVER)


def spelled(kind: str, size: int, tags: Sequence[str]) -> list[int]:
    """Indices of the tags of a name of so many characters."""
    return [tags.index(tag) for tag in spell(size, kind)]
