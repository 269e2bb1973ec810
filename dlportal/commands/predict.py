"""`predict`: a case answers inputs, a lab runs once, an agent plays an episode."""

import json
from collections.abc import Iterator, Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any

from dlportal.case import Case, Knob, Lab, load_case
from dlportal.kinds.agent import Rollout
from dlportal.messages import N_, InputError
from dlportal.results import (
    Boxes,
    Classes,
    Generation,
    Pictures,
    Result,
    Spans,
    Speech,
    Transcript,
    to_json,
)

BATCH = 8  # inputs that share a forward pass
TEXTS = 32  # texts that do: they are small
WINDOW = 1024  # texts among which those of similar length are brought together


def predict_inputs(case_id: str, given: Sequence[str], seed: int = 0) -> list[tuple[str, Result]]:
    """Answer inputs given as text: file paths, literal texts, settings or a world's name.

    Args:
        case_id: The case.
        given: Inputs; a lab takes them all together as its settings (`key=value`).
        seed: Of a lab's run or an agent's episode.

    Returns:
        Each input with its result.

    Raises:
        InputError: An input cannot be used, or there is none.
    """
    case = load_case(case_id)
    if isinstance(case, Lab):
        return [(" ".join(given), run_lab(case, given, seed))]
    if not given and hasattr(case, "rollout"):
        return [("", case.rollout(seed))]
    if not given:
        raise InputError(N_("Give an input: a file, a text in quotes, or --lines FILE."))
    if hasattr(case, "rollout"):
        return [(text, play(case, text, seed)) for text in given]
    return list(answer_all(case, given))


def answer_all(case: Case[Any], given: Sequence[str]) -> Iterator[tuple[str, Result]]:
    """Predict in batches where the case can batch; texts of similar length share one.

    Raises:
        InputError: An input cannot be used; of several, it says which.
    """
    texts = case.kind == "text" and case.batches
    size = TEXTS if texts else BATCH if case.batches else 1
    window = WINDOW if texts else size
    for start in range(0, len(given), window):
        part = given[start : start + window]
        # Little is padded where similar lengths come together.
        order = sorted(range(len(part)), key=lambda i: len(part[i])) if texts else range(len(part))
        found: dict[int, Result] = {}
        for first in range(0, len(part), size):
            rows = order[first : first + size]
            try:
                results = case.predict_batch([case.read(part[row]) for row in rows])
            except InputError as error:
                raise blame(case, given, error) from error
            found |= zip(rows, results, strict=True)
        yield from ((part[row], found[row]) for row in range(len(part)))


def blame(case: Case[Any], given: Sequence[str], error: InputError) -> InputError:
    """The error of a batch, with the number of the input that it is about."""
    if len(given) == 1:
        return error
    for number, text in enumerate(given, 1):
        try:
            case.check(case.read(text))
        except InputError as reason:
            return InputError(
                N_("Input {number} of {all}: {reason}"),
                number=number,
                all=len(given),
                reason=str(reason),
            )
    return error


def play(case: Any, text: str, seed: int) -> Result:
    """A world's name plays an episode; anything with numbers is a state to act in."""
    if text[:1].isalpha():
        try:
            return case.at(text).rollout(seed)
        except ValueError as error:
            raise InputError(N_("There is {reason}."), reason=str(error)) from None
    return case.predict(case.read(text))


def run_lab(lab: Lab, given: Sequence[str], seed: int) -> Result:
    """Run a lab to its end; returns the last frame.

    Raises:
        InputError: A setting that the lab lacks, or a value out of its range.
    """
    settings = dict(read_setting(lab, text) for text in given)
    if any(knob.name == "seed" for knob in lab.knobs):
        settings.setdefault("seed", seed)
    last = None
    for frame in lab.run(**settings):
        last = frame
    if last is None:
        raise ValueError(f"{lab.card.id} gave no frame")
    return last


def read_setting(lab: Lab, text: str) -> tuple[str, Any]:
    """Parse one `key=value` against the lab's knobs."""
    name, equals, value = text.partition("=")
    knob = next((knob for knob in lab.knobs if knob.name == name), None)
    if knob is None or not equals:
        known = ", ".join(f"{knob.name}={knob.default}" for knob in lab.knobs)
        raise InputError(
            N_("No setting {text}. Settings and defaults: {known}."), text=text, known=known
        )
    return name, read_value(knob, value)


def read_value(knob: Knob, text: str) -> Any:
    """Parse a knob's value and check its range."""
    if knob.choices:
        if text not in knob.choices:
            raise InputError(
                N_("{name} cannot be {value}; choose from: {known}."),
                name=knob.name,
                value=text,
                known=", ".join(knob.choices),
            )
        return text
    if isinstance(knob.default, bool):
        return text.lower() in ("1", "true", "yes", "on")
    if isinstance(knob.default, str):
        return text
    try:
        value = type(knob.default)(text)
    except ValueError:
        raise InputError(N_("{name} must be a number."), name=knob.name) from None
    low = float("-inf") if knob.low is None else knob.low
    high = float("inf") if knob.high is None else knob.high
    if not low <= value <= high:
        raise InputError(
            N_("{name} must lie between {low} and {high}."), name=knob.name, low=low, high=high
        )
    return value


@singledispatch
def show_result(result: Result) -> str:
    """A result as lines for the terminal; types without a form of their own print as JSON."""
    return json.dumps(to_json(result), ensure_ascii=False, indent=1)


@show_result.register
def _(result: Classes) -> str:
    lines = [f"{score.probability:7.1%}  {score.label.id}" for score in result.scores[:5]]
    if result.inside is False:
        lines.append("warning: unlike the data this model was trained on")
    return "\n".join(lines)


@show_result.register
def _(result: Boxes) -> str:
    lines = [
        f"{box.score:7.1%}  {name.id:<16} " + " ".join(f"{n:7.1f}" for n in box.corners)
        for name, box in zip(result.names, result.boxes, strict=True)
    ]
    return "\n".join(lines) or f"no object with a score above {result.score:g}"


@show_result.register
def _(result: Spans) -> str:
    lines = [f"{span.probability:7.1%}  {span.label.id:<14} {span.text}" for span in result.spans]
    if result.inside is False:
        lines.append("warning: unlike the data this model was trained on")
    return "\n".join(lines) or "nothing marked"


@show_result.register
def _(result: Generation) -> str:
    return result.prompt + result.text


@show_result.register
def _(result: Transcript) -> str:
    return result.text


@show_result.register
def _(result: Speech) -> str:
    seconds = len(result.samples) / result.rate
    return f"{seconds:.2f} s of speech at {result.rate} Hz; --out FILE.wav keeps it"


@show_result.register
def _(result: Pictures) -> str:
    steps, count = len(result.frames) - 1, len(result.pixels)
    return f"{count} pictures of {result.label.id} in {steps} steps; --out FILE.png keeps them"


@show_result.register
def _(result: Rollout) -> str:
    return f"{result.world}, seed {result.seed}: reward {result.total:.0f}, {result.length} steps"


def save_result(result: Result, path: Path) -> None:
    """Write a sound as WAV, pictures as one PNG, anything else as JSON.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(result, Speech):
            import soundfile

            soundfile.write(path, result.samples, result.rate, format="WAV", subtype="PCM_16")
        elif isinstance(result, Pictures):
            from PIL import Image

            from dlportal.labs.practice_looks import sheet

            Image.fromarray(sheet(result.pixels[None], 4)).save(path, "PNG")
        else:
            path.write_text(show_result.dispatch(object)(result) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(
            N_("{path} cannot be written: {reason}."), path=str(path), reason=error.strerror
        ) from None
