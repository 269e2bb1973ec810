"""How the backpropagation lab writes its numbers and names its weights."""

import math
from collections.abc import Sequence

import numpy as np

from dlportal.labs.backprop_paths import Weight

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def num(value: float, decimals: int = 3) -> str:
    """A number for a formula: fixed decimals, powers of ten where those would show nothing."""
    size = abs(value)
    if size == 0 or 10 ** (1 - decimals) <= size < 1e4:
        return f"{value:.{decimals}f}"
    power = math.floor(math.log10(size))
    if 1e-4 <= size < 1:
        return f"{value:.{2 - power}f}"
    return rf"{value / 10**power:.2f}\cdot10^{{{power}}}"


def closed(value: float, decimals: int = 3) -> str:
    """The same, in brackets where a minus sign follows a sign."""
    text = num(value, decimals)
    return f"({text})" if value < 0 else text


def alike(values: Sequence[float]) -> int:
    """Decimals that show four digits of the largest, so that a column can be added up."""
    largest = max((abs(v) for v in values), default=0.0)
    if largest == 0:
        return 3
    return int(np.clip(3 - math.floor(math.log10(largest)), 1, 12))


def product(value: float, decimals: int) -> str:
    """A product in decimals that its neighbours share, or in powers of ten if too small."""
    return f"{value:.{decimals}f}" if decimals <= 7 else num(value)


def symbol(weight: Weight) -> str:
    """A weight in a formula; its indices are target and source, as in the matrix."""
    if weight.source == 0:
        return f"b^{{({weight.layer})}}_{{{weight.to}}}"
    return f"w^{{({weight.layer})}}_{{{weight.to},{weight.source}}}"


def source_symbol(weight: Weight) -> str:
    if weight.source == 0:
        return "1"
    return (
        f"x_{{{weight.source}}}"
        if weight.layer == 1
        else f"h^{{({weight.layer - 1})}}_{{{weight.source}}}"
    )


def brief(value: float) -> str:
    """A number in at most six characters, with a real minus sign."""
    if not np.isfinite(value):
        return "–"
    size = abs(value)
    if size == 0 or 5e-4 <= size < 100:
        text = f"{value:.{3 if 0 < size < 0.005 else 2 if size < 10 else 1}f}"
    else:
        text = f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return text.replace("-", "−")


def power(value: float) -> str:
    """A number with a power of ten: 2.2 · 10⁻¹¹."""
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits} · 10{str(int(exponent)).translate(SUPERSCRIPTS)}"


def sub(name: str, index: int) -> str:
    return name + str(index).translate(SUBSCRIPTS)
