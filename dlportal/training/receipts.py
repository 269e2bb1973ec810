"""Receipts: everything needed to make the same weights again."""

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import nn

import dlportal
from dlportal.cards import MODELS
from dlportal.case import Settings
from dlportal.device import has_fast_bf16, pick_device
from dlportal.training.events import Run

PACKAGES = (
    "torch",
    "torchvision",
    "torchaudio",
    "transformers",
    "numpy",
    "scikit-learn",
    "gymnasium",
    "stable-baselines3",
)


def versions(*more: str) -> dict[str, str]:
    """Versions of Python, this project and the packages that numbers depend on."""
    found = {"python": platform.python_version(), "dlportal": dlportal.__version__}
    for package in (*PACKAGES, *more):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def describe_device() -> str:
    """The processor networks run on, in words."""
    device = pick_device()
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads, {processor()}"


def processor() -> str:
    """The processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine()


def train_command(case_id: str, settings: Settings) -> str:
    """The command that repeats a training."""
    part = f" --part {settings.part}" if settings.part else ""
    return f"python -m dlportal train {case_id} --budget {settings.budget} --seed {settings.seed}{part}"


def make_receipt(
    case_id: str,
    settings: Settings,
    run: Run,
    net: nn.Module,
    datasets: Mapping[str, Any],
) -> dict[str, Any]:
    """Collect a receipt.

    Args:
        case_id: The case.
        settings: How the training was asked for.
        run: The finished run, with its curve, facts and constants.
        net: The trained network.
        datasets: For each dataset its files' SHA-256 by name.
    """
    return {
        "case": case_id,
        "command": train_command(case_id, settings),
        "seed": settings.seed,
        "budget": settings.budget,
        "datasets": dict(datasets),
        "versions": versions(),
        "device": describe_device(),
        # Sums come out in another order with another number of threads.
        "threads": torch.get_num_threads(),
        "bf16": has_fast_bf16(),
        "seconds": round(run.seconds, 1),
        "trained_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "parameters": sum(p.numel() for p in net.parameters()),
        "trained_parameters": sum(p.numel() for p in net.parameters() if p.requires_grad),
        "stopped": run.cancelled(),
        "facts": run.facts,
        "constants": run.constants,
        "curve": [curve_point(asdict(event)) for event in run.curve],
    }


def curve_point(event: dict[str, Any]) -> dict[str, Any]:
    """What a curve needs of an epoch event."""
    kept = {key: event[key] for key in ("epoch", "step", "seconds", "rate", "loss")}
    return {**kept, "metrics": event["metrics"]}


def write_json(content: Any, path: Path) -> None:
    """Write JSON atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


def write_receipt(
    case_id: str,
    settings: Settings,
    run: Run,
    net: nn.Module,
    datasets: Mapping[str, Any],
    folder: Path | None = None,
) -> Path:
    """Write `receipt.json` into the case's folder (or another), atomically."""
    path = (folder or MODELS / case_id) / "receipt.json"
    write_json(make_receipt(case_id, settings, run, net, datasets), path)
    return path
