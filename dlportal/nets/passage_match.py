"""Where a paragraph says what a question says: matches, and how much of the question is near.

Networks that read little need to be shown this: of the question's words, weighted by how rare
they are, which share stands around each place of the paragraph? Chen et al. 2017 (DrQA,
https://arxiv.org/abs/1704.00051) gave a reader exact matches; the windows are this project's.

A question and a paragraph travel as one tensor (B, T, 6) of integers: see the columns below.
A start sign, the question, a separator; a start sign (OPENING), the paragraph, a separator.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

CODE, STEM, SHAPE, PART, SENTENCE, UNIT = range(6)  # columns of the input
COLUMNS = 6
SPECIAL, QUESTION, PARAGRAPH, OPENING = range(4)  # values of PART; OPENING: the paragraph's start
LONGEST_QUESTION = 64  # tokens
RADII = (3, 8, 20)  # of windows, in tokens


def question_length(x: Tensor) -> int:
    """Tokens of the longest question of a batch, Q in what follows."""
    return max(1, int((x[..., PART] == QUESTION).sum(dim=1).max()))


def question_columns(values: Tensor, x: Tensor, nothing: int = -1) -> Tensor:
    """Values (B, T) of the question's tokens alone, (B, Q); `nothing` where there is none."""
    kept = torch.where(x[..., PART] == QUESTION, values, nothing)
    return kept[:, 1 : question_length(x) + 1]


def same(values: Tensor, x: Tensor) -> Tensor:
    """Which tokens of the paragraph equal which of the question: (B, T) to bool (B, T, Q)."""
    values = values.int()  # half the memory, twice as fast
    theirs = question_columns(values, x)
    paragraph = (x[..., PART] == PARAGRAPH) & (values > 0)
    return (values.unsqueeze(-1) == theirs.unsqueeze(1)) & paragraph.unsqueeze(-1)


def runs(equal: Tensor) -> tuple[Tensor, Tensor]:
    """Of matches (B, T, Q) those in runs of at least two, and of at least three."""
    after, before = shifted(equal, 1), shifted(equal, -1)
    two = equal & (after | before)
    three = (after & before) | (after & shifted(equal, 2)) | (before & shifted(equal, -2))
    return two, equal & three


def shifted(equal: Tensor, by: int) -> Tensor:
    """Matches moved along the diagonal: whether the tokens `by` further on match, too."""
    if by > 0:
        return F.pad(equal, (0, by, 0, by))[:, by:, by:]
    return F.pad(equal, (-by, 0, -by, 0))[:, :by, :by]


def near(matches: Tensor, groups: list[Tensor]) -> Tensor:
    """For each place the best match of every question token in wider and wider surroundings.

    Args:
        matches: (B, T, Q), in [0, 1].
        groups: Numbers (B, T) that say which tokens belong together (sentences).

    Returns:
        (B, surroundings, Q, T): the token itself, windows, then the groups.
    """
    m = matches.transpose(1, 2)
    found = [m, *(F.max_pool1d(m, 2 * r + 1, 1, r) for r in RADII)]
    for group in groups:
        index = group.clamp(min=0).unsqueeze(1).expand_as(m)
        best = torch.zeros(*m.shape[:2], int(index.max()) + 1, dtype=m.dtype, device=m.device)
        best = best.scatter_reduce(2, index, m, "amax")
        found.append(best.gather(2, index))
    return torch.stack(found, dim=1)


def coverage(matches: Tensor, weights: Tensor, x: Tensor, groups: list[Tensor]) -> Tensor:
    """Which share of the question stands around each place, and beside the best place.

    Args:
        matches: (B, T, Q), in [0, 1].
        weights: Of the question's tokens, (B, Q), at least 0.
        x: The input.
        groups: As in `near`.

    Returns:
        (B, T, 2 * surroundings), in [0, 1]; 0 outside the paragraph.
    """
    share = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-6)
    inside = (x[..., PART] == PARAGRAPH).to(matches.dtype).unsqueeze(1)
    covered = torch.einsum("brqt,bq->brt", near(matches, groups), share) * inside
    best = covered.amax(dim=2, keepdim=True).clamp(min=1e-3)
    return torch.cat([covered, covered / best], dim=1).transpose(1, 2)
