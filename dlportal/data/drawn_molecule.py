"""A drawing of atoms and bonds as SMILES."""

from typing import Any

from dlportal.messages import N_, InputError

Drawing = dict[str, Any]
"""`atoms`: lists of element and place; `bonds`: lists of two atoms, counted from 0, and 1 to 3."""
ELEMENTS = ("C", "N", "O", "S", "F", "Cl", "Br", "P")
MOST = 150  # atoms


def to_smiles(drawing: Any) -> str:
    """Canonical SMILES of a drawing, "" of an empty one.

    Args:
        drawing: What the sketcher sent. It comes from a browser: nothing in it is trusted.

    Raises:
        InputError: It is no molecule: an atom has too many bonds, or the drawing is damaged.
    """
    from rdkit import Chem, rdBase

    atoms, bonds = read(drawing)
    if not atoms:
        return ""
    mol = Chem.RWMol()
    for element in atoms:
        mol.AddAtom(Chem.Atom(element))
    orders = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE)
    for a, b, order in bonds:
        mol.AddBond(a, b, orders[order - 1])
    with rdBase.BlockLogs():
        for problem in Chem.DetectChemistryProblems(mol):
            if problem.GetType() == "AtomValenceException":
                raise InputError(
                    N_("An atom of {element} in your drawing has too many bonds. Erase one."),
                    element=atoms[problem.GetAtomIdx()],
                )
        Chem.SanitizeMol(mol)
        return str(Chem.MolToSmiles(mol))


def read(drawing: Any) -> tuple[list[str], set[tuple[int, int, int]]]:
    """Elements, and bonds between them, each once.

    Raises:
        InputError: Not a drawing.
    """
    try:
        atoms = [str(atom[0]) for atom in drawing["atoms"]]
        found = {
            (min(int(a), int(b)), max(int(a), int(b))): int(order)
            for a, b, order in drawing["bonds"]
        }
        bonds = {(a, b, order) for (a, b), order in found.items()}
        fits = len(atoms) <= MOST and set(atoms) <= set(ELEMENTS)
        fits &= all(0 <= a < b < len(atoms) and order in (1, 2, 3) for a, b, order in bonds)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError):
        fits = False
    if not fits:
        raise InputError(N_("This drawing cannot be read. Clear it and draw again."))
    return atoms, bonds
