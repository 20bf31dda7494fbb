"""Explorables of finished runs whose networks must be opened for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

MOST = 3
"""Networks shown side by side: the ones with the best kNN."""
CELLS, COVERED = 8, 3
"""Cells along the side of a map that is fine enough, and cells that an object covers in the images to point at."""


def own_pages(folders: Sequence[str | Path]) -> list[tuple[str, str, str]]:
    """Alignment and locality of the best runs on the embedded world's test images; title, task and page of each."""
    from contrastive_lab import data
    from contrastive_lab.explorables import Alignment, ObjectLocality

    methods = _best(folders)
    if not methods:
        return []
    images = data.load("scenes", "test", two=0.0, label="colour")
    pages = [
        (
            "Can they still tell that it is the same picture?",
            "Your encoders beside raw pixels and fresh weights: pull the strength of the augmentation.",
            Alignment.of(methods, images, count=200).html("clab-alignment-report"),
        )
    ]
    # A map of few cells gets images of twice the side, or an object would cover no cell of it.
    sizes = {images.size: images, 2 * images.size: data.load("scenes", "test", two=0.0, label="colour", size=2 * images.size)}
    groups: dict[tuple[int, tuple[int, ...]], dict[str, Any]] = {}
    for name, method in methods.items():
        size = images.size if min(_grid(method, images)) >= CELLS else 2 * images.size
        groups.setdefault((size, _grid(method, sizes[size])), {})[name] = method
    (size, grid), chosen = max(groups.items(), key=lambda item: len(item[1]))
    page = ObjectLocality.of(chosen, _with_large_objects(sizes[size], grid)).html("clab-locality-report")
    return [*pages, ("Point at an object", "Click a cell: which map outlines the thing?", page)]


def _best(folders: Sequence[str | Path]) -> dict[str, Any]:
    """The trained runs on scenes with the best kNN, opened, by the label that the report gives them."""
    from contrastive_lab.report import load_records
    from contrastive_lab.training import Run

    records = [r for r in load_records(folders) if r.settings["data"] == "scenes" and r.settings["epochs"] > 0]
    best = sorted(records, key=lambda r: -(r.last("knn") or 0.0))[:MOST]
    return {record.label: Run.load(record.folder).method for record in best}


def _with_large_objects(images: Any, grid: tuple[int, ...]) -> Any:
    """Those whose object covers several cells of the map, so that there is something to rank."""
    from contrastive_lab.training.locality import object_cells

    return images.take((object_cells(images, grid).flatten(1).sum(dim=1) >= COVERED).nonzero()[:, 0])


def _grid(method: Any, images: Any) -> tuple[int, ...]:
    import torch

    with torch.no_grad():
        return tuple(method.encoder.feature_map(images.take(slice(0, 1)).as_float()).shape[2:])
