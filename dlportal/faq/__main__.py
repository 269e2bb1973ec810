"""`python -m dlportal.faq NAME`: measure again and store the numbers of one question."""

import importlib
import json
import sys
from datetime import UTC, datetime

from dlportal.faq import FOLDER, STORED


def main(name: str) -> None:
    if name not in STORED:
        raise SystemExit(f"no measurement {name!r}; measurements: {', '.join(STORED)}")
    from dlportal.training.receipts import describe_device, versions

    found = importlib.import_module(f"dlportal.faq.{name}").measure()
    document = {
        "command": f"python -m dlportal.faq {name}",
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "device": describe_device(),
        "versions": versions(),
        **found,
    }
    text = json.dumps(document, indent=1, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
