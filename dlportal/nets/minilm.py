"""MiniLM-L6, one body in memory for all cases, each with adapters and a head of its own.

Paper: Wang et al. 2020, https://arxiv.org/abs/2002.10957
The weights are the sentence encoder's (Reimers and Gurevych 2019,
https://arxiv.org/abs/1908.10084). Ids come from `load_tokenizer`; 0 is padding.
"""

import copy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from dlportal.assets import fetch_bundle
from dlportal.nets.lora import add_lora

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import BertModel

BUNDLE = "minilm-l6"
WIDTH = 384
PAD, UNKNOWN, START, END, MASK = 0, 100, 101, 102, 103  # ids of the special tokens
ADAPTED = ("query", "key", "value", "dense")  # every linear layer of the body


def load_tokenizer(folder: Path | None = None) -> "Tokenizer":
    """The body's tokenizer, without padding and without cutting off.

    Raises:
        AssetError: It can be neither found nor fetched.
    """
    from tokenizers import Tokenizer

    folder = folder or fetch_bundle(BUNDLE)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


@cache
def shared_body() -> "BertModel":
    """The frozen body, loaded once in a process; nobody changes its tensors.

    Raises:
        AssetError: It can be neither found nor fetched.
    """
    from safetensors.torch import load_file
    from transformers import BertConfig
    from transformers.models.bert.modeling_bert import BertModel

    folder = fetch_bundle(BUNDLE)
    config = BertConfig.from_pretrained(folder, attn_implementation="sdpa")
    with torch.device("meta"):
        body: Any = BertModel(config, add_pooling_layer=False)
    state = load_file(folder / "model.safetensors")
    positions = torch.arange(config.max_position_embeddings).expand(1, -1)
    body.embeddings.position_ids = positions  # buffers that are in no file
    body.embeddings.token_type_ids = torch.zeros_like(positions)
    body.load_state_dict({k: v for k, v in state.items() if k in body.state_dict()}, assign=True)
    return body.eval().requires_grad_(False)


class Encoder(nn.Module):
    """The body with low-rank adapters.

    The adapters are this module's own; the body's tensors are shared with every other encoder
    of the process, take no gradient, and are not shipped.

    Args:
        rank: Rank of the adapters.
        scale: Factor on their corrections.
    """

    def __init__(self, rank: int = 16, scale: float = 2.0) -> None:
        super().__init__()
        original = shared_body()
        tensors = [*original.parameters(), *original.buffers()]
        # The memo makes a copy of the modules that keeps the very same tensors.
        self.body: Any = copy.deepcopy(original, {id(tensor): tensor for tensor in tensors})
        add_lora(self.body.encoder, rank, scale, ADAPTED)
        self.body.embeddings.requires_grad_(False)

    def embed(self, ids: Tensor) -> Tensor:
        """Word embeddings, without positions: ids (B, T) to (B, T, 384)."""
        return self.body.embeddings.word_embeddings(ids)

    def forward(self, e: Tensor, mask: Tensor) -> Tensor:
        """Contextual states (B, T, 384) of embeddings (B, T, 384) and a 0/1 mask (B, T)."""
        return self.body(inputs_embeds=e, attention_mask=mask).last_hidden_state


def own_state(net: nn.Module) -> dict[str, Tensor]:
    """The tensors that differ from the pretrained body: adapters and head."""
    return {
        name: tensor
        for name, tensor in net.state_dict().items()
        if "body." not in name or name.endswith((".down", ".up"))
    }


def average(states: Tensor, mask: Tensor) -> Tensor:
    """Mean over the tokens that the mask keeps: (B, T, D) and (B, T) to (B, D)."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


class SentenceClassifier(nn.Module):
    """Logits for a text: encoder, mean over tokens, a small head.

    Args:
        classes: Number of logits.
        rank: Rank of the adapters.
        dropout: Before each layer of the head, in training.
    """

    def __init__(self, classes: int, rank: int = 16, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = Encoder(rank)
        self.head = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(WIDTH, WIDTH),
            nn.Tanh(),
            nn.Dropout(dropout),
            nn.Linear(WIDTH, classes),
        )

    def embed(self, ids: Tensor) -> Tensor:
        """Word embeddings, without positions: ids (B, T) to (B, T, 384)."""
        return self.encoder.embed(ids)

    def shipped_state(self) -> dict[str, Tensor]:
        """What the repository holds of this network."""
        return own_state(self)

    def from_embeddings(self, e: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, classes) of embeddings (B, T, 384) and a 0/1 mask (B, T)."""
        return self.head(average(self.encoder(e, mask), mask))

    def forward(self, ids: Tensor) -> Tensor:
        """Logits (B, classes) of ids (B, T), padded with 0."""
        return self.from_embeddings(self.embed(ids), (ids != PAD).long())
