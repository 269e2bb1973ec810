"""The card of a training on the visitor's own table, as Markdown to take away."""

from datetime import UTC, datetime

from dlportal.data.own_table import Choice, Ready
from dlportal.data.own_warnings import Warning_
from dlportal.training.own_training import NETWORK, STEPS, Result
from dlportal.training.receipts import versions
from dlportal.ui.language import _


def write_card(
    file: str, choice: Choice, ready: Ready, warnings: list[Warning_], result: Result
) -> str:
    """What was trained, on what, how good it is, and what to doubt."""
    how = _("the last rows in time") if ready.by_time else _("rows drawn by lot")
    facts = {
        _("File"): file,
        _("Measured at"): datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        _("Answer"): f"{choice.label} = {ready.yes}",
        _("Rows"): f"{len(ready.y):,} ({int(ready.y.sum()):,} = {100 * ready.y.mean():.2f}%)",
        _("Learned, chosen, measured on"): " / ".join(
            f"{len(part):,}" for part in (ready.train, ready.validation, ready.test)
        ),
        _("Test rows"): how,
        _("Columns"): ", ".join(choice.columns),
        _("As numbers"): f"{len(ready.names)}: {', '.join(ready.names)}",
        _("Network"): _("two periodic MLPs of 128 units, {steps} steps, seed 0").format(
            steps=f"{STEPS:,}"
        ),
        _("Seconds"): f"{result.seconds:.1f}",
        _("Versions"): ", ".join(f"{name} {version}" for name, version in versions().items()),
    }
    # The catalogue's extraction does not look into f-strings.
    heading, good, doubt = (
        _("Card of a training on your own table"),
        _("How good it is"),
        _("What to doubt"),
    )
    model, by_lot = _("Model"), _("drawn by lot")
    lines = [f"# {heading}", ""]
    lines += [f"- **{name}**: {value}" for name, value in facts.items()]
    lines += ["", f"## {good}", ""]
    average_precision = _("average precision")
    lines += [f"| {model} | {average_precision} | AUC |", "|---|---|---|"]
    for name, scored in result.scores.items():
        cells = (
            f"{value:.3f} ({low:.3f}–{high:.3f})"
            for value, low, high in (scored.average_precision, scored.auc)
        )
        shown = _("network") if name == NETWORK else _("gradient boosting")
        lines.append(f"| {shown} | {' | '.join(cells)} |")
    lines += [
        f"| {by_lot} | {result.base:.3f} | 0.500 |",
        "",
        f"ECE {100 * result.ece:.2f}%",
        "",
        f"## {doubt}",
        "",
    ]
    lines += [f"- {_(w.text).format(**w.params)}" for w in warnings]
    lines.append(
        "- " + _("Intervals draw test rows one by one; rows that hang together make them wider.")
    )
    return "\n".join(lines) + "\n"
