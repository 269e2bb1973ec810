"""The English reader: MiniLM's states of question and paragraph, frozen, and a reader of its own.

Question and paragraph go through the frozen body each for itself, as DeFormer's lower layers do
(Cao et al. 2020, https://arxiv.org/abs/2005.00697), so that a training needs them only once; what
joins them is the small reader. It sees the mean of three layers, as the middle ones know better than
the last how words stand in their sentence (Peters et al. 2018, https://arxiv.org/abs/1802.05365),
and the last one where sentences are compared with the question, which is what this body was
trained for.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.kinds.passage_en import ASKED, SHAPES
from dlportal.nets.minilm import MASK, PAD, WIDTH, shared_body
from dlportal.nets.passage_match import (
    CODE,
    OPENING,
    PARAGRAPH,
    PART,
    QUESTION,
    SENTENCE,
    SHAPE,
    STEM,
    UNIT,
    question_columns,
    question_length,
    same,
)
from dlportal.nets.passage_reader import PassageReader, clues_of

LAYERS = (2, 4, 6)  # whose states are mixed; layer 6 is the last
MEMBERS = 2  # readers that differ in their start and in what they forget; their scores' mean counts
VECTOR, STATES, LONGEST = 96, 80, 24
DILATIONS = (1, 2, 4)
FORGOTTEN = 0.15  # share of question words without a match, and of words without a vector: training
STEM_COUNTS = 0.7  # how much a match of stems counts beside one of words
ALIKE, ALIKE_INSIDE = 0.3, 0.35  # cosines of words, before and in context, from which on they count


class EnglishReader(nn.Module):
    """Scores (B, T, 24) of all spans of up to 24 word parts; [0, 0] is "no answer".

    Args:
        rarity: How much a word part's match counts, by MiniLM's id, in [0, 1].
        asks: Which question word an id is, from 1; 0 for all others.
        dropout: In training.
    """

    rarity: Tensor
    asks: Tensor
    longest = LONGEST

    def __init__(self, rarity: Tensor, asks: Tensor, dropout: float = 0.3) -> None:
        super().__init__()
        self.register_buffer("rarity", rarity)
        self.register_buffer("asks", asks, persistent=False)
        self.body: Any = shared_body()
        self.projects = nn.ModuleList(nn.Linear(WIDTH, VECTOR) for _ in range(MEMBERS))
        sizes = VECTOR, STATES, len(SHAPES), len(ASKED), 3, 1, LONGEST, 2
        self.readers = nn.ModuleList(
            PassageReader(*sizes, dropout, DILATIONS) for _ in range(MEMBERS)
        )

    def shipped_state(self) -> dict[str, Tensor]:
        """What the repository holds of this network: everything but MiniLM."""
        return {k: v for k, v in self.state_dict().items() if not k.startswith("body.")}

    def embed(self, x: Tensor) -> Tensor:
        """What gradients can follow, (B, T, D): embeddings, matches, shapes, question words."""
        code = x[..., CODE]
        known = torch.where(code > MASK, code, 0)
        matches = torch.maximum(same(known, x).float(), STEM_COUNTS * same(x[..., STEM], x))
        shapes = F.one_hot(x[..., SHAPE], len(SHAPES)).float()
        asks = torch.where(x[..., PART] == QUESTION, self.asks[code], 0)
        asked = F.one_hot(asks, len(ASKED) + 1)[..., 1:].float()
        words = self.body.embeddings.word_embeddings(code)
        return torch.cat([words, matches, shapes, asked], dim=-1)

    def from_embeddings(self, e: Tensor, x: Tensor) -> Tensor:
        """Scores of `embed`'s output; `x` tells where question, words and sentences are."""
        return self.read(e, encode_apart(self.body, e[..., :WIDTH], x), x)

    def read(self, e: Tensor, states: Tensor, x: Tensor) -> Tensor:
        """Scores of `embed`'s output and MiniLM's states (B, T, 2, 384): mean of layers, last."""
        return torch.stack(self.votes(e, states, x)).mean(dim=0)

    def votes(self, e: Tensor, states: Tensor, x: Tensor) -> list[Tensor]:
        """Every member's scores."""
        embeddings, equal, shapes, asks = e.split(
            [WIDTH, question_length(x), len(SHAPES), len(ASKED)], dim=-1
        )
        mixed, final = states.to(embeddings.dtype).unbind(dim=2)
        theirs = question_columns(x[..., CODE], x, nothing=PAD)
        weights = torch.where(theirs > MASK, self.rarity[theirs], 0.0)
        if self.training:  # a match of some words has to be enough
            known = torch.rand(weights.shape, device=x.device) >= FORGOTTEN
            weights, equal = weights * known, equal * known.unsqueeze(1)
        close = alike(embeddings, weights, x, ALIKE)
        meant = alike(mixed, weights, x, ALIKE_INSIDE)
        word = x[..., UNIT]
        inside = x[..., PART] == PARAGRAPH
        first = inside & (word != F.pad(word, (1, 0), value=-1)[:, :-1])
        last = inside & (word != F.pad(word, (0, 1), value=-1)[:, 1:])
        matches = [equal, torch.maximum(equal, close), torch.maximum(equal, meant)]
        clues = clues_of(matches, weights, x, [x[..., SENTENCE]])
        clues = torch.cat([clues, sentence_likeness(final, x)], dim=-1)
        asked, votes = asks.amax(dim=1), []
        for project, reader in zip(self.projects, self.readers, strict=True):
            words = F.gelu(project(mixed))
            if self.training:
                words = words * (torch.rand(*words.shape[:2], 1, device=x.device) >= FORGOTTEN)
            votes.append(reader(words, clues, shapes, asked, x, (first, last)))
        return votes

    def forward(self, x: Tensor) -> Tensor:
        """Scores (B, T, 24) of the input (B, T, 6)."""
        return self.from_embeddings(self.embed(x), x)


def alike(vectors: Tensor, weights: Tensor, x: Tensor, least: float) -> Tensor:
    """How alike words and question words are, (B, T, Q), in [0, 1]; cosines from `least` on."""
    unit = F.normalize(vectors.float(), dim=-1)
    theirs = unit[:, 1 : question_length(x) + 1]
    inside = (x[..., PART] == PARAGRAPH).unsqueeze(-1) & (weights > 0).unsqueeze(1)
    cosine = torch.einsum("btd,bqd->btq", unit, theirs)
    return ((cosine - least) / (1 - least)).clamp(0, 1) * inside


def sentence_likeness(final: Tensor, x: Tensor) -> Tensor:
    """How alike each token's sentence and the question are, and how far from the best, (B, T, 2)."""
    final, part = final.float(), x[..., PART]
    question = (final * (part == QUESTION).unsqueeze(-1)).sum(dim=1)
    inside = part == PARAGRAPH
    sentence = torch.where(inside, x[..., SENTENCE], 0).clamp(min=0)
    member = F.one_hot(sentence, int(sentence.max()) + 1) * inside.unsqueeze(-1)  # (B, T, S)
    sums = torch.einsum("bts,btd->bsd", member.float(), final)
    cosine = F.cosine_similarity(sums, question.unsqueeze(1), dim=-1)  # (B, S)
    best = cosine.amax(dim=1, keepdim=True)
    each = torch.stack([cosine, cosine - best], dim=-1)
    return torch.einsum("bts,bsk->btk", member.float(), each)


def encode_apart(body: Any, words: Tensor, x: Tensor) -> Tensor:
    """MiniLM's states (B, T, 2, 384), question and paragraph blind to each other.

    Both begin with a start sign and end with a separator; the paragraph's positions begin anew.
    """
    second = x[..., CODE].new_zeros(x.shape[:2])
    second[:, 1:] = (x[:, 1:, PART] == OPENING).long()
    block = second.cumsum(dim=1)  # 0 for the question's part, 1 for the paragraph's
    kept = x[..., CODE] != PAD
    seen = (block.unsqueeze(1) == block.unsqueeze(2)) & kept.unsqueeze(1)  # (B, T, T)
    places = torch.arange(x.shape[1], device=x.device).expand(len(x), -1)
    start = (places * second).amax(dim=1, keepdim=True)
    places = torch.where(block == 1, places - start, places).clamp(max=511)
    found = body(
        inputs_embeds=words,
        attention_mask=seen.unsqueeze(1),
        position_ids=places,
        output_hidden_states=True,
    ).hidden_states
    return mixed_and_last(found)


def mixed_and_last(found: Sequence[Tensor]) -> Tensor:
    """The mean of three layers' states, each scaled to unit variance, and the last layer's:
    (B, T, 2, 384)."""
    scaled = torch.stack([F.layer_norm(found[layer], (WIDTH,)) for layer in LAYERS])
    return torch.stack([scaled.mean(dim=0), found[-1]], dim=2)
