"""Molecules as pictures: RDKit draws them, in the page's colours."""

from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from dlportal.explain.base import Explanation
from dlportal.ui.language import _
from dlportal.ui.theme import Palette, palette
from dlportal.ui.words import note

SIZE = (460, 320)  # pixels
LABELLED = 6  # atoms that get a number, the strongest first
STRONGEST = 0.45  # of the scale's length, so that letters can be read on it
FAINTEST = 0.08  # of the strongest; below it an atom stays without colour


def rgb(color: str) -> tuple[float, float, float]:
    """A #rrggbb colour as three shares of one."""
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def mixed(scale: tuple[str, ...], place: float) -> tuple[float, float, float]:
    """A colour of a scale at a place between -1 and 1."""
    at = (place + 1) / 2 * (len(scale) - 1)
    low = min(int(at), len(scale) - 2)
    pairs = zip(rgb(scale[low]), rgb(scale[low + 1]), strict=True)
    red, green, blue = (a + (at - low) * (b - a) for a, b in pairs)
    return red, green, blue


def molecule_svg(
    smiles: str, values: np.ndarray | None = None, size: tuple[int, int] = SIZE
) -> str:
    """A molecule as SVG, on a transparent ground.

    Args:
        smiles: A readable SMILES; atoms keep its order.
        values: Attributions of the atoms, shape (atoms,): orange and + in favour, blue and − against,
            the strongest with their numbers.
        size: In pixels.
    """
    found = None if values is None else tuple(float(v) for v in values)
    return draw(smiles, found, size, palette())


@lru_cache(maxsize=256)
def draw(
    smiles: str, values: tuple[float, ...] | None, size: tuple[int, int], colors: Palette
) -> str:
    """Kept, since every click on the page shows the same molecules again."""
    from rdkit import Chem
    from rdkit.Chem.Draw import rdMolDraw2D

    mol = Chem.MolFromSmiles(smiles)
    pen = rdMolDraw2D.MolDraw2DSVG(*size)
    options: Any = pen.drawOptions()
    options.setBackgroundColour((1, 1, 1, 0))
    options.setAtomPalette({-1: rgb(colors.text)})
    options.setAtomNoteColour(rgb(colors.text))
    options.annotationFontScale = 0.75
    options.bondLineWidth = 2
    options.fixedBondLength = 34
    options.highlightRadius = 0.42
    options.fillHighlights = True
    lit: dict[int, tuple[float, float, float]] = {}
    if values is not None:
        peak = max((abs(v) for v in values), default=0.0) or 1.0
        strong = sorted(range(len(values)), key=lambda i: -abs(values[i]))[:LABELLED]
        for atom in mol.GetAtoms():
            i = atom.GetIdx()
            share = values[i] / peak
            if abs(share) < FAINTEST:
                continue
            lit[i] = mixed(colors.signed, STRONGEST * share)
            if i in strong:
                # A plain hyphen: RDKit's font has no minus sign.
                atom.SetProp("atomNote", f"{values[i]:+.{2 if peak > 0.1 else 3}f}")
    rdMolDraw2D.PrepareAndDrawMolecule(
        pen, mol, highlightAtoms=list(lit), highlightAtomColors=lit, highlightBonds=[]
    )
    pen.FinishDrawing()
    svg: str = pen.GetDrawingText()
    return svg[svg.index("<svg") :]


def show_attribution(smiles: str, explanation: Explanation) -> None:
    """The molecule with its atoms coloured; signs and numbers say the same."""
    show_molecule(smiles, _("The molecule, its atoms coloured by influence"), explanation.values)
    note(
        _(
            "Orange and +: raises the answer. Blue and −: lowers it. The numbers are on the {n} strongest atoms; the bars name atoms as the SMILES counts them. For solubility and lipophilicity the curves show the rank among the training molecules."
        ).format(n=LABELLED)
    )


def show_molecule(smiles: str, alt: str, values: np.ndarray | None = None, **look: Any) -> None:
    """Put a molecule on the page; `alt` says in a sentence what it shows."""
    st.image(molecule_svg(smiles, values, **look), width="stretch", alt=alt)
