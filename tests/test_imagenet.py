"""ImageNet classification: the published weights, the published preprocessing, honest maps."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from dlportal.assets import fetch
from dlportal.cards import load_card
from dlportal.explain import get_explainer
from dlportal.messages import InputError

CASE = "imagenet_classification"


@pytest.fixture
def case(get_case: Any) -> Any:
    return get_case(CASE)


def same_padding(x: Tensor, kernel: int, stride: int) -> Tensor:
    """TensorFlow's SAME: as many outputs as strides fit, the odd pixel at the end."""
    side = x.shape[-1]
    total = max(0, (-(-side // stride) - 1) * stride + kernel - side)
    return F.pad(x, (total // 2, total - total // 2) * 2)


def published_forward(state: dict[str, Tensor], x: Tensor) -> Tensor:
    """EfficientNet-Lite0 written out over the file's own names, apart from timm's network."""

    def conv(x: Tensor, name: str, bn: str, stride: int = 1, act: bool = True) -> Tensor:
        weight = state[f"{name}.weight"]
        groups = x.shape[1] // weight.shape[1]
        x = F.conv2d(same_padding(x, weight.shape[-1], stride), weight, None, stride, 0, 1, groups)
        mean, var = state[f"{bn}.running_mean"], state[f"{bn}.running_var"]
        x = F.batch_norm(x, mean, var, state[f"{bn}.weight"], state[f"{bn}.bias"], eps=1e-3)
        return F.relu6(x) if act else x

    x = conv(x, "_conv_stem", "_bn0", stride=2)
    # Blocks a stage, and the stride of its first block.
    block = 0
    for blocks, first in ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1)):
        for i in range(blocks):
            name, given = f"_blocks.{block}.", x
            if f"{name}_expand_conv.weight" in state:
                x = conv(x, f"{name}_expand_conv", f"{name}_bn0")
            x = conv(x, f"{name}_depthwise_conv", f"{name}_bn1", stride=first if i == 0 else 1)
            x = conv(x, f"{name}_project_conv", f"{name}_bn2", act=False)
            x = x + given if x.shape == given.shape and (i > 0 or first == 1) else x
            block += 1
    x = conv(x, "_conv_head", "_bn1").mean(dim=(2, 3))
    return F.linear(x, state["_fc.weight"], state["_fc.bias"])


@pytest.mark.assets
def test_outputs_are_those_of_the_published_weights(case: Any) -> None:
    path = fetch("efficientnet-lite0")
    state = torch.load(path, map_location="cpu", weights_only=True)
    x = torch.cat([case.encode(example.load()) for example in case.examples()])
    with torch.inference_mode():
        expected = published_forward(state, x.contiguous())
        y = case.net(x.to(case.device)).cpu()
    torch.testing.assert_close(y, expected, rtol=1e-3, atol=1e-3)
    assert torch.equal(y.argmax(dim=1), expected.argmax(dim=1))


@pytest.mark.assets
def test_preprocessing_is_the_published_one(case: Any) -> None:
    from torchvision.transforms import v2

    published = v2.Compose(
        [v2.Resize(256, interpolation=v2.InterpolationMode.BICUBIC), v2.CenterCrop(224)]
    )
    for example in case.examples():
        raw = example.load()
        assert np.array_equal(np.asarray(case.seen(raw)), np.asarray(published(raw)))


@pytest.mark.assets
def test_odd_pictures(case: Any) -> None:
    for size in ((8, 60_000), (60_000, 8), (8, 8), (31, 17)):
        picture = Image.new("L", size, 99)
        assert case.seen(picture).size == (224, 224)
        assert len(case.predict(picture).scores) == 5


@pytest.mark.assets
def test_folder_of_classes_is_measured(case: Any, tmp_path: Path) -> None:
    for example in case.examples()[:4]:
        (tmp_path / example.truth).mkdir()
        example.load().save(tmp_path / example.truth / "one.png")
    (tmp_path / "n01440764").mkdir()
    case.examples()[0].load().save(tmp_path / "n01440764" / "not_a_tench.png")
    found = {m.name: m for m in case.evaluate(data=tmp_path).measured.metrics}
    assert found["top1_accuracy"].value == pytest.approx(0.8)
    assert found["top5_accuracy"].n == 5
    with pytest.raises(InputError, match="n01440764"):
        case.evaluate(data=tmp_path / "n01440764")
    with pytest.raises(InputError, match="Choose from: test"):
        case.evaluate(split="train")


@pytest.mark.assets
def test_integrated_gradients_are_captums(case: Any) -> None:
    from captum.attr import IntegratedGradients

    raw = case.example("coffee")
    view = case.differentiable(raw)
    theirs = IntegratedGradients(case.net).attribute(view.x, view.baseline, target=967, n_steps=8)
    ours = get_explainer("integrated_gradients").explain(case, raw, 967, steps=8)
    assert np.abs(ours.values - view.reduce(theirs)).max() < 1e-3


@pytest.mark.assets
def test_threads_share_the_network(case: Any) -> None:
    raw, method = case.example("rocket"), get_explainer("grad_cam")
    alone = [method.explain(case, raw, target).values for target in (657, 700)]
    with ThreadPoolExecutor(4) as pool:
        maps = list(
            pool.map(lambda i: method.explain(case, raw, (657, 700)[i % 2]).values, range(12))
        )
    assert all(np.allclose(m, alone[i % 2], atol=1e-5) for i, m in enumerate(maps))


def test_each_right_answer_has_a_faithful_map() -> None:
    """On the card, as measured: random maps stay behind some method, and every verdict is there."""
    rows = load_card(CASE).measured.constants["faithfulness"]
    right = {row["photograph"] for row in rows if row["right"]}
    assert len(right) >= 4
    for photograph in right:
        mine = [row for row in rows if row["photograph"] == photograph]
        assert any(row["verdict"] == "better" for row in mine if row["method"] != "random_map")
    methods = {row["method"] for row in rows}
    assert {"grad_cam", "occlusion", "rise", "integrated_gradients", "smooth_grad"} < methods
    assert len(rows) == len(methods) * len({row["photograph"] for row in rows})
    assert all(row["maps"] >= 20 for row in rows)
