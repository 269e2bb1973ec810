"""How well `chest_xray` refuses what is no chest X-ray: measured on pictures of other things."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dlportal.cards import Metric
from dlportal.data import fashion_mnist, is_available
from dlportal.data.strangers import strangers
from dlportal.training import metrics
from dlportal.training.said import Said

CLOTHES, COUNT = "fashion_mnist", 500


def tell_apart(case: Any, usual: Tensor, said: Said) -> list[Metric]:
    """The area under the ROC curve for each kind of stranger, and the share that is refused.

    The areas are of the grey pictures alone: that a photograph has colours, which X-rays have not,
    would make it too easy. What is refused counts the colours too, as on the page.

    Args:
        case: The case.
        usual: Strangeness of X-rays, (N,).
        said: Split, command and model.
    """
    found, refused = [], []
    for name, pictures in strange_pictures().items():
        x = torch.cat([case.encode(picture) for picture in pictures])
        scores = case.strangeness(x)
        both = (
            torch.cat([usual, scores]).clamp(max=1e9).numpy()
        )  # blank ones are infinitely strange
        truth = np.repeat([0, 1], [len(usual), len(scores)])
        found.append(replace(said, data=name).metric("outside_auc", metrics.auc, truth, both))
        coloured = np.array([case.foreign(picture) for picture in pictures])
        refused.append(coloured | (scores > 1).numpy())
    return [
        *found,
        replace(said, data="strangers").metric(
            "marked_outside", metrics.mean, np.concatenate(refused)
        ),
    ]


def strange_pictures() -> dict[str, list[Image.Image]]:
    """Pictures of other things by the name of their data, among them small grey ones of clothes."""
    found = strangers()
    if is_available(CLOTHES):
        images = fashion_mnist.load().validation.images[:COUNT]
        found[CLOTHES] = [Image.fromarray(image) for image in images]
    return found
