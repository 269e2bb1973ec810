"""Cells found without learning: colours, connected parts and watershed, for comparison.

What a laboratory script did before neural networks; its few numbers were set on training pictures.
"""

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.measure import regionprops
from skimage.morphology import disk, opening
from skimage.segmentation import watershed

from dlportal.cases.drawn_smear import PLATELET, RBC, WBC
from dlportal.training.detection_scores import Objects

WIDTH = 640  # pixels to which a picture is brought; the sizes below are of these
VIOLET = 18  # by how much blue must exceed red, of 255
NUCLEUS = 2500  # pixels of stained chromatin from which it is a white cell
FLECK = (150, 2500)  # of a platelet
DISC = 1800  # of a red cell
APART = 30  # between the middles of red cells
GROWN = 0.16  # by which a white cell is larger than its nucleus, on each side


def classical(picture: Image.Image) -> Objects:
    """What colours and shapes say; corners in the picture's pixels."""
    factor = picture.width / WIDTH
    small = picture.resize((WIDTH, max(1, round(picture.height / factor))), Image.Resampling.BOX)
    pixels = np.asarray(small.convert("RGB"), np.float64)
    stained = stain(pixels)
    smooth = ndimage.gaussian_filter(pixels, (1.5, 1.5, 0))
    violet = opening(stained & (smooth[..., 2] - smooth[..., 0] > VIOLET), disk(2))
    found = violet_parts(violet)
    white = np.zeros_like(violet)
    for kind, (left, top, right, bottom), _score in found:
        if kind == WBC:
            white[int(top) : int(bottom), int(left) : int(right)] = True
    found += discs(ndimage.binary_fill_holes(stained & ~white & ~violet))
    corners = np.array([c for _, c, _ in found], np.float64).reshape(-1, 4) * factor
    kinds, scores = [k for k, _, _ in found], [s for _, _, s in found]
    return Objects(corners, np.array(kinds, np.int64), np.array(scores, np.float64))


def stain(pixels: np.ndarray) -> np.ndarray:
    """Where there is a cell and not bare glass, (H, W) bool: cells take up green light."""
    green = ndimage.gaussian_filter(pixels[..., 1], 1.5)
    if np.ptp(green) < 1:
        return np.zeros(green.shape, bool)
    return green < threshold_otsu(green)


Found = tuple[int, tuple[float, float, float, float], float]


def violet_parts(violet: np.ndarray) -> list[Found]:
    """White cells around large violet parts, platelets at small ones."""
    close = ndimage.binary_dilation(violet, disk(6))  # lobes of one nucleus
    labels, _ = ndimage.label(close)
    found: list[Found] = []
    for part in regionprops(labels * violet):
        top, left, bottom, right = part.bbox
        if part.area >= NUCLEUS:
            dx, dy = GROWN * (right - left), GROWN * (bottom - top)
            found.append((WBC, (left - dx, top - dy, right + dx, bottom + dy), 0.9))
        elif FLECK[0] <= part.area:
            found.append((PLATELET, (left - 3, top - 3, right + 3, bottom + 3), part.solidity))
    height, width = violet.shape
    limits = np.array([width, height, width, height])
    return [(k, tuple(np.clip(c, 0, limits)), s) for k, c, s in found]


def discs(red: np.ndarray) -> list[Found]:
    """Red cells: touching ones are cut apart where the stained area is narrow."""
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(red), 2)
    peaks = peak_local_max(depth, min_distance=APART, threshold_abs=14, exclude_border=False)
    seeds = np.zeros(red.shape, np.int64)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    found: list[Found] = []
    for part in regionprops(watershed(-depth, seeds, mask=red)):
        top, left, bottom, right = part.bbox
        if part.area >= DISC:
            box = (float(left), float(top), float(right), float(bottom))
            found.append((RBC, box, float(part.solidity)))
    return found
