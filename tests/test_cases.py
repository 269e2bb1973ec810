"""The contract of every case, checked on every case: a new one is tested without a new test."""

import ast
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from dlportal.cards import case_ids, load_card
from dlportal.case import Case, Lab, Settings, case_class
from dlportal.messages import InputError
from dlportal.results import Result, to_json
from dlportal.training.events import Run

ROOT = Path(__file__).resolve().parent.parent
CLASSES = {case_id: case_class(case_id) for case_id in case_ids()}
NETS = [case_id for case_id, cls in CLASSES.items() if issubclass(cls, Case)]
LABS = [case_id for case_id, cls in CLASSES.items() if issubclass(cls, Lab)]
TRAINED = [
    case_id
    for case_id in NETS
    if CLASSES[case_id].can("train") and not load_card(case_id).absent.get("train")
]


def equal(a: Result, b: Result, tolerance: float = 1e-4) -> bool:
    """Whether two results say the same, numbers within a tolerance."""

    def same(x: Any, y: Any) -> bool:
        if isinstance(x, dict):
            return x.keys() == y.keys() and all(same(x[k], y[k]) for k in x)
        if isinstance(x, list):
            return len(x) == len(y) and all(map(same, x, y))
        if isinstance(x, float):
            return abs(x - y) <= tolerance + 1e-3 * abs(y)
        return x == y

    return same(to_json(a), to_json(b))


@pytest.mark.parametrize("case_id", [*NETS, *LABS])
def test_every_case_is_a_case(case_id: str) -> None:
    assert issubclass(CLASSES[case_id], (Case, Lab))


@pytest.mark.assets
@pytest.mark.parametrize("case_id", NETS)
class TestNets:
    def test_examples_predict(self, case_id: str, get_case: Any) -> None:
        case = get_case(case_id)
        examples = case.examples()
        assert len(examples) >= 3
        assert len({e.id for e in examples}) == len(examples)
        for example in examples[:4]:
            result = case.predict(example.load())
            assert isinstance(result, Result)
            to_json(result)

    def test_golden(self, case_id: str, get_case: Any) -> None:
        case = get_case(case_id)
        golden = load_file(case.card.folder / "golden.safetensors")
        with torch.inference_mode():
            y = case.net(case.encode(case.golden()).to(case.device)).float().cpu()
        torch.testing.assert_close(
            y, golden["output"].float(), rtol=2e-3, atol=case.golden_tolerance
        )

    def test_a_batch_says_what_each_says(self, case_id: str, get_case: Any) -> None:
        case = get_case(case_id)
        if not case.batches:
            pytest.skip("runs one input at a time")
        raws = [e.load() for e in case.examples()[:3]]
        together = case.predict_batch(raws)
        for raw, result in zip(raws, together):
            assert equal(result, case.predict(raw))

    def test_the_net_is_shared_safely(self, case_id: str, get_case: Any) -> None:
        case = get_case(case_id)
        if not isinstance(case.net, torch.nn.Module):
            pytest.skip("not a torch module")
        assert not case.net.training
        assert not any(p.requires_grad for p in case.net.parameters())

    @pytest.mark.parametrize(
        "garbage", ["", "   ", "\x00\x01", "x" * 200_000, "/no/such/file", "nan,inf", "[1, 2"]
    )
    def test_garbage_gets_one_sentence(self, case_id: str, garbage: str, get_case: Any) -> None:
        """Never a traceback: an answer or an InputError of one clear sentence."""
        case = get_case(case_id)
        try:
            raw = case.read(garbage)
            case.check(raw)
        except InputError as error:
            assert 10 < len(str(error)) < 400 and "\n" not in str(error)
            return
        assert isinstance(case.predict(raw), Result)

    def test_wrong_types_are_refused(self, case_id: str, get_case: Any) -> None:
        case = get_case(case_id)
        for wrong in (None, b"bytes", object()):
            with pytest.raises(InputError):
                case.check(wrong)

    @pytest.mark.slow
    def test_code_panel_gives_the_same(self, case_id: str, get_case: Any) -> None:
        """The lines a visitor takes away run as they are and give the page's result."""
        case = get_case(case_id)
        code, example = code_of(case)
        names: dict[str, Any] = {}
        exec(compile(code, f"{case_id}.py", "exec"), names)  # what they need they import
        assert equal_json(to_json(names["result"]), to_json(case.predict(example.load())))


def code_of(case: Any) -> tuple[str, Any]:
    """What the code panel shows of a case's first example, and that example."""
    example = case.examples()[0]
    return case.code(example.load(), example.id, None, None), example


@pytest.mark.assets
@pytest.mark.slow
@pytest.mark.parametrize("case_id", ["sentiment", "chest_xray"])
def test_the_code_runs_in_a_new_interpreter(case_id: str, get_case: Any) -> None:
    code, example = code_of(get_case(case_id))
    shown = "import json\nfrom dlportal.results import to_json\nprint('JSON' + json.dumps(to_json(result)))\n"
    out = subprocess.run(
        [sys.executable, "-c", code + shown],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
    )
    assert out.returncode == 0, out.stderr
    printed = json.loads(out.stdout.split("JSON")[-1])
    assert equal_json(printed, to_json(get_case(case_id).predict(example.load())))


def equal_json(x: Any, y: Any) -> bool:
    if isinstance(x, dict):
        return x.keys() == y.keys() and all(equal_json(x[k], y[k]) for k in x)
    if isinstance(x, list):
        return len(x) == len(y) and all(map(equal_json, x, y))
    if isinstance(x, float) and isinstance(y, (int, float)):
        return bool(np.isclose(x, y, rtol=1e-3, atol=1e-3))
    return x == y


@pytest.mark.data
@pytest.mark.assets
@pytest.mark.slow
@pytest.mark.parametrize("case_id", TRAINED)
def test_training_stops_at_once_and_keeps_a_net(case_id: str, tmp_path: Path) -> None:
    """The real training, cancelled after its first report, still returns a usable network."""
    events = []
    run = Run(tmp_path, listen=lambda event: (events.append(event), run.cancel()))
    net = CLASSES[case_id].train(load_card(case_id), Settings("quick", 0), run)
    assert events
    assert all(torch.isfinite(p).all() for p in net.parameters())


@pytest.mark.parametrize("case_id", LABS)
def test_labs_run_and_their_code_parses(case_id: str) -> None:
    lab = CLASSES[case_id](load_card(case_id))
    frame = next(iter(lab.run()))
    assert isinstance(frame, Result)
    ast.parse(lab.code())


@pytest.mark.assets
@pytest.mark.parametrize("case_id", [c for c in NETS if CLASSES[c].kind == "image"])
def test_pictures_with_limits(case_id: str, get_case: Any, tmp_path: Path) -> None:
    """Truncated, huge, tiny, mislabelled: one sentence each, and quickly."""
    case = get_case(case_id)
    good = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(
        good, "PNG"
    )
    huge = io.BytesIO()
    Image.new("1", (13000, 13000)).save(huge, "PNG")
    files = {
        "cut.png": good.getvalue()[:200],
        "huge.png": huge.getvalue(),
        "text.png": b"hello, I am a text",
        "empty.png": b"",
        "tiny.png": b"\x89PNG\r\n\x1a\n",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError) as caught:
            case.read(str(tmp_path / name))
        assert "\n" not in str(caught.value)
    (tmp_path / "good.png").write_bytes(good.getvalue())
    assert isinstance(case.predict(case.read(str(tmp_path / "good.png"))), Result)
