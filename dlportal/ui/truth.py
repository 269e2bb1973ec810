"""What an example is known to be, beside what the network says."""

from typing import Any

from dlportal.messages import N_
from dlportal.ui.inputs import Picked
from dlportal.ui.language import _, language
from dlportal.ui.words import note


def say_truth(
    case: Any,
    picked: Picked | None,
    answer: Any,
    right: str = N_("It is meant to be: {truth}. The network is right."),
    wrong: str = N_("It is meant to be: {truth}. The network is wrong."),
) -> None:
    """Say whether the network is right about an example; nothing where the truth is not known.

    `right` and `wrong` are marked with `N_` and hold the place `{truth}`.
    """
    if picked is None or answer is None or picked.example is None:
        return
    known = next((e.truth for e in case.examples() if e.id == picked.example), "")
    label = next((label for label in case.labels if label.id == known), None)
    if label is None:
        return
    hit = answer.result.best.label.id == known
    icon = ":material/check_circle:" if hit else ":material/cancel:"
    note(f"{icon} {_(right if hit else wrong).format(truth=label(language()))}")
