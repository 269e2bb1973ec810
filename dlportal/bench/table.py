"""The report as text."""

from typing import Any

VERDICTS = {True: "pass", False: "FAIL", None: ""}


def table(report: dict[str, Any]) -> str:
    """Machine, versions, one block a row, and what missed its bar."""
    machine = report["machine"]
    lines = [
        f"machine   {machine['device']}; {machine['cores']} cores, "
        f"{machine['memory_mb'] / 1000:.0f} GB; load average "
        + " ".join(map(str, machine["load_average"])),
        "settings  " + (words(machine["settings"]) or "none"),
        "versions  " + words(report["versions"]),
    ]
    suite = ""
    for row in report["rows"]:
        if row["suite"] != suite:
            suite = row["suite"]
            lines += ["", suite]
        lines += block(row)
    missed = [row["name"] for row in report["rows"] if row["passed"] is False]
    barred = sum(row["passed"] is not None for row in report["rows"])
    lines += ["", f"{barred - len(missed)} of {barred} bars hold"]
    lines += [f"missed: {name}" for name in missed]
    return "\n".join(lines)


def words(pairs: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairs.items())


def block(row: dict[str, Any]) -> list[str]:
    """A row: what, how much, beside what; the note below."""
    shown = f"  {VERDICTS[row['passed']]:<5} {row['name']}"
    if row["value"] is not None:
        shown += f": {number(row['value'])} {row['unit']}".rstrip()
    if row["ratio"] is not None:
        shown += f" = {row['ratio']:.2f} × {number(row['baseline'])} ({row['against']})"
    elif row["baseline"] is not None:
        shown += f"; {row['against']}: {number(row['baseline'])}"
    lines = [shown + (f"   [{row['bar']}]" if row["bar"] else "")]
    return lines + ([f"          {row['note']}"] if row["note"] else [])


def number(value: float) -> str:
    """Three digits that count."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
