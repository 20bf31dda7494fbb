"""Image sets held as tensors."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from contrastive_lab.data.available import Found, available
from contrastive_lab.data.download import DownloadError
from contrastive_lab.data.images import Images
from contrastive_lab.data.load import NAMES, load
from contrastive_lab.data.locate import SetNotFoundError, cache_folder
from contrastive_lab.data.own import read_folder
from contrastive_lab.data.suited import suited

if TYPE_CHECKING:
    from contrastive_lab.data import digits, scenes
    from contrastive_lab.data.digits import SuperimposedDataset, make_synthetic_scenes

__all__ = [
    "NAMES",
    "DownloadError",
    "Found",
    "Images",
    "SetNotFoundError",
    "SuperimposedDataset",
    "available",
    "cache_folder",
    "digits",
    "load",
    "make_synthetic_scenes",
    "read_folder",
    "scenes",
    "suited",
]


def __getattr__(name: str) -> Any:
    if name in ("scenes", "digits"):
        return importlib.import_module(f"contrastive_lab.data.{name}")
    if name in ("SuperimposedDataset", "make_synthetic_scenes"):
        return getattr(importlib.import_module("contrastive_lab.data.digits"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
