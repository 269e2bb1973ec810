"""One id names three places, and the borders between the packages hold."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from dlportal.cards import MODELS, case_ids

ROOT = Path(__file__).resolve().parent.parent
OTHER_PAGES = {"home", "scorecard", "coverage", "faq"}
CODE = sorted([*ROOT.glob("dlportal/**/*.py"), *ROOT.glob("pages/*.py"), *ROOT.glob("*.py")])


def imports(path: Path) -> set[str]:
    """Top-level names of everything a file imports, wherever it does."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_three_places_agree() -> None:
    modules = {p.stem for p in (ROOT / "dlportal/cases").glob("*.py")} - {"__init__"}
    pages = {p.stem for p in (ROOT / "pages").glob("*.py")} - OTHER_PAGES
    cases = set(case_ids())
    assert cases == {p.name for p in MODELS.iterdir() if p.is_dir()}
    assert pages == cases
    assert cases <= modules


@pytest.mark.parametrize("path", CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_interface_imports_streamlit(path: Path) -> None:
    place = path.relative_to(ROOT)
    if "streamlit" in imports(path):
        assert place.parts[0] in ("pages", "app.py", "portal.py") or place.parts[:2] == (
            "dlportal",
            "ui",
        )


@pytest.mark.parametrize("path", sorted(ROOT.glob("pages/*.py")), ids=lambda p: p.stem)
def test_pages_stay_thin(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "require_router" in text or "page.open_" in text
    assert not imports(path) & {"torch", "numpy", "pandas", "transformers"}
    assert len(text.splitlines()) <= 120
    assert ast.get_docstring(ast.parse(text))


def test_router_and_cards_import_no_torch() -> None:
    code = "import sys, dlportal.cards, dlportal.ui.frame, dlportal.ui.gallery, dlportal.ui.router; print([m for m in ('torch', 'sklearn', 'transformers') if m in sys.modules])"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("path", CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_unpickles_or_injects(path: Path) -> None:
    """Weights are tensors only, and no visitor's text becomes HTML or code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        assert name not in {"pickle.load", "pickle.loads", "eval", "exec", "joblib.load"}
        words = {k.arg: ast.unparse(k.value) for k in node.keywords}
        assert words.get("unsafe_allow_html") != "True"
        if name == "torch.load":
            assert words.get("weights_only") == "True"


def test_models_stay_small() -> None:
    size = sum(p.stat().st_size for p in MODELS.rglob("*") if p.is_file())
    assert size < 120 * 2**20
