"""A language model that is asked a question about a text, and answers with one of a few words.

The text is set into a template, and the model's own logits of the words that may come next are
the classes' logits (Gao et al. 2021, https://arxiv.org/abs/2012.15723). So it starts with what it
learned about language rather than with a head of random numbers: SmolLM2-135M tells 83 % of film
reviews apart before any training.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dlportal.assets.smollm2 import smollm2_dir
from dlportal.device import autocast

PAD = 0  # SmolLM2's end-of-text, which occurs in no prompt


class Reader(nn.Module):
    """SmolLM2-135M, asked for one of a few words; all but its embeddings can be tuned.

    Args:
        template: The question, with `{text}` in it.
        words: One a class, each the first token of what the model would write.

    Raises:
        AssetError: SmolLM2 can be neither found nor fetched.
        ValueError: Two words begin with the same token.
    """

    words: Tensor

    def __init__(self, template: str, words: Sequence[str]) -> None:
        super().__init__()
        from tokenizers import Tokenizer
        from transformers import AutoModelForCausalLM

        folder = smollm2_dir()
        self.template = template
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # Small steps would be lost in bf16 weights.
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        self.body = model.model
        self.body.embed_tokens.requires_grad_(False)
        first = [self.tokenizer.encode(word).ids[0] for word in words]
        if len(set(first)) < len(words):
            raise ValueError(f"two of {', '.join(words)} begin with the same token")
        self.register_buffer(
            "words", model.lm_head.weight[first].detach().clone(), persistent=False
        )

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of the question about each text."""
        asked = [self.template.format(text=text) for text in texts]
        return [encoding.ids for encoding in self.tokenizer.encode_batch(asked)]

    def forward(self, ids: Tensor) -> Tensor:
        """Logits (B, classes), float32, of ids (B, T), padded with 0 on the right."""
        mask = (ids != PAD).long()
        with autocast():  # also where nothing is trained: twice as fast
            states = self.body(ids, attention_mask=mask, use_cache=False).last_hidden_state
        last = states[torch.arange(len(ids), device=ids.device), mask.sum(dim=1) - 1]
        return last.float() @ self.words.T
