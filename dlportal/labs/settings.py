"""Check a lab's settings against its knobs."""

from collections.abc import Sequence
from typing import Any

from dlportal.case import Knob
from dlportal.messages import N_, InputError


def complete(knobs: Sequence[Knob], given: dict[str, Any]) -> dict[str, Any]:
    """Fill in the defaults of what was not given, and check every value.

    Raises:
        InputError: A value outside its range, or not one of the choices.
        ValueError: An unknown setting (names the valid ones).
    """
    known = {knob.name: knob for knob in knobs}
    unknown = set(given) - set(known)
    if unknown:
        raise ValueError(f"no setting {sorted(unknown)}; settings: {', '.join(known)}")
    settings = {name: given.get(name, knob.default) for name, knob in known.items()}
    for name, value in settings.items():
        check(known[name], value)
    return settings


def check(knob: Knob, value: Any) -> None:
    """Raise `InputError` unless the value fits the knob."""
    if knob.choices:
        if value not in knob.choices:
            raise InputError(
                N_("{name} cannot be {value}; choose {choices}."),
                name=knob.name,
                value=value,
                choices=", ".join(knob.choices),
            )
    elif knob.low is not None and knob.high is not None and not knob.low <= value <= knob.high:
        raise InputError(
            N_("{name} is {value}; it must lie between {low} and {high}."),
            name=knob.name,
            value=value,
            low=knob.low,
            high=knob.high,
        )
