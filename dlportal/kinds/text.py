"""Text cases on encoders of the BERT family: word parts, masking, embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from dlportal.case import Case, Example, check_length
from dlportal.explain.base import Differentiable
from dlportal.messages import N_, InputError
from dlportal.results import Label

WRITTEN = N_("Written for this portal")


class TextNet(Protocol):
    """What a text network offers: ids in, or embeddings in."""

    def embed(self, ids: Tensor) -> Tensor:
        """Word embeddings (without positions), (B, T) ids to (B, T, D)."""
        ...

    def from_embeddings(self, e: Tensor, mask: Tensor) -> Tensor:
        """Logits from (B, T, D) embeddings and a (B, T) attention mask."""
        ...


def written(rows: Sequence[tuple[str, str, str, str, str]]) -> list[Example[str]]:
    """Examples of ours from rows of id, text, name in both languages, and truth ("" for none)."""
    return [
        Example(i, Label(i, en, zh), lambda text=text: text, WRITTEN, truth)  # type: ignore[misc]
        for i, text, en, zh, truth in rows
    ]


@dataclass(frozen=True)
class WordMasker:
    """Hides words of one text behind the mask token.

    `ids` has shape (1, T); `word_of` names the word of each position, -1 for special tokens.
    """

    ids: Tensor
    word_of: Tensor
    mask_id: int
    parts: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.parts),)

    def render(self, keep: Tensor) -> Tensor:
        padded = torch.cat([keep, torch.ones(len(keep), 1)], dim=1)  # index -1: always kept
        kept = padded[:, self.word_of] > 0.5  # (M, T)
        return torch.where(kept.to(self.ids.device), self.ids, self.mask_id)


class TextCase(Case[str]):
    """A case whose input is one text, tokenised by a `tokenizers.Tokenizer`.

    `encode` gives ids, shape (1, T); padding is `pad_id`; the net derives its attention mask.
    """

    kind = "text"
    tokenizer: Any
    pad_id: int
    mask_id: int
    longest: int = 256  # tokens, special ones included

    def check(self, raw: str) -> None:
        if not isinstance(raw, str):
            raise InputError(N_("This is not a text. Type a sentence."))
        check_length(raw, self.card.limits.characters)
        n = len(self.tokenizer.encode(raw).ids)
        if n > self.longest:
            raise InputError(
                N_("The text has {n} tokens; the model reads {limit}. Shorten it."),
                n=n,
                limit=self.longest,
            )

    def read(self, given: str) -> str:
        return given

    def encode(self, raw: str) -> Tensor:
        return torch.tensor([self.tokenizer.encode(raw).ids])

    def collate(self, xs: Sequence[Tensor]) -> Tensor:
        longest = max(x.shape[1] for x in xs)
        out = torch.full((len(xs), longest), self.pad_id)
        for row, x in zip(out, xs, strict=True):
            row[: x.shape[1]] = x[0]
        return out

    def words(self, raw: str) -> tuple[list[str], list[int]]:
        """Words as written, and for each token the index of its word (-1: special)."""
        encoding = self.tokenizer.encode(raw)
        word_of = [-1 if w is None else w for w in encoding.word_ids]
        spans: dict[int, tuple[int, int]] = {}
        for word, (start, end) in zip(word_of, encoding.offsets, strict=True):
            if word >= 0:
                low, high = spans.get(word, (start, end))
                spans[word] = (min(low, start), max(high, end))
        return [raw[slice(*spans[w])] for w in sorted(spans)], word_of

    def masker(self, raw: str) -> WordMasker:
        words, word_of = self.words(raw)
        ids = self.encode(raw).to(self.device)
        return WordMasker(ids, torch.tensor(word_of), self.mask_id, tuple(words))

    def differentiable(self, raw: str) -> Differentiable:
        words, word_of = self.words(raw)
        ids = self.encode(raw).to(self.device)
        positions = torch.tensor(word_of)
        special = (positions < 0).to(ids.device)
        net: Any = self.net
        with torch.no_grad():
            x = net.embed(ids)
            baseline = net.embed(torch.where(special, ids, self.mask_id))
        mask = torch.ones_like(ids)

        def forward(e: Tensor) -> Tensor:
            return net.from_embeddings(e, mask.expand(len(e), -1))

        def reduce(attribution: Tensor) -> np.ndarray:
            scores = attribution[0].sum(dim=-1).float().cpu()  # (T,)
            out = torch.zeros(len(words))
            out.index_add_(0, positions[positions >= 0], scores[positions >= 0])
            return out.numpy()

        return Differentiable(x, baseline, forward, reduce)

    def literal(self, raw: str) -> str:
        return repr(raw)
