"""`evaluate`: a case measured on its own dataset, or on data laid out like it."""

from pathlib import Path
from typing import Any

from dlportal.cards import Metric, show_value
from dlportal.case import Evaluation, Lab, Progress, case_class, load_case
from dlportal.explain.report import with_faithful_shares
from dlportal.messages import N_, InputError


def evaluate_case(
    case_id: str, split: str, data: Path | None, limit: int | None, progress: Progress | None
) -> Evaluation:
    """Measure a case; on the whole test split, its explanations too.

    Raises:
        InputError: There is nothing to measure, or the data cannot be used.
    """
    cls = case_class(case_id)
    if issubclass(cls, Lab):
        raise InputError(
            N_(
                "{case} computes live and has no trained model to evaluate; run"
                " `python -m dlportal predict {case}`."
            ),
            case=case_id,
        )
    if not cls.can("evaluate"):
        raise InputError(N_("{case} has no test data of its own to evaluate on."), case=case_id)
    if data is not None and not data.exists():
        raise InputError(N_("There is no file or folder {path}."), path=str(data))
    case = load_case(case_id)
    evaluation = case.evaluate(split, data, limit, progress)
    if data is None and limit is None and split == "test":
        return with_faithful_shares(case, evaluation, progress)
    return evaluation


def named(metrics: list[Metric]) -> dict[str, Metric]:
    """Metrics by name: a plain name is the first of its kind, the main data's; names that are
    measured on several data (or models) stand there as `name@data` too."""
    out: dict[str, Metric] = {}
    for metric in metrics:
        out.setdefault(metric.name, metric)
    for metric in metrics:
        same = [m for m in metrics if m.name == metric.name]
        if len(same) == 1:
            continue
        several = sum(m.key == metric.key for m in same) > 1
        out[f"{metric.key} ({metric.model})" if several else metric.key] = metric
    return out


def bounds(metric: Metric) -> dict[str, Any]:
    found = {"value": metric.value, "low": metric.low, "high": metric.high}
    return {**found, "model": metric.model} if metric.model else found


def summarise(evaluation: Evaluation) -> dict[str, Any]:
    """The document of `evaluate --json`."""
    measured = evaluation.measured
    document: dict[str, Any] = {
        "case": evaluation.case,
        "split": evaluation.split,
        "n": evaluation.n,
        "metrics": {name: bounds(metric) for name, metric in named(measured.metrics).items()},
        "baseline": {name: bounds(metric) for name, metric in named(measured.baselines).items()},
        "seconds": round(evaluation.seconds, 2),
    }
    if measured.calibration is not None:
        document["temperature"] = measured.calibration.temperature
    return document


def table(evaluation: Evaluation) -> str:
    """The same for people."""
    lines = [f"{evaluation.case}, {evaluation.split} split, n = {evaluation.n:,}"]
    for title, metrics in (
        ("", evaluation.measured.metrics),
        ("baseline ", evaluation.measured.baselines),
    ):
        for metric in metrics:
            interval = ""
            if metric.low is not None and metric.high is not None:
                interval = f"[{show_value(metric, metric.low)}, {show_value(metric, metric.high)}]"
            name = title + metric.name + (f" ({metric.model})" if metric.model else "")
            lines.append(f"  {name:<44} {show_value(metric):>10}  {interval:<20} {metric.data}")
    lines.append(f"  {evaluation.seconds:.1f} s")
    return "\n".join(lines)
