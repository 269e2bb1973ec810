"""Public datasets: where their files are, that they are the right ones, and how they are split."""

from dlportal.data.files import (
    Dataset,
    dataset_file,
    dataset_tree,
    datasets,
    fingerprints,
    is_available,
)

__all__ = [
    "Dataset",
    "dataset_file",
    "dataset_tree",
    "datasets",
    "fingerprints",
    "is_available",
]
