"""From a case's `train` to files: weights, golden output, receipt and the card's numbers."""

import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from dlportal.assets import cache_dir
from dlportal.cards import MODELS, Card, Measured, load_card, write_measured
from dlportal.case import Case, Evaluation, Lab, Settings, case_class
from dlportal.messages import N_, InputError
from dlportal.training.events import Run
from dlportal.training.receipts import make_receipt, versions, write_json
from dlportal.training.store import file_sha256, load_weights, save_weights

FILES = ("weights.safetensors", "golden.safetensors", "receipt.json")


class NotTrainable(InputError):
    """The case has no training; the sentence says what it does instead."""


@dataclass(frozen=True)
class Trained:
    """A finished training."""

    net: nn.Module
    run: Run
    folder: Path  # where its files are
    evaluation: Evaluation | None  # on the test split after a full training, else None


def trainable(case_id: str) -> type[Case]:
    """The class of a case that can be trained.

    Raises:
        NotTrainable: It cannot.
    """
    cls = case_class(case_id)
    if issubclass(cls, Lab):
        raise NotTrainable(
            N_(
                "{case} trains live while you watch and keeps no weights; run"
                " `python -m dlportal predict {case}`."
            ),
            case=case_id,
        )
    if not cls.can("train"):
        raise NotTrainable(
            N_("{case} uses pretrained weights as they are; there is nothing to train."),
            case=case_id,
        )
    return cls


def checkpoint_folder(case_id: str, settings: Settings) -> Path:
    """Where an interrupted training is taken up again."""
    part = f"-{settings.part}" if settings.part else ""
    return cache_dir() / "trainings" / f"{case_id}-{settings.budget}-{settings.seed}{part}"


def train_case(case_id: str, settings: Settings, run: Run, out: Path | None = None) -> Trained:
    """Train a case and store what came of it.

    A full training without `out` goes into the repository (`models/<case_id>/`): weights, golden
    output, receipt, and, measured once on the test split, the card. Everything is first written
    elsewhere and moved at the end. A full training that was stopped stores nothing there.

    Args:
        case_id: The case.
        settings: Budget and seed.
        run: Its folder keeps the checkpoints.
        out: Write here instead (weights, receipt); the card stays as it is.

    Raises:
        NotTrainable: The case has no training.
    """
    cls = trainable(case_id)
    card = load_card(case_id)
    ships = settings.budget == "full" and out is None
    net = cls.train(card, settings, run).cpu().eval()
    with tempfile.TemporaryDirectory(prefix="dlportal-") as temporary:
        staging = Path(temporary)
        store(net, staging / FILES[0])
        receipt = make_receipt(case_id, settings, run, net, dataset_hashes(card))
        receipt["weights_sha256"] = file_sha256(staging / FILES[0])
        write_json(receipt, staging / FILES[2])
        if not ships:
            folder = out or run.folder
            move(staging, folder)
            return Trained(net, run, folder, None)
        if run.cancelled():
            return Trained(net, run, run.folder, None)
        from dlportal.explain.report import with_faithful_shares  # seconds, for a shipped one alone

        # What is measured is what ships: the weights after rounding to float16.
        load_weights(net, staging / FILES[0], strict=False)
        case = with_training(cls, card, net, run.constants)
        write_golden(case, staging / FILES[1])
        evaluation = with_faithful_shares(case, case.evaluate("test"))
        move(staging, card.folder)
        write_card(case_id, evaluation, run.constants)
    return Trained(net, run, card.folder, evaluation)


def store(net: nn.Module, path: Path) -> None:
    """Save what the repository holds: all tensors, or what `net.shipped_state()` gives (those
    that differ from a pretrained body)."""
    shipped = getattr(net, "shipped_state", None)
    save_weights(shipped() if callable(shipped) else net, path)


def with_training(
    cls: type[Case], card: Card, net: nn.Module, constants: dict[str, Any]
) -> Case[Any]:
    """A case around newly trained weights and the constants that were found with them."""
    measured = card.measured.model_copy(
        update={"constants": {**card.measured.constants, **constants}}
    )
    fresh = card.model_copy(update={"measured": measured})
    # Shipped weights are not read: there may be none yet, or of another shape.
    trained = type(cls.__name__, (cls,), {"load": lambda self: net})
    return cast(Case[Any], trained(fresh))


def write_golden(case: Case[Any], path: Path) -> None:
    """Store one input the project may ship, encoded, and what the network makes of it."""
    x = case.encode(case.golden())
    with torch.inference_mode():
        y = case.net(x.to(case.device)).float().cpu()
    save_weights({"input": x, "output": y}, path, half=False)


def move(staging: Path, folder: Path) -> None:
    """Move finished files to their place, each at once."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if (staging / name).exists():
            partial = folder / f"{name}.partial"
            shutil.copyfile(staging / name, partial)
            partial.replace(folder / name)


def write_card(
    case_id: str, evaluation: Evaluation, constants: dict[str, Any] | None = None
) -> Path:
    """Write `card.json` from a full evaluation on the case's own test split."""
    old = load_card(case_id).measured
    net_parameters = evaluation.measured.parameters or old.parameters
    kept = {**(old.constants if constants is None else constants)}
    folder = MODELS / case_id
    hashes = {name: file_sha256(folder / name) for name in FILES if (folder / name).exists()}
    measured = evaluation.measured.model_copy(
        update={
            "case": case_id,
            "parameters": net_parameters,
            "constants": {**kept, **evaluation.measured.constants},
            "sha256": {**evaluation.measured.sha256, **hashes},
            "versions": {**versions(), **evaluation.measured.versions},
            "measured_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    )
    return write_measured(Measured.model_validate(measured.model_dump()))


def dataset_hashes(card: Card) -> dict[str, Any]:
    """SHA-256 of the files of the datasets that the card names.

    Data that the recipe makes itself (simulated payments, worlds) follow from the seed.
    """
    from dlportal.data import DATASETS

    return {
        name: DATASETS[name].sha256 if name in DATASETS else "made from the seed"
        for name in card.datasets
    }


def compare(card: Card, run: Run) -> dict[str, Any]:
    """The new network's validation metrics beside those of the shipped one.

    Both are of the epoch that was kept; the shipped ones come from its receipt. Of several
    networks those with the same name are compared.

    Returns:
        Metrics by name; `shipped`: the same, empty without a receipt; `about`: split, seconds
        and whether the training was stopped.
    """
    curve = [{"metrics": event.metrics} for event in run.curve]
    receipt = card.receipt() or {}
    facts = dict(receipt.get("facts", {}))
    names = [name for name in run.facts.get("best", {}) if name in facts.get("best", {})]
    if names:
        facts["best"] = {names[-1]: facts["best"][names[-1]]}
    shipped = kept_metrics(facts, receipt.get("curve", []))
    return {
        **kept_metrics(run.facts, curve),
        "shipped": shipped,
        "about": {
            "split": "validation",
            "seconds": round(run.seconds, 1),
            "stopped": run.cancelled(),
        },
    }


def kept_metrics(facts: dict[str, Any], curve: list[dict[str, Any]]) -> dict[str, float]:
    """Validation metrics of the epoch whose weights were kept (`fit` notes them), else the last."""
    if best := facts.get("best"):
        return {name: value for name, value in list(best.values())[-1].items() if name != "epoch"}
    return next((point["metrics"] for point in reversed(curve) if point["metrics"]), {})
