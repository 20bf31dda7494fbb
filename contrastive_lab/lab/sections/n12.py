"""Doors of 12_everything_compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contrastive_lab.lab import results
from contrastive_lab.lab.doors import door
from contrastive_lab.lab.profiles import profile
from contrastive_lab.training import Settings


@door("12-table")
@door("12-seeds")
@door("12-cost")
def _table() -> dict[str, Any]:
    """What benchmarks/methods.py kept of every method on scenes: `kept` by method and seed, `rows` by method."""
    kept = results.read("methods-scenes")
    return {"kept": kept, "rows": by_method(kept)}


def by_method(kept: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The rows of each method over its seeds; the untrained network first, then the methods in the package's order."""
    from contrastive_lab.methods import METHODS

    order = [name for name in ("untrained", *METHODS) if any(key.startswith(f"{name}/") for key in kept)]
    return {name: [row for key, row in sorted(kept.items()) if key.startswith(f"{name}/") and "error" not in row] for name in order}


@door("12-runs")
@door("12-plane")
@door("12-spectra")
@door("12-locality")
def _finished() -> dict[str, Any]:
    """The finished runs on the embedded world and on CIFAR-10, by method, and test scenes that none of them saw."""
    from contrastive_lab.data import scenes

    test = scenes.load("test", count=profile(smoke=128, laptop=500, full=500), label="colour", two=0.0)
    return {"runs": finished("scenes"), "photographs": finished("cifar10"), "test_images": test}


def finished(data: str) -> dict[str, Any]:
    """The small runs on these images that travel with the package, by method in the order of the tables; supcon is Hydra's open gate."""
    from contrastive_lab import runs
    from contrastive_lab.methods import METHODS

    alone = [name for name, method in METHODS.items() if not method.needs & {"groups", "captions"}]  # others have data of their own
    there = {name: f"{data}-{name}-w16-s0" for name in ("untrained", *alone, "supcon")}
    return {name: runs.open_run(run) for name, run in there.items() if run in runs.available()}


@door("12-own")
def _own() -> dict[str, Any]:
    """Images and settings for a short run of SimCLR's network."""
    from contrastive_lab.data import scenes

    preset = profile(smoke="tiny", laptop="quick", full="full")
    train, test = (scenes.load(split, preset=preset, label="colour", two=0.0) for split in ("train", "test"))
    changes: dict[str, Any] = {
        "epochs": profile(smoke=1, laptop=10, full=30),
        "batch_size": profile(smoke=64, laptop=128, full=256),
        "width": profile(smoke=8, laptop=16, full=32),
    }
    return {"train_images": train, "test_images": test, "settings": Settings.recommended("simclr", "scenes", **changes)}
