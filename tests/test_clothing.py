"""Clothes on photographs: treated alike from every source, frozen beside fine-tuned, strangers marked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dlportal.cards import load_card
from dlportal.case import load_case
from dlportal.cases.clothes_on_floor import DRAWINGS, draw
from dlportal.cases.clothing_training import (
    RECIPES,
    Recipe,
    augment,
    bytes_of,
    enlarged,
    rates,
)
from dlportal.commands.train import train_here
from dlportal.data import clothing
from dlportal.data.strangers import smooth_noise, text_page
from dlportal.labs.practice_looks import sheet
from dlportal.messages import InputError
from dlportal.nets.clothing_net import SIDE, SIZE, ClothingNet
from dlportal.training.augment import ResizedCrop, tinted

CASE = "clothing_classification"


@pytest.fixture
def case(get_case: Any) -> Any:
    return get_case(CASE)


def garment(size: tuple[int, int], colour: tuple[int, int, int] = (200, 30, 30)) -> Image.Image:
    return Image.new("RGB", size, colour)


@pytest.mark.parametrize(
    "size", [(72, 96), (96, 54), (300, 400), (4000, 3000), (9, 2000), (96, 96)]
)
def test_every_picture_is_shrunk_whole_onto_a_grey_square(size: tuple[int, int]) -> None:
    found = clothing.framed(garment(size))
    assert found.shape == (96, 96, 3) and found.dtype == np.uint8
    red = (found[..., 0] > 180) & (found[..., 1] < 60)
    rows, columns = red.any(axis=1).sum(), red.any(axis=0).sum()
    longest = max(size)
    assert abs(rows - 96 * size[1] / longest) <= 1 and abs(columns - 96 * size[0] / longest) <= 1
    assert (found[~red] == 127).all()


def test_pictures_of_the_data_are_taken_as_they_are() -> None:
    own = np.random.default_rng(0).integers(0, 256, (96, 72, 3), dtype=np.uint8)
    assert (clothing.framed(Image.fromarray(own))[:, 12:84] == own).all()


def test_grey_and_transparent_pictures_are_taken() -> None:
    for mode in ("L", "RGBA", "P"):
        assert clothing.framed(Image.new(mode, (50, 70))).shape == (96, 96, 3)


def test_near_copies_are_found() -> None:
    rng = np.random.default_rng(0)
    images = np.stack([clothing.framed(smooth_noise(seed)) for seed in range(6)])
    part = clothing.Images(images, np.zeros(6, np.int64))
    noisy = (images[:2].astype(int) + rng.integers(-6, 7, images[:2].shape)).clip(0, 255)
    others = clothing.Images(noisy.astype(np.uint8), np.zeros(2, np.int64))
    assert clothing.novel(part, others).tolist() == [False, False, True, True, True, True]


def test_a_folder_may_be_named_as_people_do(tmp_path: Path) -> None:
    for name in ("T-Shirt", "t_shirt", "Hat", "somewhere else"):
        (tmp_path / name).mkdir()
        garment((80, 60)).save(tmp_path / name / "a.jpg")
    part = clothing.load(tmp_path).test
    assert sorted(part.labels.tolist()) == [1, 9, 9] and part.images.shape == (3, 96, 96, 3)
    with pytest.raises(InputError, match="no folders named"):
        clothing.load(tmp_path / "Hat")
    (tmp_path / "Hat" / "b.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match="damaged"):
        clothing.load(tmp_path)


def test_crops_are_of_one_size_and_depend_on_the_generator_alone() -> None:
    x = torch.rand(50, 3, 96, 96) + 1
    crop = ResizedCrop(64)
    y = crop(x, torch.Generator().manual_seed(0))
    assert y.shape == (50, 3, 64, 64)
    assert torch.equal(y, crop(x, torch.Generator().manual_seed(0)))
    assert not torch.equal(y, crop(x, torch.Generator().manual_seed(1)))
    whole = ResizedCrop(144, least=1.0, ratio=1.0, degrees=0.0)
    mirrored = whole(x[:8], torch.Generator().manual_seed(0))
    plain = torch.nn.functional.interpolate(x[:8], (144, 144), mode="bilinear")
    for one, picture in zip(mirrored, plain, strict=True):
        gaps = [(one - side)[:, 2:-2, 2:-2].abs().max() for side in (picture, picture.flip(-1))]
        assert min(gaps) < 1e-4  # what is asked is interpolated as what was learned from


def test_changed_pictures_keep_their_range() -> None:
    x = torch.rand(20, 3, 8, 8)
    y = tinted(x, 0.4, torch.Generator().manual_seed(0))
    assert y.min() >= 0 and y.max() <= 1 and not torch.equal(x, y)
    assert torch.allclose(tinted(x, 0.0, torch.Generator()), x, atol=1e-6)
    pictures = torch.randint(0, 256, (4, 3, 96, 96), dtype=torch.uint8)
    assert augment(112)(pictures, torch.Generator().manual_seed(0)).shape == (4, 3, 112, 112)
    assert enlarged(pictures).shape == (4, 3, SIDE, SIDE)


def test_a_sheet_may_have_colours() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 4, 3), dtype=np.uint8)
    out = sheet(pictures, 2, gap=1)
    assert out.shape == (2 * 9, 2 * 14, 4)
    assert (out[0:8:2, 10:18:2, :3] == pictures[0, 1]).all()


def test_parts_near_the_pixels_learn_slowly() -> None:
    found = list(rates().values())
    assert found == sorted(found) and found[-1] == 1.0
    names = {f"net.{name}" for name, _p in ClothingNet().named_parameters()}
    for start in rates():
        assert any(name.startswith(start) for name in names), start


def test_batch_norms_stay_as_they_were() -> None:
    net = ClothingNet().train()
    before = net.body.bn1.running_mean.clone()
    net(torch.rand(4, 3, 64, 64))
    assert torch.equal(net.body.bn1.running_mean, before) and net.body.training


def test_a_mirror_image_gets_the_same_answer() -> None:
    torch.manual_seed(0)
    net, x = ClothingNet().eval(), torch.rand(2, 3, 96, 96)
    torch.testing.assert_close(net(x), net(x.flip(-1)), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(net.head(net.features(x)), net(x), rtol=1e-3, atol=1e-4)


def test_it_overfits_one_batch(case: Any) -> None:
    """Wrong labels for our drawings are soon learned by heart."""
    torch.manual_seed(0)
    net = ClothingNet(dropout=0.0)
    net.load_state_dict(case.net.state_dict())
    x = torch.cat([case.encode(draw(name)) for name in DRAWINGS])
    labels = (torch.arange(len(x)) * 3 + 1) % 10
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    for _step in range(20):
        loss = torch.nn.functional.cross_entropy(net.train()(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2


def test_the_card_keeps_the_bar() -> None:
    card = load_card(CASE)
    assert card.main is not None and card.main.value >= 0.87
    frozen = next(m for m in card.measured.baselines if m.model.startswith("frozen"))
    assert card.main.value > frozen.value + 0.05
    table = np.array(card.measured.constants["frozen_confusion"])
    assert table.sum() == frozen.n and np.trace(table) == pytest.approx(frozen.value * frozen.n)
    for name in ("text_pages", "pneumoniamnist", "bccd"):
        assert card.metric(f"outside_auc@{name}").value > 0.9  # type: ignore[union-attr]


def test_drawings_are_mostly_what_they_are_meant_to_be(case: Any) -> None:
    """They are not test data, but an example that is never right teaches nothing."""
    right = [case.predict(draw(name)).best.label.id == DRAWINGS[name][0] for name in DRAWINGS]
    assert sum(right) >= len(right) - 2


def test_strangers_are_marked(case: Any) -> None:
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (90, 90, 3), dtype=np.uint8))
    for stranger in (case.example("cat"), text_page(1), noise, Image.new("RGB", (90, 90))):
        assert case.predict(stranger).inside is False


def test_one_answer_alone_or_among_others(case: Any) -> None:
    pictures = [draw("drawn_hat"), draw("drawn_pants"), case.example("cup")]
    together = case.predict_batch(pictures)
    for picture, found in zip(pictures, together, strict=True):
        alone = case.predict(picture)
        assert alone.best.label == found.best.label and alone.inside == found.inside
        assert alone.best.probability == pytest.approx(found.best.probability, abs=1e-3)


@pytest.mark.assets
def test_the_frozen_network_is_the_published_one_with_a_head(case: Any) -> None:
    from dlportal.assets import fetch
    from dlportal.cases.clothing_frozen import frozen_case
    from dlportal.nets.efficientnet_lite import pretrained

    other = frozen_case(case)
    body = pretrained(fetch("efficientnet-lite2"), size=SIZE).body.state_dict()
    for name, tensor in other.net.body.state_dict().items():
        if not name.startswith("classifier.") and tensor.is_floating_point():
            assert torch.equal(tensor, body[name]), name
    x = other.encode(draw("drawn_skirt"))
    assert x.shape[-1] == SIDE
    with torch.inference_mode():
        pooled = other.net.features(x).mean(dim=(2, 3))
        torch.testing.assert_close(
            other.net(x), case.net.frozen_logits(pooled), rtol=1e-3, atol=1e-3
        )
    assert case.net is not other.net


@pytest.mark.data
def test_parts_share_no_picture_and_keep_the_classes() -> None:
    parts = clothing.load()
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [2761, 307, 341]
    x, labels = bytes_of(parts.validation)
    assert x.shape == (307, 3, 96, 96) and set(labels.tolist()) == set(range(10))
    seen = {image.tobytes() for image in parts.train.images}
    assert not any(image.tobytes() in seen for image in parts.validation.images)
    assert 0.9 < clothing.novel(parts.test, parts.train).mean() < 1.0


@pytest.mark.data
@pytest.mark.assets
@pytest.mark.slow
def test_the_real_command_with_tiny_settings(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(RECIPES, "quick", Recipe(pictures=160, epochs=1, side=64))
    few = clothing.load()
    rows = np.arange(0, len(few.validation), 8)
    small = clothing.Splits(few.train, few.validation.take(rows), few.test)
    monkeypatch.setattr(clothing, "load", lambda *_args, **_kw: small)
    monkeypatch.setenv("DLPORTAL_CACHE_DIR", str(tmp_path / "cache"))
    from dlportal.case import Settings

    document, _text, code = train_here(CASE, Settings("quick", 3), out=tmp_path / "out")
    assert code == 0 and 0 <= document["accuracy"] <= 1
    assert (tmp_path / "out" / "weights.safetensors").exists()


def test_the_case_is_what_the_page_says() -> None:
    assert [label.id for label in load_case(CASE).labels] == list(clothing.CLASSES)
