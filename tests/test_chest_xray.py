"""The chest X-ray case's own promises."""

import numpy as np
import pytest
import torch
from PIL import Image

from dlportal.assets import sample_path
from dlportal.cards import load_card
from dlportal.cases import chest_xray, xray_training
from dlportal.cases.chest_xray import at_prevalence, colourfulness, shrink, threshold_for
from dlportal.data.strangers import text_page
from dlportal.nets.appearance import Appearance
from dlportal.nets.small_cnn import Ensemble, SmallCNN
from dlportal.training.augment import Affine, Exposure


def test_shrinking_takes_the_middle_square() -> None:
    wide = np.zeros((40, 100, 3), np.uint8)
    wide[:, 30:70] = 200
    assert np.asarray(shrink(Image.fromarray(wide))).min() == 200
    small = Image.fromarray(np.arange(784, dtype=np.uint8).reshape(28, 28))
    assert np.array_equal(np.asarray(shrink(small)), np.asarray(small))


def test_bayes_and_costs() -> None:
    assert at_prevalence(0.7, 0.5) == pytest.approx(0.7)
    assert at_prevalence(0.9, 0.1) == pytest.approx(0.5)
    assert at_prevalence(at_prevalence(0.3, 0.2), 0.8) == pytest.approx(0.3)
    assert threshold_for(1, 1) == 0.5 and threshold_for(9, 1) == pytest.approx(0.1)


def test_colour_is_seen() -> None:
    grey = Image.fromarray(np.full((50, 50), 90, np.uint8))
    assert colourfulness(grey) == 0
    assert colourfulness(chest_xray.flower()) > chest_xray.COLOURED


def test_the_average_of_the_members_is_the_ensemble() -> None:
    torch.manual_seed(0)
    net = Ensemble([SmallCNN(2, width=8) for _ in range(3)]).eval()
    x = torch.rand(4, 1, 28, 28)
    expected = torch.stack([member(x) for member in net.members]).mean(dim=0)
    torch.testing.assert_close(net(x), expected)
    torch.testing.assert_close(net.head(net.features(x)), expected)
    own = torch.rand(4, 3, 28, 28)  # a view for each
    each = torch.stack([m(own[:, i : i + 1]) for i, m in enumerate(net.members)])
    torch.testing.assert_close(net.each(own), each)


def test_appearance_tells_strangers() -> None:
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.linspace(-1, 1, 12), torch.linspace(-1, 1, 12), indexing="ij")
    mix = 0.5 + torch.rand(500, 2, 1, 1, generator=generator)
    known = (mix[:, :1] * x + mix[:, 1:] * y).clone()
    known = (0.5 + 0.2 * known + 0.02 * torch.randn(known.shape, generator=generator)).clamp(0, 1)
    model = Appearance(144, 4)
    model.fit(known[:400])
    limit = model(known[400:]).max()
    assert model(known[:400]).mean().item() == pytest.approx(1.0, abs=0.05)
    assert (model(torch.rand(20, 1, 12, 12, generator=generator)) > limit).all()
    assert model(torch.full((1, 1, 12, 12), 0.4)).item() == float("inf")


def test_augmentation_depends_on_its_generator_alone() -> None:
    x = torch.rand(6, 1, 28, 28)
    for change in (Affine(), Exposure()):
        first = change(x, torch.Generator().manual_seed(1))
        second = change(x, torch.Generator().manual_seed(1))
        assert torch.equal(first, second) and first.shape == x.shape
        assert first.min() >= 0 and first.max() <= 1.0001
    still = Affine(degrees=0, scale=0, shift=0, shear=0, flip=0)
    torch.testing.assert_close(still(x, torch.Generator()), x, atol=1e-5, rtol=0)
    mirror = Affine(degrees=0, scale=0, shift=0, shear=0, flip=1)
    torch.testing.assert_close(mirror(x, torch.Generator()), x.flip(3), atol=1e-5, rtol=0)
    assert xray_training.augment(3)(x, torch.Generator()).shape == (6, 3, 28, 28)


@pytest.mark.data
def test_the_shown_photographs_are_in_no_part_that_is_learned_from() -> None:
    from dlportal.data import pneumoniamnist

    whole, used = pneumoniamnist.load(), xray_training.read_data()
    taken = len(whole.train) - len(used.train), len(whole.validation) - len(used.validation)
    assert taken == (14, 2)
    assert len(used.test) == len(whole.test) == 624


@pytest.mark.data
@pytest.mark.assets
def test_the_photographs_are_the_ones_taken_out(get_case) -> None:
    """Each photograph, shrunk, is far closer to a picture that was taken out than to any other."""
    from dlportal.data import pneumoniamnist

    whole = pneumoniamnist.load()
    images = np.concatenate([whole.train.images, whole.validation.images]).astype(np.float32)
    shown = np.array([xray_training.is_shown(image.astype(np.uint8)) for image in images])
    case = get_case("chest_xray")
    for example in case.examples():
        if not example.truth:
            continue
        gaps = np.abs(images - np.asarray(shrink(example.load()), np.float32)).mean(axis=(1, 2))
        assert gaps[shown].min() < 6 < gaps[~shown].min(), example.id


def test_one_look_gives_the_answer_and_both_marks() -> None:
    torch.manual_seed(0)
    net, x = xray_training.XrayNet(2).eval(), torch.rand(40, 1, 28, 28)
    limits = xray_training.learn_usual(net, (x, torch.arange(40) % 2), x)
    y, unlike = net.look(x)
    torch.testing.assert_close(y, net(x))
    assert unlike.shape == (40, 2)
    torch.testing.assert_close(unlike[:, 0], net.appearance(x))
    assert ((unlike > torch.tensor(limits)).float().mean(dim=0) <= 0.05).all()


def test_the_card_keeps_the_bars() -> None:
    card = load_card("chest_xray")
    values = {m.key: m.value for m in card.measured.metrics}
    assert values["auc@pneumoniamnist"] >= 0.983
    assert values["accuracy@pneumoniamnist"] >= 0.942
    assert values["ece@pneumoniamnist"] <= 0.04
    for stranger in ("other_photographs", "text_pages", "fashion_mnist"):
        assert values[f"outside_auc@{stranger}"] > 0.97


def grey(picture: Image.Image) -> Image.Image:
    return picture.convert("L").convert("RGB")


@pytest.mark.parametrize("name", ["cat", "grey cat", "blank", "white", "text page", "small text"])
def test_a_cat_a_blank_and_a_page_are_refused(get_case, name: str) -> None:
    cat = Image.open(sample_path("chelsea"))
    picture = {
        "cat": cat,
        "grey cat": grey(cat),
        "blank": Image.new("RGB", (300, 300), (120, 120, 120)),
        "white": Image.new("L", (64, 80), 255),
        "text page": text_page(0),
        "small text": text_page(3),
    }[name]
    assert get_case("chest_xray").predict(picture).inside is False


@pytest.mark.assets
def test_what_is_no_xray_is_marked(get_case) -> None:
    case = get_case("chest_xray")
    rng = np.random.default_rng(0)
    strangers = [
        chest_xray.flower(),
        Image.new("RGB", (300, 300), (120, 120, 120)),
        Image.fromarray(rng.integers(0, 255, (200, 200, 3), dtype=np.uint8)),
    ]
    for picture in strangers:
        assert case.predict(picture).inside is False
    photographs = [e for e in case.examples() if e.truth]
    inside = [case.predict(e.load()).inside for e in photographs]
    assert len(photographs) == 16 and sum(inside) >= 14
