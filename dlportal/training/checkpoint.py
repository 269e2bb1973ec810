"""Where a training can be taken up again."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dlportal.training.plan import Plan, Progress
from dlportal.training.store import save_weights


class Checkpoint:
    """The state after the last whole epoch, in one file that is replaced atomically."""

    def __init__(
        self, folder: Path, name: str, plan: Plan, steps_per_epoch: int, net: nn.Module
    ) -> None:
        self.path = folder / f"{name}.pt"
        self.best = folder / f"{name}-best.safetensors"
        # A checkpoint of another plan, of other data or of another network is not taken up.
        shapes = {key: tuple(tensor.shape) for key, tensor in changing_state(net).items()}
        self.plan = {**asdict(plan), "steps_per_epoch": steps_per_epoch, "shapes": shapes}

    def read(self, device: torch.device) -> dict[str, Any] | None:
        if not self.path.exists():
            return None
        found = torch.load(self.path, map_location=device, weights_only=True)
        return found if found["plan"] == self.plan else None

    def write(
        self,
        net: nn.Module,
        optimizer: torch.optim.Optimizer,
        progress: Progress,
        best_state: dict[str, Tensor] | None,
        better: bool,
    ) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if better and best_state is not None:
            save_weights(best_state, self.best)
        partial = self.path.with_name(self.path.name + ".partial")
        state = {
            "plan": self.plan,
            "net": changing_state(net),
            "optimizer": optimizer.state_dict(),
            "progress": asdict(progress),
            "best": best_state,
        }
        torch.save(state, partial)
        partial.replace(self.path)


def changing_state(net: nn.Module) -> dict[str, Tensor]:
    """The state dict without frozen parameters, which need no checkpoint."""
    frozen = {
        name for name, p in net.named_parameters(remove_duplicate=False) if not p.requires_grad
    }
    return {name: tensor for name, tensor in net.state_dict().items() if name not in frozen}
