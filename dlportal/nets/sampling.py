"""Choosing the next token: temperature, top-k and top-p.

Top-k: Fan et al. 2018, https://arxiv.org/abs/1805.04833
Top-p (nucleus): Holtzman et al. 2019, https://arxiv.org/abs/1904.09751
"""

import torch
from torch import Tensor


def candidates(
    logits: Tensor, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> tuple[Tensor, Tensor]:
    """The tokens that may come next once the knobs have cut off the rest.

    The order is the usual one: temperature, then top-k, then top-p on what is left.

    Args:
        logits: Shape (vocabulary,).
        temperature: Divides the logits; 0 leaves the best token alone.
        top_k: How many tokens may stay; 0 keeps all.
        top_p: Keep the most likely tokens until their probabilities reach this sum.

    Returns:
        Ids and probabilities (which sum to 1), best first, both of shape (kept,).
    """
    if temperature <= 0:
        return logits.argmax().view(1), logits.new_ones(1)
    count = min(top_k, len(logits)) if top_k > 0 else len(logits)
    best = logits.topk(count)
    p = torch.softmax(best.values / temperature, dim=-1)
    if top_p < 1.0:
        # A token stays while those before it have not reached top_p, so one always stays.
        before = p.cumsum(dim=-1) - p
        p = p[: max(1, int((before < top_p).sum()))]
        p = p / p.sum()
    return best.indices[: len(p)], p


def draw(ids: Tensor, p: Tensor, generator: torch.Generator) -> int:
    """Draw one of `ids` with probabilities `p`."""
    if len(ids) == 1:
        return int(ids[0])
    return int(ids[torch.multinomial(p, 1, generator=generator)])
