"""Learning to read: which character comes next, and which came before.

Papers: Bengio et al. 2003, https://www.jmlr.org/papers/v3/bengio03a.html (language models);
Peters et al. 2017, https://aclanthology.org/P17-1161/ (in both directions, for names).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.nets.character_tagger import PAD, UNKNOWN, CharacterTagger


class TwoWay(nn.Module):
    """A character tagger's lower part as two language models.

    The right-reading LSTM says the next character, the left-reading one the character before. To
    choose from are the characters of the batch, some hundreds instead of thousands: a fifth of
    the work. The characters' own embeddings tell them apart.

    Args:
        tagger: Its tables and its first LSTMs learn.
    """

    def __init__(self, tagger: CharacterTagger) -> None:
        super().__init__()
        self.tagger = tagger
        hidden = tagger.right.lstm.hidden_size
        self.after = nn.Linear(hidden, tagger.width)
        self.before = nn.Linear(hidden, tagger.width)
        self.common = nn.Parameter(torch.zeros(tagger.table.num_embeddings))

    def forward(self, x: Tensor) -> Tensor:
        """Mean cross-entropy in nats a character, of code points (B, T) padded with 0."""
        mask = (x != PAD).long()
        rows = self.tagger.rows(x)
        choice, target = rows.unique(return_inverse=True)
        right, left = self.tagger.sides(self.tagger.embed(x), mask)
        pair = mask[:, 1:].bool()  # both places of a pair of neighbours are there
        ahead = pair & (rows[:, 1:] != UNKNOWN)
        back = pair & (rows[:, :-1] != UNKNOWN)
        told = (
            (self.after(right[:, :-1][ahead]), target[:, 1:][ahead]),
            (self.before(left[:, 1:][back]), target[:, :-1][back]),
        )
        table, common = self.tagger.table.weight[choice], self.common[choice]
        losses = [
            F.cross_entropy((self.tagger.dropout(h) @ table.T + common).float(), to)
            for h, to in told
        ]
        return torch.stack(losses).mean()
