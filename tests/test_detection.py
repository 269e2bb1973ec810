"""Object detection: Darknet's numbers in torch, average precision as COCO counts it, its page."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dlportal.assets import AssetError, fetch_bundle, web
from dlportal.cards import load_card
from dlportal.cases.detection_evaluation import LEAST
from dlportal.data import coco_mini
from dlportal.explain import explainers_for, get_explainer
from dlportal.kinds.boxes import Letterbox, corners_of, overlaps, pick_boxes
from dlportal.messages import InputError
from dlportal.nets import larger_detector, yolov3_tiny
from dlportal.results import Box, Boxes, Label
from dlportal.training.detection_scores import MeanPrecision, Objects, match
from dlportal.training.metrics import interval
from dlportal.ui.boxes import boxes_svg

CASE = "object_detection"
LAYERS = (  # filters, kernel, batch norm: in the order of the file
    *((n, 3, True) for n in (16, 32, 64, 128, 256, 512, 1024)),
    (256, 1, True),
    (512, 3, True),
    (255, 1, False),
    (128, 1, True),
    (256, 3, True),
    (255, 1, False),
)


@pytest.fixture
def case(get_case: Any) -> Any:
    return get_case(CASE)


class Darknet:
    """YOLOv3-tiny with NumPy alone, normalisation and all, straight from the file's numbers."""

    def __init__(self, path: Path) -> None:
        self.numbers = np.fromfile(path, np.float32, offset=20)
        self.layers, before = [], 3
        for number, (filters, kernel, norm) in enumerate(LAYERS):
            before = {10: 256, 11: 128 + 256}.get(number, before)
            shift, *rest = (self.take(filters) for _ in range(4 if norm else 1))
            self.layers.append((self.take(filters, before, kernel, kernel), shift, rest))
            before = filters

    def take(self, *shape: int) -> np.ndarray:
        count = int(np.prod(shape))
        part, self.numbers = self.numbers[:count], self.numbers[count:]
        return part.reshape(shape)

    def convolve(self, x: np.ndarray, number: int) -> np.ndarray:
        kernel, shift, norm = self.layers[number]
        edge = kernel.shape[-1] // 2
        padded = np.pad(x, ((0, 0), (edge, edge), (edge, edge)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[-2:], (1, 2))
        y = np.tensordot(kernel, windows, ([1, 2, 3], [0, 3, 4]))
        if not norm:
            return y + shift[:, None, None]
        scale, mean, variance = (n[:, None, None] for n in norm)
        y = scale * (y - mean) / (np.sqrt(variance) + 1e-6) + shift[:, None, None]
        return np.where(y > 0, y, 0.1 * y)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Boxes (2535, 85) of a picture (3, 416, 416)."""
        for number in range(7):
            x = self.convolve(x, number)
            if number == 4:
                kept = x
            if number < 5:
                x = x.reshape(len(x), x.shape[1] // 2, 2, -1, 2).max(axis=(2, 4))
            elif number == 5:
                padded = np.pad(x, ((0, 0), (0, 1), (0, 1)), constant_values=-np.inf)
                x = np.max([padded[:, i : i + 13, j : j + 13] for i in (0, 1) for j in (0, 1)], 0)
        narrow = self.convolve(x, 7)
        coarse = self.convolve(self.convolve(narrow, 8), 9)
        up = self.convolve(narrow, 10).repeat(2, axis=1).repeat(2, axis=2)
        fine = self.convolve(self.convolve(np.concatenate([up, kept]), 11), 12)
        return np.array(
            [
                *self.boxes(coarse, [(81, 82), (135, 169), (344, 319)]),
                *self.boxes(fine, [(23, 27), (37, 58), (81, 82)]),
            ]
        )

    def boxes(self, y: np.ndarray, anchors: list[tuple[int, int]]) -> Any:
        side = y.shape[-1]
        for row in range(side):
            for column in range(side):
                for i, (wide, high) in enumerate(anchors):
                    cell = y[85 * i : 85 * i + 85, row, column].astype(np.float64)
                    sure = 1 / (1 + np.exp(-cell))
                    yield [
                        (sure[0] + column) / side,
                        (sure[1] + row) / side,
                        np.exp(cell[2]) * wide / 416,
                        np.exp(cell[3]) * high / 416,
                        *sure[4:],
                    ]


@pytest.mark.assets
def test_outputs_are_those_of_a_plain_numpy_decode(case: Any) -> None:
    reference = Darknet(fetch_bundle("yolov3-tiny") / "yolov3-tiny.weights")
    assert not len(reference.numbers), "numbers of the file are left over"
    for raw in (case.golden(), case.example("sheet")):
        x = case.encode(raw)
        with torch.inference_mode():
            y = case.net(x.to(case.device))[0].cpu().numpy()
        np.testing.assert_allclose(y, reference(x[0].numpy()), rtol=2e-3, atol=2e-4)


@pytest.mark.assets
def test_a_file_of_another_length_is_refused(tmp_path: Path) -> None:
    path = fetch_bundle("yolov3-tiny") / "yolov3-tiny.weights"
    for size in (path.stat().st_size - 4, 1000):
        (tmp_path / "cut.weights").write_bytes(path.read_bytes()[:size])
        with pytest.raises(ValueError, match=r"cut\.weights"):
            yolov3_tiny.read_darknet(tmp_path / "cut.weights")
    (tmp_path / "long.weights").write_bytes(path.read_bytes() + b"\0" * 8)
    with pytest.raises(ValueError, match="8,858,736 numbers"):
        yolov3_tiny.read_darknet(tmp_path / "long.weights")


def test_the_letterbox_is_darknets() -> None:
    """Pixel by pixel: between the corners linear, grey beside it, sizes rounded down."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (30, 50, 3), dtype=np.uint8)
    box = Letterbox.around((50, 30), 64)
    assert (box.width, box.height, box.left, box.top) == (64, 38, 0, 13)
    x = box.place(Image.fromarray(pixels))[0].numpy()
    assert (x[:, :13] == 0.5).all() and (x[:, 51:] == 0.5).all()
    for row, column in ((0, 0), (37, 63), (10, 17), (29, 40)):
        across, down = column * 49 / 63, row * 29 / 37
        i, j = min(int(down), 28), min(int(across), 48)
        u, v = down - i, across - j
        four = pixels[i : i + 2, j : j + 2].astype(float) / 255
        wanted = (four * np.outer([1 - u, u], [1 - v, v])[..., None]).sum(axis=(0, 1))
        np.testing.assert_allclose(x[:, 13 + row, column], wanted, atol=1e-5)


@pytest.mark.parametrize("size", [(640, 480), (8, 60_000), (60_000, 8), (8, 8), (416, 416)])
def test_boxes_find_their_way_back(size: tuple[int, int]) -> None:
    box = Letterbox.around(size, 416)
    assert box.place(Image.new("RGB", size, (9, 9, 9))).shape == (1, 3, 416, 416)
    corners = torch.tensor([[0.0, 0.0, size[0] / 2, size[1] / 3]])
    torch.testing.assert_close(box.to_picture(box.to_canvas(corners)), corners, rtol=1e-4, atol=0.1)
    whole = box.to_picture(torch.tensor([[-1.0, -1.0, 2.0, 2.0]]))
    assert whole[0].tolist() == [0, 0, *size]


def row(x: float, y: float, size: float, sure: float, *p: float) -> list[float]:
    return [x, y, size, size, sure, *p]


def test_the_surest_of_overlapping_boxes_stays() -> None:
    y = torch.tensor(
        [
            row(0.5, 0.5, 0.2, 0.9, 0.9, 0.1),
            row(0.51, 0.5, 0.2, 0.8, 0.9, 0.1),  # the same object again
            row(0.51, 0.5, 0.2, 0.8, 0.0, 0.9),  # another kind at the same place
            row(0.2, 0.2, 0.1, 0.2, 1.0, 1.0),
        ]
    )
    rows, classes, scores = pick_boxes(y, 0.25, 0.45)
    assert (rows.tolist(), classes.tolist()) == ([0, 2], [0, 1])
    assert scores.tolist() == pytest.approx([0.81, 0.72])
    assert len(pick_boxes(y, 0.25, 0.99)[0]) == 3
    assert len(pick_boxes(y, 0.05, 0.45)[0]) == 4
    assert not len(pick_boxes(y, 0.95, 0.45)[0])


def test_overlaps_are_torchvisions() -> None:
    from torchvision.ops import box_iou

    y = torch.rand(2, 7, 4, generator=torch.Generator().manual_seed(0))
    a, b = corners_of(y), corners_of(torch.rand(3, 4))
    torch.testing.assert_close(overlaps(a, b), torch.stack([box_iou(one, b) for one in a]))


def objects(*rows: tuple[float, int, float]) -> Objects:
    """Squares of side 10 at a place on a line, with class and score."""
    corners = np.array([[x, 0, x + 10, 10] for x, _k, _s in rows], float).reshape(-1, 4)
    classes = np.array([k for _x, k, _s in rows], np.int64)
    return Objects(corners, classes, np.array([s for _x, _k, s in rows], float))


def test_average_precision_by_hand() -> None:
    """Right, wrong, right: precision 1 up to half of the objects, then two thirds."""
    truth = [objects((0, 0, 1), (50, 0, 1)), objects((0, 1, 1))]
    found = [objects((1, 0, 0.9), (100, 0, 0.8), (50, 0, 0.7), (0, 0, 0.6)), objects((2, 1, 0.5))]
    matches = match(found, truth, 3)
    assert matches.hits.tolist() == [True, False, True, False, True]  # the second on one is wrong
    first = (51 * 1 + 50 * 2 / 3) / 101
    assert MeanPrecision(0)(matches) == pytest.approx(first)
    assert MeanPrecision(1)(matches) == pytest.approx(1)
    assert MeanPrecision()(matches) == pytest.approx((first + 1) / 2)  # class 2 does not occur
    value, low, high = interval(MeanPrecision(), matches)
    assert low <= value <= high


def test_the_best_overlap_is_taken_and_a_wrong_kind_is_wrong() -> None:
    truth = [objects((0, 0, 1), (4, 0, 1))]
    assert match([objects((4, 0, 0.9), (0, 0, 0.8))], truth, 2).hits.tolist() == [True, True]
    assert match([objects((0, 1, 0.9))], truth, 2).hits.tolist() == [False]
    assert match([objects((6, 0, 0.9))], [objects((0, 0, 1))], 2).hits.tolist() == [False]
    nothing = match([objects()], truth, 2)
    assert MeanPrecision()(nothing) == 0


@pytest.mark.assets
def test_a_box_is_found_again_in_its_own_picture(case: Any) -> None:
    raw = case.example("sheet")
    judge, found = case.about(raw), case.predict(raw)
    assert judge.about(raw) is judge
    assert [label.id for label in judge.labels] == [name.id for name in found.names]
    with torch.inference_mode():
        likeness = judge.net(judge.encode(raw))[0]
        blank = judge.net(judge.blur(judge.encode(raw)))[0]
    for alike, hidden, box in zip(likeness.tolist(), blank.tolist(), found.boxes):
        assert box.score - 1e-4 <= alike <= 1 and hidden < alike / 2
    left, top, right, bottom = judge.outline(0)
    assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1
    assert case.outline(0) is None
    names = [method.name for method in explainers_for(judge)]
    assert "d_rise" in names and "rise" not in names and "occlusion" in names


@pytest.mark.assets
def test_d_rise_marks_the_box(case: Any) -> None:
    """The cup on the sheet: its map is stronger inside the box than outside."""
    raw = case.example("coffee")
    judge = case.about(raw)
    values = get_explainer("d_rise").explain(judge, raw, 0, samples=128).values
    left, top, right, bottom = (round(416 * share) for share in judge.outline(0))
    inside = values[top:bottom, left:right].mean()
    assert inside > values.mean() + 0.5 * values.std()


@pytest.mark.assets
def test_thresholds_are_part_of_the_case(case: Any) -> None:
    raw = case.example("sheet")
    loose, strict = case.at(0.05, 0.45), case.at(0.9, 0.45)
    assert case.at(0.05, 0.45) is loose and case.at(0.25, 0.45) is case
    counts = [len(c.predict(raw).boxes) for c in (strict, case, loose)]
    assert counts[0] < counts[1] < counts[2]
    assert ".at(score=0.05, overlap=0.45)" in loose.code(raw, "sheet", "occlusion", 0)
    assert "case.about(raw)" in case.code(raw, "sheet", "occlusion", 0)
    with pytest.raises(InputError, match="Lower the least score"):
        case.at(0.95, 0.45).about(case.example("flower"))


@pytest.mark.assets
def test_a_folder_is_measured(case: Any, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels_yolo").mkdir()
    raw = case.example("sheet")
    lines = []
    for box in case.predict(raw).boxes:
        left, top, right, bottom = np.array(box.corners) / ([*raw.size] * 2)
        size = f"{right - left:.4f} {bottom - top:.4f}"
        lines.append(f"{box.index} {(left + right) / 2:.4f} {(top + bottom) / 2:.4f} {size}")
    raw.save(tmp_path / "images/one.png")
    (tmp_path / "labels_yolo/one.txt").write_text("\n".join(lines))
    case.example("flower").save(tmp_path / "images/empty.png")
    evaluation = case.evaluate(data=tmp_path)
    found = {m.name: m for m in evaluation.measured.metrics}
    assert evaluation.n == 2 and found["map50"].value > 0.8
    assert found["recall"].value == 1 and found["recall"].n == len(lines)
    assert {m.name for m in evaluation.measured.baselines} >= {"map50", "recall"}

    (tmp_path / "labels_yolo/one.txt").write_text("80 0.5 0.5 0.1 0.1")
    with pytest.raises(InputError, match=r"one\.txt"):
        case.evaluate(data=tmp_path)
    with pytest.raises(InputError, match="images/"):
        case.evaluate(data=tmp_path / "images")
    with pytest.raises(InputError, match="Choose from: test"):
        case.evaluate(split="train")


@pytest.mark.data
@pytest.mark.assets
def test_the_anchors_are_those_that_fit(case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the anchors of today's settings file the same weights find half as much."""

    def map50() -> float:
        scenes = coco_mini.load()
        found = [case.candidates(Image.open(scene.path).convert("RGB"), LEAST) for scene in scenes]
        return MeanPrecision()(match(found, [scene.objects for scene in scenes], 80))

    ours = map50()
    monkeypatch.setattr(yolov3_tiny, "FINE", ((10.0, 14.0), (23.0, 27.0), (37.0, 58.0)))
    assert ours == pytest.approx(load_card(CASE).main.value, abs=0.01)  # type: ignore[union-attr]
    assert map50() < 0.6 * ours


@pytest.mark.data
def test_the_data_set_is_as_described() -> None:
    scenes = coco_mini.load()
    assert len(scenes) == 27 and sum(len(s.objects) for s in scenes) == 173
    assert len(np.unique(np.concatenate([s.objects.classes for s in scenes]))) == 45
    credits = coco_mini.credits()
    assert all("CC BY" in credits[scene.path.stem] for scene in scenes)


def test_every_kind_of_the_larger_network_has_a_name(case: Any) -> None:
    known = {label.id for label in case.labels}
    kinds = {
        larger_detector.kind_id(k) for k in range(len(larger_detector.WEIGHTS.meta["categories"]))
    }
    assert known == kinds - {"__background__", "N/A"}


def test_the_larger_network_answers_with_boxes(case: Any) -> None:
    """With random weights: the way from picture to boxes is what is tested."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = larger_detector.LargerDetector(None)
    picture = Image.new("RGB", (300, 200), (90, 120, 30))
    result = case.at(0.05, 0.45).larger(picture, net)
    assert isinstance(result, Boxes) and (result.width, result.height) == (300, 200)


def test_without_a_connection_the_larger_network_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DLPORTAL_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(web, "answers", lambda url: False)
    with pytest.raises(AssetError, match="cannot be reached"):
        larger_detector.load_larger()


def test_another_file_than_the_published_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DLPORTAL_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(web, "answers", lambda url: True)
    monkeypatch.setattr(
        larger_detector, "download", lambda url, target, *a, **k: target.write_bytes(b"no weights")
    )
    with pytest.raises(AssetError, match="907ea3f9"):
        larger_detector.load_larger()
    assert not list(tmp_path.rglob("*.pth"))


def test_the_drawing_names_every_box() -> None:
    person = Label("person", "person", "人")
    boxes = (
        Box(person, 0, 0.9, (10.0, 10.0, 60.0, 90.0)),
        Box(person, 0, 0.3, (12.0, 12.0, 60.0, 90.0)),
    )
    result = Boxes(boxes, 200, 100, 0.25, 0.45)
    assert [name.id for name in result.names] == ["person_1", "person_2"]
    svg = boxes_svg(Image.new("RGB", (200, 100)), result, "zh", np.array([[0, 0, 5, 5]]))
    assert "人 1 90%" in svg and "人 2 30%" in svg
    assert 'stroke-dasharray="9 7"' in svg and 'stroke-dasharray="2 7"' in svg
    tops = [part.split('y="')[1].split('"')[0] for part in svg.split("<text ")[1:]]
    assert len(set(tops)) == 2, "names do not lie on one another"
