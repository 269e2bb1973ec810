"""CLINC150: what people ask an assistant, 150 intents, and questions that are none of them.

Larson et al. 2019, https://aclanthology.org/D19-1131/
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlportal.data.files import dataset_file
from dlportal.data.splits import Splits, Texts, novel_rows
from dlportal.messages import N_, InputError

PARTS = {"train": "train", "validation": "val", "test": "test"}


@dataclass(frozen=True)
class Clinc:
    """Questions within the 150 intents, and `outside` those that belong to none, by part."""

    inside: Splits[Texts]
    outside: Splits[tuple[str, ...]]


def load(classes: tuple[str, ...], path: Path | None = None) -> Clinc:
    """Read CLINC150 in its official split.

    Training questions that also occur in `test` or twice are dropped.

    Args:
        classes: Ids of the intents; a label is a place in this list.
        path: A file laid out like `data_full.json` to read instead.

    Raises:
        AssetError: The file is neither here nor to be had.
        InputError: `path` has another layout.
    """
    found = _read(path or dataset_file("clinc150", "data_full.json"), classes)
    train = found.inside.train
    train = train.take(novel_rows(train.texts, found.inside.test.texts))
    return Clinc(Splits(train, found.inside.validation, found.inside.test), found.outside)


def domains() -> dict[str, list[str]]:
    """The ten domains, each with its fifteen intents.

    Raises:
        AssetError: The file is neither here nor to be had.
    """
    text = dataset_file("clinc150", "domains.json").read_text("utf-8")
    found: dict[str, list[str]] = json.loads(text)
    return found


def _read(path: Path, classes: tuple[str, ...]) -> Clinc:
    place = {name: number for number, name in enumerate(classes)}
    try:
        document = json.loads(path.read_text("utf-8"))
        parts = {
            part: Texts(
                tuple(text for text, _ in document[name]),
                np.array([place[label] for _, label in document[name]], dtype=np.int64),
            )
            for part, name in PARTS.items()
        }
        outside = {
            part: tuple(text for text, _ in document[f"oos_{name}"]) for part, name in PARTS.items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            N_(
                "{file} is not laid out like CLINC150's data_full.json: train, val and test with "
                "[text, intent] pairs, and oos_train, oos_val, oos_test."
            ),
            file=path.name,
        ) from error
    return Clinc(Splits(**parts), Splits(**outside))
