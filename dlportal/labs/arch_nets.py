"""Four small networks for one task: MLP, CNN, LSTM and attention, about 60,000 parameters each.

They are kept as plain as they can be (no dropout, no augmentation), so that what differs between
them is the architecture.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 28  # pixels
CLASSES = 10


class MLP(nn.Module):
    """Every unit sees every pixel. Rumelhart et al. 1986, https://doi.org/10.1038/323533a0"""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(SIDE * SIDE, 72)
        self.second = nn.Linear(72, 64)
        self.classify = nn.Linear(64, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, 1, 28, 28) to logits (B, 10)."""
        return self.classify(self.second(self.first(x.flatten(1)).relu()).relu())


class CNN(nn.Module):
    """Small filters, the same ones everywhere. LeCun et al. 1998, https://doi.org/10.1109/5.726791

    The mean over all places at the end keeps what was found and forgets where.
    """

    WIDTHS = (8, 32, 64, 64)  # maps of each layer

    def __init__(self) -> None:
        super().__init__()
        first, second, third, fourth = self.WIDTHS
        self.convolutions = nn.ModuleList(
            [
                nn.Conv2d(1, first, 5, padding=2),
                nn.Conv2d(first, second, 3, padding=1),
                nn.Conv2d(second, third, 3, padding=1),
                nn.Conv2d(third, fourth, 3, padding=1),
            ]
        )
        self.classify = nn.Linear(64, CLASSES)

    def maps(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What goes into each convolution and what comes out, before the ReLU.

        Returns:
            Four pairs: sides 28, 14, 14, 7.
        """
        found = []
        for index, convolution in enumerate(self.convolutions):
            if index in (1, 3):
                x = F.max_pool2d(x, 2)
            z = self.after(index, convolution(x))
            found.append((x, z))
            x = z.relu()
        return found

    def after(self, index: int, z: Tensor) -> Tensor:
        """What follows a convolution: nothing here."""
        return z

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, 1, 28, 28) to logits (B, 10)."""
        return self.classify(self.maps(x)[-1][1].relu().mean(dim=(2, 3)))


class LearningCNN(CNN):
    """The CNN while it learns: with batch norm, without which it learns slowly.

    Afterwards a norm only scales and shifts every map, so it can become part of the filters.
    Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
    """

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.BatchNorm2d(width) for width in self.WIDTHS])

    def after(self, index: int, z: Tensor) -> Tensor:
        return self.norms[index](z)

    @torch.no_grad()
    def folded(self) -> CNN:
        """The plain CNN that answers the same (in eval mode)."""
        net = CNN()
        net.classify.load_state_dict(self.classify.state_dict())
        parts: Any = zip(net.convolutions, self.convolutions, self.norms)
        for plain, own, norm in parts:
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            plain.weight.copy_(own.weight * scale[:, None, None, None])
            plain.bias.copy_((own.bias - norm.running_mean) * scale + norm.bias)
        return net


class RowLSTM(nn.Module):
    """Reads the picture row by row, as one reads a sentence word by word.

    Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735
    """

    UNITS = 108

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(SIDE, self.UNITS, batch_first=True)
        # Forget little at first: Jozefowicz et al. 2015, https://proceedings.mlr.press/v37/jozefowicz15.html
        biases: Any = self.lstm.bias_hh_l0
        nn.init.ones_(biases.data[self.UNITS : 2 * self.UNITS])
        self.classify = nn.Linear(self.UNITS, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, 1, 28, 28) to logits (B, 10): of the state after the last row."""
        states, _last = self.lstm(x.squeeze(1))
        return self.classify(states[:, -1])


class Block(nn.Module):
    """Every patch looks at every patch, then thinks for itself; both add to what was there."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_looking, self.before_thinking = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.think = nn.Sequential(nn.Linear(width, 96), nn.ReLU(), nn.Linear(96, width))

    def queries_keys_values(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens (B, T, D) to three tensors (B, heads, T, D / heads)."""
        parts = self.qkv(self.before_looking(x)).chunk(3, dim=-1)
        q, k, v = (p.unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in parts)
        return q, k, v

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (B, T, D) to tokens (B, T, D)."""
        q, k, v = self.queries_keys_values(x)
        looks = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(dim=-1)
        x = x + self.join((looks @ v).transpose(1, 2).flatten(2))
        return x + self.think(self.before_thinking(x))


class AttentionNet(nn.Module):
    """A tiny vision transformer on 16 patches of 7 × 7 pixels.

    Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
    Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929
    """

    PATCH, WIDTH, HEADS, BLOCKS = 7, 64, 2, 2

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(self.PATCH**2, self.WIDTH)
        self.place = nn.Parameter(0.02 * torch.randn((SIDE // self.PATCH) ** 2, self.WIDTH))
        self.blocks = nn.ModuleList([Block(self.WIDTH, self.HEADS) for _ in range(self.BLOCKS)])
        self.norm = nn.LayerNorm(self.WIDTH)
        self.classify = nn.Linear(self.WIDTH, CLASSES)

    def tokens(self, x: Tensor) -> list[Tensor]:
        """What goes into each block, and what comes out of the last: (B, 16, 64) each."""
        patches = F.unfold(x, self.PATCH, stride=self.PATCH).transpose(1, 2)
        found = [self.embed(patches) + self.place]
        for block in self.blocks:
            found.append(block(found[-1]))
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, 1, 28, 28) to logits (B, 10)."""
        return self.classify(self.norm(self.tokens(x)[-1]).mean(dim=1))


KINDS: dict[str, type[nn.Module]] = {
    "mlp": MLP,
    "cnn": CNN,
    "rnn": RowLSTM,
    "attention": AttentionNet,
}
