"""Training a forecaster for each year on the years before, with a gap between.

The walk is expanding: the network of a year has seen every day from 2000 to two weeks before that
year. The years 2004 to 2008 served to choose the design and the number of epochs, and their
forecasts measure how wide the first intervals must be; from 2009 on every year is a test year.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.data.prices import load_sp500
from dlportal.data.volatility import COLUMNS, Days, compute_days, measure_moves
from dlportal.nets.forecaster import Forecaster, YearlyForecasters
from dlportal.training.events import Run
from dlportal.training.fit import Plan, fit, seed_everything
from dlportal.training.forecast_scores import qlike
from dlportal.training.stock_rivals import scale_to

GAP = 10
"""Trading days between the last one learned from and the first one foreseen."""
CHOICE_YEARS = tuple(range(2004, 2009))
TEST_YEARS = tuple(range(2009, 2019))
INTERVAL_YEARS = 5
"""Years of past forecasts that say how wide an interval must be."""
DRIFT_WEIGHT = 0.1
"""Of the return's loss beside the variance's; both have parameters of their own."""


@dataclass(frozen=True)
class Recipe:
    """How a network is made; a visitor's series gets a smaller one."""

    epochs: int = 20
    batch: int = 256
    members: int = 8
    hidden: int = 24
    dropout: float = 0.1
    rate: float = 5e-3
    weight_decay: float = 0.02


QUICK = Recipe(batch=64, members=3)
"""For a visitor's series, while the visitor waits."""


class Batches:
    """Rows in an order that depends on the epoch alone.

    Args:
        tensors: Each with N rows.
        size: Rows of a batch.
        seed: Of the order.
    """

    def __init__(self, tensors: Sequence[Tensor], size: int, seed: int) -> None:
        self.tensors, self.seed = tensors, seed
        self.size = min(size, len(tensors[0]))

    @property
    def steps_per_epoch(self) -> int:
        return len(self.tensors[0]) // self.size

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, ...]]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = torch.randperm(len(self.tensors[0]), generator=generator)
        for rows in order.split(self.size)[: self.steps_per_epoch]:
            yield tuple(tensor[rows] for tensor in self.tensors)


def forecast_loss(net: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """QLIKE of the variance and squared error of the return, of every member by itself."""
    assert isinstance(net, Forecaster)
    x, log_ratio, move = batch
    h, m = net.each(x)
    gap = log_ratio - h
    return (gap.exp() - gap - 1).mean() + DRIFT_WEIGHT * ((move - m) ** 2).mean()


def past_rows(days: Days, year: int) -> np.ndarray:
    """Places of the rows that the network of a year may learn from, rising.

    Their next day lies before that year, and the last `GAP` of them are left out.
    """
    return np.flatnonzero((days.year < year) & days.known())[:-GAP]


def targets(days: Days) -> tuple[np.ndarray, np.ndarray]:
    """Logarithm of the next variance over the past year's, and the next return over its past
    size; each of shape (N,)."""
    log_ratio = np.log(days.next_variance / days.usual)
    return log_ratio, days.next_return / np.sqrt(days.spread)


def train_on(
    days: Days,
    past: np.ndarray,
    seed: int,
    recipe: Recipe,
    run: Run,
    name: str,
    later: np.ndarray | None = None,
) -> Forecaster:
    """Train a network on the rows `past` and put it on their scale; the last epoch is kept.

    Args:
        days: All days.
        past: Places of the rows to learn from, rising.
        seed: Of weights and batches.
        recipe: How.
        run: Gets the events.
        name: Tells apart the trainings of one run.
        later: Places of validation rows to report the loss on.
    """
    log_ratio, move = targets(days)
    seed_everything(seed)
    net = Forecaster(len(COLUMNS), recipe.members, recipe.hidden, recipe.dropout)
    net.center.copy_(torch.from_numpy(days.x[past].mean(axis=0)))
    net.spread.copy_(torch.from_numpy(days.x[past].std(axis=0) + 1e-6))
    net.offset.fill_(float(np.log(np.mean(np.exp(log_ratio[past])))))
    tensors = [torch.from_numpy(v[past].astype(np.float32)) for v in (days.x, log_ratio, move)]

    def validate(trained: nn.Module) -> dict[str, float]:
        found = {}
        if later is not None:
            y_hat = ask(trained, days.x[later])
            forecast = np.exp(y_hat[:, 1] - y_hat[:, 0])
            found["qlike"] = float(qlike(np.exp(log_ratio[later]), forecast).mean())
        # Grows with every epoch, also after an interruption: so the last one is kept.
        return {**found, "epoch": float(len(run.curve))}

    plan = Plan(
        epochs=recipe.epochs,
        rate=recipe.rate,
        metric="epoch",
        weight_decay=recipe.weight_decay,
        seed=seed,
        bf16=False,  # logarithms of variance need the precision
    )
    fit(net, Batches(tensors, recipe.batch, seed), forecast_loss, validate, plan, run, name=name)
    y_hat = ask(net, days.x[past])
    ratio = np.exp(y_hat[:, 1] - y_hat[:, 0])
    net.offset += float(np.log(scale_to(np.exp(log_ratio[past]), ratio)))
    return net


@torch.inference_mode()
def ask(net: nn.Module, x: np.ndarray) -> np.ndarray:
    """What a `Forecaster` says of many rows (N, F): shape (N, 3), float64."""
    device = next(net.parameters()).device
    return net(torch.from_numpy(x.astype(np.float32)).to(device)).double().cpu().numpy()


@dataclass(frozen=True)
class Intervals:
    """Where 90 % of the past forecasts' outcomes lay: conformal quantiles.

    Paper: Vovk, Gammerman, Shafer 2005, https://doi.org/10.1007/b106715

    Attributes:
        low: 5 % quantile of (return - forecast) / forecast volatility.
        high: 95 % quantile.
        calm: 5 % quantile of realised over forecast variance.
        wild: 95 % quantile.
    """

    low: float
    high: float
    calm: float
    wild: float

    @classmethod
    def measure(cls, miss: np.ndarray, variance: np.ndarray, forecast: np.ndarray) -> Intervals:
        """From past days: return minus forecast, realised and forecast variance; shape (N,)."""
        ends = [*np.quantile(miss / np.sqrt(forecast), [0.05, 0.95])]
        ends += [*np.quantile(variance / forecast, [0.05, 0.95])]
        return cls(*(float(f"{end:.6g}") for end in ends))


def measure_intervals(days: Days, y: dict[int, np.ndarray], year: int) -> Intervals:
    """Intervals for a year from the forecasts of the years before, each by its own network.

    Args:
        days: All days.
        y: For each earlier year, what its network says of all days, shape (N, 3).
        year: The year they are for.
    """
    miss, variance, forecast = [], [], []
    for before in range(max(year - INTERVAL_YEARS, min(y)), year):
        rows = np.flatnonzero((days.year == before) & days.known())
        answer = y[before][rows]
        miss.append(days.next_return[rows] - answer[:, 2] * np.sqrt(days.spread[rows]))
        variance.append(days.next_variance[rows])
        forecast.append(days.usual[rows] * np.exp(answer[:, 1] - answer[:, 0]))
    return Intervals.measure(*(np.concatenate(part) for part in (miss, variance, forecast)))


def train_walk(settings: Settings, run: Run) -> nn.Module:
    """Train the networks of all years (a quick training: that of the last year of choice).

    `run` gets the intervals of each test year and what "inside the training data" means.
    """
    days = compute_days(measure_moves(load_sp500()))
    quick = settings.budget == "quick"
    recipe = Recipe()
    kept = CHOICE_YEARS[-1:] if quick else TEST_YEARS
    net = YearlyForecasters(len(COLUMNS), kept, members=recipe.members, hidden=recipe.hidden)
    y: dict[int, np.ndarray] = {}
    for year in kept if quick else (*CHOICE_YEARS, *TEST_YEARS):
        past = past_rows(days, year)
        later = np.flatnonzero(days.year == year) if year in CHOICE_YEARS else None
        trained = train_on(days, past, settings.seed, recipe, run, str(year), later)
        y[year] = ask(trained, days.x)
        last = str(days.dates[past[-1] + 1])
        run.facts.setdefault("learned", {})[str(year)] = {"days": len(past), "until": last}
        if year in kept:
            net.nets[kept.index(year)] = trained.cpu()
        if run.cancelled():
            return net
    # What a new training is compared with: the last year of choice, never a test year.
    best, chosen = run.facts["best"], [str(n) for n in CHOICE_YEARS]
    run.facts["best"] = {name: best[name] for name in chosen if name in best}
    if not quick:
        past = past_rows(days, TEST_YEARS[-1])
        run.constants.update(
            intervals={str(n): asdict(measure_intervals(days, y, n)) for n in TEST_YEARS},
            lowest=[float(f"{v:.6g}") for v in days.x[past].min(axis=0)],
            highest=[float(f"{v:.6g}") for v in days.x[past].max(axis=0)],
        )
    return net
