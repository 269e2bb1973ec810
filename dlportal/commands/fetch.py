"""`fetch`: assets and datasets of cases into the cache."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from dlportal.assets import BUNDLES, AssetError, Progress, fetch, fetch_bundle
from dlportal.cards import Card
from dlportal.data import DATASETS, get_dataset

MeterFor = Callable[[str], AbstractContextManager[Progress]]


def fetch_all(cards: Sequence[Card], meter: MeterFor) -> list[dict[str, Any]]:
    """Fetch what the cards name; one failure does not keep the others away.

    Args:
        cards: The cases.
        meter: Gives a progress display for a name.

    Returns:
        For each asset and dataset its name, kind, cases, path and error (empty if fetched).
    """
    rows = []
    for kind, names in (
        ("asset", unique(name for card in cards for name in card.assets)),
        ("dataset", unique(name for card in cards for name in card.datasets if name in DATASETS)),
    ):
        for name in names:
            wanted = [card.id for card in cards if name in card.assets + card.datasets]
            row = {"name": name, "kind": kind, "cases": wanted, "path": "", "error": ""}
            try:
                with meter(name) as progress:
                    row["path"] = str(fetch_one(kind, name, progress))
            except AssetError as error:
                row["error"] = str(error)
            rows.append(row)
    return rows


def unique(names: Any) -> list[str]:
    return list(dict.fromkeys(names))


def fetch_one(kind: str, name: str, progress: Progress) -> Path:
    """Fetch one asset, bundle or dataset."""
    if kind == "dataset":
        return get_dataset(name, progress)
    return fetch_bundle(name, progress) if name in BUNDLES else fetch(name, progress)
