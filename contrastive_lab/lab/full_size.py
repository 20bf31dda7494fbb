"""The runs at the size of published tables, which benchmarks/runs.py made, by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from contrastive_lab.lab import results

SIZE = {"network": "resnet18", "width": 64, "epochs": 200}


def at_full_size() -> dict[str, list[Any]]:
    """The runs of results/runs-cifar10.json at the size of the published kNN table (SIZE) over their seeds, for the methods that it has.

    By the name of the run, since a method may have been run with other settings than its recipe's as well: "simclr-t0.1".
    """
    from contrastive_lab.methods import METHODS

    theirs, order = results.read("published")["knn_200_epochs"]["rows"], list(METHODS)
    found: dict[str, list[Any]] = {}
    for title, run in sorted(results.read("runs-cifar10").items()):
        settings = {} if "error" in run else run["settings"]
        if settings.get("method") in theirs and all(settings[key] == value for key, value in SIZE.items()):
            found.setdefault(title.removeprefix("cifar10-").split("-w")[0], []).append(run)
    return dict(sorted(found.items(), key=lambda item: (order.index(item[1][0]["settings"]["method"]), item[0])))


def temperature_of(settings: Mapping[str, Any]) -> float:
    """The temperature of a recorded run, which its options name only where it isn't the method's own."""
    from contrastive_lab.methods import METHODS

    usual: float = inspect.signature(METHODS[settings["method"]]).parameters["temperature"].default
    return float(settings["options"].get("temperature", usual))
