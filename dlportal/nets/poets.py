"""Two networks in one: the mark that a Chinese poem begins with tells which is asked."""

from pathlib import Path

import torch
from torch import Tensor, nn

from dlportal.nets.char_gpt import FORM_IDS, CharGPT, Shape, sized
from dlportal.training.store import load_weights, saved_shapes

CONTEXTS = {"shakespeare": 256, "chinese": 128}  # characters that each sees at most


class Poets(nn.Module):
    """Shakespeare's network and that of the Chinese poems."""

    def __init__(self, shakespeare: CharGPT, chinese: CharGPT) -> None:
        super().__init__()
        self.shakespeare = shakespeare
        self.chinese = chinese

    def forward(self, ids: Tensor) -> Tensor:
        """Logits of the next character of each text; ids (B, T), all of one network."""
        marked = int(ids[0, 0]) in FORM_IDS.values()
        return (self.chinese if marked else self.shakespeare)(ids)


def load_poets(path: Path) -> Poets:
    """Both networks, as large as the file says."""
    shapes = saved_shapes(path)
    nets = []
    for name, context in CONTEXTS.items():
        start = f"{name}."
        own = {k.removeprefix(start): v for k, v in shapes.items() if k.startswith(start)}
        nets.append(sized(own, context))
    net = Poets(*nets)
    load_weights(net, path)
    return net


def unlearned() -> CharGPT:
    """Stands for a network that has not been trained yet; it knows a full stop."""
    return CharGPT(torch.tensor([ord("。")]), Shape(1, 16, 1))
