"""`python -m dlportal.bench SUITE`: measure one suite here; its rows are the last line, as JSON."""

import importlib
import json
import sys

from dlportal.bench import SUITES


def main(suite: str) -> None:
    if suite not in SUITES:
        raise SystemExit(f"no suite {suite!r}; suites: {', '.join(SUITES)}")
    rows = []
    for row in importlib.import_module(f"dlportal.bench.{suite}").measure():
        rows.append(row.to_json())
        print(f"  {row.name}", file=sys.stderr, flush=True)
    print(json.dumps(rows))


if __name__ == "__main__":
    main(sys.argv[1])
