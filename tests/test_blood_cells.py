"""The blood cell case's own promises."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dlportal.assets import fetch
from dlportal.case import Settings
from dlportal.cases import cells_training
from dlportal.cases.cells_classical import classical
from dlportal.cases.cells_training import LABELS, SIZE, Recipe, platt
from dlportal.cases.drawn_smear import COUNTS, draw_smear
from dlportal.data import bccd
from dlportal.kinds.boxes import Letterbox, pick_boxes
from dlportal.messages import InputError
from dlportal.nets.efficientnet_lite import pretrained
from dlportal.nets.fcos import STRIDES, CellFinder, places, total
from dlportal.training.box_augment import ShuffledScenes, Views
from dlportal.training.detection_scores import Objects, count_errors, unmarked
from dlportal.training.events import Run

OBJECT = "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"


def voc_folder(folder: Path, pictures: int = 2, lists: bool = True) -> Path:
    """Drawn smears, laid out like the data set."""
    for part in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (folder / part).mkdir(parents=True)
    for n in range(pictures):
        picture, marks = draw_smear(seed=n)
        picture.save(folder / f"JPEGImages/cell_{n}.jpg", quality=95)
        objects = [
            OBJECT.format(bccd.KINDS[kind], *np.round(corners).astype(int))
            for kind, corners in zip(marks.classes, marks.corners, strict=True)
        ]
        # One without an area, as in the data set.
        objects.append(OBJECT.format("RBC", 20, 20, 20, 20))
        xml = f"<annotation><filename>other.jpg</filename>{''.join(objects)}</annotation>"
        (folder / f"Annotations/cell_{n}.xml").write_text(xml)
    if lists:
        names = "\n".join(f"cell_{n}" for n in range(pictures))
        (folder / "ImageSets/Main/test.txt").write_text(names)
    return folder


def test_a_folder_like_the_data_set_is_read(tmp_path: Path) -> None:
    scenes = bccd.load("test", voc_folder(tmp_path / "a"))
    assert [s.path.stem for s in scenes] == ["cell_0", "cell_1"]
    counts = np.bincount(scenes[0].objects.classes, minlength=3).tolist()
    assert counts == [COUNTS[k] for k in range(3)]
    np.testing.assert_allclose(scenes[0].objects.corners, draw_smear(0)[1].corners, atol=0.51)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (lambda f: (f / "Annotations/cell_0.xml").write_text("<annotation><object>"), "cell_0"),
        (
            lambda f: (f / "Annotations/cell_0.xml").write_text(
                f"<a>{OBJECT.format('Virus', 1, 2, 3, 4)}</a>"
            ),
            "cell_0",
        ),
        (
            lambda f: (f / "Annotations/cell_0.xml").write_text(
                f"<a>{OBJECT.format('RBC', 1, 'nan', 3, 4)}</a>"
            ),
            "cell_0",
        ),
        (lambda f: (f / "Annotations/cell_1.xml").unlink(), "cell_1"),
        (lambda f: (f / "JPEGImages/cell_1.jpg").unlink(), "cell_1"),
        (lambda f: (f / "JPEGImages/cell_1.jpg").write_bytes(b"no picture"), "cell_1"),
        (lambda f: (f / "ImageSets/Main/test.txt").unlink(), "test.txt"),
    ],
)
def test_bad_folders_get_one_sentence(tmp_path: Path, wrong: Any, match: str) -> None:
    folder = voc_folder(tmp_path / "a")
    wrong(folder)
    with pytest.raises(InputError, match=match) as caught:
        bccd.load("test", folder)
    assert len(str(caught.value)) < 300 and "\n" not in str(caught.value)
    with pytest.raises(InputError, match="JPEGImages"):
        bccd.load("test", tmp_path)
    with pytest.raises(InputError, match="No split"):
        bccd.load("dev", folder)


@pytest.mark.data
def test_the_data_set_is_what_its_readme_says() -> None:
    parts = {part: bccd.load(part) for part in bccd.PARTS}
    assert {part: len(scenes) for part, scenes in parts.items()} == {
        "train": 205,
        "validation": 87,
        "test": 72,
    }
    stems = [scene.path.stem for scenes in parts.values() for scene in scenes]
    assert len(set(stems)) == len(stems) == 364
    kinds = np.concatenate([s.objects.classes for scenes in parts.values() for s in scenes])
    assert np.bincount(kinds).tolist() == [4155 - 2, 372, 361]


@pytest.mark.parametrize("turned", [0.0, 1.0])
def test_boxes_follow_the_pictures(turned: float) -> None:
    """A white block stays in its box, wherever it goes."""
    x = torch.zeros(12, 3, 96, 128)
    x[:, :, 30:50, 40:80] = 1
    boxes = torch.tensor([[40.0, 30.0, 80.0, 50.0]]).expand(12, 1, 4).clone()
    views = Views(turned=turned, ground=0.0, light=0, contrast=0, stain=0, gamma=0)
    generator = torch.Generator().manual_seed(1)
    moved, found, labels = views(x, boxes, torch.zeros(12, 1, dtype=torch.long), generator)
    for picture, (box,), (label,) in zip(moved, found, labels, strict=True):
        ys, xs = torch.nonzero(picture[0] > 0.5, as_tuple=True)
        if label < 0:
            continue
        seen = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        torch.testing.assert_close(box, torch.stack(seen).float(), atol=1.6, rtol=0)
    assert (labels == 0).sum() >= 8


def test_batches_depend_on_the_epoch_alone() -> None:
    x = torch.randint(0, 255, (5, 3, 32, 48), dtype=torch.uint8)
    boxes, labels = torch.rand(5, 2, 4) * 20, torch.zeros(5, 2, dtype=torch.long)
    batches = ShuffledScenes(x, boxes, labels, 2, 3, [Views()] * 2, passes=2)
    assert batches.steps_per_epoch == 5
    first, again, other = list(batches(0)), list(batches(0)), list(batches(1))
    assert len(first) == 5
    for a, b in zip(first, again, strict=True):
        assert all(torch.equal(u, v) for u, v in zip(a, b, strict=True))
    assert not torch.equal(first[0][0], other[0][0])


def test_places_are_where_the_maps_look() -> None:
    found = places((64, 32))
    assert len(found) == 8 * 4 + 4 * 2
    assert found[0].tolist() == [0, 0, STRIDES[0], STRIDES[0]]
    middle = (found[:, :2] + found[:, 2:]) / 2
    mirrored = torch.tensor([64.0, 32.0]) - middle  # the same places from the other end
    assert {tuple(m) for m in middle.tolist()} == {tuple(m) for m in mirrored.tolist()}


@pytest.fixture
def small_net() -> CellFinder:
    torch.manual_seed(0)
    return CellFinder(3, (128, 96), pretrained(fetch("efficientnet-lite0")).body)


@pytest.mark.assets
def test_one_batch_can_be_learned_by_heart(small_net: CellFinder) -> None:
    small_net.backbone.freeze()
    picture, marks = draw_smear(seed=2)
    box = Letterbox.around(picture.size, (128, 96), averaged=True)
    x = box.place(picture)
    corners = box.to_canvas(torch.tensor(marks.corners).float()) * torch.tensor([128, 96, 128, 96])
    targets = [{"boxes": corners, "labels": torch.tensor(marks.classes)}]
    still = small_net.backbone.stem.weight.clone()  # type: ignore[operator, union-attr]
    learned = [p for p in small_net.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, 3e-3)
    small_net.train()
    losses = []
    for _ in range(60):
        loss = total(small_net.losses(x, targets))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
    assert torch.equal(still, small_net.backbone.stem.weight)  # type: ignore[union-attr, arg-type]
    with torch.inference_mode():
        y = small_net.eval()(x)[0]
    _rows, kinds, _scores = pick_boxes(y, 0.3, 0.5)
    assert abs(len(kinds) - len(marks)) <= 6


@pytest.mark.assets
def test_rows_are_shares_and_scores(small_net: CellFinder) -> None:
    small_net.eval()
    small_net.slopes.fill_(3.0)
    with torch.inference_mode():
        y = small_net(torch.rand(2, 3, 96, 128))
    assert y.shape == (2, 16 * 12 + 8 * 6, 8)
    assert y.min() >= 0 and y.max() <= 1
    p = torch.tensor([[0.2, 0.5, 0.9]])
    assert (small_net.calibrated(p).diff() > 0).all()


def test_calibration_makes_scores_shares() -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(0.02, 0.98, 4000)
    hits = rng.uniform(size=4000) < true
    odds = np.log(true / (1 - true))
    slope, shift = platt(1 / (1 + np.exp(-odds / 4 + 0.2)), hits)
    assert slope == pytest.approx(4, rel=0.15) and shift == pytest.approx(0.8, abs=0.2)
    assert platt(np.array([0.3, 0.4]), np.array([True, True])) == (1.0, 0.0)


def test_what_nobody_marked_and_how_far_counts_are_off() -> None:
    corners = np.array([[0, 0, 10, 10], [50, 50, 60, 60.0]])
    found = Objects(corners, np.array([0, 2]), np.array([0.9, 0.8]))
    truth = Objects.marked(np.array([[1, 1, 11, 11.0]]), np.array([1]))
    assert unmarked(found, truth).tolist() == [False, True]
    none = Objects.marked(np.zeros((0, 4)), np.zeros(0, np.int64))
    assert unmarked(found, none).all() and not len(unmarked(none, truth))
    assert count_errors([found, none], [truth, truth], 3).tolist() == [[1, 1, 1], [0, 1, 0]]


def test_colours_and_shapes_count_a_drawn_smear() -> None:
    picture, marks = draw_smear(seed=3)
    found = classical(picture)
    errors = count_errors([found], [marks], 3)[0]
    assert errors[1] == 0 and errors[0] <= 5
    blank = classical(Image.new("RGB", (640, 480), (200, 210, 205)))
    assert len(blank) == 0


@pytest.mark.assets
@pytest.mark.slow
def test_a_tiny_training_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = bccd.load("test", voc_folder(tmp_path / "a"))
    monkeypatch.setattr(bccd, "load", lambda part: scenes)
    monkeypatch.setitem(cells_training.RECIPES, "full", Recipe(epochs=1, passes=1, calm=0))
    monkeypatch.setattr(cells_training, "MORE", Recipe(epochs=1, passes=1, calm=1))
    run = Run(tmp_path / "run")
    net = cells_training.train_net(Settings("full", 0), run)
    assert {"score", "overlap", "unusual", "median_counts"} <= set(run.constants)
    assert set(run.facts["best"]) == {"chosen", "both"}
    assert run.facts["pictures"] == {"train": 2, "validation": 2, "both": 4}
    assert net(torch.rand(1, 3, SIZE[1], SIZE[0])).shape == (1, 3840, 8)


@pytest.mark.assets
class TestShipped:
    def test_a_drawn_smear_is_counted(self, get_case: Any) -> None:
        case = get_case("blood_cells")
        picture, marks = draw_smear(seed=0)
        found = case.predict(picture)
        kinds = [box.index for box in found.boxes]
        assert abs(kinds.count(0) - COUNTS[0]) <= 3
        assert abs(kinds.count(2) - COUNTS[2]) <= 2
        assert len(case.marked("drawn")) == len(marks)

    def test_what_is_no_smear_is_marked(self, get_case: Any) -> None:
        case = get_case("blood_cells")
        for name in ("coffee", "tissue"):
            assert case.predict(case.example(name)).inside is False

    def test_larger_pictures_are_made_smaller_as_in_training(self, get_case: Any) -> None:
        case = get_case("blood_cells")
        picture = draw_smear(seed=0)[0]
        large = picture.resize((1920, 1440), Image.Resampling.BICUBIC)
        a, b = case.predict(picture), case.predict(large)
        assert abs(len(a.boxes) - len(b.boxes)) <= 2
        assert max(c for box in b.boxes for c in box.corners) > 1000

    def test_every_kind_can_be_explained(self, get_case: Any) -> None:
        case = get_case("blood_cells")
        names = {label.id.split("_")[0] for label in case.about(draw_smear(seed=0)[0]).labels}
        assert {"rbc", "platelets"} <= names

    def test_a_folder_can_be_evaluated(self, get_case: Any, tmp_path: Path) -> None:
        case = get_case("blood_cells")
        folder = voc_folder(tmp_path / "mine", lists=False)
        (folder / "ImageSets/Main").rmdir()
        (folder / "ImageSets").rmdir()
        evaluation = case.evaluate(data=folder)
        found = {m.name: m.value for m in evaluation.measured.metrics}
        assert evaluation.n == 2 and found["map50"] > 0.5
        assert {f"ap50_{label.id}" for label in LABELS} <= set(found)
