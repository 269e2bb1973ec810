"""The rival of `clothing_classification`: the untouched network with a head of its own.

It was trained on ImageNet's thousand classes, and nothing of its body knows the ten; only the head
was fitted here, by logistic regression on what the body makes of the training pictures.
"""

from typing import Any

import torch

from dlportal.assets import fetch
from dlportal.device import pick_device
from dlportal.nets.clothing_net import ClothingNet, untouched


def frozen_net(fine_tuned: ClothingNet) -> ClothingNet:
    """The untouched body with the frozen features' head, which the fine-tuned network carries.

    Raises:
        AssetError: The published weights are neither here nor to be had.
    """
    net = untouched(fetch("efficientnet-lite2"))
    with torch.no_grad():
        net.body.classifier.weight.copy_(fine_tuned.frozen_weight)
        net.body.classifier.bias.copy_(fine_tuned.frozen_bias)
    net.to(pick_device(), memory_format=torch.channels_last)  # type: ignore[call-overload]
    return net.eval().requires_grad_(False)


def frozen_case(case: Any) -> Any:
    """The case as the frozen network answers it: the same pictures, examples and explanations.

    Its probabilities are the logistic regression's own, without a temperature; strangers are not
    its business.

    Raises:
        AssetError: The published weights are neither here nor to be had.
    """
    other = case.with_net(frozen_net(case.net))
    other.temperature = 1.0
    return other
