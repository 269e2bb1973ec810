"""Small cases with a planted cause: what every explanation must find is known."""

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from dlportal.cards import Bilingual, Card, Measured
from dlportal.kinds.image import ImageCase, to_tensor
from dlportal.kinds.table import TableCase
from dlportal.kinds.text import TextCase
from dlportal.results import Classes

NOTHING = Bilingual(en="-", zh="-")
WORDS = ("[PAD]", "[UNK]", "[MASK]", "the", "film", "was", "good", "bad", "and", "long", "here")


def planted_card(case_id: str) -> Card:
    return Card(
        id=case_id,
        domain="foundations",
        order=0,
        icon=":material/science:",
        title=NOTHING,
        summary=NOTHING,
        provenance="live",
        model="planted",
        licence="-",
        measured=Measured(case=case_id),
    )


class RedNet(nn.Module):
    """Sees strong red (and green) and nothing else: two feature maps, then their means."""

    def features(self, x: Tensor) -> Tensor:
        # The blurred patch is too pale to count, so that hiding it hides the cause.
        red = torch.relu(x[:, :1] - x[:, 1:2] - 0.35)
        green = torch.relu(x[:, 1:2] - x[:, :1] - 0.35)
        return nn.functional.avg_pool2d(torch.cat([red, green], dim=1), 4)

    def head(self, f: Tensor) -> Tensor:
        return 150 * f.mean(dim=(2, 3)) - torch.tensor([2.0, 0.0])

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


class ConstantNet(RedNet):
    """Answers the same to everything (its slope is zero everywhere)."""

    def head(self, f: Tensor) -> Tensor:
        return 0 * super().head(f) + 1


class PictureCase(ImageCase):
    """Pictures of 48×48; class 0 is "red"."""

    net_class: type[nn.Module] = RedNet

    def load(self) -> nn.Module:
        return self.net_class()

    def encode(self, raw: Image.Image) -> Tensor:
        return to_tensor(raw)

    def decode(self, y: Tensor, raw: Image.Image) -> Classes:
        raise NotImplementedError

    def examples(self) -> list[Any]:
        return []


class ConstantCase(PictureCase):
    net_class = ConstantNet


class BoxCase(PictureCase):
    """Says that its answer is a box, the red patch."""

    def outline(self, target: int) -> tuple[float, float, float, float]:
        rows, columns = PATCH
        return columns.start / 48, rows.start / 48, columns.stop / 48, rows.stop / 48


PATCH = (slice(26, 38), slice(8, 20))  # rows and columns that are red in `red_picture`


def red_picture() -> Image.Image:
    """Grey noise with one red patch."""
    rng = np.random.default_rng(0)
    pixels = np.repeat(rng.integers(60, 190, (48, 48, 1)), 3, axis=2).astype(np.uint8)
    pixels[PATCH] = (230, 20, 20)
    return Image.fromarray(pixels)


class LinearTable(TableCase):
    """Six columns; the logits are linear in them, so every attribution has one right answer."""

    columns = ("a", "b", "c", "d", "e", "f")
    weights = torch.tensor([[0.0, 3.0, 0.0, -2.0, 0.5, 0.1]])

    def load(self) -> nn.Module:
        net = nn.Linear(6, 2)
        net.weight.data = torch.cat([self.weights, torch.zeros(1, 6)])
        net.bias.data = torch.tensor([0.2, 0.0])
        return net

    def encode(self, raw: np.ndarray) -> Tensor:
        return torch.from_numpy(np.asarray(raw, dtype=np.float32)).unsqueeze(0)

    def decode(self, y: Tensor, raw: np.ndarray) -> Classes:
        raise NotImplementedError

    def examples(self) -> list[Any]:
        return []


class WordNet(nn.Module):
    """Adds up one number a word: "good" is +2, "bad" is -2, all others 0."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(len(WORDS), 3)
        self.table.weight.data.zero_()
        self.table.weight.data[WORDS.index("good")] = torch.tensor([0.5, 1.0, 0.5])
        self.table.weight.data[WORDS.index("bad")] = torch.tensor([-0.5, -1.0, -0.5])

    def embed(self, ids: Tensor) -> Tensor:
        return self.table(ids)

    def from_embeddings(self, e: Tensor, mask: Tensor) -> Tensor:
        y = (e.sum(dim=-1) * mask).sum(dim=-1, keepdim=True) - 2
        return torch.cat([y, torch.zeros_like(y)], dim=1)

    def forward(self, ids: Tensor) -> Tensor:
        return self.from_embeddings(self.embed(ids), torch.ones_like(ids))


class WordCase(TextCase):
    """Sentences of known words; class 0 is "good"."""

    pad_id = WORDS.index("[PAD]")
    mask_id = WORDS.index("[MASK]")

    def load(self) -> nn.Module:
        from tokenizers import Tokenizer
        from tokenizers.models import WordLevel
        from tokenizers.pre_tokenizers import Whitespace

        vocabulary = {word: i for i, word in enumerate(WORDS)}
        self.tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
        self.tokenizer.pre_tokenizer = Whitespace()
        return WordNet()

    def decode(self, y: Tensor, raw: str) -> Classes:
        raise NotImplementedError

    def examples(self) -> list[Any]:
        return []


SENTENCE = "the film was good and the film was long and good here"
ROW = np.array([5.0, 1.0, -4.0, 1.0, 1.0, 1.0])
