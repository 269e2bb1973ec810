"""Pages opened as a visitor opens them, in Streamlit's own test harness, without a browser."""

import json
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parent.parent


def visit(page: str, language: str = "en", **query: str) -> Any:
    """Open a page by a link with these settings."""
    at = AppTest.from_file(str(ROOT / "portal.py"), default_timeout=540)
    at.query_params["lang"] = language
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    at.switch_page(str(ROOT / "pages" / f"{page}.py"))
    return checked(at.run())


def checked(at: Any) -> Any:
    """The page, if it shows no error."""
    assert not at.exception and not at.error, [e.value for e in (*at.exception, *at.error)]
    return at


def click(at: Any, key: str) -> Any:
    """Press a button."""
    return checked(at.button(key=key).click().run())


def text(at: Any) -> str:
    """What is written on it, formulas as LaTeX."""
    kinds = (at.title, at.header, at.markdown, at.latex, at.warning, at.info)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def labels(at: Any) -> list[str]:
    """What its buttons say."""
    return [button.label for button in at.button]


def charts(at: Any) -> list[dict[str, Any]]:
    """What the charts that are drawn in place were given to draw."""
    found = [e.proto for e in at.get("bidi_component") if e.proto.component_name == "drawn"]
    return [chart for proto in found for chart in json.loads(proto.bytes)["charts"]]
