"""Public datasets: where their files are, that they are the right ones, and how they are split."""

from dlportal.data.files import (
    DATASETS,
    Dataset,
    dataset_file,
    dataset_tree,
    get_dataset,
    is_available,
)

__all__ = [
    "DATASETS",
    "Dataset",
    "dataset_file",
    "dataset_tree",
    "get_dataset",
    "is_available",
]
