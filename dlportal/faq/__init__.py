"""The article's four questions, each with a measurement: stored ones and ones made on the spot.

`python -m dlportal.faq NAME` measures again and writes `dlportal/faq/NAME.json`, which no human
edits; the page *Four questions* shows it and offers a smaller run of the same.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
STORED = {
    "learning_curve": "deep and classical learning as the training set grows",
    "generalisation": "training and validation accuracy by remedy and by amount of data",
}


@cache
def stored(name: str) -> dict[str, Any]:
    """A stored measurement: `command`, `date`, `device` and its own rows."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
