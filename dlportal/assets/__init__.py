"""Weights and samples that this project did not make: found, checked, cached.

`fetch` gives a file and `fetch_bundle` a folder; both raise `AssetError`, one sentence that a
page or the command line can show. Nothing here unpickles: a `.pth` file is read with
`torch.load(..., weights_only=True)`.
"""

from dlportal.assets.asset import (
    Asset,
    AssetError,
    Bundle,
    HubFile,
    PackageMember,
    Progress,
    WebFile,
)
from dlportal.assets.cache import cache_dir
from dlportal.assets.fetching import asset_path, fetch, fetch_bundle, is_cached
from dlportal.assets.registry import ASSETS, BUNDLES
from dlportal.assets.samples import SAMPLES, sample_path
from dlportal.assets.smollm2 import smollm2_dir

__all__ = [
    "ASSETS",
    "BUNDLES",
    "SAMPLES",
    "Asset",
    "AssetError",
    "Bundle",
    "HubFile",
    "PackageMember",
    "Progress",
    "WebFile",
    "asset_path",
    "cache_dir",
    "fetch",
    "fetch_bundle",
    "is_cached",
    "sample_path",
    "smollm2_dir",
]
