"""A network for table rows that sees each number through sines and cosines."""

import math

import torch
from torch import Tensor, nn


class PeriodicEmbedding(nn.Module):
    """Give each column its own little vector of learned waves.

    A plain layer sees a column as one direction; thresholds such as "28 days ago" then need many
    units. Waves of several lengths make them easy.

    Paper: Gorishniy, Rubachev, Babenko 2022, https://arxiv.org/abs/2203.05556

    Args:
        columns: Number of columns F.
        waves: Frequencies a column.
        width: Length D of a column's vector.
        spread: Standard deviation of the initial frequencies, in waves per unit.
    """

    def __init__(self, columns: int, waves: int = 8, width: int = 8, spread: float = 0.3) -> None:
        super().__init__()
        self.frequency = nn.Parameter(spread * torch.randn(columns, waves))
        self.weight = nn.Parameter(torch.randn(columns, 2 * waves, width) / math.sqrt(2 * waves))
        self.bias = nn.Parameter(torch.zeros(columns, width))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, F) to (B, F, D)."""
        phase = 2 * math.pi * x.unsqueeze(-1) * self.frequency
        waves = torch.cat([phase.sin(), phase.cos()], dim=-1)  # (B, F, 2 * waves)
        return torch.relu(torch.einsum("bfk,fkd->bfd", waves, self.weight) + self.bias)


class PeriodicMLP(nn.Module):
    """Two hidden layers on the columns and their waves; answers yes or no.

    Args:
        columns: Number of columns F of a standardised row.
        hidden: Units of each hidden layer.
        dropout: Share of units left out while training.
    """

    def __init__(self, columns: int, hidden: int = 192, dropout: float = 0.1) -> None:
        super().__init__()
        self.embed = PeriodicEmbedding(columns)
        width = columns * (1 + self.embed.bias.shape[1])
        self.body = nn.Sequential(
            nn.Linear(width, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, 1),
        )

    def score(self, x: Tensor) -> Tensor:
        """Log-odds of yes, shape (B,), for rows (B, F)."""
        return self.body(torch.cat([x, self.embed(x).flatten(1)], dim=1)).squeeze(1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, 2) of no and yes, which sum to zero so that both have one explanation."""
        score = self.score(x)
        return torch.stack([-score / 2, score / 2], dim=1)


class PeriodicEnsemble(nn.Module):
    """Several such networks whose log-odds are averaged; they differ in their first weights.

    Args:
        columns: Number of columns F of a standardised row.
        members: Number of networks.
        hidden: Units of each hidden layer.
        dropout: Share of units left out while training.
    """

    def __init__(
        self, columns: int, members: int = 3, hidden: int = 192, dropout: float = 0.15
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(PeriodicMLP(columns, hidden, dropout) for _ in range(members))

    def each(self, x: Tensor) -> Tensor:
        """Logits of every member, shape (members, B, 2): each learns by itself."""
        return torch.stack([member(x) for member in self.members])

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, 2) of no and yes, which sum to zero."""
        return self.each(x).mean(dim=0)
