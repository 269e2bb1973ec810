"""Names of the practice lab's trainings and settings."""

from typing import Any

from dlportal.case import Knob
from dlportal.cases.practice_lab import DATA_KNOBS, PracticeLab
from dlportal.labs.practice_experiments import Entry
from dlportal.ui.language import _

SCALING = DATA_KNOBS[2]


def entry_name(entry: Entry) -> str:
    """A training's name within its experiment."""
    number = entry.limit if entry.fold is None else entry.fold + 1
    return _(entry.name).format(n=f"{number:,}" if number is not None else "")


def choice_name(knob: Knob, value: Any) -> str:
    """A setting's value as the page shows it."""
    if knob.choices:
        return _(knob.choice_labels[knob.choices.index(value)])
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"{value:g}"


def scaling_name(kind: str) -> str:
    return choice_name(SCALING, kind)


def setting_columns(s: dict[str, Any], without: tuple[str, ...] = ()) -> dict[str, str]:
    """All settings of a training by name, for the table."""
    knobs = {knob.name: knob for knob in PracticeLab.knobs if knob.name not in without}
    return {_(knob.label): choice_name(knob, s[name]) for name, knob in knobs.items()}
