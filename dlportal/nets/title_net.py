"""A small network for short Chinese texts: characters, the pairs, threes and fours they form.

Papers: Joulin et al. 2017, https://aclanthology.org/E17-2068/ (bags of n-grams);
Kim 2014, https://aclanthology.org/D14-1181/ (convolution over words, largest value over time);
Lakshminarayanan et al. 2017, https://arxiv.org/abs/1612.01474 (several networks that vote);
Cheng et al. 2016, https://arxiv.org/abs/1606.07792 (a linear model beside deep ones).
Input are Unicode code points, so that no vocabulary lies beside the weights: 0 is padding, 1 hides
a character.
"""

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

PAD, MASK = 0, 1  # code points that no text has
NO, UNKNOWN, HIDDEN, FIRST = 0, 1, 2, 3  # rows of the table; the known characters begin at FIRST
BITS = 12  # of a character's row in the number of an n-gram: 4,096 rows at most
LONGEST = 4  # characters of an n-gram
AT_ONCE = 256  # texts that are counted together


class TitleNet(nn.Module):
    """Logits of several small networks that see the same n-grams, and of a linear model beside them.

    Each member has an embedding for every n-gram, adds up those of a text, looks at three
    neighbouring places with one convolution, and votes. Members share nothing but the list of
    n-grams; they lie side by side in the same tensors, so that one pass runs them all. The linear
    model's weights are the table's last columns; it errs otherwise than the members do. Their mean
    and the linear model's logits, already scaled, are added.

    Args:
        characters: Sorted code points (C,) that have an embedding.
        grams: Sorted numbers (G,) of the n-grams of two to four known characters that have one.
        classes: Number of logits, K.
        members: How many networks vote, M.
        width: Of a member's embeddings, D.
        dropout: Before the last layer, in training.
    """

    characters: Tensor
    grams: Tensor

    def __init__(
        self,
        characters: Tensor,
        grams: Tensor,
        classes: int,
        members: int = 10,
        width: int = 14,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if len(characters) + FIRST >= 1 << BITS:
            raise ValueError(f"{len(characters)} characters; at most {(1 << BITS) - FIRST - 1}")
        self.register_buffer("characters", characters)
        self.register_buffer("grams", grams)
        self.classes, self.members, self.width = classes, members, width
        both = members * width
        self.table = nn.Embedding(FIRST + len(characters) + len(grams), both + classes)
        # What is seen two or three times hardly moves: a wide start would stay as noise.
        nn.init.normal_(self.table.weight, std=0.03)
        self.bias = nn.Parameter(torch.zeros(classes))  # of the linear model
        self.set_linear(torch.zeros(len(self.table.weight), classes), self.bias)
        self.convolution = nn.Conv1d(both, both, 3, padding=1, groups=members)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Conv1d(3 * both, classes * members, 1, groups=members)

    def rows(self, x: Tensor) -> Tensor:
        """Rows of the table for code points (B, T): padding, unknown, hidden, or a character."""
        place = torch.searchsorted(self.characters, x).clamp(max=len(self.characters) - 1)
        known = self.characters[place] == x
        other = torch.where(x == PAD, NO, torch.where(x == MASK, HIDDEN, UNKNOWN))
        return torch.where(known, place + FIRST, other)

    def gram_rows(self, x: Tensor) -> Tensor:
        """Rows (B, T, 4) of the character and of the 2-, 3- and 4-gram that end at each place.

        0 (`NO`) stands where there is none or it is not in the table.
        """
        rows = self.rows(x)
        found = [rows]
        for size in range(2, LONGEST + 1):
            number = gram_numbers(rows, size)
            place = torch.searchsorted(self.grams, number).clamp(max=len(self.grams) - 1)
            known = self.grams[place] == number
            found.append(torch.where(known, place + FIRST + len(self.characters), NO))
        return torch.stack(found, dim=2)

    def embed(self, x: Tensor) -> Tensor:
        """Rows of the table, (B, T, 4 · (M · D + K)), of code points (B, T): of the four n-grams that
        end at each place; zeros where there is none."""
        return self.embed_rows(self.gram_rows(x))

    def embed_rows(self, rows: Tensor) -> Tensor:
        """What stands in rows (B, T, 4) of the table."""
        return (self.table(rows) * (rows != NO).unsqueeze(-1)).flatten(2)

    @torch.no_grad()
    def set_linear(self, weights: Tensor, bias: Tensor) -> None:
        """Set the linear model: weights (rows of the table, K) and bias (K,)."""
        self.table.weight[:, self.members * self.width :] = weights
        self.bias.copy_(bias)

    def unseen(self, e: Tensor, share: float) -> Tensor:
        """Embeddings as the members get them in training: each misses other n-grams."""
        parts = e.unflatten(2, (LONGEST, -1))
        seen = F.dropout(parts.new_ones(*parts.shape[:3], self.members), share)
        seen = seen.repeat_interleave(self.width, dim=3)
        return torch.cat(
            [parts[..., : seen.shape[3]] * seen, parts[..., seen.shape[3] :]], dim=3
        ).flatten(2)

    def votes(self, e: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of each member, (B, M, K), and of the linear model, (B, K).

        Args:
            e: Embeddings (B, T, 4 · (M · D + K)).
            mask: 1 at characters, 0 at padding, (B, T).
        """
        kept = mask.unsqueeze(1).to(e.dtype)  # (B, 1, T)
        x = e.unflatten(2, (LONGEST, -1)).sum(dim=2).transpose(1, 2) * kept
        x, linear = x.split([self.members * self.width, self.classes], dim=1)  # (B, M · D, T)
        h = F.relu(self.convolution(x)) * kept
        length = kept.sum(dim=2).clamp(min=1).sqrt()
        seen = (x.sum(dim=2) / length, h.sum(dim=2) / length, h.amax(dim=2))
        features = torch.cat([f.unflatten(1, (self.members, self.width)) for f in seen], dim=2)
        y = self.head(self.dropout(features).flatten(1).unsqueeze(2))
        counted = linear.sum(dim=2) / length + self.bias
        return y.view(len(e), self.members, self.classes), counted

    def from_embeddings(self, e: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, K) of embeddings (B, T, 4 · (M · D + K)) and a 0/1 mask (B, T)."""
        votes, linear = self.votes(e, mask)
        return votes.mean(dim=1) + linear

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of code points (B, T), padded with 0."""
        return self.from_embeddings(self.embed(x), x != PAD)

    def look(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, K) of code points (B, T), and how many of their pairs, threes and fours are
        known, (B, 3); each n-gram is looked up once."""
        rows = self.gram_rows(x)
        return self.from_embeddings(self.embed_rows(rows), x != PAD), counted(rows)

    def known_grams(self, x: Tensor) -> Tensor:
        """How many of the pairs, threes and fours of (B, T) code points are known, (B, 3)."""
        return counted(self.gram_rows(x))


def counted(rows: Tensor) -> Tensor:
    """How many pairs, threes and fours there are among rows (B, T, 4) of the table, (B, 3)."""
    return (rows[:, :, 1:] != NO).sum(dim=1)


def gram_numbers(rows: Tensor, size: int) -> Tensor:
    """A number for the `size` characters that end at each place of (B, T) rows of the table.

    -1 where one of them is no known character. Numbers of different sizes never meet, because
    no known character has row 0.
    """
    number, known = torch.zeros_like(rows), torch.ones_like(rows, dtype=torch.bool)
    for back in range(size - 1, -1, -1):
        row = F.pad(rows, (back, 0))[:, : rows.shape[1]]
        number = (number << BITS) + row
        known &= row >= FIRST
    return torch.where(known, number, -1)


def bare(characters: Tensor, grams: Tensor) -> TitleNet:
    """A network that only counts."""
    return TitleNet(characters, grams, classes=1, members=1, width=1)


def known_characters(ids: Iterable[Sequence[int]], least: int) -> Tensor:
    """Sorted code points that occur `least` times or more."""
    found, count = torch.tensor([c for row in ids for c in row]).unique(return_counts=True)
    return found[count >= least]


@torch.no_grad()
def known_grams(ids: Sequence[Sequence[int]], characters: Tensor, least: Sequence[int]) -> Tensor:
    """Sorted numbers of the pairs, threes and fours that occur often enough.

    Args:
        ids: Code points of the texts.
        characters: Sorted code points that n-grams may consist of.
        least: How often a pair, a three, a four must occur.
    """
    net = bare(characters, torch.zeros(1, dtype=torch.long))
    points = [torch.tensor(row) for row in ids]
    rows = [
        net.rows(pad_sequence(points[start : start + AT_ONCE], batch_first=True))
        for start in range(0, len(points), AT_ONCE)
    ]
    kept = []
    for size, needed in enumerate(least, start=2):
        numbers = torch.cat([gram_numbers(r, size).flatten() for r in rows])
        found, count = numbers.unique(return_counts=True)
        kept.append(found[(count >= needed) & (found >= 0)])
    return torch.cat(kept).unique()
