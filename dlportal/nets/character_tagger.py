"""Names in Chinese text, character by character: two LSTMs, one in each direction, and a chain.

Papers: Lample et al. 2016, https://aclanthology.org/N16-1030/ (LSTM and CRF for names);
Peters et al. 2017, https://aclanthology.org/P17-1161/ (both directions first learn as language
models from text without tags); Ma et al. 2020, https://aclanthology.org/2020.acl-main.528/ (what
lists of words say of each character).
Input are Unicode code points: 0 is padding, 1 hides a character.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from dlportal.nets.crf import LinearChain

PAD, MASK = 0, 1  # code points that no text has
NO, UNKNOWN, HIDDEN, FIRST = 0, 1, 2, 3  # rows of the table; known characters begin at FIRST
LISTED = 8  # characters of a listed name, at most
PLACES = 3  # a character begins, continues or ends a listed name
PRIME = 1_000_003
STEP = 1 << 16  # a pair's number: row of the first character times this, plus row of the second


class Direction(nn.Module):
    """An LSTM that reads from the left, or from the right of each text."""

    def __init__(self, inputs: int, hidden: int, reverse: bool) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, hidden, batch_first=True)
        self.reverse = reverse

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, inputs) to (B, T, hidden); what is padding on the right is never read first."""
        if not self.reverse:
            return self.lstm(x)[0]
        order = turned(mask)
        turned_x = x.gather(1, order.unsqueeze(2).expand_as(x))
        h = self.lstm(turned_x)[0]
        return h.gather(1, order.unsqueeze(2).expand_as(h))


def turned(mask: Tensor) -> Tensor:
    """Places (B, T) that turn each text around and leave its padding where it is."""
    place = torch.arange(mask.shape[1], device=mask.device).expand_as(mask)
    length = mask.long().sum(dim=1, keepdim=True)
    return torch.where(place < length, length - 1 - place, place)


class CharacterTagger(nn.Module):
    """Emissions for each character; `chain` turns them into tags.

    Args:
        characters: Sorted code points (C,) that have an embedding.
        pairs: Sorted numbers (P,) of the pairs of neighbours that have one.
        flags: What is known about each character, (C, F), 0 or 1.
        listed: Sorted numbers (N,) of names that a list holds (see `word_numbers`).
        listed_types: Of which types they are, (N, types), 0 or 1.
        chain: The tags' chain.
        width: Of a character's embedding.
        pair_width: Of a pair's embedding.
        hidden: Of each direction, first layer.
        upper: Of each direction, second layer.
        dropout: Of embeddings and between layers, in training.
    """

    characters: Tensor
    pairs: Tensor
    flags: Tensor
    listed: Tensor
    listed_types: Tensor

    def __init__(
        self,
        characters: Tensor,
        pairs: Tensor,
        flags: Tensor,
        listed: Tensor,
        listed_types: Tensor,
        chain: LinearChain,
        width: int = 96,
        pair_width: int = 32,
        hidden: int = 192,
        upper: int = 96,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.register_buffer("characters", characters)
        self.register_buffer("pairs", pairs)
        self.register_buffer("flags", flags.to(torch.uint8))
        self.register_buffer("listed", listed)
        self.register_buffer("listed_types", listed_types.to(torch.uint8))
        self.width, self.pair_width = width, pair_width
        self.table = nn.Embedding(FIRST + len(characters), width)
        self.pair_table = nn.Embedding(1 + len(pairs), pair_width)
        self.known = nn.Linear(flags.shape[1], width, bias=False)
        for layer in (self.table, self.pair_table):
            nn.init.normal_(layer.weight, std=0.1)
        both = width + pair_width
        self.right = Direction(both, hidden, reverse=False)
        self.left = Direction(both, hidden, reverse=True)
        known = 2 * hidden + PLACES * listed_types.shape[1]
        self.upper_right = Direction(known, upper, reverse=False)
        self.upper_left = Direction(known, upper, reverse=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * upper, len(chain.first))
        self.chain = chain

    def rows(self, x: Tensor) -> Tensor:
        """Rows of the table for code points (B, T): padding, unknown, hidden, or a character."""
        place = torch.searchsorted(self.characters, x).clamp(max=len(self.characters) - 1)
        known = self.characters[place] == x
        other = torch.where(x == PAD, NO, torch.where(x == MASK, HIDDEN, UNKNOWN))
        return torch.where(known, place + FIRST, other)

    def pair_rows(self, rows: Tensor) -> Tensor:
        """Row of the pair that ends at each place, (B, T); 0 where it is none of the known."""
        number = pair_numbers(rows)
        place = torch.searchsorted(self.pairs, number).clamp(max=len(self.pairs) - 1)
        return torch.where(self.pairs[place] == number, place + 1, 0)

    def listed_marks(self, x: Tensor) -> Tensor:
        """Whether each character begins, continues or ends a listed name, by type:
        (B, T, 3 * types) of 0 and 1, for code points (B, T)."""
        count, types = x.shape[1], self.listed_types.shape[1]
        out = torch.zeros(*x.shape, PLACES, types, device=x.device)
        for size in range(2, min(LISTED, count) + 1):
            number = word_numbers(x, size)
            place = torch.searchsorted(self.listed, number).clamp(max=len(self.listed) - 1)
            known = (self.listed[place] == number).unsqueeze(2)
            hit = self.listed_types[place].to(out.dtype) * known  # (B, T - size + 1, types)
            for shift in range(size):
                part = 0 if shift == 0 else 2 if shift == size - 1 else 1
                seen = out[:, shift : shift + hit.shape[1], part]
                torch.maximum(seen, hit, out=seen)
        return out.flatten(2)

    def embed(self, x: Tensor) -> Tensor:
        """Embeddings (B, T, D) of code points (B, T): the character, the pair that ends with it,
        and what the lists say."""
        rows = self.rows(x)
        flags = nn.functional.pad(self.flags.to(self.known.weight.dtype), (0, 0, FIRST, 0))
        character = self.table(rows) + self.known(flags[rows])
        pairs = self.pair_rows(rows)
        pair = self.pair_table(pairs) * (pairs > 0).unsqueeze(2)
        return torch.cat([character, pair, self.listed_marks(x)], dim=2)

    def split(self, e: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Characters, pairs and what the lists say, of embeddings (..., D)."""
        rest = e.shape[-1] - self.width - self.pair_width
        character, pair, marks = e.split([self.width, self.pair_width, rest], dim=-1)
        return character, pair, marks

    def sides(self, e: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """What lies to the left of each place, itself included, and to its right: (B, T, hidden)
        each. Neither has seen the other side, so that both can learn to say what comes next."""
        character, pair, _marks = self.split(e)
        later = torch.cat([pair[:, 1:], torch.zeros_like(pair[:, :1])], dim=1)
        ahead = self.right(self.dropout(torch.cat([character, pair], dim=2)), mask)
        return ahead, self.left(self.dropout(torch.cat([character, later], dim=2)), mask)

    def states(self, e: Tensor, mask: Tensor) -> Tensor:
        """What is known about each place, (B, T, 2 * upper)."""
        read = self.dropout(torch.cat(self.sides(e, mask), dim=2))
        h = torch.cat([read, self.split(e)[2].to(read.dtype)], dim=2)
        h = torch.cat([self.upper_right(h, mask), self.upper_left(h, mask)], dim=2)
        return self.dropout(h)

    def from_embeddings(self, e: Tensor, mask: Tensor) -> Tensor:
        """Emissions (B, T, K) of embeddings and a 0/1 mask (B, T)."""
        return self.head(self.states(e, mask))

    def forward(self, x: Tensor) -> Tensor:
        """Emissions (B, T, K) of code points (B, T), padded with 0."""
        return self.from_embeddings(self.embed(x), (x != PAD).long())


def pair_numbers(rows: Tensor) -> Tensor:
    """A number for the two characters that end at each place of (B, T) rows; -1 where there are
    no two known ones."""
    before = nn.functional.pad(rows, (1, 0))[:, :-1]
    return torch.where((rows >= FIRST) & (before >= FIRST), before * STEP + rows, -1)


def word_numbers(x: Tensor, size: int) -> Tensor:
    """A number for the `size` characters that begin at each place of (B, T) code points,
    (B, T - size + 1). Different words hardly ever have the same."""
    count = x.shape[1] - size + 1
    number = torch.full_like(x[:, :count], size)
    for shift in range(size):
        number = number * PRIME + x[:, shift : shift + count]  # int64 wraps around
    return number


def known_characters(texts: Iterable[Sequence[int]], least: int) -> Tensor:
    """Sorted code points that occur `least` times or more."""
    count = Counter(c for text in texts for c in text)
    return torch.tensor(sorted(c for c, n in count.items() if n >= least))


def known_pairs(texts: Iterable[Sequence[int]], characters: Tensor, most: int) -> Tensor:
    """Sorted numbers of the `most` commonest pairs of known characters."""
    row = {c: FIRST + i for i, c in enumerate(characters.tolist())}
    count: Counter[int] = Counter()
    for text in texts:
        found = [row.get(c, 0) for c in text]
        count.update(a * STEP + b for a, b in pairwise(found) if a and b)
    return torch.tensor(sorted(number for number, _n in count.most_common(most)))
