"""The runs at the size of published tables, which benchmarks/runs.py made, by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from contrastive_lab.lab import results

SIZE = {"network": "resnet18", "width": 64, "epochs": 200}


def at_full_size() -> dict[str, list[Any]]:
    """The runs of results/runs-cifar10.json at the size of the published kNN table (SIZE) over their seeds.

    By the name of the run, since a method may have been run with other settings than its recipe's as well: "simclr-t0.1".
    """
    from contrastive_lab.methods import METHODS

    order = list(METHODS)
    found: dict[str, list[Any]] = {}
    for title, run in sorted(results.read("runs-cifar10").items()):
        settings = {} if "error" in run else run["settings"]
        if settings and all(settings[key] == value for key, value in SIZE.items()):
            found.setdefault(title.removeprefix("cifar10-").split("-w")[0], []).append(run)
    return dict(sorted(found.items(), key=lambda item: (order.index(item[1][0]["settings"]["method"]), item[0])))


def temperature_of(settings: Mapping[str, Any]) -> float | None:
    """The temperature of a recorded run: its option, else the default of its class or of one below; None for a method without one."""
    from contrastive_lab.methods import METHODS

    declared = [inspect.signature(kind).parameters.get("temperature") for kind in METHODS[settings["method"]].__mro__[:-1]]
    defaults = [parameter.default for parameter in declared if parameter is not None]
    return float(settings["options"].get("temperature", defaults[0])) if defaults else None
