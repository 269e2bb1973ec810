"""The one training loop.

bf16 where the processor gains from it, channels_last for pictures, fused AdamW, a schedule with
warm-up, early stopping on validation, a checkpoint after each epoch from which the training can
be taken up again, progress events, a pause, and a stop switch that works from any thread.
"""

import math
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.device import autocast, pick_device
from dlportal.messages import N_, UserError
from dlportal.training.checkpoint import Checkpoint, changing_state
from dlportal.training.events import Event, Run
from dlportal.training.plan import Plan, Progress
from dlportal.training.schedules import get_schedule

__all__ = ["Diverged", "Plan", "fit", "seed_everything"]

Batch = Any  # a tensor, or tuples, lists and dicts of tensors
Batches = Callable[[int], Iterable[Batch]]
Loss = Callable[[nn.Module, Batch], Tensor]
Validate = Callable[[nn.Module], Mapping[str, float]]
MakeOptimizer = Callable[[nn.Module, Plan], torch.optim.Optimizer]

EVENT_GAP = 0.1  # seconds between step events: at most ten a second


class Diverged(UserError):
    """The loss is no longer a number."""


def seed_everything(seed: int) -> None:
    """Seed torch, NumPy's legacy generator and `random`."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def fit(
    net: nn.Module,
    batches: Batches,
    loss: Loss,
    validate: Validate,
    plan: Plan,
    run: Run,
    name: str = "fit",
    optimizer: MakeOptimizer | None = None,
) -> nn.Module:
    """Train a network; the one loop for all cases.

    Args:
        net: The network, changed in place. Frozen parameters stay as they are.
        batches: Maps an epoch (0, 1, ...) to its batches, which must depend on the epoch alone
            so that a resumed training sees the same. Offers `steps_per_epoch`, or what it
            returns has a length. Tensors are moved to the device here.
        loss: Maps network (in training mode) and batch to a scalar.
        validate: Maps network (in eval mode, under `inference_mode`, float32) to metrics by
            name; must give `plan.metric`.
        plan: How to train.
        run: Gets `step` and `epoch` events, pauses and stops the training, and its folder keeps the
            checkpoints `<name>.pt` (the last epoch) and `<name>-best.safetensors`. The events
            `done`, `stopped` and `failed` are its owner's to send.
        name: Tells apart the trainings of one run.
        optimizer: Makes another optimizer than fused AdamW; each group names the `factor` on the
            plan's rate.

    Returns:
        `net` with the weights of the best epoch, in eval mode. If `run` was cancelled: the best
        so far; before the first epoch ended, the current ones.

    Raises:
        Diverged: The loss is infinite or not a number.
        ValueError: `validate` does not give `plan.metric`, or the length of an epoch is unknown.
    """
    return Training(net, batches, loss, validate, plan, run, name, optimizer).go()


class Training:
    """The state of one `fit`."""

    def __init__(
        self,
        net: nn.Module,
        batches: Batches,
        loss: Loss,
        validate: Validate,
        plan: Plan,
        run: Run,
        name: str,
        optimizer: MakeOptimizer | None = None,
    ) -> None:
        self.device = pick_device()
        self.net = net.to(self.device)
        self.pictures = any(p.ndim == 4 for p in net.parameters())
        if self.pictures:
            self.net = self.net.to(memory_format=torch.channels_last)
        self.batches, self.loss, self.validate = batches, loss, validate
        self.plan, self.run, self.name = plan, run, name
        self.steps_per_epoch = count_steps(batches)
        self.steps = plan.epochs * self.steps_per_epoch
        self.schedule = get_schedule(plan.schedule)
        self.optimizer = (optimizer or make_optimizer)(self.net, plan)
        self.checkpoint = Checkpoint(run.folder, name, plan, self.steps_per_epoch, self.net)
        self.progress = Progress()
        self.best_state: dict[str, Tensor] | None = None
        self.step = 0  # optimizer steps done
        self.resumed_at = 0
        self.started = time.monotonic()
        self.spoke = -math.inf
        self.recent: list[Tensor] = []  # losses not yet reported
        self.run_offset = run.seconds  # of the run's other trainings

    def go(self) -> nn.Module:
        self.resume()
        # The visitor's process may draw random numbers of its own: leave its generator alone.
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            while not self.progress.exhausted(self.plan) and not self.run.cancelled():
                self.train_epoch()
                if self.run.cancelled():
                    break
                self.end_epoch()
        if self.best_state is not None:
            self.run.facts.setdefault("best", {})[self.name] = self.progress.best_metrics
            self.net.load_state_dict(self.best_state, strict=False)
        return self.net.eval()

    def resume(self) -> None:
        found = self.checkpoint.read(self.device)
        if found is None:
            return
        self.net.load_state_dict(found["net"], strict=False)
        self.optimizer.load_state_dict(found["optimizer"])
        self.progress = Progress(**found["progress"])
        self.best_state = found["best"]
        self.step = self.resumed_at = self.progress.epoch * self.steps_per_epoch
        self.run.started -= self.progress.seconds  # the clock counts the earlier part too
        self.run.curve.extend(Event(**event) for event in self.progress.curve)
        self.emit("message", text=N_("Taken up again after an interruption."))

    def train_epoch(self) -> None:
        epoch = self.progress.epoch
        torch.manual_seed(self.plan.seed * 1_000_003 + epoch)
        self.net.train()
        self.recent = []
        self.epoch_loss, self.epoch_batches = torch.zeros((), device=self.device), 0
        for batch in self.batches(epoch):
            loss = self.one_step(to_device(batch, self.device, self.pictures))
            self.recent.append(loss)
            self.epoch_loss, self.epoch_batches = self.epoch_loss + loss, self.epoch_batches + 1
            if time.monotonic() - self.spoke >= EVENT_GAP:
                self.tell_loss()
            self.started += self.run.hold(self.steps, self.tell_loss)
            if self.run.cancelled():
                return

    def tell_loss(self) -> None:
        """Report the mean loss of the batches since the last report, if there are any."""
        if self.recent:
            mean = torch.stack(self.recent).mean().item()
            self.recent = []
            self.emit("step", loss=self.finite(mean))

    def one_step(self, batch: Batch) -> Tensor:
        factor = self.schedule(self.step, self.steps, round(self.plan.warmup * self.steps))
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.rate * group["factor"] * factor
        with autocast(self.plan.bf16):
            loss = self.loss(self.net, batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.plan.clip is not None:
            nn.utils.clip_grad_norm_(self.net.parameters(), self.plan.clip)
        self.optimizer.step()
        self.step += 1
        return loss.detach().float()

    def finite(self, value: float) -> float:
        if not math.isfinite(value):
            raise Diverged(
                N_("The loss is not a number any more at step {step}. Lower the learning rate."),
                step=self.step,
            )
        return value

    def end_epoch(self) -> None:
        loss = self.finite(self.epoch_loss.item() / max(1, self.epoch_batches))
        self.net.eval()
        with torch.inference_mode():
            metrics = {key: float(value) for key, value in self.validate(self.net).items()}
        if self.plan.metric not in metrics:
            known = ", ".join(metrics)
            raise ValueError(f"validate gives no {self.plan.metric!r}; it gives: {known}")
        self.progress.epoch += 1
        value = metrics[self.plan.metric]
        better = self.progress.improved(value, self.plan)
        if better:
            self.progress.best, self.progress.best_epoch = value, self.progress.epoch
            self.best_state = {k: v.detach().clone() for k, v in changing_state(self.net).items()}
            self.progress.best_metrics = {"epoch": self.progress.epoch, **metrics}
        self.emit("epoch", loss=loss, metrics=metrics)
        self.progress.curve.append(asdict(self.run.curve[-1]))
        self.progress.seconds = self.run.seconds - self.run_offset
        self.checkpoint.write(self.net, self.optimizer, self.progress, self.best_state, better)

    def emit(self, kind: Any, **fields: Any) -> None:
        spent = time.monotonic() - self.started
        done = self.step - self.resumed_at
        self.run.emit(
            Event(
                kind,
                step=self.step,
                steps=self.steps,
                epoch=min(self.plan.epochs, self.step // self.steps_per_epoch),
                epochs=self.plan.epochs,
                rate=self.optimizer.param_groups[0]["lr"],
                seconds=self.run.seconds,
                eta=spent / done * (self.steps - self.step) if done else None,
                **fields,
            )
        )
        self.spoke = time.monotonic()


def count_steps(batches: Batches) -> int:
    """Steps of an epoch.

    Raises:
        ValueError: Neither `steps_per_epoch` nor a length is known, or there are none.
    """
    steps = getattr(batches, "steps_per_epoch", None)
    if steps is None:
        first: Any = batches(0)
        if not hasattr(first, "__len__"):
            raise ValueError("batches needs steps_per_epoch, or must return something with len()")
        steps = len(first)
    if steps < 1:
        raise ValueError("an epoch has no batches")
    return int(steps)


def make_optimizer(net: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """Fused AdamW; biases and norms do not decay, `plan.factors` slow parts down."""
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in net.named_parameters():
        if not parameter.requires_grad:
            continue
        decay = plan.weight_decay if parameter.ndim >= 2 else 0.0
        factor = next((f for start, f in plan.factors.items() if name.startswith(start)), 1.0)
        groups.setdefault((decay, factor), []).append(parameter)
    if not groups:
        raise ValueError("no parameter of the network can be trained")
    return torch.optim.AdamW(
        [
            {"params": parameters, "weight_decay": decay, "factor": factor}
            for (decay, factor), parameters in groups.items()
        ],
        lr=plan.rate,
        betas=plan.betas,
        fused=True,
    )


def to_device(batch: Batch, device: torch.device, pictures: bool) -> Batch:
    """Move a batch; float pictures (B, C, H, W) become channels_last."""
    if isinstance(batch, Tensor):
        if pictures and batch.ndim == 4 and batch.is_floating_point():
            return batch.to(device, memory_format=torch.channels_last, non_blocking=True)
        return batch.to(device, non_blocking=True)
    if isinstance(batch, (tuple, list)):
        return type(batch)(to_device(item, device, pictures) for item in batch)
    if isinstance(batch, dict):
        return {key: to_device(item, device, pictures) for key, item in batch.items()}
    return batch
