"""How to train, and how far a training has come."""

import math
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Plan:
    """How to train.

    Attributes:
        epochs: Passes over the data at most.
        rate: Peak learning rate.
        metric: Which value of `validate` picks the best epoch.
        higher_is_better: Whether that value should grow.
        warmup: Share of all steps over which the rate rises.
        schedule: `cosine`, `linear` or `constant` after the warm-up.
        weight_decay: On matrices and kernels; never on biases and norms.
        patience: Stop after this many epochs without a better value; 0 never stops early.
        clip: Largest norm of the gradient; None leaves it alone.
        bf16: Autocast to bfloat16 where it is fast.
        betas: AdamW's averaging factors.
        factors: Factor on the rate of parameters whose name starts with the key, e.g.
            `{"body.": 0.1}`.
        seed: Seed of everything random inside the network (dropout).
    """

    epochs: int
    rate: float
    metric: str = "accuracy"
    higher_is_better: bool = True
    warmup: float = 0.1
    schedule: str = "cosine"
    weight_decay: float = 0.01
    patience: int = 0
    clip: float | None = 1.0
    bf16: bool = True
    betas: tuple[float, float] = (0.9, 0.999)
    factors: dict[str, float] = field(default_factory=dict)
    seed: int = 0


@dataclass
class Progress:
    """Where a training stands after an epoch; part of the checkpoint."""

    epoch: int = 0  # epochs done
    best: float | None = None
    best_epoch: int = 0
    best_metrics: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    curve: list[dict[str, Any]] = field(default_factory=list)

    def improved(self, value: float, plan: Plan) -> bool:
        if math.isnan(value):
            return self.best is None
        if self.best is None or math.isnan(self.best):
            return True
        return value > self.best if plan.higher_is_better else value < self.best

    def exhausted(self, plan: Plan) -> bool:
        waited = self.epoch - self.best_epoch
        return self.epoch >= plan.epochs or (plan.patience > 0 and waited >= plan.patience)
