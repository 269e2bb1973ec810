"""Draw a molecule: atoms and bonds with a pointer; the browser's half is `sketcher.js`."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from dlportal.data.drawn_molecule import Drawing, to_smiles
from dlportal.ui.language import _
from dlportal.ui.words import note

KEY = "sketch"
SCRIPT = Path(__file__).with_suffix(".js")
STYLE = """
.sketch { font: 400 0.875rem/1.4 var(--st-font); color: var(--st-text-color); }
.sketch .bar { display: flex; flex-wrap: wrap; gap: 0.25rem; margin-bottom: 0.25rem; }
.sketch button { flex: 1 1 2.25rem; min-height: 2.25rem; padding: 0 0.25rem; font: inherit; color: inherit; cursor: pointer;
  background: var(--st-background-color); border: 1px solid var(--st-border-color); border-radius: 0.5rem; }
.sketch button:hover { border-color: var(--st-primary-color); }
.sketch button[aria-pressed=true] { border: 2px solid var(--st-primary-color); color: var(--st-primary-color); font-weight: 600; }
.sketch button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.sketch svg { display: block; width: 100%; aspect-ratio: 440 / 300; box-sizing: border-box; touch-action: none; cursor: crosshair;
  background: var(--st-secondary-background-color); border: 1px solid var(--st-border-color); border-radius: 0.625rem; }
.sketch .bond { stroke: var(--st-text-color); stroke-width: 2; stroke-linecap: round; }
.sketch .rubber { stroke: var(--st-primary-color); stroke-width: 2; stroke-dasharray: 5 4; }
.sketch .corner { fill: var(--st-text-color); }
.sketch .ground { fill: var(--st-secondary-background-color); }
.sketch .wrong { fill: none; stroke: var(--st-red-color); stroke-width: 2; stroke-dasharray: 3 3; }
.sketch .atom { fill: var(--st-text-color); font: 600 14px var(--st-font); text-anchor: middle; dominant-baseline: central; pointer-events: none; user-select: none; }
.sketch .hint { fill: var(--st-gray-text-color); font: 400 15px var(--st-font); text-anchor: middle; pointer-events: none; user-select: none; }
"""
PHENOL: Drawing = {
    "atoms": [
        ["C", 220.0, 110.0], ["C", 254.6, 130.0], ["C", 254.6, 170.0], ["C", 220.0, 190.0],
        ["C", 185.4, 170.0], ["C", 185.4, 130.0], ["O", 220.0, 70.0],
    ],
    "bonds": [[0, 1, 2], [1, 2, 1], [2, 3, 2], [3, 4, 1], [4, 5, 2], [5, 0, 1], [0, 6, 1]],
}  # fmt: skip
"""What the page begins with: phenol."""


def sketch() -> str:
    """The drawing as SMILES; "" while there is nothing.

    Raises:
        InputError: What is drawn is no molecule.
    """
    kept = st.session_state.get("sketched", PHENOL)
    draw = st.components.v2.component("sketcher", css=STYLE, js=script())
    data = json.dumps({"start": kept, "words": words()}).encode()
    drawing = draw(data=data, key=KEY, on_drawing_change=lambda: None).drawing
    if drawing is not None:
        st.session_state["sketched"] = kept = drawing
    note(
        _(
            "Click: a new atom, another element, a longer chain, or the next kind of bond. Drag from an atom: a bond. A dashed ring marks too many bonds. Without a pointer, type a SMILES under Your own."
        )
    )
    return to_smiles(kept)


def words() -> dict[str, Any]:
    return {
        "alt": _("Your drawing of a molecule"),
        "empty": _("Click to set an atom, or take a ring"),
        "erase": _("Erase an atom or a bond"),
        "orders": [_("Single bond"), _("Double bond"), _("Triple bond")],
        "benzene": _("Benzene ring"),
        "six": _("Ring of six"),
        "five": _("Ring of five"),
        "undo": _("Undo"),
        "clear": _("Clear"),
    }


@cache
def script() -> str:
    return SCRIPT.read_text(encoding="utf-8")
