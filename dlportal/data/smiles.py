"""Reading a SMILES, and saying where it is wrong.

Weininger 1988, https://doi.org/10.1021/ci00057a005. RDKit decides what a molecule is; where it says
no, this module finds the first character that cannot stand where it does, counted from 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from dlportal.messages import N_, InputError

if TYPE_CHECKING:
    from rdkit.Chem import Mol

ATOM = re.compile(r"\[[^\[\]]*\]|Cl|Br|[BCNOPSFI]|[bcnops]|\*")
BRACKET = re.compile(
    r"\[\d*(?P<symbol>[A-Z][a-z]?|[bcnops]|se|as|te|\*)(@{0,2}|@(TH|AL|SP|TB|OH)\d+)?"
    r"(H\d*)?([+-]+\d*)?(:\d+)?\]"
)
BOND = re.compile(r"[-=#$:/\\~]|->|<-")
RING = re.compile(r"\d|%\d\d|%\(\d+\)")


def parse(smiles: str) -> Mol:
    """The molecule of a SMILES.

    Raises:
        InputError: It is none; the sentence names the position of the error.
    """
    from rdkit import Chem, rdBase

    text = smiles.strip()
    if not text:
        raise InputError(N_("There is no SMILES. Type one, draw a molecule or pick a drug."))
    check_symbols(text)
    with rdBase.BlockLogs():
        raw = Chem.MolFromSmiles(text, sanitize=False)
        if raw is None:
            raise InputError(
                N_("{smiles} is no SMILES that RDKit can read. Compare it with an example."),
                smiles=short(text),
            )
        check_chemistry(text, raw)
        mol = Chem.MolFromSmiles(text)
    if mol is None or mol.GetNumAtoms() == 0:
        raise InputError(
            N_("{smiles} is no molecule that RDKit can make sense of. Correct it."),
            smiles=short(text),
        )
    return mol


def short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def wrong(message: str, text: str, place: int, **params: object) -> InputError:
    """An error at a place (from 0), which the sentence counts from 1 and shows."""
    return InputError(
        message, position=place + 1, near=text[max(0, place - 6) : place + 7], **params
    )


def atom_places(text: str) -> list[int]:
    """Where each atom of a SMILES begins, from 0."""
    return [match.start() for match in ATOM.finditer(text)]


def check_symbols(text: str) -> None:
    """Raise `InputError` for the first character that cannot stand where it does."""
    opened: list[int] = []  # places of parentheses
    rings: dict[str, int] = {}  # ring numbers and where they were opened
    before = "start"  # what came last: start, atom, bond, open, dot
    place = 0
    while place < len(text):
        kind, length = next_symbol(text, place)
        if kind == "atom":
            check_bracket(text, place, length)
        elif kind == "ring":
            if before not in ("atom", "bond", "ring"):
                raise wrong(
                    N_("Position {position} (…{near}…): a ring number needs an atom before it."),
                    text,
                    place,
                )
            number = text[place : place + length].strip("%()").lstrip("0") or "0"
            if number in rings:
                if text[rings[number] : place].strip("%()" + number) == "":
                    raise wrong(
                        N_("Position {position} (…{near}…): a ring needs three atoms or more."),
                        text,
                        place,
                    )
                del rings[number]
            else:
                rings[number] = place
        elif kind == "open":
            if before in ("start", "bond", "open", "dot"):
                raise wrong(
                    N_("Position {position} (…{near}…): a branch needs an atom before it."),
                    text,
                    place,
                )
            opened.append(place)
        elif kind == "close":
            if not opened:
                raise wrong(
                    N_("Position {position} (…{near}…): this parenthesis was never opened."),
                    text,
                    place,
                )
            opened.pop()
        if before == "start" and kind == "bond":
            raise wrong(
                N_("Position {position} (…{near}…): a bond needs an atom before it."), text, place
            )
        if before == "open" and kind == "close":
            raise wrong(N_("Position {position} (…{near}…): this branch is empty."), text, place)
        if before == "bond" and kind not in ("atom", "ring"):
            raise wrong(
                N_("Position {position} (…{near}…): an atom is missing after the bond."),
                text,
                place,
            )
        before = "atom" if kind == "close" else kind
        place += length
    check_ends(text, opened, rings, before)


def check_ends(text: str, opened: list[int], rings: dict[str, int], last: str) -> None:
    """Raise `InputError` for what was begun and never ended."""
    if opened:
        raise wrong(
            N_("Position {position} (…{near}…): this parenthesis is never closed."),
            text,
            opened[-1],
        )
    if rings:
        number, place = min(rings.items(), key=lambda item: item[1])
        raise wrong(
            N_("Position {position} (…{near}…): ring {number} is never closed."),
            text,
            place,
            number=number,
        )
    if last in ("bond", "dot"):
        raise wrong(
            N_("Position {position} (…{near}…): an atom is missing at the end."),
            text,
            len(text) - 1,
        )


def next_symbol(text: str, place: int) -> tuple[str, int]:
    """Kind and length of the symbol at a place.

    Raises:
        InputError: There is none.
    """
    rules: tuple[tuple[str, Callable[[str, int], re.Match[str] | None]], ...] = (
        ("atom", ATOM.match),
        ("ring", RING.match),
        ("bond", BOND.match),
    )
    for kind, match in rules:
        if found := match(text, place):
            return kind, len(found.group())
    single = {"(": "open", ")": "close", ".": "dot"}
    if text[place] in single:
        return single[text[place]], 1
    if text[place] == "[":
        raise wrong(
            N_("Position {position} (…{near}…): this bracket is never closed."), text, place
        )
    raise wrong(
        N_(
            "Position {position} (…{near}…): {character} stands for no atom, bond or ring. Elements"
            " other than B, C, N, O, P, S, F, Cl, Br and I need brackets."
        ),
        text,
        place,
        character=text[place],
    )


def check_bracket(text: str, place: int, length: int) -> None:
    """Raise `InputError` if an atom in brackets is none."""
    symbol = text[place : place + length]
    if not symbol.startswith("["):
        return
    from rdkit import Chem

    found = BRACKET.fullmatch(symbol)
    name = found["symbol"].capitalize() if found else ""
    known = {Chem.GetPeriodicTable().GetElementSymbol(n) for n in range(1, 119)} | {"*"}
    if name not in known:
        raise wrong(
            N_("Position {position} (…{near}…): {symbol} is no atom."), text, place, symbol=symbol
        )


def check_chemistry(text: str, raw: Mol) -> None:
    """Raise `InputError` for an atom with too many bonds or a ring that cannot be aromatic."""
    from rdkit import Chem

    places = atom_places(text)
    for problem in Chem.DetectChemistryProblems(raw):
        kind = problem.GetType()
        if kind == "AtomValenceException":
            atom = raw.GetAtomWithIdx(problem.GetAtomIdx())
            raise wrong(
                N_("Position {position} (…{near}…): {element} has too many bonds here."),
                text,
                places[atom.GetIdx()],
                element=atom.GetSymbol(),
            )
        if kind == "KekulizeException":
            raise wrong(
                N_(
                    "Position {position} (…{near}…): this ring cannot be aromatic. Write its double"
                    " bonds out, or give its nitrogen a hydrogen: [nH]."
                ),
                text,
                places[min(problem.GetAtomIndices())],
            )
        if kind == "AtomKekulizeException":
            raise wrong(
                N_(
                    "Position {position} (…{near}…): an aromatic atom (small letter) outside a ring."
                ),
                text,
                places[problem.GetAtomIdx()],
            )
