"""Clothes of 28 × 28 pixels: inputs made like the data, averaged weights, strangers marked."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from dlportal.cards import load_card
from dlportal.cases.drawn_clothes import DRAWINGS, draw
from dlportal.cases.fashion_classification import prepare
from dlportal.cases.fashion_neighbours import gallery, strongest_maps
from dlportal.cases.fashion_training import augment
from dlportal.data import fashion_mnist
from dlportal.nets.familiar import Familiar
from dlportal.nets.fashion_net import FashionNet
from dlportal.training.augment import cut_out, shifted
from dlportal.training.averaging import Averaged

CASE = "fashion_classification"


@pytest.fixture
def case(get_case: Any) -> Any:
    return get_case(CASE)


def pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(prepare(picture), int)


def test_a_light_ground_is_inverted_and_cut_away() -> None:
    found = pixels(draw("trouser"))
    assert found.shape == (28, 28)
    assert (found[:, 0] == 0).all() and (found[:, -1] == 0).all()  # taller than wide: black beside
    assert found[0].max() > 100 and found[-1].max() > 100  # and it fills the height
    negative = Image.fromarray(255 - np.asarray(draw("trouser")))
    assert np.abs(pixels(negative) - found).max() <= 2


def test_place_size_and_colour_do_not_count() -> None:
    bag = draw("bag")
    ground = Image.new("RGB", (700, 500), (255, 255, 255))
    ground.paste(bag.resize((200, 200)), (420, 40))
    assert np.abs(pixels(ground) - pixels(bag)).mean() < 6
    dim = Image.fromarray((np.asarray(bag, float) * 0.8).astype(np.uint8))  # a grey wall
    assert (pixels(dim)[0] == 0).all() or pixels(dim)[0].max() > 0  # never a frame of its own
    assert pixels(dim)[-1, 0] == 0


def test_pictures_of_the_data_are_taken_as_they_are() -> None:
    rng = np.random.default_rng(0)
    own = rng.integers(0, 256, (28, 28), dtype=np.uint8)
    own[[0, -1]] = own[:, [0, -1]] = 0
    assert (pixels(Image.fromarray(own)) == own).all()


@pytest.mark.parametrize("picture", ["white", "black", "grey", "line"])
def test_odd_pictures_do_not_break(picture: str) -> None:
    made = Image.new("L", (90, 60), {"white": 255, "black": 0}.get(picture, 128))
    if picture == "line":
        made.putpixel((40, 30), 0)
    assert pixels(made).shape == (28, 28)


def test_moved_pictures_are_moved_pictures() -> None:
    x = torch.zeros(400, 1, 8, 8)
    x[:, 0, 4, 3] = 1
    y = shifted(x, 2, torch.Generator().manual_seed(0))
    assert y.shape == x.shape and (y.sum(dim=(1, 2, 3)) == 1).all()
    rows, columns = y[:, 0].flatten(1).argmax(1) // 8, y[:, 0].flatten(1).argmax(1) % 8
    assert set(rows.tolist()) == {2, 3, 4, 5, 6}
    assert set(columns.tolist()) == {1, 2, 3, 4, 5, 6}  # 3 or, mirrored, 4, each moved by up to 2
    again = shifted(x, 2, torch.Generator().manual_seed(0))
    assert torch.equal(y, again)


def test_holes_are_squares_in_half_of_the_pictures() -> None:
    x = torch.ones(1000, 1, 28, 28)
    black = (cut_out(x, 8, torch.Generator().manual_seed(0)) == 0).sum(dim=(1, 2, 3))
    assert 0.45 < (black > 0).float().mean() < 0.55
    assert black.max() == 64 and black[black > 0].min() >= 16  # at a corner a quarter is left
    assert augment(x, torch.Generator().manual_seed(1)).shape == x.shape


def test_the_average_answers_and_the_network_learns() -> None:
    torch.manual_seed(0)
    net = Averaged(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), decay=0.5)
    wanted = net.net.state_dict()["0.weight"].clone()
    for step in range(1, 4):
        with torch.no_grad():
            net.net[0].weight.add_(1.0)
        net.step()
        decay = min(0.5, (1 + step) / (10 + step))
        wanted = decay * wanted + (1 - decay) * net.net.state_dict()["0.weight"]
    x = torch.randn(5, 3)
    torch.testing.assert_close(net.averages()["0.weight"], wanted)
    learning = net.train()(x)
    answer = net.eval()(x)
    assert not torch.allclose(learning, answer)
    torch.testing.assert_close(net.averaged()(x), answer)
    assert sum(p.numel() for p in net.parameters()) == 12, "averages are no parameters"
    assert any(name.startswith("average_0-weight") for name in net.state_dict())


def test_familiar_is_the_distance_of_mahalanobis() -> None:
    rng = np.random.default_rng(0)
    spread = rng.normal(size=(4, 4))
    centres = np.array([[0, 0, 0, 0], [9, 0, 0, 0]])
    labels = np.arange(4000) % 2
    f = rng.normal(size=(4000, 4)) @ spread + centres[labels]
    familiar = Familiar(4, 2)
    familiar.fit(torch.from_numpy(f), torch.from_numpy(labels))
    scores = familiar(torch.from_numpy(f).float()).numpy()
    assert scores.mean() == pytest.approx(1, abs=0.15)
    far = familiar(torch.full((1, 4), 60.0))
    assert far.item() > 10 * scores.max()
    gaps = f - centres[labels]
    inverse = np.linalg.inv(np.cov(gaps.T))
    own = np.einsum("ni,ij,nj->n", gaps, inverse, gaps) / 4
    assert np.corrcoef(own, scores)[0, 1] > 0.9


def test_it_is_small() -> None:
    assert sum(p.numel() for p in FashionNet().parameters()) < 1_000_000


def test_a_mirror_image_gets_the_same_answer() -> None:
    torch.manual_seed(0)
    net, x = FashionNet().eval(), torch.rand(3, 1, 28, 28)
    torch.testing.assert_close(net(x), net(x.flip(-1)), rtol=1e-4, atol=1e-4)
    alone = [net.head(net.maps(side)[-1]) for side in (x, x.flip(-1))]
    torch.testing.assert_close(net(x), sum(alone) / 2, rtol=1e-4, atol=1e-4)


def test_the_card_keeps_the_bar() -> None:
    card = load_card(CASE)
    assert card.main is not None and card.main.value >= 0.940
    assert card.measured.calibration is not None
    assert card.measured.calibration.ece_after <= 0.015
    by = {m.model: m.value for m in card.measured.baselines}
    assert by["always the same class"] == pytest.approx(0.1)
    assert 0.83 < by["logistic regression on the pixels"] < 0.86
    assert card.metric("outside_auc@mnist_10k").value > 0.95  # type: ignore[union-attr]


def test_drawings_are_what_they_are_meant_to_be(case: Any) -> None:
    """Most of them: they are not test data, but an example that is never right teaches nothing."""
    meant = [name for name, (_label, truth) in DRAWINGS.items() if truth]
    right = [case.predict(draw(name)).best.label.id == DRAWINGS[name][1] for name in meant]
    assert sum(right) >= len(meant) - 1


def test_strangers_are_marked(case: Any) -> None:
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (60, 60), dtype=np.uint8))
    for stranger in (case.example("cat"), noise, Image.new("L", (50, 50), 200)):
        assert case.predict(stranger).inside is False


@pytest.mark.data
def test_a_training_picture_is_nearest_to_itself(case: Any) -> None:
    found = gallery(case)
    raw = Image.fromarray(found.pictures[7])
    nearest = found.nearest(case, raw, 5)
    assert (nearest[0].picture == found.pictures[7]).all()
    assert nearest[0].likeness == pytest.approx(1, abs=1e-4)
    assert [n.likeness for n in nearest] == sorted((n.likeness for n in nearest), reverse=True)
    kinds = fashion_mnist.load().train.labels[:3]
    assert found.labels[:3].tolist() == kinds.tolist()


def test_the_strongest_maps_come_first(case: Any) -> None:
    stages = strongest_maps(case, draw("dress"), 16)
    assert [maps.shape for maps in stages] == [(16, 14, 14), (16, 14, 14), (16, 7, 7)]
    for maps in stages:
        means = maps.mean(axis=(1, 2))
        assert (np.diff(means) <= 0.51).all() and maps.max() == 255
