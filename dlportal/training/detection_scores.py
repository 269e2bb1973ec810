"""How good a detector is: average precision as COCO counts it, with intervals over pictures.

Papers: Everingham et al. 2010, https://doi.org/10.1007/s11263-009-0275-4 (average precision of
boxes); Lin et al. 2014, https://arxiv.org/abs/1405.0312 (matching and 101 points, as here).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torchvision.ops import box_iou

POINTS = np.linspace(0, 1, 101)  # recalls at which precision is read
HALF = 0.5  # overlap from which a box counts as found


@dataclass(frozen=True)
class Objects:
    """Boxes of one picture, marked by people or found by a network.

    Attributes:
        corners: Left, top, right, bottom in any unit, shape (N, 4), float.
        classes: Class indices, (N,).
        scores: How sure the network is, (N,); all ones for what people marked.
    """

    corners: np.ndarray
    classes: np.ndarray
    scores: np.ndarray

    @classmethod
    def marked(cls, corners: np.ndarray, classes: np.ndarray) -> "Objects":
        """What people marked: nobody asked how sure they were."""
        return cls(corners, classes, np.ones(len(classes)))

    def __len__(self) -> int:
        return len(self.classes)

    def above(self, score: float) -> "Objects":
        """Those with a higher score."""
        return self.take(self.scores > score)

    def take(self, kept: np.ndarray) -> "Objects":
        """Those where `kept` (N,) is true."""
        return Objects(self.corners[kept], self.classes[kept], self.scores[kept])


@dataclass(frozen=True)
class Matches:
    """Every box that was found in some pictures, and whether it is right.

    Attributes:
        picture: Index of the picture, (D,).
        classes: Class, (D,).
        scores: (D,).
        hits: Whether it overlaps an object of its class that no surer box has taken, (D,) bool.
        counts: How many objects of each class each picture has, (pictures, classes).
    """

    picture: np.ndarray
    classes: np.ndarray
    scores: np.ndarray
    hits: np.ndarray
    counts: np.ndarray

    def of(self, one: int) -> "Matches":
        """The boxes of one class, the surest first; `counts` keeps all classes."""
        rows = np.flatnonzero(self.classes == one)
        rows = rows[np.argsort(-self.scores[rows], kind="stable")]
        return Matches(
            self.picture[rows], self.classes[rows], self.scores[rows], self.hits[rows], self.counts
        )


def match(
    found: Sequence[Objects], truth: Sequence[Objects], classes: int, overlap: float = HALF
) -> Matches:
    """Compare what was found with what is there, picture by picture.

    Args:
        found: A picture's boxes each.
        truth: Its marked objects each.
        classes: How many classes there are.
        overlap: Intersection over union from which a box counts as found, 0-1.
    """
    hits = [matched(f, t, overlap) for f, t in zip(found, truth, strict=True)]
    counts = np.stack([np.bincount(t.classes, minlength=classes) for t in truth])
    return Matches(
        picture=np.repeat(np.arange(len(found)), [len(f) for f in found]),
        classes=np.concatenate([f.classes for f in found]).astype(np.int64),
        scores=np.concatenate([f.scores for f in found]),
        hits=np.concatenate(hits),
        counts=counts,
    )


def matched(found: Objects, truth: Objects, overlap: float) -> np.ndarray:
    """Which boxes of one picture are right, (N,) bool: the surest chooses first, and takes the
    object of its class that it overlaps most and that is still free."""
    hits = np.zeros(len(found), bool)
    if not len(found) or not len(truth):
        return hits
    corners = [torch.as_tensor(np.asarray(o.corners, np.float64)) for o in (found, truth)]
    overlaps = box_iou(*corners).numpy()
    overlaps[found.classes[:, None] != truth.classes[None]] = 0
    for row in np.argsort(-found.scores, kind="stable"):
        best = int(overlaps[row].argmax())
        if overlaps[row, best] >= overlap:
            hits[row] = True
            overlaps[:, best] = 0
    return hits


@dataclass(frozen=True)
class MeanPrecision:
    """Mean of the classes' average precision; of one class where `only` names it.

    Called on `Matches`; classes without any object are left out. `resample` draws pictures,
    so that `metrics.measured` gives an interval over them.
    """

    only: int | None = None

    def __call__(self, matches: Matches) -> float:
        weights = np.ones((1, len(matches.counts)))
        return float(self.weighted(matches, weights)[0])

    def resample(self, rng: np.random.Generator, n: int, matches: Matches) -> np.ndarray:
        pictures = len(matches.counts)
        drawn = rng.multinomial(pictures, np.full(pictures, 1 / pictures), size=n)
        return self.weighted(matches, drawn.astype(np.float64))

    def weighted(self, matches: Matches, weights: np.ndarray) -> np.ndarray:
        """For pictures that count as often as `weights` (B, pictures) says; shape (B,)."""
        present = np.flatnonzero(matches.counts.sum(axis=0))
        wanted = present if self.only is None else np.array([self.only])
        each = np.stack([precisions(matches.of(int(one)), int(one), weights) for one in wanted])
        counted = ~np.isnan(each)
        total = np.where(counted, each, 0).sum(axis=0)
        with np.errstate(invalid="ignore"):
            return total / counted.sum(axis=0)


def precisions(matches: Matches, one: int, weights: np.ndarray) -> np.ndarray:
    """Average precision of one class for each row of weights, (B,); nan without any object."""
    objects = weights @ matches.counts[:, one]
    out = np.where(objects > 0, 0.0, np.nan)
    if not len(matches.hits):
        return out
    counted = weights[:, matches.picture]
    hits = np.cumsum(counted * matches.hits, axis=1)
    seen = np.cumsum(counted, axis=1)
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    # The precision at a recall is the best that this recall or a higher one allows.
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    for row in np.flatnonzero(objects > 0):
        # Rounding must not put a recall of exactly 0.7 below the point 0.7.
        places = np.searchsorted(hits[row], POINTS * objects[row] - 1e-9)
        reached = places < hits.shape[1]
        out[row] = precision[row, places[reached]].sum() / len(POINTS)
    return out


def count_errors(found: Sequence[Objects], truth: Sequence[Objects], classes: int) -> np.ndarray:
    """By how many objects each picture's count of each class is off, (pictures, classes)."""
    counts = [
        np.stack([np.bincount(o.classes, minlength=classes) for o in objects])
        for objects in (found, truth)
    ]
    return np.abs(counts[0] - counts[1])


def unmarked(found: Objects, truth: Objects, most: float = 0.3) -> np.ndarray:
    """Which boxes overlap nothing that people marked, of whatever class, (N,) bool.

    Args:
        found: Boxes of one picture.
        truth: Its marked objects.
        most: Largest intersection over union that still counts as none.
    """
    if not len(found) or not len(truth):
        return np.ones(len(found), bool)
    corners = [torch.as_tensor(np.asarray(o.corners, np.float64)) for o in (found, truth)]
    return (box_iou(*corners).amax(dim=1) < most).numpy()
