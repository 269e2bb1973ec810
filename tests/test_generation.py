"""Pictures out of noise: the flow is followed rightly, guidance pulls, copies are found, wishes read."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dlportal.cards import load_card
from dlportal.cases.generation_asked import variety
from dlportal.cases.generation_curves import histogram
from dlportal.cases.generation_evaluation import evaluate
from dlportal.cases.generation_guidance import (
    elsewhere,
    end_of,
    masked_field,
    pull_of,
    strongest,
    switched_field,
)
from dlportal.cases.generation_neighbours import data_of, nearest, nearest_rows
from dlportal.cases.generation_rivals import AUGMENTS, fit_gaussians, learn
from dlportal.cases.generation_training import (
    RECIPES,
    generate,
    keep_sheet,
    sheet_path,
    step_loss,
    to_pixels,
)
from dlportal.cases.image_generation import LABELS, Draw
from dlportal.data.splits import Images
from dlportal.messages import InputError
from dlportal.nets.flow_net import ANY, CLASSES, FlowNet, pack
from dlportal.nets.flow_sampling import between, draw_noise, guided_field, walk
from dlportal.training.averaging import Averaged

CASE = "image_generation"
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def case(get_case: Any) -> Any:
    return get_case(CASE)


@pytest.fixture(scope="module")
def net() -> FlowNet:
    """A small one that is no longer zero at its end."""
    torch.manual_seed(0)
    made = FlowNet(8, 16)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return made.eval().requires_grad_(False)


def test_heun_is_exact_where_the_velocity_is_linear_in_time() -> None:
    noise = torch.zeros(2, 1, 28, 28)
    path = walk(lambda x, t: torch.full_like(x, 1.0 - t), noise, 4)
    assert len(path) == 5
    # The last step looks once, at its start.
    expected = sum(0.25 * (1 - (a + b) / 2) for a, b in ((0, 0.25), (0.25, 0.5), (0.5, 0.75)))
    assert path[3].mean().item() == pytest.approx(expected)
    assert path[4].mean().item() == pytest.approx(expected + 0.25 * 0.25)


def test_a_straight_line_needs_one_step() -> None:
    noise, picture = draw_noise(3, 0), torch.rand(3, 1, 28, 28)
    for steps in (1, 7):
        end = walk(lambda x, t: picture - noise, noise, steps)[-1]
        torch.testing.assert_close(end, picture, atol=1e-5, rtol=1e-5)


def test_guidance_is_a_multiple_of_the_difference(net: FlowNet) -> None:
    x, kind = draw_noise(4, 1), torch.tensor([0, 5, 11, 19])
    towards = net.velocity(x, torch.full((4,), 0.3), kind)
    anywhere = net.velocity(x, torch.full((4,), 0.3), torch.full((4,), ANY))
    for guidance in (0.0, 1.0, 2.5):
        wanted = anywhere + guidance * (towards - anywhere)
        torch.testing.assert_close(guided_field(net, kind, guidance)(x, 0.3), wanted)


def test_what_is_packed_is_unpacked(net: FlowNet) -> None:
    x, t, kind = draw_noise(3, 2), torch.tensor([0.0, 0.5, 1.0]), torch.tensor([0, 7, ANY])
    packed = pack(x, t, kind)
    assert packed.shape == (3, 786)
    torch.testing.assert_close(net(packed), net.velocity(x, t, kind))


def test_a_new_net_stands_still_and_is_small() -> None:
    net = FlowNet(RECIPES["full"].width, RECIPES["full"].deep)
    assert sum(p.numel() for p in net.parameters()) < 3_000_000
    assert not net(pack(draw_noise(2, 0), torch.rand(2), torch.tensor([1, 2]))).any()


def test_it_learns_one_batch_by_heart() -> None:
    torch.manual_seed(0)
    net = Averaged(FlowNet(16, 32), 0.9).train()
    x = torch.full((16, 1, 28, 28), -1.0)
    kind = torch.arange(16) % 2
    x[kind == 0, :, :14], x[kind == 1, :, 14:] = 1.0, 1.0
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3)
    for _step in range(250):
        loss = step_loss(net, (x, kind))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    made = generate(net.averaged(), draw_noise(8, 3), torch.arange(8) % 2, 1.0, 6)
    wanted = to_pixels(x[:8])
    assert (made - wanted).abs().mean() < 0.12


def test_noise_is_the_seeds_own() -> None:
    assert torch.equal(draw_noise(4, 9)[:2], draw_noise(2, 9))
    assert not torch.equal(draw_noise(1, 9), draw_noise(1, 10))
    assert draw_noise(20, 0).std().item() == pytest.approx(1, abs=0.02)


def test_noise_between_two_seeds_stays_noise() -> None:
    first, last = draw_noise(1, 0), draw_noise(1, 7)
    way = between(first, last, 8)
    torch.testing.assert_close(way[:1], first)
    torch.testing.assert_close(way[-1:], last, atol=1e-5, rtol=1e-4)
    assert (way.flatten(1).std(dim=1) - 1).abs().max() < 0.05
    assert torch.equal(between(first, first, 3), first.repeat(3, 1, 1, 1))


# What the class pulls at


def test_masks_keep_a_fifth_and_moved_ones_the_same_shape() -> None:
    strength = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    kept, moved = strongest(0.2)(strength), elsewhere(6)(strength)
    for masks in (kept, moved):
        assert masks.unique().tolist() == [0, 1]
        assert masks.mean().item() == pytest.approx(0.2, abs=0.01)
    assert torch.equal(kept.sum(dim=(1, 2, 3)), moved.sum(dim=(1, 2, 3)))
    assert not torch.equal(kept, moved)


def test_kept_everywhere_is_guidance_and_nowhere_is_anything(net: FlowNet) -> None:
    x, kind = draw_noise(3, 0), torch.tensor([1, 2, 3])
    everywhere = masked_field(net, kind, 3.0, torch.ones_like)(x, 0.5)
    nowhere = masked_field(net, kind, 3.0, torch.zeros_like)(x, 0.5)
    torch.testing.assert_close(everywhere, guided_field(net, kind, 3.0)(x, 0.5))
    torch.testing.assert_close(nowhere, guided_field(net, kind, 0.0)(x, 0.5))


def test_a_switch_at_either_end_is_no_switch(net: FlowNet) -> None:
    noise, first, then = draw_noise(2, 0), torch.tensor([1, 2]), torch.tensor([5, 6])
    for at, kind in ((0.0, then), (1.0, first)):
        switched = end_of(switched_field(net, first, then, at, 2.0), noise, 3)
        plain = end_of(guided_field(net, kind, 2.0), noise, 3)
        torch.testing.assert_close(switched, plain)


def test_the_pull_is_of_the_picture_that_is_looked_at(net: FlowNet) -> None:
    kind = torch.tensor([4, 4])
    path = walk(guided_field(net, kind, 2.0), draw_noise(2, 0), 5)
    pull = pull_of(net, path, 4, 2.0, 1)
    assert pull.frames.shape == pull.pulls.shape == (5, 28, 28) and len(pull.strength) == 5
    np.testing.assert_allclose(pull.frames[0], draw_noise(2, 0)[1, 0].numpy())
    np.testing.assert_allclose(pull.times, [0, 0.2, 0.4, 0.6, 0.8])


# What pictures are measured with


def test_the_nearest_picture_is_found_and_a_copy_lies_at_zero() -> None:
    rng = np.random.default_rng(0)
    part = Images(rng.integers(0, 256, (700, 28, 28), dtype=np.uint8), np.zeros(700, np.int64))
    asked = part.images[[600, 3]].copy()
    asked[1, 0, 0] ^= 128
    found = nearest(asked, part)
    assert (found.pictures == part.images[[600, 3]]).all()
    assert found.distance[0] == pytest.approx(0, abs=1e-3)
    assert found.distance[1] == pytest.approx(128 / 255 / 28, abs=1e-3)
    rows, distance = nearest_rows(torch.rand(3, 784), torch.rand(5, 784))
    assert rows.shape == distance.shape == (3,)


def test_each_class_has_its_data() -> None:
    assert data_of(0) == data_of(9) == ("fashion_mnist",)
    assert data_of(10) == data_of(19) == ("mnist_10k",)
    assert data_of(ANY) == ("fashion_mnist", "mnist_10k")


def test_gaussians_have_the_pictures_mean_and_spread() -> None:
    generator = torch.Generator().manual_seed(0)
    direction = torch.rand(1, 784, generator=generator)
    x = 0.5 + 0.02 * torch.randn(400, 1, generator=generator) * direction
    made = fit_gaussians(x.view(400, 1, 28, 28), torch.zeros(400, dtype=torch.long), 20)
    drawn = made.sample(torch.zeros(2000, dtype=torch.long)).flatten(1)
    torch.testing.assert_close(drawn.mean(dim=0), x.mean(dim=0), atol=5e-3, rtol=0)
    torch.testing.assert_close(drawn.std(dim=0), x.std(dim=0), atol=4e-3, rtol=0)


def test_variety_is_one_for_the_same_pictures_and_less_for_alike_ones() -> None:
    x = torch.rand(500, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    kind = torch.arange(500) % 10
    alike = x.mean() + 0.5 * (x - x.mean())
    ratio = variety(alike, kind) / variety(x, kind)
    torch.testing.assert_close(ratio, torch.full((10,), 0.5), atol=1e-3, rtol=0)
    few = variety(x[:100], kind[:100]) / variety(x, kind)
    assert (few - 1).abs().max() < 0.05  # how many there are does not count


def test_a_classifier_learns_from_these_pictures_alone() -> None:
    kind = torch.arange(1200) % 3
    x = torch.zeros(1200, 1, 28, 28)
    for k in range(3):
        x[kind == k, :, 9 * k : 9 * k + 8, 4:24] = 0.9
    judge = learn(x, kind, AUGMENTS["digits"])
    with torch.inference_mode():
        assert (judge(x).argmax(dim=1) == kind).float().mean() > 0.9


def test_both_histograms_are_shares() -> None:
    rng = np.random.default_rng(0)
    curve = histogram(rng.random(200), rng.random(300))
    for values in curve.y.values():
        assert sum(values) == pytest.approx(1, abs=0.02)


# The case


def test_wishes_are_read(case: Any) -> None:
    assert case.read("sneaker") == Draw("sneaker")
    assert case.read("7 seed=3 guidance=1.5 steps=4 count=2") == Draw("7", 3, 1.5, 4, 2)
    assert case.read("Dress towards=5") == Draw("dress", towards=5)


@pytest.mark.parametrize(
    "given",
    [
        "hat",
        "sneaker seed=-1",
        "sneaker seed=1.5",
        "sneaker steps=0",
        "sneaker steps=900",
        "sneaker guidance=nan",
        "sneaker guidance=99",
        "sneaker count=17",
        "sneaker colour=red",
        "sneaker seed",
        "sneaker seed=",
        "sneaker seed=1e3",
        "sneaker towards=5000",
        "",
        "x" * 300,
    ],
)
def test_what_cannot_be_drawn_gets_one_sentence(case: Any, given: str) -> None:
    with pytest.raises(InputError) as caught:
        case.read(given)
    assert 10 < len(str(caught.value)) < 400 and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        Draw("sneaker", guidance=float("nan")),
        Draw("sneaker", seed=True),
        Draw("sneaker", steps=2.0),  # type: ignore[arg-type]
        Draw(None),  # type: ignore[arg-type]
        "sneaker",
    ],
)
def test_odd_wishes_are_refused(case: Any, raw: Any) -> None:
    with pytest.raises(InputError):
        case.check(raw)


def test_the_same_seed_draws_the_same(case: Any) -> None:
    raw = Draw("bag", seed=3, steps=3, count=3)
    once, again = case.predict(raw), case.predict(raw)
    assert once.frames.shape == (4, 3, 28, 28) and once.frames.dtype == np.uint8
    assert (once.frames == again.frames).all()
    other = case.predict(Draw("bag", seed=4, steps=3, count=3))
    assert (once.pixels != other.pixels).any()
    assert once.label.id == "bag"


def test_a_way_begins_at_one_seed_and_ends_at_the_other(case: Any) -> None:
    way = case.predict(Draw("dress", seed=1, steps=3, count=4, towards=8)).pixels
    for place, seed in ((0, 1), (-1, 8)):
        alone = case.predict(Draw("dress", seed=seed, steps=3, count=1)).pixels[0]
        assert np.abs(way[place].astype(int) - alone).max() <= 2


@pytest.mark.slow
def test_the_code_draws_exactly_the_picture(case: Any, tmp_path: Path) -> None:
    raw = Draw("ankle_boot", seed=5, guidance=3.0, steps=4, count=2)
    code = case.code(raw, None, None, None)
    save = f"import numpy; numpy.save({str(tmp_path / 'p.npy')!r}, result.frames)\n"
    subprocess.run([sys.executable, "-c", code + save], cwd=ROOT, check=True, timeout=120)
    gap = np.load(tmp_path / "p.npy").astype(int) - case.predict(raw).frames
    assert np.abs(gap).max() <= 1  # a rounding, where another number of threads adds up otherwise


def test_most_pictures_are_read_as_asked(case: Any) -> None:
    from dlportal.cases.generation_training import load_judge

    kind = torch.arange(40) % 10
    made = generate(case.net, draw_noise(40, 11), kind, 2.0, 6)
    said = load_judge()(made).argmax(dim=1)
    assert (said == kind).float().mean() > 0.8


def test_every_label_is_a_class_of_the_net() -> None:
    assert len(LABELS) == CLASSES + 1 and LABELS[ANY].id == "anything"
    assert len({label.id for label in LABELS}) == len(LABELS)


def test_the_card_keeps_the_bar() -> None:
    card = load_card(CASE)
    assert card.main is not None and card.main.value >= 0.80
    own = card.metric("class_agreement@fashion_mnist")
    assert own is not None and own.value >= 0.95
    by = {(m.name, m.model): m.value for m in card.measured.baselines}
    gaussian = by["train_on_synthetic_accuracy", "a Gaussian for each kind"]
    real = by["train_on_synthetic_accuracy", "as many real pictures"]
    assert gaussian < card.main.value < real
    strongest_fifth = card.metric("agreement_strongest_fifth@fashion_mnist")
    moved = by["agreement_strongest_fifth", "a fifth elsewhere, by chance"]
    assert strongest_fifth is not None and strongest_fifth.value > moved


def test_sheets_of_a_training_are_whole_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    keep_sheet(torch.rand(20, 1, 28, 28), sheet_path(folder, 3))
    assert [p.name for p in folder.iterdir()] == ["drawn-003.png"]
    assert Image.open(folder / "drawn-003.png").size == (280, 56)


@pytest.mark.data
@pytest.mark.slow
def test_evaluation_works_on_a_folder_like_the_data(case: Any, tmp_path: Path) -> None:
    from dlportal.data import get_dataset

    folder = tmp_path / "own_clothes"
    folder.mkdir()
    for file in get_dataset("fashion_mnist").glob("*.gz"):
        (folder / file.name).symlink_to(file)
    found = evaluate(case, "test", folder, 20, None)
    assert found.n == 20
    names = {(m.name, m.data) for m in found.measured.metrics}
    assert ("train_on_synthetic_accuracy", "own_clothes") in names
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(b"not gzip")
    with pytest.raises(InputError, match="gzipped IDX"):
        evaluate(case, "test", folder, 20, None)
