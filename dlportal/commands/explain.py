"""`explain`: an attribution map and its measured quality."""

from pathlib import Path
from typing import Any

import numpy as np

from dlportal.case import Case, Lab, load_case
from dlportal.messages import N_, InputError
from dlportal.results import to_json

MOST = 20  # parts listed in the terminal


def explain_input(
    case_id: str,
    given: str,
    method: str,
    target: str | None = None,
    out: Path | None = None,
    seconds: float = 3.0,
) -> tuple[dict[str, Any], str]:
    """Explain one input.

    Args:
        case_id: The case.
        given: A file's path or the text itself.
        method: The explainer's name.
        target: A label's id or an output index; the prediction by default.
        out: Where to write the map: `.npy` (numbers) or `.png` (a picture of them).
        seconds: Time to measure faithfulness.

    Returns:
        The document for `--json` and the text.

    Raises:
        InputError: The input, method or target cannot be used.
    """
    from dlportal.explain import explainers_for
    from dlportal.explain.faithfulness import measure

    case = load_case(case_id)
    if isinstance(case, Lab):
        raise InputError(
            N_("{case} shows how it works by itself; there is no prediction to explain."),
            case=case_id,
        )
    usable = {explainer.name: explainer for explainer in explainers_for(case)}
    if method not in usable:
        raise InputError(
            N_("No method {method} for {case}. Choose from: {known}."),
            method=method,
            case=case_id,
            known=", ".join(usable) or "none",
        )
    raw = case.read(given)
    case.check(raw)
    case = case.about(raw)
    index = find_target(case, raw, target)
    case = case.asking(index)
    explanation = usable[method].explain(case, raw, index)
    faithfulness = measure(case, raw, explanation, seconds=seconds)
    if out is not None:
        write_map(explanation.values, explanation.signed, out)
    label = case.labels[index].id if case.labels else str(index)
    document = {"case": case_id, "input": given, "label": label, **to_json(explanation)}
    document["faithfulness"] = to_json(faithfulness)
    return document, describe(document, explanation.values, explanation.parts)


def find_target(case: Case[Any], raw: Any, target: str | None) -> int:
    """The output index of a label id, an index, or the prediction."""
    if target is None:
        return case.targets(raw)[0]
    ids = [label.id for label in case.labels]
    if target in ids:
        return ids.index(target)
    if target.isdigit() and (not ids or int(target) < len(ids)):
        return int(target)
    known = ", ".join(ids[:12]) + (" ..." if len(ids) > 12 else "")
    raise InputError(N_("No class {target}. Choose from: {known}."), target=target, known=known)


def describe(document: dict[str, Any], values: np.ndarray, parts: tuple[str, ...]) -> str:
    """The explanation in a few lines."""
    found = document["faithfulness"]
    lines = [f"{document['method']} for {document['label']}"]
    if parts:
        order = np.argsort(-np.abs(values))[:MOST]
        lines += [f"  {values[i]:+9.4f}  {parts[i]}" for i in order]
    else:
        peak = np.unravel_index(np.abs(values).argmax(), values.shape)
        lines.append(f"  map {values.shape}, strongest at {tuple(int(i) for i in peak)}")
    for name in ("insertion", "deletion"):
        trace = found[name]
        lines.append(
            f"  {name}: {trace['difference']:+.3f} against random maps"
            f" [{trace['low']:+.3f}, {trace['high']:+.3f}]"
        )
    if document["residual"] is not None:
        lines.append(f"  completeness residual {document['residual']:+.4f}")
    lines.append(f"  verdict: {found['verdict']}")
    return "\n".join(lines)


def write_map(values: np.ndarray, signed: bool, path: Path) -> None:
    """Write a map as numbers (`.npy`) or, if it has two axes, as a picture (`.png`).

    Signed maps: blue against, orange in favour; unsigned: brighter is more.

    Raises:
        InputError: Another ending, a map that is no picture, or a file that cannot be written.
    """
    if path.suffix not in (".npy", ".png") or (path.suffix == ".png" and values.ndim != 2):
        raise InputError(N_("Name the output FILE.npy, or FILE.png where the input is a picture."))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".npy":
            np.save(path, values)
        else:
            save_picture(values, signed, path)
    except OSError as error:
        raise InputError(
            N_("{path} cannot be written: {reason}."), path=str(path), reason=error.strerror
        ) from None


def save_picture(values: np.ndarray, signed: bool, path: Path) -> None:
    from PIL import Image

    peak = np.abs(values).max() or 1.0
    strength = (np.abs(values) / peak)[..., None]
    if signed:
        warm, cold, none = (
            np.array([201, 113, 31]),
            np.array([31, 63, 143]),
            np.array([241, 238, 230]),
        )
        colour = np.where(values[..., None] >= 0, warm, cold)
        pixels = none + strength * (colour - none)
    else:
        pixels = 255 * strength.repeat(3, axis=-1)
    Image.fromarray(pixels.round().astype(np.uint8)).save(path)
