"""Speed, memory and load, each beside a named baseline measured in the same run.

`python -m dlportal bench` runs the suites one after another, each in a process of its own, and
says for every bar whether it holds. Ratios are what counts: both sides of one were measured
moments apart on the same machine.
"""

import json
import subprocess
import sys
from typing import Any

from dlportal.bench.machine import machine, software

SUITES = {
    "startup": "first render, titles and idle memory, beside a bare Streamlit app",
    "predict": "what predict adds to the bare forward pass; attribution beside Captum; generation",
    "load": "twelve visitors on one network and one on a light page",
    "memory": "every case opened one after another within the memory budget",
    "labs": "steps, first pictures and updates of the laboratories; other visitors beside a training",
    "agents": "episodes of agents, other visitors beside them, and the lander by keyboard",
    "practice": "training time to an accuracy of 0.90, beside a plain loop",
}


def run(suite: str = "all") -> dict[str, Any]:
    """Measure one suite, or all.

    Returns:
        `{"suites", "machine", "versions", "rows", "passed"}`; see `dlportal.bench.row.Row` for
        what a row holds.

    Raises:
        ValueError: No such suite (names the valid ones).
        RuntimeError: A suite broke off.
    """
    if suite != "all" and suite not in SUITES:
        raise ValueError(f"no suite {suite!r}; suites: all, {', '.join(SUITES)}")
    names = list(SUITES) if suite == "all" else [suite]
    rows = [row for name in names for row in run_apart(name)]
    return {
        "suites": names,
        "machine": machine(),
        "versions": software(),
        "rows": rows,
        "passed": all(row["passed"] is not False for row in rows),
    }


def run_apart(suite: str) -> list[dict[str, Any]]:
    """Run one suite in a fresh process, so that no suite inherits another's memory or threads."""
    print(f"{suite}: {SUITES[suite]} ...", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "dlportal.bench", suite], stdout=subprocess.PIPE, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(f"the suite {suite} broke off with exit code {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def show(report: dict[str, Any]) -> str:
    """The report as a text table."""
    from dlportal.bench.table import table

    return table(report)
